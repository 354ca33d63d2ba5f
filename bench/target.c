/* Targets of load. */
#include "target.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int target_unix(const char *path, struct tcpsocket_address *address)
{
    char text[sizeof address->socket.local.sun_path + sizeof "unix:"];

    if ((size_t)snprintf(text, sizeof text, "unix:%s", path) >= sizeof text)
        return -ENAMETOOLONG;
    return tcpsocket_address_parse(text, address);
}

struct finding {
    struct httpclient_resolve resolve;
    struct dispatch *loop;
    struct target *target;
    int error;
};

static void found(struct httpclient_resolve *resolve, int error,
                  const struct tcpsocket_address *addresses, size_t count)
{
    struct finding *finding = (void *)((char *)resolve - offsetof(struct finding, resolve));

    finding->error = error;
    finding->target->count = count;
    if (!error)
        memcpy(finding->target->addresses, addresses, count * sizeof *addresses);
    dispatch_stop(finding->loop, 0);
}

int target_find(struct dispatch *loop, const char *url, const char *unix_socket,
                struct target *target)
{
    struct finding finding = {.resolve.done = found, .loop = loop, .target = target};
    int error = httpclient_url_parse(url, strlen(url), &target->url);

    if (error)
        return error;
    if (unix_socket) {
        target->count = 1;
        return target_unix(unix_socket, target->addresses);
    }
    error = httpclient_resolve_start(&finding.resolve, loop, target->url.host,
                                     target->url.host_length, target->url.port);
    if (error)
        return error;
    error = dispatch_run(loop);
    httpclient_resolve_cancel(&finding.resolve);
    return error < 0 ? error : finding.error;
}

const char *target_error_text(int error)
{
    switch (error) {
    case -EPROTONOSUPPORT:
        return "only http:// is spoken";
    case -EINVAL:
        return "not a URL such as http://127.0.0.1:8000/path";
    case -ERANGE:
        return "a port is from 1 to 65535";
    case -ENOENT:
        return "the name has no address";
    case -EAGAIN:
        return "no name server answers";
    default:
        return strerror(-error);
    }
}
