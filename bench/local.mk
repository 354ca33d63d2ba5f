# Figures go to the terminal as a table, and to bench.json.
BENCH_FLAGS =
.PHONY: bench
bench: all
	$(PYTHON) $(srcdir)/bench/bench.py ./asynwsgi$(EXEEXT) --json bench.json $(BENCH_FLAGS)
EXTRA_DIST += bench/app.py bench/bench.py
CLEANFILES += bench.json
