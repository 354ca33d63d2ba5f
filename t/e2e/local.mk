e2e_tests = \
	t/e2e/test_cli.py \
	t/e2e/test_manual.py \
	t/e2e/test_processes.py
e2e_files = \
	t/e2e/command.py \
	t/e2e/conftest.py \
	t/e2e/run

TESTS += $(e2e_tests)
EXTRA_DIST += $(e2e_tests) $(e2e_files)
