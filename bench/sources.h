/*
 * The addresses that connections come from.  A connection is told from others by its
 * two addresses and ports, so one local address has as many to one server as there are
 * local ports; of 127.0.0.0/8 every address is this machine's (RFC 1122, 3.2.1.3 (g)).
 */
#ifndef BENCH_SOURCES_H
#define BENCH_SOURCES_H

#include <asynwsgi/tcpsocket.h>

/* 127.0.0.1 to 127.255.255.254 */
#define SOURCES_MAX UINT64_C(0xFFFFFE)

/* Whether what is sent there stays on this machine: loopback, or a unix socket. */
bool sources_is_loopback(const struct tcpsocket_address *address);

/*
 * How many local addresses a number of connections takes, with `ports` each of which
 * half are used: looking for a free one takes long where there are few.  1 where the
 * server is not of 127.0.0.0/8, since there are no others then.
 */
uint64_t sources_needed(const struct tcpsocket_address *server, uint64_t connections,
                        uint64_t ports);

/* The index-th: 0 is 127.0.0.1.  Its port is 0. */
void sources_address(uint64_t index, struct tcpsocket_address *address);

#endif
