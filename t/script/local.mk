script_tests =
TESTS += $(script_tests)
EXTRA_DIST += $(script_tests)
