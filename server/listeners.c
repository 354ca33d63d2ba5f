/*
 * The listening sockets.
 *
 * SO_REUSEPORT would let a second server of the same user take a share of the
 * first one's connections.  So an address is first bound without it, which
 * fails while anyone listens there.
 */
#include "listeners.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char forms[] = "it is not HOST:PORT, [V6]:PORT, unix:PATH, unix:@NAME or fd://N";
static const char inherited[] = "fd://";

static enum server_status complain(const struct server_log *log, enum server_status status,
                                   const char *bind, const char *reason)
{
    server_log_print(log, SERVER_LOG_CRITICAL, "cannot listen at %s: %s", bind, reason);
    return status;
}

/* The N of fd://N. */
static int parse_inherited(const char *bind, int *descriptor)
{
    const char *digits = bind + strlen(inherited);
    size_t count = strspn(digits, "0123456789");
    int n = 0;

    if (count == 0 || count > 6 || digits[count])
        return -EINVAL;
    for (size_t i = 0; i < count; i++)
        n = n * 10 + (digits[i] - '0');
    *descriptor = n;
    return 0;
}

static bool is_inherited(const char *bind)
{
    return strncmp(bind, inherited, strlen(inherited)) == 0;
}

/* Gives the address, or the descriptor where one is inherited, which is -1 otherwise. */
static enum server_status parse(const char *bind, const struct server_log *log,
                                struct tcpsocket_address *address, int *descriptor)
{
    int r;

    *descriptor = -1;
    r = is_inherited(bind) ? parse_inherited(bind, descriptor)
                           : tcpsocket_address_parse(bind, address);
    switch (r) {
    case 0:
        return SERVER_OK;
    case -EINVAL:
        return complain(log, SERVER_USAGE, bind, forms);
    case -ERANGE:
        return complain(log, SERVER_USAGE, bind, "the port is over 65535");
    case -ENAMETOOLONG:
        return complain(log, SERVER_USAGE, bind, "the path is too long for a socket");
    case -ENOENT:
        return complain(log, SERVER_FAILED, bind, "the name has no address");
    default:
        return complain(log, SERVER_FAILED, bind, strerror(-r));
    }
}

/* Make the address what the socket has. */
static int read_address(struct server_listener *listener)
{
    struct tcpsocket_address *address = &listener->address;

    address->length = sizeof address->socket;
    return getsockname(listener->descriptors[0], &address->socket.any, &address->length) < 0
               ? -errno
               : 0;
}

static int adopt(struct server_listener *listener, int descriptor)
{
    int type, listening;
    socklen_t length = sizeof type;

    if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &length) < 0 ||
        getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) < 0)
        return -errno;
    if (type != SOCK_STREAM || !listening)
        return -EINVAL;
    if (fcntl(descriptor, F_SETFD, FD_CLOEXEC) < 0)
        return -errno;
    listener->inherited = true;
    listener->descriptors[listener->count++] = descriptor;
    return read_address(listener);
}

static int check_free(const struct tcpsocket_address *address)
{
    int descriptor;
    int r = tcpsocket_listen(address, 1, false, &descriptor);

    if (r == 0)
        close(descriptor);
    return r;
}

static void remember_file(struct server_listener *listener)
{
    const char *path = listener->address.socket.local.sun_path;
    struct stat file;

    if (listener->address.socket.any.sa_family == AF_UNIX && path[0] && lstat(path, &file) == 0) {
        listener->device = file.st_dev;
        listener->inode = file.st_ino;
    }
}

static int listen_at(struct server_listener *listener, unsigned workers, int backlog)
{
    const struct tcpsocket_address *address = &listener->address;
    bool shared = workers > 1 && address->socket.any.sa_family != AF_UNIX;
    int r = 0;

    if (shared && tcpsocket_address_port(&address->socket.any) != 0)
        r = check_free(address);
    while (r == 0 && listener->count < (shared ? workers : 1)) {
        r = tcpsocket_listen(address, backlog, shared, &listener->descriptors[listener->count]);
        if (r == 0 && listener->count++ == 0)
            r = read_address(listener);
    }
    if (r == 0)
        remember_file(listener);
    return r;
}

