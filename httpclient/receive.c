/*
 * Receiving: from bytes to the handlers' callbacks.
 *
 * Responses are those of the exchanges in their order (RFC 9112, 9.3.2).  What comes
 * while none has begun is nobody's.
 *
 * A step that calls back may find the connection gone: it returns false then, and
 * whoever called it looks at its own `gone` first.
 */
#include "client.h"

#include <errno.h>

static void consume(struct httpclient_connection *c, const unsigned char *input, size_t length)
{
    if (c->tap && length > 0)
        c->tap(c, input, length);
    tcpsocket_stream_consume(&c->stream, length);
}

/*
 * Drop the line ends that may stand behind a response (RFC 9112, 9.2); true if there
 * is anything else.
 */
static bool is_stray(struct httpclient_connection *c)
{
    size_t length, i = 0;
    const unsigned char *input = tcpsocket_stream_peek(&c->stream, &length);

    while (i < length && (input[i] == '\r' || input[i] == '\n'))
        i++;
    consume(c, input, i);
    return i < length;
}

/* Nothing is asked for: the server can only close, or be wrong. */
static bool read_idle(struct httpclient_connection *c)
{
    if (is_stray(c))
        httpclient_connection_end(c, -EPROTO);
    else if (tcpsocket_stream_ended(&c->stream))
        httpclient_connection_end(c, 0);
    return false;
}

static bool fault(struct httpclient_connection *c, enum http_fault found)
{
    httpclient_connection_fail(c, -EPROTO, found, HTTPCLIENT_IN_TIME);
    return false;
}

/* The response of the first exchange is complete. */
static bool complete(struct httpclient_connection *c)
{
    struct httpclient_exchange *x = c->first;
    const bool *gone = c->gone;

    if (c->sending == x)
        httpclient_send_stop(c);
    if (x->message->closes)
        c->persistent = false;
    if (c->leaving == x)
        c->leaving = x->next;
    c->first = x->next;
    c->flying--;
    c->since = c->clock;
    c->reading = READ_HEAD;
    http_response_parser_init(&c->parser);
    /* Seen now: what the callback asks for would be taken to be answered by it. */
    if (c->persistent && c->flying == 0 && is_stray(c)) {
        c->stray = true;
        c->persistent = false;
    }
    x->connection = NULL;
    x->next = NULL;
    x->progress = HTTPCLIENT_COMPLETE;
    x->times.end = c->clock;
    x->handler->done(x);
    if (*gone)
        return false;
    if (!c->persistent) {
        httpclient_connection_end(c, c->stray ? -EPROTO : 0);
        return false;
    }
    return true;
}

static bool interim(struct httpclient_connection *c, const struct http_response_head *head)
{
    struct httpclient_exchange *x = c->first;
    const bool *gone = c->gone;

    http_response_parser_init(&c->parser);
    if (head->status == 100 && c->sending == x && c->waiting) {
        c->waiting = false;
        c->since = c->clock;
    }
    if (x->handler->interim)
        x->handler->interim(x, head);
    return !*gone;
}

/*
 * Does the answer make the rest of the request pointless (RFC 9112, 9.5; RFC 9110,
 * 10.1.1)?  One that is no success does, where it ends the connection or comes instead
 * of 100 (Continue).
 */
static bool is_refusal(const struct httpclient_connection *c, const struct http_response_head *head)
{
    return c->sending == c->first && head->status >= 300 && (c->waiting || !c->persistent);
}

static bool begin_body(struct httpclient_connection *c, const struct http_framing *framing)
{
    switch (framing->body) {
    case HTTP_BODY_CHUNKED:
        c->reading = READ_CHUNKED;
        http_chunked_init(&c->chunked);
        return true;
    case HTTP_BODY_CLOSED:
        c->reading = READ_CLOSED;
        return true;
    case HTTP_BODY_SIZED:
        c->reading = READ_SIZED;
        c->remaining = framing->length;
        return framing->length > 0;
    default:
        return false;
    }
}

static bool final(struct httpclient_connection *c, const struct http_response_head *head,
                  struct http_framing *framing)
{
    struct httpclient_exchange *x = c->first;
    const bool *gone = c->gone;

    x->status = head->status;
    x->progress = HTTPCLIENT_ANSWERED;
    x->times.head = c->clock;
    c->since = c->clock;
    /* RFC 9110, 9.3.6: a 2xx has no body whatever its fields say. */
    c->switched = head->status == 101 || (x->message->is_connect && head->status / 100 == 2);
    if (c->switched)
        *framing = (struct http_framing){.body = HTTP_BODY_NONE};
    if (!framing->persistent)
        c->persistent = false;
    if (is_refusal(c, head))
        httpclient_send_stop(c);
    else if (c->sending == x)
        c->waiting = false;
    if (x->handler->response)
        x->handler->response(x, head, framing);
    if (*gone)
        return false;
    return begin_body(c, framing) || complete(c);
}

