/* Socket addresses as the str objects that environ has; a table of those seen last. */
#ifndef WSGI_ADDRESSES_H
#define WSGI_ADDRESSES_H

#include "python.h"
#include "values.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* An address without its padding; all zero for a unix socket. */
union wsgi_address_key {
    struct {
        uint32_t scope;
        uint16_t family, port;
        unsigned char host[16];
    } part;
    uint64_t words[3];
};

struct wsgi_address {
    union wsgi_address_key key;
    bool is_filled;        /* else this slot is free */
    PyObject *host, *port; /* "" for a unix socket */
    PyObject *name;        /* the host as in a URL: "[::1]" (RFC 3875, 4.1.14) */
};

enum {
    WSGI_ADDRESS_BITS = 8
};

struct wsgi_addresses {
    struct wsgi_address slots[1 << WSGI_ADDRESS_BITS];
};

/* Valid until the next call.  NULL with an exception. */
const struct wsgi_address *wsgi_addresses_get(struct wsgi_addresses *addresses,
                                              struct wsgi_values *values,
                                              const struct sockaddr *socket);

void wsgi_addresses_fini(struct wsgi_addresses *addresses);

#endif
