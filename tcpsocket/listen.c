/* For SO_REUSEPORT. */
#define _GNU_SOURCE

/*
 * Opening sockets that listen.
 *
 * The file of a unix socket outlives the process that made it, and is then in
 * the way of the next.  Nothing but connecting tells whether it is served.
 * Between that and the unlink another process may take the name over; who
 * starts two servers at one address at the same moment has one of them.
 */
#include <asynwsgi/tcpsocket.h>

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

/* 0 if the file is a socket that nobody serves. */
static int check_stale(const struct tcpsocket_address *address)
{
    struct stat file;

    if (address->socket.local.sun_path[0] == '\0')
        return -EADDRINUSE;
    if (lstat(address->socket.local.sun_path, &file) < 0)
        return -errno;
    if (!S_ISSOCK(file.st_mode))
        return -EEXIST;
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (probe < 0)
        return -errno;
    bool stale = connect(probe, &address->socket.any, address->length) < 0 && errno == ECONNREFUSED;

    close(probe);
    return stale ? 0 : -EADDRINUSE;
}

static int bind_local(int descriptor, const struct tcpsocket_address *address)
{
    if (bind(descriptor, &address->socket.any, address->length) == 0)
        return 0;
    if (errno != EADDRINUSE)
        return -errno;
    int error = check_stale(address);

    if (error)
        return error;
    if (unlink(address->socket.local.sun_path) < 0 ||
        bind(descriptor, &address->socket.any, address->length) < 0)
        return -errno;
    return 0;
}

static int bind_tcp(int descriptor, const struct tcpsocket_address *address, bool shared)
{
    const int on = 1;

    if (setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0)
        return -errno;
    if (shared && setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0)
        return -errno;
    /* Or "[::]:80" would take ":80" as well. */
    if (address->socket.any.sa_family == AF_INET6 &&
        setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0)
        return -errno;
    return bind(descriptor, &address->socket.any, address->length) < 0 ? -errno : 0;
}

int tcpsocket_listen(const struct tcpsocket_address *address, int backlog, bool shared,
                     int *descriptor)
{
    int family = address->socket.any.sa_family;
    int opened = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (opened < 0)
        return -errno;
    int error = family == AF_UNIX ? bind_local(opened, address) : bind_tcp(opened, address, shared);

    if (!error && listen(opened, backlog) < 0)
        error = -errno;
    if (error) {
        close(opened);
        return error;
    }
    *descriptor = opened;
    return 0;
}
