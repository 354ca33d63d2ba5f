/*
 * How a message is framed (RFC 9112, 6.3), and the other fields on which the
 * protocol itself acts.
 *
 * What another reader could frame otherwise is refused, also where the RFC
 * says how to go on with it: that is how messages are smuggled.
 */
#include <assert.h>

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
    enum http_body of_request, of_response;
} framings[][2] = {
    [CODING_ABSENT] = {{HTTP_COMPLETE, HTTP_BODY_NONE, HTTP_BODY_CLOSED},
                       {HTTP_COMPLETE, HTTP_BODY_SIZED, HTTP_BODY_SIZED}},
    [CODING_CHUNKED] = {{HTTP_COMPLETE, HTTP_BODY_CHUNKED, HTTP_BODY_CHUNKED},
                        {HTTP_AMBIGUOUS_LENGTH, 0, 0}},
    [CODING_UNKNOWN] = {{HTTP_UNKNOWN_TRANSFER_CODING, 0, 0}, {HTTP_AMBIGUOUS_LENGTH, 0, 0}},
    [CODING_BAD] = {{HTTP_BAD_TRANSFER_ENCODING, 0, 0}, {HTTP_AMBIGUOUS_LENGTH, 0, 0}},
};

/* What the fields say, gathered in one pass. */
struct gathered {
    const struct http_field *host, *content_length, *transfer_encoding;
    uint32_t seen, repeated; /* a bit for each enum http_field_name */
    bool close, keep_alive;
    bool expects_continue, expects_other;
};

#define BIT(name) ((uint32_t)1 << (name))
static_assert(HTTP_FIELD_UPGRADE < 32, "the last of the names has a bit too");

/*
 * Fields of which a second line would change what is authorised, selected or
 * taken for what: RFC 9110 gives them one value, not a list.  Host and those
 * that frame have faults of their own.
 */
#define SINGLE                                                    \
    (BIT(HTTP_FIELD_AUTHORIZATION) |       /* RFC 9110, 11.6.2 */ \
     BIT(HTTP_FIELD_CONTENT_RANGE) |       /* 14.4 */             \
     BIT(HTTP_FIELD_CONTENT_TYPE) |        /* 8.3 */              \
     BIT(HTTP_FIELD_IF_MODIFIED_SINCE) |   /* 13.1.3 */           \
     BIT(HTTP_FIELD_IF_RANGE) |            /* 13.1.5 */           \
     BIT(HTTP_FIELD_IF_UNMODIFIED_SINCE) | /* 13.1.4 */           \
     BIT(HTTP_FIELD_PROXY_AUTHORIZATION) | /* 11.7.2 */           \
     BIT(HTTP_FIELD_RANGE))                /* 14.2 */

/* White space separates too, which is wider: no "close" is overlooked. */
static bool is_separator(unsigned char byte)
{
    return byte == ',' || byte == ' ' || byte == '\t';
}

/*
 * The members of Connection (RFC 9110, 7.6.1) and Expect (10.1.1), of which
 * there may be several lines, and empty members (5.6.1.2).
 */
static void gather_list(const unsigned char *value, size_t length, enum http_field_name name,
                        struct gathered *found)
{
    for (size_t start = 0, end; start < length; start = end + 1) {
        for (end = start; end < length && !is_separator(value[end]); end++)
            ;
        if (name == HTTP_FIELD_CONNECTION) {
            found->close |= http_equal_nocase(value + start, end - start, "close");
            found->keep_alive |= http_equal_nocase(value + start, end - start, "keep-alive");
        } else if (http_equal_nocase(value + start, end - start, "100-continue"))
            found->expects_continue = true;
        else if (end > start)
            found->expects_other = true;
    }
}

static void gather(const unsigned char *message, const struct http_field *fields, uint32_t count,
                   struct gathered *found)
{
    *found = (struct gathered){0};
    for (uint32_t i = 0; i < count; i++) {
        const struct http_field *field = &fields[i];

        switch (field->known) {
        case HTTP_FIELD_OTHER:
            continue;
        case HTTP_FIELD_HOST:
            found->host = field;
            break;
        case HTTP_FIELD_CONTENT_LENGTH:
            found->content_length = field;
            break;
        case HTTP_FIELD_TRANSFER_ENCODING:
            found->transfer_encoding = field;
            break;
        case HTTP_FIELD_CONNECTION:
        case HTTP_FIELD_EXPECT:
            gather_list(message + field->value.start, field->value.length, field->known, found);
            break;
        default:
            break;
        }
        found->repeated |= found->seen & BIT(field->known);
        found->seen |= BIT(field->known);
    }
}

