/* Local addresses. */
#include "sources.h"

#include <arpa/inet.h>

static bool is_127(uint32_t address)
{
    return address >> 24 == 127;
}

bool sources_is_loopback(const struct tcpsocket_address *address)
{
    const struct in6_addr *v6 = &address->socket.v6.sin6_addr;

    switch (address->socket.any.sa_family) {
    case AF_UNIX:
        return true;
    case AF_INET:
        return is_127(ntohl(address->socket.v4.sin_addr.s_addr));
    case AF_INET6:
        return IN6_IS_ADDR_LOOPBACK(v6) || (IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[12] == 127);
    default:
        return false;
    }
}

uint64_t sources_needed(const struct tcpsocket_address *server, uint64_t connections,
                        uint64_t ports)
{
    uint64_t each = ports > 1 ? ports / 2 : 1,
             needed = connections / each + (connections % each > 0);

    if (server->socket.any.sa_family != AF_INET || !sources_is_loopback(server) || needed == 0)
        return 1;
    return needed < SOURCES_MAX ? needed : SOURCES_MAX;
}

void sources_address(uint64_t index, struct tcpsocket_address *address)
{
    *address = (struct tcpsocket_address){
        .length = sizeof address->socket.v4,
        .socket.v4 = {.sin_family = AF_INET,
                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)index)},
    };
}
