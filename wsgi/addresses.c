#include "addresses.h"

#include "hash.h"

#include <asynwsgi/tcpsocket.h>
#include <netinet/in.h>
#include <stdio.h>

static struct wsgi_address_key make_key(const struct sockaddr *socket)
{
    struct wsgi_address_key key = {0};

    if (socket->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)socket;

        key.family = AF_INET;
        key.port = v4->sin_port;
        memcpy(key.host, &v4->sin_addr, sizeof v4->sin_addr);
    } else if (socket->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)socket;

        key.family = AF_INET6;
        key.port = v6->sin6_port;
        key.scope = v6->sin6_scope_id;
        memcpy(key.host, &v6->sin6_addr, sizeof v6->sin6_addr);
    }
    return key;
}

static int fill(struct wsgi_address *address, struct wsgi_values *values,
                const struct sockaddr *socket)
{
    char host[TCPSOCKET_ADDRESS_TEXT], port[8] = "";
    size_t length = tcpsocket_address_host(socket, host);
    int digits = 0;

    if (length > 0)
        digits = snprintf(port, sizeof port, "%u", tcpsocket_address_port(socket));
    Py_XSETREF(address->host, wsgi_values_get(values, (unsigned char *)host, length));
    Py_XSETREF(address->port, wsgi_values_get(values, (unsigned char *)port, (size_t)digits));
    return address->host && address->port ? 0 : -1;
}

const struct wsgi_address *wsgi_addresses_get(struct wsgi_addresses *addresses,
                                              struct wsgi_values *values,
                                              const struct sockaddr *socket)
{
    struct wsgi_address_key key = make_key(socket);
    size_t index = wsgi_hash((unsigned char *)&key, sizeof key, WSGI_ADDRESS_BITS);
    struct wsgi_address *slot = &addresses->slots[index];

    if (slot->host && slot->port && memcmp(&slot->key, &key, sizeof key) == 0)
        return slot;
    slot->key = key;
    return fill(slot, values, socket) < 0 ? NULL : slot;
}

void wsgi_addresses_fini(struct wsgi_addresses *addresses)
{
    for (size_t i = 0; i < sizeof addresses->slots / sizeof addresses->slots[0]; i++) {
        Py_CLEAR(addresses->slots[i].host);
        Py_CLEAR(addresses->slots[i].port);
    }
}
