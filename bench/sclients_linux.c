#define _GNU_SOURCE
/* What of sclients is Linux' own: sockets as they have to be, and the memory of a process. */
#include "sclients.h"

#include "proc.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

static int set(int descriptor, int level, int option, int value)
{
    return setsockopt(descriptor, level, option, &value, sizeof value);
}

/*
 * Closing is to leave no port in TIME_WAIT.  What a slow reader's kernel takes is to be
 * little, and so what the server's gives it: hence a segment of an Ethernet's size instead
 * of the loopback's.  A port is to be chosen by connect(2), for which it may have
 * connections to other servers, and not by bind(2), for which it may have none (ip(7)).
 */
static int prepare(int descriptor, bool tcp, bool reads_slowly,
                   const struct tcpsocket_address *source)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};

    if (reads_slowly && set(descriptor, SOL_SOCKET, SO_RCVBUF, 2048) < 0)
        return -errno;
    if (!tcp)
        return 0;
    if (setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) < 0 ||
        set(descriptor, IPPROTO_TCP, TCP_NODELAY, 1) < 0 ||
        (reads_slowly && set(descriptor, IPPROTO_TCP, TCP_MAXSEG, 1448) < 0))
        return -errno;
    if (source && (set(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1) < 0 ||
                   bind(descriptor, &source->socket.any, source->length) < 0))
        return -errno;
    return 0;
}

int sclients_connect(const struct tcpsocket_address *server, bool reads_slowly,
                     const struct tcpsocket_address *source)
{
    int family = server->socket.any.sa_family, error;
    int descriptor = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (descriptor < 0)
        return -errno;
    error = prepare(descriptor, family != AF_UNIX, reads_slowly, source);
    if (!error && connect(descriptor, &server->socket.any, server->length) < 0 &&
        errno != EINPROGRESS)
        error = -errno;
    if (!error)
        return descriptor;
    close(descriptor);
    return error;
}

uint64_t sclients_private_memory(void)
{
    static const char path[] = "/proc/self/smaps_rollup";
    uint64_t clean, dirty;

    if (!proc_read(path, "Private_Clean:", &clean, 1) ||
        !proc_read(path, "Private_Dirty:", &dirty, 1))
        return 0;
    return (clean + dirty) * 1024;
}
