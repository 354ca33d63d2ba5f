# Each name has its source beside it: t/cli/NAME.cc.
cli_tests = \
	t/cli/options_test
cli_test_files =
EXTRA_DIST += $(cli_test_files)

$(cli_tests): $(cli_lib) $(test_lib)
t/cli/%: private AM_CPPFLAGS = $(test_inc) $(cli_inc)
t/cli/%: private LDADD = $(cli_lib) $(test_link) $(PYTHON_LIBS)
