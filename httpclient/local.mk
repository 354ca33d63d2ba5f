lib_LIBRARIES += libasynwsgi-httpclient.a
libasynwsgi_httpclient_a_CPPFLAGS = $(httpclient_inc)
libasynwsgi_httpclient_a_SOURCES = \
	httpclient/client.c \
	httpclient/client.h \
	httpclient/connection.c \
	httpclient/receive.c \
	httpclient/reference.c \
	httpclient/request.c \
	httpclient/resolve.c \
	httpclient/send.c \
	httpclient/text.h \
	httpclient/timer.c \
	httpclient/url.c
pkginclude_HEADERS += httpclient/asynwsgi/httpclient.h
pkgconfig_DATA += httpclient/asynwsgi-httpclient.pc
