# Machines that are compiled; each may include "grammar.rl".
http_machines = \
	http/chunked.rl \
	http/host.rl \
	http/request.rl \
	http/response.rl
http_grammar = http/grammar.rl http/head.rl

lib_LIBRARIES += libasynwsgi-http.a
libasynwsgi_http_a_CPPFLAGS = $(http_inc)
libasynwsgi_http_a_SOURCES = \
	http/date.c \
	http/fault.c \
	http/field.c \
	http/field.h \
	http/framing.c \
	http/head.h \
	http/host.h \
	http/limits.c \
	http/percent.c \
	http/plain.c \
	http/plain.h \
	http/plain_take.h \
	http/reason.c \
	http/scan.h \
	http/trailer.c \
	$(http_machines:.rl=.c)
pkginclude_HEADERS += \
	http/asynwsgi/http.h
pkgconfig_DATA += http/asynwsgi-http.pc

$(http_machines:.rl=.c): $(http_grammar)
EXTRA_DIST += $(http_machines) $(http_grammar)
MAINTAINERCLEANFILES += $(http_machines:.rl=.c)
# States run into each other in what ragel -G2 writes.
$(http_machines:http/%.rl=http/libasynwsgi_http_a-%.o): private AM_CFLAGS += -Wno-implicit-fallthrough

if AVX2
libasynwsgi_http_a_SOURCES += http/plain_avx2.c
http/libasynwsgi_http_a-plain_avx2.$(OBJEXT) http/asynwsgi-plain_avx2.$(OBJEXT): \
	private AM_CFLAGS += -mavx2
endif

# Server connections.
libasynwsgi_http_a_SOURCES += \
	http/connection.c \
	http/connection.h \
	http/connection_timer.c \
	http/exchange.c \
	http/parsers.c \
	http/parsers.h \
	http/put.h \
	http/response_head.c \
	http/response_head.h \
	http/send_file.c \
	http/section.c \
	http/section.h \
	http/server.c
pkginclude_HEADERS += http/asynwsgi/http_server.h
