/*
 * How a request is framed (RFC 9112, 6.3), and the other fields on which the
 * protocol itself acts.
 *
 * What another server could frame otherwise is refused, also where the RFC
 * says how to go on with it: that is how requests are smuggled.
 */
#include <asynwsgi/http.h>

#include "field.h"
#include "host.h"

/* What Transfer-Encoding says.  The columns: without and with a Content-Length. */
enum coding {
    CODING_ABSENT,
    CODING_CHUNKED,
    CODING_UNKNOWN,
    CODING_BAD
};

static const struct {
    enum http_fault fault;
    enum http_body body;
} framings[][2] = {
    [CODING_ABSENT] = {{HTTP_COMPLETE, HTTP_BODY_NONE}, {HTTP_COMPLETE, HTTP_BODY_SIZED}},
    [CODING_CHUNKED] = {{HTTP_COMPLETE, HTTP_BODY_CHUNKED}, {HTTP_AMBIGUOUS_LENGTH, 0}},
    [CODING_UNKNOWN] = {{HTTP_UNKNOWN_TRANSFER_CODING, 0}, {HTTP_AMBIGUOUS_LENGTH, 0}},
    [CODING_BAD] = {{HTTP_BAD_TRANSFER_ENCODING, 0}, {HTTP_AMBIGUOUS_LENGTH, 0}},
};

/* What the fields say, gathered in one pass. */
struct gathered {
    const struct http_field *host, *content_length, *transfer_encoding;
    uint32_t seen, repeated; /* a bit for each enum http_field_name */
    bool close, keep_alive;
    bool expects_continue, expects_other;
};

#define BIT(name) ((uint32_t)1 << (name))

static bool is_value(const struct http_request *request, const struct http_field *field,
                     const char *lower)
{
    return http_equal_nocase(request->message + field->value.start, field->value.length, lower);
}

static bool is_separator(unsigned char byte)
{
    return byte == ',' || byte == ' ' || byte == '\t';
}

/* The members of a Connection field, of which there may be several (RFC 9110, 7.6.1). */
static void gather_connection(const unsigned char *value, size_t length, struct gathered *found)
{
    for (size_t start = 0, end; start < length; start = end + 1) {
        for (end = start; end < length && !is_separator(value[end]); end++)
            ;
        found->close |= http_equal_nocase(value + start, end - start, "close");
        found->keep_alive |= http_equal_nocase(value + start, end - start, "keep-alive");
    }
}

static struct gathered gather(const struct http_request *request)
{
    struct gathered found = {0};

    for (uint32_t i = 0; i < request->field_count; i++) {
        const struct http_field *field = &request->fields[i];

        switch (field->known) {
        case HTTP_FIELD_OTHER:
            continue;
        case HTTP_FIELD_HOST:
            found.host = field;
            break;
        case HTTP_FIELD_CONTENT_LENGTH:
            found.content_length = field;
            break;
        case HTTP_FIELD_TRANSFER_ENCODING:
            found.transfer_encoding = field;
            break;
        case HTTP_FIELD_CONNECTION:
            gather_connection(request->message + field->value.start, field->value.length, &found);
            break;
        case HTTP_FIELD_EXPECT:
            if (is_value(request, field, "100-continue"))
                found.expects_continue = true;
            else
                found.expects_other = true;
            break;
        default:
            break;
        }
        found.repeated |= found.seen & BIT(field->known);
        found.seen |= BIT(field->known);
    }
    return found;
}

/*
 * RFC 9112, 3.2 and 3.3.  An empty Host is right where the target has no
 * authority.  That of a target comes before Host, but does not replace it.
 */
static bool host_is_sound(const struct http_request *request, const struct gathered *found)
{
    const struct http_field *host = found->host;
    enum http_host_kind kind;

    if (host == NULL && request->minor > 0)
        return false;
    if (found->repeated & BIT(HTTP_FIELD_HOST))
        return false;
    if (host != NULL && host->value.length > 0 &&
        http_host_kind(request->message + host->value.start, host->value.length) ==
            HTTP_HOST_INVALID)
        return false;
    if (request->authority.length == 0)
        return true;
    kind = http_host_kind(request->message + request->authority.start, request->authority.length);
    return kind == HTTP_HOST_WITH_PORT ||
           (kind == HTTP_HOST_ALONE && request->form == HTTP_TARGET_ABSOLUTE);
}

/* RFC 9112, 6.1.  HTTP/1.0 has no transfer codings: who sends one may mean something else. */
static enum coding coding(const struct http_request *request, const struct gathered *found)
{
    const struct http_field *field = found->transfer_encoding;

    if (field == NULL)
        return CODING_ABSENT;
    if (request->minor == 0 || found->repeated & BIT(HTTP_FIELD_TRANSFER_ENCODING))
        return CODING_BAD;
    if (is_value(request, field, "chunked"))
        return CODING_CHUNKED;
    return http_field_name_valid(request->message + field->value.start, field->value.length)
               ? CODING_UNKNOWN /* a token, as names are */
               : CODING_BAD;
}

/* RFC 9110, 8.6: 1*DIGIT.  A list of equal values is refused too. */
static bool parse_length(const unsigned char *digits, size_t count, uint64_t *length)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        unsigned digit = (unsigned)digits[i] - '0';

        if (digit > 9 || sum > ((uint64_t)INT64_MAX - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    *length = sum;
    return count > 0;
}

enum http_fault http_request_frame(const struct http_request *request,
                                   const struct http_limits *limits, struct http_framing *framing)
{
    struct gathered found = gather(request);
    enum coding row = coding(request, &found);
    bool sized = found.content_length != NULL;
    enum http_fault fault = framings[row][sized].fault;
    uint64_t length = 0;

    if (!host_is_sound(request, &found))
        return HTTP_BAD_HOST;
    if (fault != HTTP_COMPLETE)
        return fault;
    if (sized && (found.repeated & BIT(HTTP_FIELD_CONTENT_LENGTH) ||
                  !parse_length(request->message + found.content_length->value.start,
                                found.content_length->value.length, &length)))
        return HTTP_BAD_CONTENT_LENGTH;
    if (found.expects_other && request->minor > 0)
        return HTTP_UNKNOWN_EXPECTATION;
    if (found.repeated & BIT(HTTP_FIELD_CONTENT_TYPE))
        return HTTP_REPEATED_FIELD;
    if (limits->body != 0 && length > limits->body)
        return HTTP_LONG_BODY;

    framing->body = framings[row][sized].body;
    framing->length = length;
    framing->persistent = !found.close && (request->minor > 0 || found.keep_alive);
    framing->expects_continue = found.expects_continue && request->minor > 0 &&
                                (framing->body == HTTP_BODY_CHUNKED || length > 0);
    return HTTP_COMPLETE;
}