/*
 * RFC 9112, 3.2 and 3.3.  An empty Host is right where the target has no
 * authority.  That of a target comes before Host, but does not replace it.
 * CONNECT needs a port (RFC 9110, 9.3.6).
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

/*
 * RFC 9112, 6.1.  HTTP/1.0 has no transfer codings: who sends one may mean
 * something else.  Narrower: "chunked" is the only coding, and no list has it.
 */
static enum coding coding(const unsigned char *message, unsigned minor,
                          const struct gathered *found)
{
    const struct http_field *field = found->transfer_encoding;
    const unsigned char *value;

    if (field == NULL)
        return CODING_ABSENT;
    if (minor == 0 || found->repeated & BIT(HTTP_FIELD_TRANSFER_ENCODING))
        return CODING_BAD;
    value = message + field->value.start;
    if (http_equal_nocase(value, field->value.length, "chunked"))
        return CODING_CHUNKED;
    return http_field_name_valid(value, field->value.length) ? CODING_UNKNOWN /* a token */
                                                             : CODING_BAD;
}

/*
 * RFC 9110, 8.6: 1*DIGIT.  Narrower: nothing above INT64_MAX, nor a list of equal
 * values, which a recipient may take for one.
 */
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

/* What all messages have in common: RFC 9112, 6.3, rules 3 to 8, and 9.3. */
static inline enum http_fault frame(const unsigned char *message, unsigned minor,
                                    const struct gathered *found, bool is_response,
                                    struct http_framing *framing)
{
    enum coding row = coding(message, minor, found);
    bool sized = found->content_length != NULL;
    enum http_fault fault = framings[row][sized].fault;

    *framing = (struct http_framing){
        .body = is_response ? framings[row][sized].of_response : framings[row][sized].of_request,
        .persistent = !found->close && (minor > 0 || found->keep_alive),
    };
    if (fault == HTTP_COMPLETE && sized &&
        (found->repeated & BIT(HTTP_FIELD_CONTENT_LENGTH) ||
         !parse_length(message + found->content_length->value.start,
                       found->content_length->value.length, &framing->length)))
        return HTTP_BAD_CONTENT_LENGTH;
    return fault;
}

enum http_fault http_request_frame(const struct http_request *request,
                                   const struct http_limits *limits, struct http_framing *framing)
{
    struct gathered found;
    struct http_framing decided;
    enum http_fault fault;

    gather(request->message, request->fields, request->field_count, &found);
    if (!host_is_sound(request, &found))
        return HTTP_BAD_HOST;
    fault = frame(request->message, request->minor, &found, false, &decided);
    if (fault != HTTP_COMPLETE)
        return fault;
    if (found.expects_other && request->minor > 0)
        return HTTP_UNKNOWN_EXPECTATION;
    if (found.repeated & SINGLE)
        return HTTP_REPEATED_FIELD;
    if (limits->body != 0 && decided.length > limits->body)
        return HTTP_LONG_BODY;

    /* RFC 9110, 10.1.1: with HTTP/1.0, or nothing to come, it means nothing. */
    decided.expects_continue = found.expects_continue && request->minor > 0 &&
                               (decided.body == HTTP_BODY_CHUNKED || decided.length > 0);
    *framing = decided;
    return HTTP_COMPLETE;
}

/* RFC 9112, 6.3, rule 1 */
static bool has_no_body(unsigned status, bool to_head)
{
    return to_head || status < 200 || status == 204 || status == 304;
}

enum http_fault http_response_frame(const struct http_response_head *response, bool to_head,
                                    const struct http_limits *limits, struct http_framing *framing)
{
    struct gathered found;
    struct http_framing decided;
    enum http_fault fault;

    gather(response->message, response->fields, response->field_count, &found);
    fault = frame(response->message, response->minor, &found, true, &decided);
    if (fault != HTTP_COMPLETE)
        return fault;
    if (found.repeated & SINGLE)
        return HTTP_REPEATED_FIELD;
    if (has_no_body(response->status, to_head)) {
        decided.body = HTTP_BODY_NONE;
        decided.length = 0;
    }
    if (limits->body != 0 && decided.length > limits->body)
        return HTTP_LONG_BODY;

    if (decided.body == HTTP_BODY_CLOSED || response->status == 101)
        decided.persistent = false;
    *framing = decided;
    return HTTP_COMPLETE;
}
