# Each name has its source beside it: t/bench/NAME.cc.
bench_tests = \
	t/bench/arguments_test \
	t/bench/folder_test \
	t/bench/histogram_test \
	t/bench/list_test \
	t/bench/machine_test \
	t/bench/pace_test \
	t/bench/recipe_test \
	t/bench/sources_test

$(bench_tests): $(bench_lib) $(test_lib)
t/bench/%: private AM_CPPFLAGS = $(test_inc) $(bench_inc)
t/bench/%: private LDADD = $(bench_lib) $(test_link)
