bin_PROGRAMS += asynwsgi
asynwsgi_CPPFLAGS = $(cli_inc)
asynwsgi_LDADD = $(server_lib) $(PYTHON_LIBS)
asynwsgi_SOURCES = \
	cli/guess.c \
	cli/help.c \
	cli/kinds.c \
	cli/main.c \
	cli/options.c \
	cli/options.h \
	cli/settings.c \
	cli/settings.h \
	cli/table.c \
	cli/units.c \
	cli/units.h
