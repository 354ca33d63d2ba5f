/*
 * Requests: writing their heads, and what there is to know of those that are written.
 * Both read the head as a server would, by http's own parser.
 */
#include <asynwsgi/httpclient.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct http_limits any_head = {
    .start_line = UINT32_MAX / 4,
    .field = UINT32_MAX / 4,
    .fields = HTTP_FIELDS_MAX,
    .head = UINT32_MAX / 2,
};

/* RFC 9110, 9.2.2, the methods of 9.3 and WebDAV's that only read. */
static bool is_idempotent(const unsigned char *method, size_t length)
{
    static const char *const names[] = {"GET",   "HEAD",     "PUT",    "DELETE", "OPTIONS",
                                        "TRACE", "PROPFIND", "REPORT", "SEARCH"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (length == strlen(names[i]) && memcmp(method, names[i], length) == 0)
            return true;
    return false;
}

enum http_fault httpclient_message_read(const void *bytes, size_t length,
                                        struct httpclient_message *message)
{
    struct http_field fields[HTTP_FIELDS_MAX];
    struct http_request request = {.fields = fields};
    struct http_head_parser parser;
    struct http_framing framing;
    enum http_fault fault;
    size_t behind;

    http_request_parser_init(&parser);
    fault = http_request_parse(&parser, &any_head, bytes, length, &request);
    if (fault == HTTP_COMPLETE)
        fault = http_request_frame(&request, &any_head, &framing);
    if (fault != HTTP_COMPLETE)
        return fault;
    behind = length - request.length;
    if (behind > 0 && (framing.body != HTTP_BODY_SIZED || behind != framing.length))
        return HTTP_INCOMPLETE;
    *message = (struct httpclient_message){
        .head = bytes,
        .head_length = length,
        .body = behind > 0 || (framing.body == HTTP_BODY_SIZED && framing.length == 0)
                    ? HTTP_BODY_NONE
                    : framing.body,
        .body_length = behind > 0 ? 0 : framing.length,
        .is_head = request.is_head,
        .is_connect = request.form == HTTP_TARGET_AUTHORITY,
        .is_idempotent =
            is_idempotent(request.message + request.method.start, request.method.length),
        .closes = !framing.persistent,
    };
    message->expects_continue = framing.expects_continue && message->body != HTTP_BODY_NONE;
    return HTTP_COMPLETE;
}

/* Bytes written one behind the other; what there is no room for is only counted. */
struct writer {
    unsigned char *buffer;
    size_t room, length;
};

static void add(struct writer *to, const void *bytes, size_t length)
{
    if (length > 0 && to->length + length <= to->room)
        memcpy(to->buffer + to->length, bytes, length);
    to->length += length;
}

static void add_text(struct writer *to, const char *text)
{
    add(to, text, strlen(text));
}

static void add_field(struct writer *to, const void *name, size_t name_length, const void *value,
                      size_t value_length)
{
    add(to, name, name_length);
    add_text(to, ": ");
    add(to, value, value_length);
    add_text(to, "\r\n");
}

static void add_framing(struct writer *to, const struct httpclient_request *request)
{
    char digits[24];

    if (request->body == HTTP_BODY_CHUNKED) {
        add_text(to, "Transfer-Encoding: chunked\r\n");
    } else if (request->body == HTTP_BODY_SIZED) {
        snprintf(digits, sizeof digits, "%llu", (unsigned long long)request->body_length);
        add_field(to, "Content-Length", 14, digits, strlen(digits));
    }
    if (request->expects_continue)
        add_text(to, "Expect: 100-continue\r\n");
    if (request->closes)
        add_text(to, "Connection: close\r\n");
}

/*
 * Whether a header would say what is said for it, or end before its time: a parser
 * sees a line break within a value as two lines.
 */
static bool is_fit(const struct http_header *header)
{
    switch (http_field_name(header->name, header->name_length)) {
    case HTTP_FIELD_CONTENT_LENGTH:
    case HTTP_FIELD_EXPECT:
    case HTTP_FIELD_HOST:
    case HTTP_FIELD_TRANSFER_ENCODING:
        return false;
    default:
        return http_field_name_valid(header->name, header->name_length) &&
               http_field_value_valid(header->value, header->value_length);
    }
}

/* A space or a line break in one of the first would make another head of it. */
static bool is_sound(const struct httpclient_request *request)
{
    return http_field_name_valid((const unsigned char *)request->method, strlen(request->method)) &&
           http_field_value_valid((const unsigned char *)request->authority,
                                  request->authority_length) &&
           (request->target_length == 0 || !memchr(request->target, ' ', request->target_length)) &&
           request->body != HTTP_BODY_CLOSED &&
           (request->body != HTTP_BODY_NONE || !request->expects_continue);
}

static void write_head(struct writer *to, const struct httpclient_request *request)
{
    add_text(to, request->method);
    add_text(to, " ");
    if (request->target_length == 0 || request->target[0] == '?')
        add_text(to, "/");
    add(to, request->target, request->target_length);
    add_text(to, " HTTP/1.1\r\n");
    add_field(to, "Host", 4, request->authority, request->authority_length);
    for (size_t i = 0; i < request->header_count; i++) {
        const struct http_header *header = &request->headers[i];

        add_field(to, header->name, header->name_length, header->value, header->value_length);
    }
    add_framing(to, request);
    add_text(to, "\r\n");
}

int httpclient_request_write(const struct httpclient_request *request, void *buffer, size_t room,
                             struct httpclient_message *message)
{
    struct writer to = {.buffer = buffer, .room = room};
    struct httpclient_message made;

    for (size_t i = 0; i < request->header_count; i++)
        if (!is_fit(&request->headers[i]))
            return -EINVAL;
    if (!is_sound(request))
        return -EINVAL;
    write_head(&to, request);
    if (to.length > room)
        return -ENOBUFS;
    if (httpclient_message_read(buffer, to.length, &made) != HTTP_COMPLETE)
        return -EINVAL;
    made.content = request->content;
    *message = made;
    return 0;
}