static bool read_head(struct httpclient_connection *c)
{
    const struct http_limits *limits = &c->client->options.limits;
    struct http_response_head head = {.fields = c->client->fields};
    struct httpclient_exchange *x = c->first;
    struct http_framing framing;
    enum http_fault found;
    size_t length;
    const unsigned char *input = tcpsocket_stream_peek(&c->stream, &length);

    if (length > 0 && x->times.first == 0)
        x->times.first = c->clock;
    found = http_response_parse(&c->parser, limits, input, length, &head);
    if (found == HTTP_INCOMPLETE) {
        if (tcpsocket_stream_ended(&c->stream))
            httpclient_connection_lost(c, 0);
        return false;
    }
    if (found != HTTP_COMPLETE)
        return fault(c, found);
    /* What is consumed stays in place until this turn of the stream ends. */
    consume(c, input, head.length);
    found = http_response_frame(&head, x->message->is_head, limits, &framing);
    if (found != HTTP_COMPLETE)
        return fault(c, found);
    return head.status < 200 && head.status != 101 ? interim(c, &head) : final(c, &head, &framing);
}

/* The next piece of a body; HTTP_COMPLETE: its last. */
static enum http_fault take_piece(struct httpclient_connection *c, const unsigned char *input,
                                  size_t length, struct http_piece *piece)
{
    const struct http_limits *limits = &c->client->options.limits;

    if (c->reading == READ_CHUNKED)
        return http_chunked_parse(&c->chunked, limits, input, length, piece);
    if (c->reading == READ_SIZED && length > c->remaining)
        length = (size_t)c->remaining;
    *piece = (struct http_piece){.consumed = length, .data = input, .length = length};
    if (c->reading == READ_SIZED) {
        c->remaining -= length;
        return c->remaining > 0 ? HTTP_INCOMPLETE : HTTP_COMPLETE;
    }
    if (limits->body != 0 && length > limits->body - c->first->received)
        return HTTP_LONG_BODY;
    return HTTP_INCOMPLETE;
}

static bool read_body(struct httpclient_connection *c)
{
    struct httpclient_exchange *x = c->first;
    const bool *gone = c->gone;
    struct http_piece piece;
    enum http_fault found;
    size_t length;
    const unsigned char *input = tcpsocket_stream_peek(&c->stream, &length);

    if (length == 0) {
        if (!tcpsocket_stream_ended(&c->stream))
            return false;
        if (c->reading == READ_CLOSED)
            return complete(c);
        httpclient_connection_lost(c, 0);
        return false;
    }
    found = take_piece(c, input, length, &piece);
    if (found > HTTP_INCOMPLETE)
        return fault(c, found);
    consume(c, input, piece.consumed);
    x->received += piece.length;
    c->since = c->clock;
    if (x->handler->body && (piece.length > 0 || piece.trailer_length > 0))
        x->handler->body(x, &piece);
    if (*gone)
        return false;
    return found != HTTP_COMPLETE || complete(c);
}

/* One step; whether another may follow. */
static bool step(struct httpclient_connection *c)
{
    if (c->held)
        return false;
    if (c->flying == 0)
        return read_idle(c);
    return c->reading == READ_HEAD ? read_head(c) : read_body(c);
}

void httpclient_run(struct httpclient_connection *c)
{
    bool gone = false, *outer = c->gone;

    c->gone = &gone;
    c->running = true;
    c->clock = dispatch_clock();
    while (step(c))
        ;
    if (!gone)
        httpclient_send(c);
    if (gone) {
        if (outer)
            *outer = true;
        return;
    }
    c->running = false;
    c->gone = outer;
    httpclient_watch(c);
}

/* -- Events --------------------------------------------------------------- */

static struct httpclient_connection *of(struct tcpsocket_stream *stream)
{
    return (void *)((char *)stream - offsetof(struct httpclient_connection, stream));
}

static void received(struct tcpsocket_stream *stream)
{
    httpclient_run(of(stream));
}

static void drained(struct tcpsocket_stream *stream)
{
    struct httpclient_connection *c = of(stream);

    if (c->reading == READ_HEAD)
        c->since = dispatch_clock();
    httpclient_run(c);
}

static void failed(struct tcpsocket_stream *stream, int error)
{
    httpclient_connection_lost(of(stream), error);
}

const struct tcpsocket_stream_events httpclient_events = {
    .input = received, .drained = drained, .failed = failed};
