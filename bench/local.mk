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
	bench/histogram.c \
	bench/histogram.h \
	bench/json.c \
	bench/json.h \
	bench/load.c \
	bench/load.h \
	bench/load_client.c \
	bench/load_message.c \
	bench/load_options.c \
	bench/load_options.h \
	bench/load_report.c \
	bench/load_upload.c \
	bench/parent_linux.c \
	bench/parent_linux.h \
	bench/recipe.c \
	bench/recipe.h \
	bench/schedule.c \
	bench/schedule.h \
	bench/target.c \
	bench/target.h

bin_PROGRAMS += asynwsgi-load
asynwsgi_load_CPPFLAGS = $(bench_inc)
# $(bench_lib), but for -pthread: automake wants it to be a flag.
asynwsgi_load_LDADD = libasynwsgi-bench.a $(units_lib) libasynwsgi-httpclient.a $(http_lib) \
	$(LIBCRYPTO_LIBS)
asynwsgi_load_LDFLAGS = $(AM_LDFLAGS) -pthread
asynwsgi_load_SOURCES = \
	bench/load_main.c

# What a request costs it, beside wrk; see bench/load.py for --connections and others.
.PHONY: bench-load
bench-load: all
	$(PYTHON) $(srcdir)/bench/load.py ./asynwsgi-load$(EXEEXT) --json bench-load.json $(BENCH_LOAD_FLAGS)
EXTRA_DIST += bench/load.py
CLEANFILES += bench-load.json

