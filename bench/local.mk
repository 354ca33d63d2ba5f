# All of the load programs but main(), for the tests; not installed.
noinst_LIBRARIES += libasynwsgi-bench.a
libasynwsgi_bench_a_CPPFLAGS = $(bench_inc)
libasynwsgi_bench_a_SOURCES = \
	bench/alarm_linux.c \
	bench/alarm_linux.h \
	bench/arguments.c \
	bench/arguments.h \
	bench/digest.c \
	bench/digest.h \
	bench/failure.c \
	bench/failure.h \
	bench/folder.c \
	bench/folder.h \
	bench/histogram.c \
	bench/histogram.h \
	bench/json.c \
	bench/json.h \
	bench/list.c \
	bench/list.h \
	bench/load.c \
	bench/load.h \
	bench/load_client.c \
	bench/load_message.c \
	bench/load_options.c \
	bench/load_options.h \
	bench/load_report.c \
	bench/load_upload.c \
	bench/machine.c \
	bench/machine.h \
	bench/pace.c \
	bench/pace.h \
	bench/parent_linux.c \
	bench/parent_linux.h \
	bench/proc.c \
	bench/proc.h \
	bench/recipe.c \
	bench/recipe.h \
	bench/schedule.c \
	bench/schedule.h \
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

bin_PROGRAMS += asynwsgi-load
asynwsgi_load_CPPFLAGS = $(bench_inc)
asynwsgi_load_LDADD = $(bench_lib)
asynwsgi_load_SOURCES = \
	bench/load_main.c

# What a request costs it, beside wrk; see bench/load.py for --connections and others.
.PHONY: bench-load
bench-load: all
	$(PYTHON) $(srcdir)/bench/load.py ./asynwsgi-load$(EXEEXT) --json bench-load.json $(BENCH_LOAD_FLAGS)
EXTRA_DIST += bench/load.py
CLEANFILES += bench-load.json

# The command asynwsgi-bench: a package of Python, packed into one file.
bench_command = \
	bench/command/__init__.py \
	bench/command/bench.py \
	bench/command/compare.py \
	bench/command/condition.py \
	bench/command/document.py \
	bench/command/failure.py \
	bench/command/guard.py \
	bench/command/histogram.py \
	bench/command/http_processing.py \
	bench/command/load.py \
	bench/command/main.py \
	bench/command/options.py \
	bench/command/page.py \
	bench/command/plots.py \
	bench/command/profile.py \
	bench/command/progress.py \
	bench/command/recipes/asynwsgi.json \
	bench/command/recipes/gunicorn.json \
	bench/command/recipes/nginx.json \
	bench/command/recipes/uwsgi.json \
	bench/command/recipes/waitress.json \
	bench/command/report.html \
	bench/command/result.py \
	bench/command/saturate.py \
	bench/command/search.py \
	bench/command/servers.py \
	bench/command/sustained.py \
	bench/command/svg.py \
	bench/command/table.py \
	bench/command/units.py
bin_SCRIPTS += asynwsgi-bench
asynwsgi-bench: bench/pack.py $(bench_command) Makefile
	$(AM_V_GEN)$(PYTHON) $(srcdir)/bench/pack.py $@ $(VERSION) $(PYTHON) $(srcdir) $(bench_command)
EXTRA_DIST += bench/pack.py $(bench_command)
CLEANFILES += asynwsgi-bench

# Figures go to the terminal as tables, to bench.json and to bench.html; see bench/bench.py for --venv
# and others.
EXTRA_PROGRAMS += bench/raw
bench_raw_SOURCES = bench/raw.c
bench_raw_CPPFLAGS = $(base_inc)
BENCH_FLAGS =
.PHONY: bench
bench: all bench/raw$(EXEEXT)
	$(PYTHON) $(srcdir)/bench/bench.py ./asynwsgi$(EXEEXT) bench/raw$(EXEEXT) ./asynwsgi-load$(EXEEXT) \
		--json bench.json --html bench.html $(BENCH_FLAGS)
EXTRA_DIST += \
	bench/app.py \
	bench/apps/alone.py \
	bench/apps/bodies.py \
	bench/apps/django_hello.py \
	bench/apps/flask_hello.py \
	bench/apps/hello.py \
	bench/bench.py \
	bench/measure/__init__.py \
	bench/measure/client.py \
	bench/measure/page.py \
	bench/measure/process.py \
	bench/measure/report.py \
	bench/measure/run.py \
	bench/measure/scenarios.py \
	bench/measure/servers.py \
	docs/SPEED.md
CLEANFILES += bench.html bench.json bench/raw$(EXEEXT)

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

# How long it takes to the first response, and how large it is; see bench/start.py.
.PHONY: bench-start
bench-start: all
	$(PYTHON) $(srcdir)/bench/start.py ./asynwsgi$(EXEEXT) --python $(PYTHON) --json bench-start.json
EXTRA_DIST += bench/start.py
CLEANFILES += bench-start.json

# What dispatch costs, beside libev and libuv where configure found them; see bench/dispatch.py.
bench_loops = bench/loop_dispatch
if HAVE_LIBEV
bench_loops += bench/loop_libev
endif
if HAVE_LIBUV
bench_loops += bench/loop_libuv
endif
check_PROGRAMS += $(bench_loops)
EXTRA_PROGRAMS += bench/loop_dispatch bench/loop_libev bench/loop_libuv
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

# What it costs to parse; beside picohttpparser, if PICOHTTPPARSER names a folder that has its source.
check_PROGRAMS += t/http/parse
t_http_parse_SOURCES = t/http/parse.c
t_http_parse_CPPFLAGS = $(http_inc)
t_http_parse_LDADD = $(http_lib)
PICOHTTPPARSER =
.PHONY: bench-parser
bench-parser: t/http/parse
	$(if $(PICOHTTPPARSER),$(CC) -O2 -msse4.2 -shared -fPIC -o bench/picohttpparser.so \
		$(PICOHTTPPARSER)/picohttpparser.c)
	$(PYTHON) $(srcdir)/bench/parser.py t/http/parse --json bench-parser.json \
		$(if $(PICOHTTPPARSER),--pico bench/picohttpparser.so) $(BENCH_PARSER_FLAGS)
EXTRA_DIST += bench/parser.py
CLEANFILES += bench-parser.json bench/picohttpparser.so
