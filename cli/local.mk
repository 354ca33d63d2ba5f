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

# Where the compiler can, the command is compiled as a whole, beside the archives: what crosses the
# layers would cost a call each.
bin_PROGRAMS += asynwsgi
asynwsgi_LDFLAGS = $(AM_LDFLAGS) @cli/exports
EXTRA_asynwsgi_DEPENDENCIES = cli/exports
.PHONY: profiled
if LTO
asynwsgi_CPPFLAGS = $(cli_inc) $(PYTHON_CPPFLAGS) $(LIBURING_CPPFLAGS)
asynwsgi_CFLAGS = $(AM_CFLAGS) $(LTO_CFLAGS)
asynwsgi_LDADD = $(COMMAND_PYTHON_LIBS)
asynwsgi_SOURCES = \
	cli/main.c \
	$(libasynwsgi_cli_a_SOURCES) \
	$(libasynwsgi_units_a_SOURCES) \
	$(libasynwsgi_server_a_SOURCES) \
	$(libasynwsgi_wsgi_a_SOURCES) \
	$(libasynwsgi_http_a_SOURCES) \
	$(libasynwsgi_tcpsocket_a_SOURCES) \
	$(libasynwsgi_dispatch_a_SOURCES)

# The command once more, for the ways that gcc sees it go when it serves.
profile_use = -fprofile-use -fprofile-correction -Wno-missing-profile
profiles = $(asynwsgi_OBJECTS:.$(OBJEXT)=.gcda)
profiled: asynwsgi-load$(EXEEXT)
	rm -f asynwsgi$(EXEEXT) $(asynwsgi_OBJECTS) $(profiles)
	$(MAKE) asynwsgi$(EXEEXT) LTO_CFLAGS='$(LTO_CFLAGS) -fprofile-generate -fprofile-update=atomic'
	$(PYTHON) $(srcdir)/bench/train.py ./asynwsgi$(EXEEXT) ./asynwsgi-load$(EXEEXT)
	rm -f asynwsgi$(EXEEXT) $(asynwsgi_OBJECTS)
	$(MAKE) asynwsgi$(EXEEXT) LTO_CFLAGS='$(LTO_CFLAGS) $(profile_use)'
mostlyclean-local:
	rm -f $(profiles)
else
asynwsgi_CPPFLAGS = $(cli_inc)
asynwsgi_LDADD = $(cli_lib) $(COMMAND_PYTHON_LIBS)
asynwsgi_SOURCES = \
	cli/main.c
endif
# As in http/local.mk; and what is made is not beside its headers.
http/asynwsgi-%.o: private asynwsgi_CPPFLAGS = $(http_inc)
http/asynwsgi-%.o: private AM_CFLAGS += -Wno-implicit-fallthrough

# What plug-ins may call, see asynwsgi-target(7): all that these headers declare is linked into the
# command, whether it uses it or not, and found there by dlopen(); nothing else of ours is. Python is,
# too, if it is within the command.
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
