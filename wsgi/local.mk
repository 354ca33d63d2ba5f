lib_LIBRARIES += libasynwsgi-wsgi.a
libasynwsgi_wsgi_a_CPPFLAGS = $(wsgi_inc) $(PYTHON_CPPFLAGS)
libasynwsgi_wsgi_a_SOURCES = \
	wsgi/addresses.c \
	wsgi/addresses.h \
	wsgi/arrival.c \
	wsgi/arrival.h \
	wsgi/model.c \
	wsgi/model.h \
	wsgi/callable.c \
	wsgi/cpython.h \
	wsgi/environ.c \
	wsgi/errors.c \
	wsgi/event.c \
	wsgi/file_wrapper.c \
	wsgi/functions.c \
	wsgi/hash.h \
	wsgi/head.c \
	wsgi/head.h \
	wsgi/input.c \
	wsgi/interpreter.c \
	wsgi/load.c \
	wsgi/module.c \
	wsgi/names.c \
	wsgi/names.h \
	wsgi/pieces.c \
	wsgi/pool.c \
	wsgi/pool.h \
	wsgi/profile.c \
	wsgi/profile.h \
	wsgi/profile_file.c \
	wsgi/profile_stats.c \
	wsgi/python.h \
	wsgi/queue.h \
	wsgi/request.c \
	wsgi/request.h \
	wsgi/response.c \
	wsgi/send_file.c \
	wsgi/spool.c \
	wsgi/spool.h \
	wsgi/start_response.c \
	wsgi/state.h \
	wsgi/traceback.c \
	wsgi/turn.c \
	wsgi/types.h \
	wsgi/values.c \
	wsgi/values.h \
	wsgi/venv.c \
	wsgi/wait.c \
	wsgi/wait.h \
	wsgi/window.c \
	wsgi/window.h \
	wsgi/write.c \
	wsgi/wsgi.c
pkginclude_HEADERS += wsgi/asynwsgi/wsgi.h
