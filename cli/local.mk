# All but main() is a library, for the tests.
noinst_LIBRARIES += libasynwsgi-cli.a
libasynwsgi_cli_a_CPPFLAGS = $(cli_inc)
libasynwsgi_cli_a_SOURCES = \
	cli/guess.c \
	cli/help.c \
	cli/kinds.c \
	cli/options.c \
	cli/options.h \
	cli/settings.c \
	cli/settings.h \
	cli/table.c \
	cli/units.c \
	cli/units.h

bin_PROGRAMS += asynwsgi
asynwsgi_CPPFLAGS = $(cli_inc)
asynwsgi_LDADD = $(cli_lib) $(PYTHON_LIBS)
asynwsgi_SOURCES = \
	cli/main.c
