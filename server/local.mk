lib_LIBRARIES += libasynwsgi-server.a
libasynwsgi_server_a_CPPFLAGS = $(server_inc)
libasynwsgi_server_a_SOURCES = \
	server/access_line.c \
	server/access_line.h \
	server/access_log.c \
	server/access_log.h \
	server/backoff.c \
	server/backoff.h \
	server/escape.c \
	server/escape.h \
	server/listeners.c \
	server/listeners.h \
	server/log.c \
	server/log.h \
	server/server.c \
	server/slot.c \
	server/slot.h \
	server/supervisor.c \
	server/supervisor.h \
	server/targets.c \
	server/targets.h \
	server/worker.c \
	server/worker.h
pkginclude_HEADERS += \
	server/asynwsgi/server.h \
	server/asynwsgi/target.h
pkgconfig_DATA += server/asynwsgi-target.pc
