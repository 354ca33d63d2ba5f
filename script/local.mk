EXTRA_DIST += \
	script/check-banned \
	script/check-headers \
	script/check-layers \
	script/check-words \
	script/count-tests \
	script/format \
	script/fuzz \
	script/layers \
	script/lib.sh \
	script/lint \
	script/python-flags.py \
	script/server \
	script/test
