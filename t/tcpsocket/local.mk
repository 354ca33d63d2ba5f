# Each name has its source beside it: t/tcpsocket/NAME.cc.
tcpsocket_tests =
tcpsocket_test_files =
EXTRA_DIST += $(tcpsocket_test_files)

$(tcpsocket_tests): $(tcpsocket_lib) $(test_lib)
t/tcpsocket/%: private AM_CPPFLAGS = $(test_inc) $(tcpsocket_inc)
t/tcpsocket/%: private LDADD = $(tcpsocket_lib) $(test_link)
