/* Field names and values (RFC 9110, 5.1 and 5.5). */
#include <string.h>

#include <asynwsgi/http.h>

#include "field.h"
#include "scan.h"

bool http_equal_nocase(const unsigned char *bytes, size_t length, const char *lower)
{
    return length == strlen(lower) && field_is(bytes, lower, length);
}

const char *const http_field_names[] = {
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

#define PLACE(length, last, name) [FIELD_PLACE(length, last)] = {HTTP_FIELD_##name, length}

const struct field_place http_field_places[128] = {
    PLACE(13, 'n', AUTHORIZATION),
    PLACE(10, 'n', CONNECTION),
    PLACE(14, 'h', CONTENT_LENGTH),
    PLACE(13, 'e', CONTENT_RANGE),
    PLACE(12, 'e', CONTENT_TYPE),
    PLACE(4, 'e', DATE),
    PLACE(6, 't', EXPECT),
    PLACE(4, 't', HOST),
    PLACE(17, 'e', IF_MODIFIED_SINCE),
    PLACE(8, 'e', IF_RANGE),
    PLACE(19, 'e', IF_UNMODIFIED_SINCE),
    PLACE(10, 'e', KEEP_ALIVE),
    PLACE(18, 'e', PROXY_AUTHENTICATE),
    PLACE(19, 'n', PROXY_AUTHORIZATION),
    PLACE(16, 'n', PROXY_CONNECTION),
    PLACE(5, 'e', RANGE),
    PLACE(6, 'r', SERVER),
    PLACE(2, 'e', TE),
    PLACE(7, 'r', TRAILER),
    PLACE(17, 'g', TRANSFER_ENCODING),
    PLACE(7, 'e', UPGRADE),
};

enum http_field_name http_field_name(const unsigned char *name, size_t length)
{
    return length > 0 ? field_name(name, length) : HTTP_FIELD_OTHER;
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
