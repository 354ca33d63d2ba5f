lib_LIBRARIES += libasynwsgi-tcpsocket.a
libasynwsgi_tcpsocket_a_CPPFLAGS = $(tcpsocket_inc)
libasynwsgi_tcpsocket_a_SOURCES = \
	tcpsocket/address.c \
	tcpsocket/buffer.c \
	tcpsocket/buffer.h \
	tcpsocket/connect.c \
	tcpsocket/defer_linux.c \
	tcpsocket/gone_linux.c \
	tcpsocket/input.c \
	tcpsocket/listen.c \
	tcpsocket/listener.c \
	tcpsocket/output.c \
	tcpsocket/pool.c \
	tcpsocket/pool.h \
	tcpsocket/progress_linux.c \
	tcpsocket/send_file.c \
	tcpsocket/sendfile_linux.c \
	tcpsocket/stream.c \
	tcpsocket/stream.h
pkginclude_HEADERS += tcpsocket/asynwsgi/tcpsocket.h
pkgconfig_DATA += tcpsocket/asynwsgi-tcpsocket.pc
