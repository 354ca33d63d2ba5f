# Each name has its source beside it: t/dispatch/NAME.cc.
dispatch_tests = \
	t/dispatch/abuse_test \
	t/dispatch/loop_test \
	t/dispatch/phases_test \
	t/dispatch/shared_test \
	t/dispatch/signal_test \
	t/dispatch/target_test \
	t/dispatch/timer_test \
	t/dispatch/torture_test \
	t/dispatch/waker_test
dispatch_test_files = t/dispatch/fixture.h t/dispatch/syscalls.h
EXTRA_DIST += $(dispatch_test_files)

$(dispatch_tests): $(dispatch_lib) $(test_lib)
t/dispatch/%: private AM_CPPFLAGS = $(test_inc) $(dispatch_inc)
t/dispatch/%: private LDADD = $(dispatch_lib) $(test_link)
