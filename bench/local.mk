# What the load programs share; not installed.
noinst_LIBRARIES += libasynwsgi-bench.a
libasynwsgi_bench_a_CPPFLAGS = $(bench_inc)
libasynwsgi_bench_a_SOURCES = \
	bench/arguments.c \
	bench/arguments.h \
	bench/failure.c \
	bench/failure.h \
	bench/folder.c \
	bench/folder.h \
	bench/histogram.c \
	bench/histogram.h \
	bench/list.c \
	bench/list.h \
	bench/machine.c \
	bench/machine.h \
	bench/pace.c \
	bench/pace.h \
	bench/proc.c \
	bench/proc.h \
	bench/recipe.c \
	bench/recipe.h \
	bench/sources.c \
	bench/sources.h \
	bench/standard.c \
	bench/standard.h \
	bench/target.c \
	bench/target.h

bin_PROGRAMS += asynwsgi-httpclient
asynwsgi_httpclient_CPPFLAGS = $(bench_inc)
asynwsgi_httpclient_LDADD = $(bench_lib)
asynwsgi_httpclient_SOURCES = \
	bench/bulkfetch.c \
	bench/bulkfetch.h \
	bench/bulkfetch_host.c \
	bench/bulkfetch_link.c \
	bench/bulkfetch_options.c \
	bench/bulkfetch_report.c \
	bench/httpclient.c \
	bench/httpclient_commands.h \
	bench/oneraw.c \
	bench/oneraw.h \
	bench/oneraw_options.c \
	bench/oneraw_redirect.c \
	bench/oneraw_show.c

# Figures go to the terminal as a table, and to bench.json.
BENCH_FLAGS =
.PHONY: bench
bench: all bench-dispatch
	$(PYTHON) $(srcdir)/bench/bench.py ./asynwsgi$(EXEEXT) --json bench.json $(BENCH_FLAGS)
EXTRA_DIST += bench/app.py bench/bench.py
CLEANFILES += bench.json

bin_PROGRAMS += asynwsgi-sclients
asynwsgi_sclients_CPPFLAGS = $(bench_inc)
asynwsgi_sclients_LDADD = $(bench_lib)
asynwsgi_sclients_SOURCES = \
	bench/sclients.c \
	bench/sclients.h \
	bench/sclients_client.c \
	bench/sclients_hold.c \
	bench/sclients_hold.h \
	bench/sclients_html.c \
	bench/sclients_linux.c \
	bench/sclients_options.c \
	bench/sclients_probe.c \
	bench/sclients_report.c

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

# What fetching costs the client, beside curl and h2load; see bench/fetch.py for --rounds.
.PHONY: bench-fetch
bench-fetch: all
	$(PYTHON) $(srcdir)/bench/fetch.py ./asynwsgi-httpclient$(EXEEXT) --json bench-fetch.json \
		$(BENCH_FETCH_FLAGS)
EXTRA_DIST += bench/fetch.py
CLEANFILES += bench-fetch.json

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

# What dispatch costs, beside libev and libuv where configure found them; see bench/dispatch.py.
bench_loops = bench/loop_dispatch
if HAVE_LIBEV
bench_loops += bench/loop_libev
endif
if HAVE_LIBUV
bench_loops += bench/loop_libuv
endif
check_PROGRAMS += $(bench_loops)
EXTRA_PROGRAMS = bench/loop_dispatch bench/loop_libev bench/loop_libuv
bench_loop_dispatch_SOURCES = bench/loop.c bench/loop.h bench/loop_dispatch.c
bench_loop_dispatch_CPPFLAGS = $(dispatch_inc)
bench_loop_dispatch_LDADD = $(dispatch_lib)
bench_loop_libev_SOURCES = bench/loop.c bench/loop.h bench/loop_libev.c
bench_loop_libev_CPPFLAGS = $(base_inc)
bench_loop_libev_LDADD = -lev
bench_loop_libuv_SOURCES = bench/loop.c bench/loop.h bench/loop_libuv.c
bench_loop_libuv_CPPFLAGS = $(base_inc)
bench_loop_libuv_LDADD = -luv

.PHONY: bench-dispatch
bench-dispatch: $(bench_loops)
	$(PYTHON) $(srcdir)/bench/dispatch.py $(bench_loops) --json bench-dispatch.json \
		--plot bench-dispatch.svg $(BENCH_DISPATCH_FLAGS)
EXTRA_DIST += bench/dispatch.py docs/DISPATCH.md docs/dispatch.svg
CLEANFILES += bench-dispatch.json bench-dispatch.svg
