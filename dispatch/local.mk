lib_LIBRARIES += libasynwsgi-dispatch.a
libasynwsgi_dispatch_a_CPPFLAGS = $(dispatch_inc) $(LIBURING_CPPFLAGS)
libasynwsgi_dispatch_a_SOURCES = \
	dispatch/backend_epoll.c \
	dispatch/backend_poll.c \
	dispatch/dispatch.c \
	dispatch/loop.h \
	dispatch/phases.c \
	dispatch/signal.c \
	dispatch/target.c \
	dispatch/timer.c \
	dispatch/waker.c
if LIBURING
libasynwsgi_dispatch_a_SOURCES += dispatch/backend_uring.c
endif
pkginclude_HEADERS += \
	dispatch/asynwsgi/dispatch.h \
	dispatch/asynwsgi/phases.h
pkgconfig_DATA += dispatch/asynwsgi-dispatch.pc
