EXTRA_DIST += \
	examples/hello.py
