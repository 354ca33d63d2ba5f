# Each name has its source beside it: t/tcpsocket/NAME.cc.
tcpsocket_tests = \
	t/tcpsocket/address_test \
	t/tcpsocket/connect_test \
	t/tcpsocket/input_test \
	t/tcpsocket/listen_test \
	t/tcpsocket/listener_test \
	t/tcpsocket/output_test \
	t/tcpsocket/send_file_test \
	t/tcpsocket/stream_test
tcpsocket_test_files = t/tcpsocket/support.h t/tcpsocket/stream_support.h
EXTRA_DIST += $(tcpsocket_test_files)

$(tcpsocket_tests): $(tcpsocket_lib) $(test_lib)
t/tcpsocket/%: private AM_CPPFLAGS = $(test_inc) $(tcpsocket_inc)
t/tcpsocket/%: private LDADD = $(tcpsocket_lib) $(test_link) -Wl,--wrap=accept4 \
	-Wl,--wrap=epoll_ctl -Wl,--wrap=socket -Wl,--wrap=recv -Wl,--wrap=send -Wl,--wrap=sendmsg \
	-Wl,--wrap=sendfile
