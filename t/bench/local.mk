# Each name has its source beside it: t/bench/NAME.cc.
bench_tests = \
	t/bench/histogram_test \
	t/bench/json_test \
	t/bench/load_options_test \
	t/bench/load_test \
	t/bench/schedule_test

$(bench_tests): $(filter-out -%,$(bench_lib)) $(test_lib)
t/bench/%: private AM_CPPFLAGS = $(test_inc) $(bench_inc)
t/bench/%: private LDADD = $(bench_lib) $(test_link)
