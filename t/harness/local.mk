t_harness_libharness_a_CPPFLAGS = $(test_inc)
t_harness_libharness_a_SOURCES = \
	t/harness/alloc.cc \
	t/harness/harness.h \
	t/harness/main.cc

# Each name has its source beside it: t/harness/NAME.cc.
harness_tests = \
	t/harness/harness_test

$(harness_tests): $(test_lib)
t/harness/%: private AM_CPPFLAGS = $(test_inc)
t/harness/%: private LDADD = $(test_link)
