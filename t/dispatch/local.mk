# Each name has its source beside it: t/dispatch/NAME.cc.
dispatch_tests =
dispatch_test_files =
EXTRA_DIST += $(dispatch_test_files)

$(dispatch_tests): $(dispatch_lib) $(test_lib)
t/dispatch/%: private AM_CPPFLAGS = $(test_inc) $(dispatch_inc)
t/dispatch/%: private LDADD = $(dispatch_lib) $(test_link)
