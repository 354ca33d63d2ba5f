# Each name has its source beside it: t/units/NAME.cc.
units_tests = t/units/units_test

$(units_tests): $(units_lib) $(test_lib)
t/units/%: private AM_CPPFLAGS = $(test_inc) $(units_inc)
t/units/%: private LDADD = $(units_lib) $(test_link)
