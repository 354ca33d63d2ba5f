# Each name has its source beside it: t/http/NAME.cc.
http_tests = \
	t/http/chunked_test \
	t/http/field_test \
	t/http/format_test \
	t/http/framing_test \
	t/http/golden_portable_test \
	t/http/golden_test \
	t/http/oracle_test \
	t/http/plain_test \
	t/http/request_test \
	t/http/response_test \
	t/http/scan_test \
	t/http/section_test \
	t/http/states_test
http_test_files = \
	t/http/golden/README.md \
	t/http/golden/chunk-extension.md \
	t/http/golden/chunked.md \
	t/http/golden/connection.md \
	t/http/golden/fields.md \
	t/http/golden/framing.md \
	t/http/golden/host.md \
	t/http/golden/limits.md \
	t/http/golden/padding.md \
	t/http/golden/repeated.md \
	t/http/golden/request-line.md \
	t/http/golden/response-connection.md \
	t/http/golden/response-fields.md \
	t/http/golden/response-framing.md \
	t/http/golden/response-status-line.md \
	t/http/golden/rules.md \
	t/http/golden/smuggling.md \
	t/http/golden/target.md \
	t/http/oracle.h \
	t/http/pages.h \
	t/http/parsed.h \
	t/http/ways.h
EXTRA_DIST += $(http_test_files)

$(http_tests): $(http_lib) $(test_lib)
t/http/%: private AM_CPPFLAGS = $(test_inc) $(http_inc)
t/http/%: private LDADD = $(http_lib) $(test_link)

if AVX2
http_tests += t/http/scan_avx2_test
t_http_scan_avx2_test_SOURCES = t/http/scan_test.cc
t_http_scan_avx2_test_CPPFLAGS = -DHTTP_SCAN_AVX2 $(test_inc) $(http_inc)
t_http_scan_avx2_test_CXXFLAGS = $(AM_CXXFLAGS) -mavx2
endif

t_http_golden_test_SOURCES = t/http/golden_test.cc t/http/pages.cc
t_http_oracle_test_SOURCES = t/http/oracle_test.cc t/http/oracle.cc t/http/pages.cc t/http/parsed.cc

# The pages once more, with machines that do without SIMD.
t_http_golden_portable_test_SOURCES = t/http/golden_test.cc t/http/pages.cc
nodist_t_http_golden_portable_test_SOURCES = http/request.c http/response.c
t_http_golden_portable_test_CPPFLAGS = -DHTTP_SCAN_PORTABLE $(test_inc) $(http_inc)
t_http_golden_portable_test_CFLAGS = $(AM_CFLAGS) -Wno-implicit-fallthrough

# Server connections: these count the system calls.
http_tests += \
	t/http/server_budget_test \
	t/http/server_drain_test \
	t/http/server_exchange_test \
	t/http/server_lost_test \
	t/http/server_memory_test \
	t/http/server_request_test \
	t/http/server_response_head_test \
	t/http/server_send_file_test \
	t/http/server_timeout_test \
	t/http/server_torture_test \
	t/http/server_watch_test
http_test_files += t/http/server_fixture.h
t/http/server_%: private LDADD = $(http_lib) $(test_link) -Wl,--wrap=recv -Wl,--wrap=send \
	-Wl,--wrap=sendmsg -Wl,--wrap=sendfile -Wl,--wrap=epoll_ctl -Wl,--wrap=clock_gettime
