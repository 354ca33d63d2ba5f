EXTRA_DIST += \
	script/layers \
	script/python-flags.py
