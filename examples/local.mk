EXTRA_DIST += \
	examples/flask_app.py \
	examples/hello.py
