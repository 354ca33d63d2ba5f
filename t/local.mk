# Unit tests are t/<layer>/*_test.cc, listed in t/<layer>/local.mk; end-to-end tests t/e2e/test_*.py;
# tests of what is installed and its manual pages t/man/test_*.py; of the scripts t/script/*.sh.
TEST_EXTENSIONS = .py .sh
LOG_COMPILER = $(srcdir)/t/run
PY_LOG_COMPILER = $(srcdir)/t/e2e/run
SH_LOG_COMPILER = bash
tested = asynwsgi
AM_TESTS_ENVIRONMENT = \
	ASYNWSGI='$(abs_top_builddir)/$(tested)' PYTHON='$(PYTHON)' CC='$(CC)' CXX='$(CXX)' \
	INSTRUMENT_FLAGS='$(INSTRUMENT_FLAGS)'; : "$${ASYNWSGI_TEST_BACKENDS=$(backends)}"; \
	export ASYNWSGI PYTHON CC CXX INSTRUMENT_FLAGS ASYNWSGI_TEST_BACKENDS;
EXTRA_DIST += t/lsan.supp t/run t/valgrind.supp
CLEANFILES += t/*/*.xml

# What every unit test is compiled and linked with. The harness follows the layer's library, whose
# calls of malloc it counts.
test_inc = -I$(srcdir)/t $(GTEST_CPPFLAGS)
test_lib = t/harness/libharness.a
test_link = $(test_lib) $(GTEST_LIBS) -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc

unit_tests = \
	$(harness_tests) \
	$(units_tests) \
	$(dispatch_tests) \
	$(tcpsocket_tests) \
	$(http_tests) \
	$(httpclient_tests) \
	$(wsgi_tests) \
	$(server_tests) \
	$(cli_tests) \
	$(bench_tests) \
	$(fuzz_tests)

include $(srcdir)/t/harness/local.mk
include $(srcdir)/t/units/local.mk
include $(srcdir)/t/dispatch/local.mk
include $(srcdir)/t/tcpsocket/local.mk
include $(srcdir)/t/http/local.mk
include $(srcdir)/t/httpclient/local.mk
include $(srcdir)/t/wsgi/local.mk
include $(srcdir)/t/server/local.mk
include $(srcdir)/t/cli/local.mk
include $(srcdir)/t/bench/local.mk
include $(srcdir)/t/fuzz/local.mk
include $(srcdir)/t/conformance/local.mk
include $(srcdir)/t/e2e/local.mk
include $(srcdir)/t/man/local.mk
include $(srcdir)/t/script/local.mk

if TESTS_ENABLED
check_LIBRARIES += $(test_lib)
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
endif
