# The golden cases, put to any server: make conformance ADDRESS=HOST:PORT
CONFORMANCE_FLAGS =
.PHONY: conformance
conformance:
	@test -n '$(ADDRESS)' || { echo 'usage: make conformance ADDRESS=HOST:PORT'; exit 2; }
	PYTHONDONTWRITEBYTECODE=1 $(PYTHON) $(srcdir)/t/conformance/conformance.py '$(ADDRESS)' \
	    $(CONFORMANCE_FLAGS)
EXTRA_DIST += \
	docs/CONFORMANCE.md \
	t/conformance/app.py \
	t/conformance/conformance.py \
	t/conformance/exchanges.py \
	t/conformance/judge.py \
	t/conformance/pages.py \
	t/conformance/wire.py
