/*
 * URLs of the scheme http, taken apart (RFC 3986, 3; RFC 9110, 4.2), and which
 * redirects lead where.
 */
#include <asynwsgi/httpclient.h>

#include "text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

/* unreserved and sub-delims (RFC 3986, 2): a host's bytes. "%" is not taken there. */
static bool is_host(unsigned char byte)
{
    return is_alpha(byte) || is_digit(byte) || (byte && strchr("-._~!$&'()*+,;=", byte));
}

/* VCHAR: what is to be percent-encoded beyond that is for the server to judge. */
static bool is_target(unsigned char byte)
{
    return byte > ' ' && byte < 0x7f;
}

static int parse_port(const char *digits, size_t length, uint16_t *port)
{
    unsigned value = 0;

    for (size_t i = 0; i < length; i++) {
        if (!is_digit((unsigned char)digits[i]))
            return -EINVAL;
        if (value <= UINT16_MAX)
            value = value * 10 + (unsigned)(digits[i] - '0');
    }
    if (value == 0 || value > UINT16_MAX)
        return -ERANGE;
    *port = (uint16_t)value;
    return 0;
}

/* "[" IPv6address "]": gives where it ends, or NULL. */
static const char *parse_literal(const char *at, const char *end, struct httpclient_url *url)
{
    const char *close = memchr(at, ']', (size_t)(end - at));
    char address[INET6_ADDRSTRLEN];
    struct in6_addr read;

    if (!close || (size_t)(close - at) > sizeof address)
        return NULL;
    url->host = at + 1;
    url->host_length = (size_t)(close - at) - 1;
    memcpy(address, url->host, url->host_length);
    address[url->host_length] = '\0';
    if (strlen(address) != url->host_length || inet_pton(AF_INET6, address, &read) != 1)
        return NULL;
    return close + 1;
}

static const char *parse_name(const char *at, const char *end, struct httpclient_url *url)
{
    url->host = at;
    while (at < end && is_host((unsigned char)*at))
        at++;
    url->host_length = (size_t)(at - url->host);
    return url->host_length > 0 ? at : NULL;
}

static int parse_authority(const char *at, const char *end, struct httpclient_url *url)
{
    url->authority = at;
    at = at < end && *at == '[' ? parse_literal(at, end, url) : parse_name(at, end, url);
    if (!at)
        return -EINVAL;
    url->authority_length = (size_t)(at - url->authority);
    url->port = 80;
    if (at == end)
        return 0;
    if (*at++ != ':')
        return -EINVAL;
    if (at == end)
        return 0;
    url->authority_length = (size_t)(end - url->authority);
    return parse_port(at, (size_t)(end - at), &url->port);
}

int httpclient_url_parse(const char *text, size_t length, struct httpclient_url *url)
{
    struct httpclient_url read;
    struct reference parts;
    int error;

    reference_split(text, length, &parts);
    if (!parts.scheme.text)
        return -EINVAL;
    if (!equal_nocase(parts.scheme, "http"))
        return -EPROTONOSUPPORT;
    if (!parts.authority.text)
        return -EINVAL;
    error =
        parse_authority(parts.authority.text, parts.authority.text + parts.authority.length, &read);
    if (error)
        return error;
    read.target = parts.path.text;
    read.target_length = parts.path.length;
    if (parts.query.text)
        read.target_length += 1 + parts.query.length;
    for (size_t i = 0; i < read.target_length; i++)
        if (!is_target((unsigned char)read.target[i]))
            return -EINVAL;
    *url = read;
    return 0;
}

enum httpclient_redirect httpclient_redirect(unsigned status, const char *method,
                                             size_t method_length)
{
    bool post = method_length == 4 && memcmp(method, "POST", 4) == 0;
    bool safe = (method_length == 3 && memcmp(method, "GET", 3) == 0) ||
                (method_length == 4 && memcmp(method, "HEAD", 4) == 0);

    switch (status) {
    case 301: /* RFC 9110, 15.4.2, and so for 302 */
    case 302:
        return post ? HTTPCLIENT_AGAIN_AS_GET : HTTPCLIENT_AGAIN;
    case 303: /* 15.4.4 */
        return safe ? HTTPCLIENT_AGAIN : HTTPCLIENT_AGAIN_AS_GET;
    case 307: /* 15.4.8 */
    case 308: /* 15.4.9 */
        return HTTPCLIENT_AGAIN;
    default:
        return HTTPCLIENT_STAY;
    }
}
