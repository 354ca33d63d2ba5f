# Each name has its source beside it: t/server/NAME.cc.
server_tests = \
	t/server/access_line_test \
	t/server/backoff_test \
	t/server/escape_test \
	t/server/listeners_test \
	t/server/log_test \
	t/server/target_test
server_test_files = t/server/support.h
EXTRA_DIST += $(server_test_files)

$(server_tests): $(server_lib) $(test_lib)
t/server/%: private AM_CPPFLAGS = $(test_inc) $(server_inc)
t/server/%: private LDADD = $(server_lib) $(test_link) $(PYTHON_LIBS)
