# make bench: what it runs is added to bench_local.
.PHONY: bench
bench: all
