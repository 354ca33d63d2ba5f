lib_LIBRARIES += libasynwsgi-dispatch.a
libasynwsgi_dispatch_a_CPPFLAGS = $(dispatch_inc)
libasynwsgi_dispatch_a_SOURCES =
pkginclude_HEADERS +=
pkgconfig_DATA += dispatch/asynwsgi-dispatch.pc
