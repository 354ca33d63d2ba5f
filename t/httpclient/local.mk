# Each name has its source beside it: t/httpclient/NAME.cc. These count the system calls.
httpclient_tests = \
	t/httpclient/body_test \
	t/httpclient/connect_test \
	t/httpclient/pipeline_test \
	t/httpclient/request_test \
	t/httpclient/response_test \
	t/httpclient/server_test \
	t/httpclient/steady_test \
	t/httpclient/timeout_test \
	t/httpclient/url_test
httpclient_test_files = t/httpclient/fixture.h
EXTRA_DIST += $(httpclient_test_files)

httpclient_test_link = $(httpclient_lib) $(test_link) -Wl,--wrap=recv -Wl,--wrap=send \
	-Wl,--wrap=sendmsg -Wl,--wrap=sendfile -Wl,--wrap=epoll_ctl -Wl,--wrap=clock_gettime
$(httpclient_tests): $(httpclient_lib) $(test_lib)
t/httpclient/%: private AM_CPPFLAGS = $(test_inc) $(httpclient_inc)
t/httpclient/%: private LDADD = $(httpclient_test_link)
t/httpclient/connect_%: private LDADD = $(httpclient_test_link) -Wl,--wrap=socket \
	-Wl,--wrap=connect -Wl,--wrap=getaddrinfo
