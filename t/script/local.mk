script_tests = \
	t/script/bench.sh \
	t/script/bench-dispatch.sh \
	t/script/check-banned.sh \
	t/script/check-headers.sh \
	t/script/check-layers.sh

TESTS += $(script_tests)
EXTRA_DIST += $(script_tests)

t/script/bench.log: bench/raw$(EXEEXT) asynwsgi-load$(EXEEXT)
t/script/bench-dispatch.log: $(bench_loops)
