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
	cli/table.c

bin_PROGRAMS += asynwsgi
asynwsgi_CPPFLAGS = $(cli_inc)
asynwsgi_LDADD = $(cli_lib) $(PYTHON_LIBS)
asynwsgi_LDFLAGS = $(AM_LDFLAGS) @cli/exports
EXTRA_asynwsgi_DEPENDENCIES = cli/exports
asynwsgi_SOURCES = \
	cli/main.c

# What plug-ins may call, see asynwsgi-target(7): all that these headers declare is linked into the
# command, whether it uses it or not, and found there by dlopen(); nothing else of ours is.
plugin_headers = \
	dispatch/asynwsgi/dispatch.h \
	http/asynwsgi/http.h \
	http/asynwsgi/http_server.h \
	tcpsocket/asynwsgi/tcpsocket.h
# A declaration begins a line, and has its name in it.
export = -Wl,--require-defined=\1,--export-dynamic-symbol=\1
cli/exports: $(plugin_headers) Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && (cd $(srcdir) && $(SED) -n \
		-e 's/^[a-z][^("]*[* ]\([a-z0-9_]*\)(.*/$(export)/p' \
		-e 's/^extern [^("]*[* ]\([a-z0-9_]*\)[[;].*/$(export)/p' $(plugin_headers)) >$@.tmp && \
		mv $@.tmp $@
CLEANFILES += cli/exports
