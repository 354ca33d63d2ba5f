# Each name has its source beside it: t/http/NAME.cc.
http_tests =
http_test_files =
EXTRA_DIST += $(http_test_files)

$(http_tests): $(http_lib) $(test_lib)
t/http/%: private AM_CPPFLAGS = $(test_inc) $(http_inc)
t/http/%: private LDADD = $(http_lib) $(test_link)
