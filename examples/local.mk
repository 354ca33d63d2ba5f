EXTRA_DIST += \
	examples/events.py \
	examples/flask_app.py \
	examples/hello.py \
	examples/longpoll.py \
	examples/target_echo.c \
	examples/target_status.c \
	examples/target_tick.c \
	examples/uploader.py \
	examples/upstream.py
