lib_LIBRARIES += libasynwsgi-server.a
libasynwsgi_server_a_CPPFLAGS = $(server_inc)
libasynwsgi_server_a_SOURCES =
pkginclude_HEADERS +=
