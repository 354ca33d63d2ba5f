e2e_tests = \
	t/e2e/test_command.py \
	t/e2e/test_input.py \
	t/e2e/test_pep3333.py
e2e_files = \
	t/e2e/apps/beside.py \
	t/e2e/apps/notes.py \
	t/e2e/apps/pep3333.py \
	t/e2e/conftest.py \
	t/e2e/peer.py \
	t/e2e/run \
	t/e2e/serving.py

TESTS += $(e2e_tests)
EXTRA_DIST += $(e2e_tests) $(e2e_files)
