# Fuzz targets. Each is t/fuzz/NAME.cc and makes a test, NAME_test, and with --enable-fuzzers a
# program NAME_fuzzer, which script/fuzz runs.
fuzz_tests = \
	t/fuzz/chunked_test \
	t/fuzz/client_test \
	t/fuzz/connection_test \
	t/fuzz/message_test \
	t/fuzz/options_test \
	t/fuzz/request_head_test \
	t/fuzz/response_head_test
fuzz_fuzzers = \
	t/fuzz/chunked_fuzzer \
	t/fuzz/client_fuzzer \
	t/fuzz/connection_fuzzer \
	t/fuzz/message_fuzzer \
	t/fuzz/options_fuzzer \
	t/fuzz/request_head_fuzzer \
	t/fuzz/response_head_fuzzer
EXTRA_DIST += t/fuzz/answers.h t/fuzz/fuzz.h t/fuzz/head.h t/fuzz/http.dict

fuzz_common = \
	t/fuzz/input.cc \
	t/http/oracle.cc \
	t/http/pages.cc \
	t/http/parsed.cc
t_fuzz_chunked_test_SOURCES = t/fuzz/chunked.cc t/fuzz/replay.cc $(fuzz_common)
t_fuzz_client_test_SOURCES = t/fuzz/client.cc t/fuzz/replay.cc $(fuzz_common)
t_fuzz_connection_test_SOURCES = t/fuzz/connection.cc t/fuzz/replay.cc $(fuzz_common)
t_fuzz_message_test_SOURCES = t/fuzz/message.cc t/fuzz/replay.cc $(fuzz_common)
t_fuzz_options_test_SOURCES = t/fuzz/options.cc t/fuzz/replay.cc $(fuzz_common)
t_fuzz_request_head_test_SOURCES = t/fuzz/request_head.cc t/fuzz/portable.c t/fuzz/replay.cc $(fuzz_common)
t_fuzz_response_head_test_SOURCES = t/fuzz/response_head.cc t/fuzz/replay.cc $(fuzz_common)
t_fuzz_chunked_fuzzer_SOURCES = t/fuzz/chunked.cc t/fuzz/main.cc $(fuzz_common)
t_fuzz_client_fuzzer_SOURCES = t/fuzz/client.cc t/fuzz/main.cc $(fuzz_common)
t_fuzz_connection_fuzzer_SOURCES = t/fuzz/connection.cc t/fuzz/main.cc $(fuzz_common)
t_fuzz_message_fuzzer_SOURCES = t/fuzz/message.cc t/fuzz/main.cc $(fuzz_common)
t_fuzz_options_fuzzer_SOURCES = t/fuzz/options.cc t/fuzz/main.cc $(fuzz_common)
t_fuzz_request_head_fuzzer_SOURCES = t/fuzz/request_head.cc t/fuzz/portable.c t/fuzz/main.cc $(fuzz_common)
t_fuzz_response_head_fuzzer_SOURCES = t/fuzz/response_head.cc t/fuzz/main.cc $(fuzz_common)

$(fuzz_tests): $(http_lib) $(test_lib)
$(fuzz_fuzzers): $(http_lib)
t/fuzz/%: private AM_CPPFLAGS = $(test_inc) $(http_inc)
t/fuzz/%_test: private LDADD = $(http_lib) $(test_link)
t/fuzz/%_fuzzer: private LDADD = $(http_lib) $(FUZZER_LIBS)
t/fuzz/portable.$(OBJEXT): http/request.c
t/fuzz/portable.$(OBJEXT): private AM_CPPFLAGS = -I$(builddir) -I$(srcdir) $(http_inc)

# Time is the target's.
t/fuzz/connection_t%: private LDADD = $(http_lib) $(test_link) -Wl,--wrap=clock_gettime
t/fuzz/connection_f%: private LDADD = $(http_lib) $(FUZZER_LIBS) -Wl,--wrap=clock_gettime

fuzz_client = t/fuzz/client_test t/fuzz/client_fuzzer
$(fuzz_client): $(httpclient_lib)
t/fuzz/client.$(OBJEXT): private AM_CPPFLAGS = $(test_inc) $(httpclient_inc)
t/fuzz/client_t%: private LDADD = $(httpclient_lib) $(test_link)
t/fuzz/client_f%: private LDADD = $(httpclient_lib) $(FUZZER_LIBS)

fuzz_options = t/fuzz/options_test t/fuzz/options_fuzzer
$(fuzz_options): $(cli_lib)
t/fuzz/options.$(OBJEXT): private AM_CPPFLAGS = $(test_inc) $(cli_inc)
t/fuzz/options_t%: private LDADD = $(cli_lib) $(test_link) $(PYTHON_LIBS)
t/fuzz/options_f%: private LDADD = $(cli_lib) $(FUZZER_LIBS) $(PYTHON_LIBS)

if FUZZERS_ENABLED
noinst_PROGRAMS += $(fuzz_fuzzers)
endif
