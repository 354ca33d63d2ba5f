#include "addresses.h"

#include <asynwsgi/tcpsocket.h>
#include <netinet/in.h>
#include <stdio.h>

static union wsgi_address_key make_key(const struct sockaddr *socket)
{
    union wsgi_address_key key = {0};

    if (socket->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)socket;

        key.part.family = AF_INET;
        key.part.port = v4->sin_port;
        memcpy(key.part.host, &v4->sin_addr, sizeof v4->sin_addr);
    } else if (socket->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)socket;

        key.part.family = AF_INET6;
        key.part.port = v6->sin6_port;
        key.part.scope = v6->sin6_scope_id;
        memcpy(key.part.host, &v6->sin6_addr, sizeof v6->sin6_addr);
    }
    return key;
}

static size_t hash(const union wsgi_address_key *key)
{
    uint64_t h = key->words[0] * UINT64_C(0x9e3779b97f4a7c15);

    h = (h ^ key->words[1]) * UINT64_C(0xff51afd7ed558ccd);
    h = (h ^ key->words[2]) * UINT64_C(0xc4ceb9fe1a85ec53);
    return (size_t)(h >> (64 - WSGI_ADDRESS_BITS));
}

static bool is_same(const union wsgi_address_key *a, const union wsgi_address_key *b)
{
    return a->words[0] == b->words[0] && a->words[1] == b->words[1] && a->words[2] == b->words[2];
}

static PyObject *text(struct wsgi_values *values, const char *bytes, int length)
{
    return wsgi_values_get(values, (const unsigned char *)bytes, (size_t)length);
}

static int fill_host(struct wsgi_address *address, struct wsgi_values *values,
                     const struct sockaddr *socket)
{
    char host[TCPSOCKET_ADDRESS_TEXT], name[TCPSOCKET_ADDRESS_TEXT + 2];
    int length = (int)tcpsocket_address_host(socket, host), named;

    named = snprintf(name, sizeof name, socket->sa_family == AF_INET6 ? "[%.*s]" : "%.*s", length,
                     host);
    Py_XSETREF(address->host, text(values, host, length));
    Py_XSETREF(address->name, text(values, name, named));
    return address->host && address->name ? 0 : -1;
}

static int fill_port(struct wsgi_address *address, struct wsgi_values *values,
                     const struct sockaddr *socket)
{
    char port[5];
    int digits = 0;

    /* By hand, as each new connection has another one. */
    if (PyUnicode_GET_LENGTH(address->host) > 0)
        for (unsigned rest = tcpsocket_address_port(socket); rest || !digits; rest /= 10)
            port[sizeof port - (size_t)++digits] = (char)('0' + rest % 10);
    Py_XSETREF(address->port, text(values, port + sizeof port - digits, digits));
    return address->port ? 0 : -1;
}

const struct wsgi_address *wsgi_addresses_get(struct wsgi_addresses *addresses,
                                              struct wsgi_values *values,
                                              const struct sockaddr *socket)
{
    union wsgi_address_key key = make_key(socket);
    struct wsgi_address *slot = &addresses->slots[hash(&key)];

    if (slot->is_filled && is_same(&slot->key, &key))
        return slot;
    /* Connections of one client often take turns in a slot: then it is the port that differs. */
    slot->key.part.port = key.part.port;
    slot->is_filled =
        (slot->is_filled && is_same(&slot->key, &key)) || fill_host(slot, values, socket) == 0;
    slot->key = key;
    slot->is_filled = slot->is_filled && fill_port(slot, values, socket) == 0;
    return slot->is_filled ? slot : NULL;
}

void wsgi_addresses_fini(struct wsgi_addresses *addresses)
{
    for (size_t i = 0; i < sizeof addresses->slots / sizeof addresses->slots[0]; i++) {
        Py_CLEAR(addresses->slots[i].host);
        Py_CLEAR(addresses->slots[i].port);
        Py_CLEAR(addresses->slots[i].name);
    }
}
