EXTRA_DIST += \
	examples/events.py \
	examples/flask_app.py \
	examples/hello.py \
	examples/longpoll.py \
	examples/uploader.py \
	examples/upstream.py
