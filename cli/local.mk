bin_PROGRAMS += asynwsgi
asynwsgi_CPPFLAGS = $(cli_inc)
asynwsgi_LDADD = $(server_lib) $(PYTHON_LIBS)
asynwsgi_SOURCES = \
	cli/main.c
