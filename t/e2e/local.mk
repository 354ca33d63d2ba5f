e2e_tests = \
	t/e2e/test_command.py
e2e_files = \
	t/e2e/run

TESTS += $(e2e_tests)
EXTRA_DIST += $(e2e_tests) $(e2e_files)
