/*
 * Addresses as text: reading and writing them.
 *
 *   HOST:PORT  [V6]:PORT  :PORT     TCP
 *   unix:PATH                       a socket in the file system
 *   unix:@NAME                      Linux' abstract names: sun_path is a NUL,
 *                                   then NAME, whose end only the length tells
 */
#include <asynwsgi/tcpsocket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

enum {
    PATH_OFFSET = offsetof(struct sockaddr_un, sun_path),
    PATH_ROOM = sizeof(struct sockaddr_un) - PATH_OFFSET,
    HOST_ROOM = 256 /* a name has at most 253 characters (RFC 1035, section 3.1) */
};

static int parse_port(const char *text, in_port_t *port)
{
    unsigned value = 0;

    if (!*text)
        return -EINVAL;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return -EINVAL;
        if (value <= UINT16_MAX)
            value = value * 10 + (unsigned)(*text - '0');
    }
    if (value > UINT16_MAX)
        return -ERANGE;
    *port = htons((in_port_t)value);
    return 0;
}

static int parse_local(const char *path, struct tcpsocket_address *address)
{
    bool abstract = path[0] == '@';
    size_t length = strlen(path);

    if (length == abstract)
        return -EINVAL;
    if (length + !abstract > PATH_ROOM)
        return -ENAMETOOLONG;
    *address = (struct tcpsocket_address){.socket.local.sun_family = AF_UNIX};
    memcpy(address->socket.local.sun_path, path, length);
    if (abstract)
        address->socket.local.sun_path[0] = '\0';
    address->length = (socklen_t)(PATH_OFFSET + length + !abstract);
    return 0;
}

static int resolve_error(int error)
{
    switch (error) {
    case EAI_AGAIN:
        return -EAGAIN;
    case EAI_MEMORY:
        return -ENOMEM;
    case EAI_SYSTEM:
        return -errno;
    default:
        return -ENOENT;
    }
}

/* The first address of the host, which has `length` characters. */
static int resolve(const char *host, size_t length, int family, struct tcpsocket_address *address)
{
    const struct addrinfo hints = {
        .ai_family = family,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = family == AF_INET6 ? AI_NUMERICHOST : 0,
    };
    struct addrinfo *found;
    char name[HOST_ROOM];

    if (length >= sizeof name)
        return -EINVAL;
    memcpy(name, host, length);
    name[length] = '\0';
    int error = getaddrinfo(name, NULL, &hints, &found);

    if (error)
        return resolve_error(error);
    *address = (struct tcpsocket_address){.length = found->ai_addrlen};
    memcpy(&address->socket, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return 0;
}

/* What stands before the last colon. */
static int parse_host(const char *host, size_t length, struct tcpsocket_address *address)
{
    if (length == 0) {
        *address = (struct tcpsocket_address){
            .length = sizeof address->socket.v4,
            .socket.v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)},
        };
        return 0;
    }
    if (host[0] == '[') {
        if (length < 3 || host[length - 1] != ']')
            return -EINVAL;
        int error = resolve(host + 1, length - 2, AF_INET6, address);

        return error == -ENOENT ? -EINVAL : error;
    }
    if (memchr(host, ':', length))
        return -EINVAL;
    return resolve(host, length, AF_UNSPEC, address);
}

int tcpsocket_address_parse(const char *text, struct tcpsocket_address *address)
{
    if (strncmp(text, "unix:", 5) == 0)
        return parse_local(text + 5, address);

    const char *colon = strrchr(text, ':');
    struct tcpsocket_address read = {0};
    in_port_t port;

    if (!colon)
        return -EINVAL;
    int error = parse_port(colon + 1, &port);

    if (!error)
        error = parse_host(text, (size_t)(colon - text), &read);
    if (error)
        return error;
    if (read.socket.any.sa_family == AF_INET6)
        read.socket.v6.sin6_port = port;
    else
        read.socket.v4.sin_port = port;
    *address = read;
    return 0;
}

static size_t format_local(const struct sockaddr_un *local, socklen_t length,
                           char text[TCPSOCKET_ADDRESS_TEXT])
{
    size_t room = length > PATH_OFFSET ? length - PATH_OFFSET : 0;

    if (room > PATH_ROOM)
        room = PATH_ROOM;
    memcpy(text, "unix:", 6);
    if (room > 0 && local->sun_path[0] != '\0')
        room = strnlen(local->sun_path, room);
    /* An abstract name may hold NULs beyond the first; they too become '@'. */
    for (size_t i = 0; i < room; i++)
        text[5 + i] = local->sun_path[i] ? local->sun_path[i] : '@';
    text[5 + room] = '\0';
    return 5 + room;
}

size_t tcpsocket_address_format(const struct sockaddr *address, socklen_t length,
                                char text[TCPSOCKET_ADDRESS_TEXT])
{
    char host[TCPSOCKET_ADDRESS_TEXT], scope[sizeof "%4294967295"] = "";
    bool v6 = address->sa_family == AF_INET6;

    if (address->sa_family == AF_UNIX)
        return format_local((const struct sockaddr_un *)address, length, text);
    if (v6 && ((const struct sockaddr_in6 *)address)->sin6_scope_id)
        snprintf(scope, sizeof scope, "%%%u",
                 (unsigned)((const struct sockaddr_in6 *)address)->sin6_scope_id);
    tcpsocket_address_host(address, host);
    return (size_t)snprintf(text, TCPSOCKET_ADDRESS_TEXT, "%s%.64s%s%s:%u", v6 ? "[" : "", host,
                            scope, v6 ? "]" : "", tcpsocket_address_port(address));
}

size_t tcpsocket_address_host(const struct sockaddr *address, char text[TCPSOCKET_ADDRESS_TEXT])
{
    const void *host = NULL;

    if (address->sa_family == AF_INET)
        host = &((const struct sockaddr_in *)address)->sin_addr;
    else if (address->sa_family == AF_INET6)
        host = &((const struct sockaddr_in6 *)address)->sin6_addr;
    if (!host || !inet_ntop(address->sa_family, host, text, TCPSOCKET_ADDRESS_TEXT))
        text[0] = '\0';
    return strlen(text);
}

unsigned tcpsocket_address_port(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)address)->sin_port);
    if (address->sa_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
    return 0;
}