static enum server_status open_one(struct server_listener *listener, const char *bind,
                                   const struct server_options *options,
                                   const struct server_log *log)
{
    int descriptor;
    enum server_status status = parse(bind, log, &listener->address, &descriptor);

    if (status != SERVER_OK)
        return status;
    listener->descriptors = calloc(options->workers, sizeof *listener->descriptors);
    if (!listener->descriptors)
        return complain(log, SERVER_FAILED, bind, strerror(ENOMEM));
    int r = descriptor >= 0 ? adopt(listener, descriptor)
                            : listen_at(listener, options->workers, options->backlog);

    if (r == -ENOTSOCK || r == -EINVAL)
        return complain(log, SERVER_FAILED, bind, "it is not a listening stream socket");
    return r < 0 ? complain(log, SERVER_FAILED, bind, strerror(-r)) : SERVER_OK;
}

enum server_status server_listeners_check(const char *const *binds, const struct server_log *log)
{
    enum server_status status = SERVER_OK;

    for (size_t i = 0; binds[i] && status == SERVER_OK; i++) {
        struct tcpsocket_address address;
        int descriptor;

        status = parse(binds[i], log, &address, &descriptor);
    }
    return status;
}

enum server_status server_listeners_open(struct server_listeners *listeners,
                                         const struct server_options *options,
                                         const struct server_log *log)
{
    enum server_status status = SERVER_OK;
    size_t count = 0;

    while (options->binds[count])
        count++;
    listeners->count = 0;
    listeners->items = calloc(count + 1, sizeof *listeners->items);
    if (!listeners->items)
        return complain(log, SERVER_FAILED, options->binds[0], strerror(ENOMEM));
    while (listeners->count < count && status == SERVER_OK) {
        size_t i = listeners->count++;

        status = open_one(&listeners->items[i], options->binds[i], options, log);
    }
    if (status != SERVER_OK) {
        server_listeners_end(listeners);
        server_listeners_close(listeners);
    }
    return status;
}

int server_listener_descriptor(const struct server_listener *listener, unsigned slot)
{
    return listener->descriptors[slot % listener->count];
}

void server_listeners_keep(struct server_listeners *listeners, unsigned slot)
{
    for (size_t i = 0; i < listeners->count; i++) {
        struct server_listener *listener = &listeners->items[i];
        int ours = server_listener_descriptor(listener, slot);

        for (unsigned j = 0; j < listener->count; j++)
            if (listener->descriptors[j] != ours)
                close(listener->descriptors[j]);
        listener->descriptors[0] = ours;
        listener->count = 1;
    }
}

void server_listener_url(const struct server_listener *listener, char url[SERVER_URL])
{
    const struct sockaddr *address = &listener->address.socket.any;
    char text[TCPSOCKET_ADDRESS_TEXT];

    tcpsocket_address_format(address, listener->address.length, text);
    snprintf(url, SERVER_URL, "%s%s", address->sa_family == AF_UNIX ? "" : "http://", text);
}

static void unlink_file(const struct server_listener *listener)
{
    const char *path = listener->address.socket.local.sun_path;
    struct stat file;

    if (listener->inode != 0 && lstat(path, &file) == 0 && file.st_dev == listener->device &&
        file.st_ino == listener->inode)
        unlink(path);
}

void server_listeners_end(const struct server_listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++) {
        const struct server_listener *listener = &listeners->items[i];

        unlink_file(listener);
        for (unsigned j = 0; j < listener->count && !listener->inherited; j++)
            shutdown(listener->descriptors[j], SHUT_RDWR);
    }
}

void server_listeners_close(struct server_listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++) {
        struct server_listener *listener = &listeners->items[i];

        for (unsigned j = 0; j < listener->count; j++)
            close(listener->descriptors[j]);
        free(listener->descriptors);
    }
    free(listeners->items);
    listeners->items = NULL;
    listeners->count = 0;
}
