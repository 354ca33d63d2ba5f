/* Field names and values (RFC 9110, 5.1 and 5.5). */
#include <string.h>

#include <asynwsgi/http.h>

#include "field.h"
#include "scan.h"

/*
 * Whether bytes are those of `lower` but for the case of letters: of what stands
 * in `lower`, letters alone have 0x40, and their case is 0x20.
 */
static bool equal_8(const unsigned char *bytes, const char *lower)
{
    uint64_t word = 0, expected = 0;

    memcpy(&word, bytes, sizeof(word));
    memcpy(&expected, lower, sizeof(expected));
    return (word | (expected >> 1 & 0x2020202020202020)) == expected;
}

static bool equal_4(const unsigned char *bytes, const char *lower)
{
    uint32_t word = 0, expected = 0;

    memcpy(&word, bytes, sizeof(word));
    memcpy(&expected, lower, sizeof(expected));
    return (word | (expected >> 1 & 0x20202020)) == expected;
}

/* The last word may overlap the one before it. */
static bool equal_nocase(const unsigned char *bytes, const char *lower, size_t length)
{
    if (length >= 8) {
        for (size_t i = 0; i + 8 < length; i += 8)
            if (!equal_8(bytes + i, lower + i))
                return false;
        return equal_8(bytes + length - 8, lower + length - 8);
    }
    if (length >= 4)
        return equal_4(bytes, lower) && equal_4(bytes + length - 4, lower + length - 4);
    for (size_t i = 0; i < length; i++)
        if ((bytes[i] | (lower[i] >> 1 & 0x20)) != lower[i])
            return false;
    return true;
}

bool http_equal_nocase(const unsigned char *bytes, size_t length, const char *lower)
{
    return length == strlen(lower) && equal_nocase(bytes, lower, length);
}

static const char *const names[] = {
    [HTTP_FIELD_AUTHORIZATION] = "authorization",
    [HTTP_FIELD_CONNECTION] = "connection",
    [HTTP_FIELD_CONTENT_LENGTH] = "content-length",
    [HTTP_FIELD_CONTENT_RANGE] = "content-range",
    [HTTP_FIELD_CONTENT_TYPE] = "content-type",
    [HTTP_FIELD_DATE] = "date",
    [HTTP_FIELD_EXPECT] = "expect",
    [HTTP_FIELD_HOST] = "host",
    [HTTP_FIELD_IF_MODIFIED_SINCE] = "if-modified-since",
    [HTTP_FIELD_IF_RANGE] = "if-range",
    [HTTP_FIELD_IF_UNMODIFIED_SINCE] = "if-unmodified-since",
    [HTTP_FIELD_KEEP_ALIVE] = "keep-alive",
    [HTTP_FIELD_PROXY_AUTHENTICATE] = "proxy-authenticate",
    [HTTP_FIELD_PROXY_AUTHORIZATION] = "proxy-authorization",
    [HTTP_FIELD_PROXY_CONNECTION] = "proxy-connection",
    [HTTP_FIELD_RANGE] = "range",
    [HTTP_FIELD_SERVER] = "server",
    [HTTP_FIELD_TE] = "te",
    [HTTP_FIELD_TRAILER] = "trailer",
    [HTTP_FIELD_TRANSFER_ENCODING] = "transfer-encoding",
    [HTTP_FIELD_UPGRADE] = "upgrade",
};

/* Length and first letter tell them apart. */
#define KEY(length, first) ((length) << 8 | (first))

static enum http_field_name candidate(size_t length, unsigned char first)
{
    switch (KEY(length, first | 0x20u)) {
    case KEY(2, 't'):
        return HTTP_FIELD_TE;
    case KEY(4, 'd'):
        return HTTP_FIELD_DATE;
    case KEY(4, 'h'):
        return HTTP_FIELD_HOST;
    case KEY(5, 'r'):
        return HTTP_FIELD_RANGE;
    case KEY(6, 'e'):
        return HTTP_FIELD_EXPECT;
    case KEY(6, 's'):
        return HTTP_FIELD_SERVER;
    case KEY(7, 't'):
        return HTTP_FIELD_TRAILER;
    case KEY(7, 'u'):
        return HTTP_FIELD_UPGRADE;
    case KEY(8, 'i'):
        return HTTP_FIELD_IF_RANGE;
    case KEY(10, 'c'):
        return HTTP_FIELD_CONNECTION;
    case KEY(10, 'k'):
        return HTTP_FIELD_KEEP_ALIVE;
    case KEY(12, 'c'):
        return HTTP_FIELD_CONTENT_TYPE;
    case KEY(13, 'a'):
        return HTTP_FIELD_AUTHORIZATION;
    case KEY(13, 'c'):
        return HTTP_FIELD_CONTENT_RANGE;
    case KEY(14, 'c'):
        return HTTP_FIELD_CONTENT_LENGTH;
    case KEY(16, 'p'):
        return HTTP_FIELD_PROXY_CONNECTION;
    case KEY(17, 'i'):
        return HTTP_FIELD_IF_MODIFIED_SINCE;
    case KEY(17, 't'):
        return HTTP_FIELD_TRANSFER_ENCODING;
    case KEY(18, 'p'):
        return HTTP_FIELD_PROXY_AUTHENTICATE;
    case KEY(19, 'i'):
        return HTTP_FIELD_IF_UNMODIFIED_SINCE;
    case KEY(19, 'p'):
        return HTTP_FIELD_PROXY_AUTHORIZATION;
    default:
        return HTTP_FIELD_OTHER;
    }
}

enum http_field_name http_field_name(const unsigned char *name, size_t length)
{
    enum http_field_name known = length > 0 ? candidate(length, name[0]) : HTTP_FIELD_OTHER;

    if (known != HTTP_FIELD_OTHER && !equal_nocase(name, names[known], length))
        return HTTP_FIELD_OTHER;
    return known;
}

bool http_field_is_hop_by_hop(enum http_field_name name)
{
    switch (name) {
    case HTTP_FIELD_CONNECTION:
    case HTTP_FIELD_KEEP_ALIVE:
    case HTTP_FIELD_PROXY_AUTHENTICATE:
    case HTTP_FIELD_PROXY_AUTHORIZATION:
    case HTTP_FIELD_PROXY_CONNECTION:
    case HTTP_FIELD_TE:
    case HTTP_FIELD_TRAILER:
    case HTTP_FIELD_TRANSFER_ENCODING:
    case HTTP_FIELD_UPGRADE:
        return true;
    default:
        return false;
    }
}

/* tchar of RFC 9110, 5.6.2 */
static bool is_tchar(unsigned char byte)
{
    static const char others[] = "!#$%&'*+.^_`|~";

    return is_name(byte) || (byte >= '0' && byte <= '9') ||
           memchr(others, byte, sizeof others - 1) != NULL;
}

bool http_field_name_valid(const unsigned char *name, size_t length)
{
    if (all_name(name, length))
        return length > 0;
    for (size_t i = 0; i < length; i++)
        if (!is_tchar(name[i]))
            return false;
    return true;
}

bool http_field_value_valid(const unsigned char *value, size_t length)
{
    return all_value(value, length);
}
