lib_LIBRARIES += libasynwsgi-wsgi.a
libasynwsgi_wsgi_a_CPPFLAGS = $(wsgi_inc) $(PYTHON_CPPFLAGS)
libasynwsgi_wsgi_a_SOURCES =
pkginclude_HEADERS +=
