/* Socket addresses as the str objects that environ has; a table of those seen last. */
#ifndef WSGI_ADDRESSES_H
#define WSGI_ADDRESSES_H

#include "python.h"
#include "values.h"

#include <stdint.h>
#include <sys/socket.h>

/* An address without its padding; all zero for a unix socket. */
struct wsgi_address_key {
    uint32_t scope;
    uint16_t family, port;
    unsigned char host[16];
};

struct wsgi_address {
    struct wsgi_address_key key;
    PyObject *host, *port; /* "" for a unix socket; NULL: this slot is free */
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
