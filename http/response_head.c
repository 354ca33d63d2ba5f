/*
 * response_head: writes the head of a response.
 *
 * The fields of the handler come first and in its order, less those that
 * describe the connection: framing is this side's affair.  Content-Length is
 * taken from among them and written anew, so there is never a second.
 */
#include "response_head.h"

#include "put.h"

/* Room for the longest of what is not counted: see write_framing(). */
#define FRAMING_ROOM \
    (sizeof("Content-Length: 9223372036854775807\r\n") + sizeof("Connection: keep-alive\r\n\r\n"))

static unsigned char *put_number(unsigned char *at, uint64_t number)
{
    unsigned char digits[20];
    size_t i = sizeof(digits);

    do {
        digits[--i] = (unsigned char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return put(at, digits + i, sizeof(digits) - i);
}

/* Content-Length = 1*DIGIT (RFC 9110, 8.6), up to eight less than INT64_MAX. */
static bool read_length(const struct http_header *header, int64_t *length)
{
    int64_t number = 0;

    if (header->value_length == 0)
        return false;
    for (uint32_t i = 0; i < header->value_length; i++) {
        int digit = header->value[i] - '0';

        if (digit < 0 || digit > 9 || number > (INT64_MAX - 9) / 10)
            return false;
        number = number * 10 + digit;
    }
    *length = number;
    return true;
}

/* Write the fields that pass, and note what they tell; NULL for a bad Content-Length. */
static unsigned char *write_fields(unsigned char *at, const struct http_response *response,
                                   struct http_lines *found)
{
    for (uint32_t i = 0; i < response->header_count; i++) {
        const struct http_header *header = &response->headers[i];
        enum http_field_name name = http_field_name(header->name, header->name_length);

        if (name == HTTP_FIELD_CONTENT_LENGTH) {
            int64_t length;

            if (!read_length(header, &length) ||
                (found->content_length >= 0 && found->content_length != length))
                return NULL;
            found->content_length = length;
            continue;
        }
        if (name != HTTP_FIELD_OTHER && http_field_is_hop_by_hop(name))
            continue;
        found->has_date |= name == HTTP_FIELD_DATE;
        found->has_server |= name == HTTP_FIELD_SERVER;
        at = put(at, header->name, header->name_length);
        at = put(at, LITERAL(": "));
        at = put(at, header->value, header->value_length);
        at = put(at, LITERAL("\r\n"));
    }
    return at;
}

static unsigned char *write_stamp(unsigned char *at, const struct response_stamp *stamp,
                                  const struct http_lines *found)
{
    if (!found->has_date)
        at = put(at, stamp->text, stamp->date_length);
    if (!found->has_server)
        at = put(at, stamp->text + stamp->date_length, stamp->server_length);
    return at;
}

static bool is_bodiless(unsigned status)
{
    return status < 200 || status == 204 || status == 205 || status == 304;
}

static void decide(unsigned status, struct response_framing *framing)
{
    if (is_bodiless(status) || framing->to_head)
        framing->body = RESPONSE_EMPTY;
    else if (framing->length >= 0)
        framing->body = RESPONSE_SIZED;
    else
        framing->body = framing->to_http_10 ? RESPONSE_CLOSED : RESPONSE_CHUNKED;
    /* A 1xx that is to be the end leaves the client waiting for more. */
    if (framing->body == RESPONSE_CLOSED || status < 200)
        framing->persistent = false;
}

/* The fields about framing, and the empty line. */
static unsigned char *write_framing(unsigned char *at, const struct response_framing *framing)
{
    if (framing->length >= 0) {
        at = put(at, LITERAL("Content-Length: "));
        at = put_number(at, (uint64_t)framing->length);
        at = put(at, LITERAL("\r\n"));
    } else if (framing->body == RESPONSE_CHUNKED) {
        at = put(at, LITERAL("Transfer-Encoding: chunked\r\n"));
    }
    if (!framing->persistent)
        at = put(at, LITERAL("Connection: close\r\n"));
    else if (framing->to_http_10)
        at = put(at, LITERAL("Connection: keep-alive\r\n"));
    return put(at, LITERAL("\r\n"));
}

size_t http_response_head_room(const struct http_response *response,
                               const struct response_stamp *stamp)
{
    size_t room = sizeof("HTTP/1.1 \r\n") + response->status_length + stamp->date_length +
                  stamp->server_length + FRAMING_ROOM;

    if (response->lines != NULL)
        room += response->lines->length;
    for (uint32_t i = 0; i < response->header_count; i++)
        room += (size_t)response->headers[i].name_length + response->headers[i].value_length +
                sizeof(": \r\n");
    return room;
}

size_t http_response_head_write(const struct http_response *response,
                                const struct response_stamp *stamp,
                                struct response_framing *framing, unsigned char *output)
{
    static const struct http_lines none = {.content_length = -1};
    struct http_lines found = response->lines != NULL ? *response->lines : none;
    unsigned char *at = put(output, LITERAL("HTTP/1.1 "));

    at = put(at, response->status_text, response->status_length);
    at = put(at, LITERAL("\r\n"));
    if (found.length > 0)
        at = put(at, found.bytes, found.length);
    at = write_fields(at, response, &found);
    if (at == NULL)
        return 0;
    at = write_stamp(at, stamp, &found);
    /*
     * No Content-Length with 1xx and 204 (RFC 9110, 8.6).  With 304 it is that
     * of the response a GET would have had, which only the handler's field tells.
     * 205 has no content, and says so (15.3.6 there).
     */
    if (found.content_length >= 0 || response->status == 304)
        framing->length = found.content_length;
    if (response->status < 200 || response->status == 204)
        framing->length = -1;
    if (response->status == 205)
        framing->length = 0;
    decide(response->status, framing);
    return (size_t)(write_framing(at, framing) - output);
}
