man_tests = \
	t/man/test_install.py \
	t/man/test_pages.py

TESTS += $(man_tests)
EXTRA_DIST += $(man_tests) t/man/manual.py
