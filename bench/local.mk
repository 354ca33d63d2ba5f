# Figures go to the terminal as a table, and to bench.json.
BENCH_FLAGS =
.PHONY: bench
bench: all
	$(PYTHON) $(srcdir)/bench/bench.py ./asynwsgi$(EXEEXT) --json bench.json $(BENCH_FLAGS)
EXTRA_DIST += bench/app.py bench/bench.py
CLEANFILES += bench.json

# What slow clients cost an ordinary one; see bench/slow.py for -n and others.
BENCH_SLOW_FLAGS =
.PHONY: bench-slow
bench-slow: all
	$(PYTHON) $(srcdir)/bench/slow.py ./asynwsgi$(EXEEXT) --json bench-slow.json $(BENCH_SLOW_FLAGS)
EXTRA_DIST += bench/slow.py
CLEANFILES += bench-slow.json

# What it costs to send a file, beside nginx; see bench/files.py for --connections and others.
.PHONY: bench-files
bench-files: all
	$(PYTHON) $(srcdir)/bench/files.py ./asynwsgi$(EXEEXT) --json bench-files.json \
		$(BENCH_FILES_FLAGS)
EXTRA_DIST += bench/files.py
CLEANFILES += bench-files.json

# What many streams at once take of one worker; see bench/streams.py for --kind and others.
BENCH_STREAMS_FLAGS =
.PHONY: bench-streams
bench-streams: all
	$(PYTHON) $(srcdir)/bench/streams.py ./asynwsgi$(EXEEXT) --json bench-streams.json $(BENCH_STREAMS_FLAGS)
EXTRA_DIST += bench/clients.py bench/streams.py
CLEANFILES += bench-streams.json

# What a pool of threads makes of requests that wait; see bench/threads.py for -n and others.
BENCH_THREADS_FLAGS =
.PHONY: bench-threads
bench-threads: all
	$(PYTHON) $(srcdir)/bench/threads.py ./asynwsgi$(EXEEXT) --json bench-threads.json \
		$(BENCH_THREADS_FLAGS)
EXTRA_DIST += bench/threads.py
CLEANFILES += bench-threads.json
