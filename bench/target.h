/* A target of load: a URL, and the addresses to connect to. */
#ifndef BENCH_TARGET_H
#define BENCH_TARGET_H

#include <asynwsgi/httpclient.h>

struct target {
    struct httpclient_url url; /* within the text it was made of */
    size_t count;
    struct tcpsocket_address addresses[HTTPCLIENT_ADDRESSES];
};

/*
 * Take a URL apart and find its addresses, which runs the loop until there is an
 * answer, so before anything else does; `unix_socket`, the path of one or "@NAME",
 * stands for them unless it is NULL.  Errors: those of httpclient_url_parse(),
 * tcpsocket_address_parse() and httpclient_resolve_start().
 */
int target_find(struct dispatch *loop, const char *url, const char *unix_socket,
                struct target *target);

/* The address of a unix socket, by its path or "@NAME". */
int target_unix(const char *path, struct tcpsocket_address *address);

/* What such an error says. */
const char *target_error_text(int error);

#endif
