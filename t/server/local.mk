# Each name has its source beside it: t/server/NAME.cc.
server_tests =
server_test_files =
EXTRA_DIST += $(server_test_files)

$(server_tests): $(server_lib) $(test_lib)
t/server/%: private AM_CPPFLAGS = $(test_inc) $(server_inc)
t/server/%: private LDADD = $(server_lib) $(test_link) $(PYTHON_LIBS)
