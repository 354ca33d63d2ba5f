# Each name has its source beside it: t/http/NAME.cc.
http_tests =
http_test_files =
EXTRA_DIST += $(http_test_files)

$(http_tests): $(http_lib) $(test_lib)
t/http/%: private AM_CPPFLAGS = $(test_inc) $(http_inc)
t/http/%: private LDADD = $(http_lib) $(test_link)

# Server connections: these count the system calls.
http_tests += \
	t/http/server_drain_test \
	t/http/server_exchange_test \
	t/http/server_lost_test \
	t/http/server_memory_test \
	t/http/server_request_test \
	t/http/server_response_head_test \
	t/http/server_timeout_test \
	t/http/server_torture_test
http_test_files += t/http/server_fixture.h
t/http/server_%: private LDADD = $(http_lib) $(test_link) -Wl,--wrap=recv -Wl,--wrap=send \
	-Wl,--wrap=sendmsg -Wl,--wrap=epoll_ctl -Wl,--wrap=clock_gettime
