/* host: what a Host field, or the authority of a target, may be. */
#ifndef HTTP_HOST_H
#define HTTP_HOST_H

#include <stddef.h>

enum http_host_kind {
    HTTP_HOST_INVALID,
    HTTP_HOST_ALONE,
    HTTP_HOST_WITH_PORT
};

/* uri-host [ ":" port ] of RFC 9110, 7.2; with a port if there is one and it is not 0. */
enum http_host_kind http_host_kind(const unsigned char *host, size_t length);

#endif
