lib_LIBRARIES += libasynwsgi-tcpsocket.a
libasynwsgi_tcpsocket_a_CPPFLAGS = $(tcpsocket_inc)
libasynwsgi_tcpsocket_a_SOURCES =
pkginclude_HEADERS +=
pkgconfig_DATA += tcpsocket/asynwsgi-tcpsocket.pc
