/*
 * Sending: from exchanges to bytes.
 *
 *   first ... | ... unsent ...          exchanges, in their order
 *    flying   |   to begin
 *
 * `sending` is the last that has begun, while its body goes out; nothing else begins
 * meanwhile.  What is committed goes to the kernel at the end of httpclient_send(), so
 * that requests that are pipelined share a system call, and before that only where it
 * would pile up.
 */
#include "client.h"

#include <errno.h>
#include <string.h>

/* From here on, a second element for sendmsg(2) is cheaper than a copy. */
#define DIRECT_MIN 4096

/* Bytes: of a body in memory so much is offered to the kernel at once. */
#define OFFER_MAX ((size_t)1 << 20)

/* Bytes: of a generated body no more is sent before others have their turn. */
#define TURN 262144

/* -- Output --------------------------------------------------------------- */

static int write_copy(struct httpclient_connection *c, const void *data, size_t length)
{
    unsigned char *room = tcpsocket_stream_reserve(&c->stream, length);

    if (!room)
        return c->stream.error ? c->stream.error : -ENOMEM;
    memcpy(room, data, length);
    tcpsocket_stream_commit(&c->stream, length);
    return tcpsocket_stream_full(&c->stream) ? tcpsocket_stream_send(&c->stream, NULL, 0)
                                             : c->stream.error;
}

static int write_plain(struct httpclient_connection *c, const void *data, size_t length)
{
    return length < DIRECT_MIN ? write_copy(c, data, length)
                               : tcpsocket_stream_send(&c->stream, data, length);
}

static int write_chunk(struct httpclient_connection *c, const void *data, size_t length)
{
    unsigned char line[HTTP_CHUNK_LINE];
    int error = write_copy(c, line, http_chunk_line(line, length));

    if (!error)
        error = write_plain(c, data, length);
    return error ? error : write_copy(c, "\r\n", 2);
}

/* Where writing failed, the loop ends the connection in its next turn. */
static int check(struct httpclient_connection *c, int error)
{
    if (error) {
        c->failure = error;
        httpclient_kick(c);
    }
    return error;
}

/* -- Exchanges ------------------------------------------------------------ */

static bool may_begin(const struct httpclient_connection *c)
{
    if (!c->unsent || c->sending || !c->persistent || c->closing || c->failure)
        return false;
    return c->flying == 0 || (c->flying < c->client->options.depth && c->pipelines &&
                              !tcpsocket_stream_full(&c->stream));
}

static void begin(struct httpclient_connection *c)
{
    struct httpclient_exchange *x = c->unsent;
    const struct httpclient_message *message = x->message;

    if (c->flying++ == 0)
        c->since = c->clock;
    if (!c->leaving)
        c->leaving = x;
    c->unsent = x->next;
    c->pipelines = message->is_idempotent;
    c->closing = message->closes;
    x->progress = HTTPCLIENT_SENT;
    if (message->body == HTTP_BODY_CHUNKED || message->body_length > 0) {
        c->sending = x;
        c->stalled = false;
        c->waiting = message->expects_continue && c->client->options.timeouts.expect > 0;
    }
    check(c, write_plain(c, message->head, message->head_length));
}

void httpclient_send_stop(struct httpclient_connection *c)
{
    c->sending = NULL;
    c->persistent = false;
}

/* Body bytes that lie in the caller's memory; whether all are done with. */
static bool send_content(struct httpclient_connection *c, struct httpclient_exchange *x)
{
    const struct httpclient_message *message = x->message;
    const unsigned char *content = message->content;

    if (message->body_length < DIRECT_MIN) {
        if (check(c, write_copy(c, content, (size_t)message->body_length)))
            return false;
        x->produced = message->body_length;
    }
    while (x->produced < message->body_length) {
        uint64_t left = message->body_length - x->produced;
        size_t offered = left < OFFER_MAX ? (size_t)left : OFFER_MAX, taken;

        if (check(c,
                  tcpsocket_stream_send_some(&c->stream, content + x->produced, offered, &taken)))
            return false;
        x->produced += taken;
        if (taken < offered)
            return false;
    }
    c->sending = NULL;
    return true;
}

/* Have the handler generate more; whether it has all. */
static bool send_generated(struct httpclient_connection *c, struct httpclient_exchange *x)
{
    const bool *gone = c->gone;
    uint64_t before = x->produced;

    while (!tcpsocket_stream_full(&c->stream) && !c->stalled) {
        if (!c->running || x->produced - before >= TURN) {
            httpclient_kick(c);
            return false;
        }
        c->stalled = true;
        x->handler->produce(x);
        if (*gone || c->failure)
            return false;
        if (c->sending != x)
            return true;
    }
    return false;
}

/* Go on with the body that is being sent; whether it is complete. */
static bool send_body(struct httpclient_connection *c)
{
    struct httpclient_exchange *x = c->sending;

    if (c->waiting || c->failure)
        return false;
    return x->message->content ? send_content(c, x) : send_generated(c, x);
}

/* Give the kernel what is committed, and tell the exchanges when. */
static void flush(struct httpclient_connection *c)
{
    if (!c->leaving && tcpsocket_stream_unsent(&c->stream) == 0)
        return;
    c->clock = dispatch_clock();
    if (check(c, tcpsocket_stream_send(&c->stream, NULL, 0)))
        return;

    bool all = tcpsocket_stream_unsent(&c->stream) == 0;

    for (struct httpclient_exchange *x = c->leaving; x && x != c->unsent; x = x->next) {
        if (x->times.begun == 0)
            x->times.begun = c->clock;
        if (!all || x == c->sending) {
            c->leaving = x;
            return;
        }
        x->times.sent = c->clock;
        if (x == c->first)
            c->since = c->clock;
    }
    if (all)
        c->leaving = NULL;
}

void httpclient_send(struct httpclient_connection *c)
{
    const bool *gone = c->gone;

    for (;;) {
        bool more = c->sending ? send_body(c) : may_begin(c);

        if (gone && *gone)
            return;
        if (!more)
            break;
        if (!c->sending && may_begin(c))
            begin(c);
    }
    if (!c->failure)
        flush(c);
}

/* -- The caller's calls --------------------------------------------------- */

bool httpclient_may_retry(const struct httpclient_exchange *x)
{
    return x->progress == HTTPCLIENT_QUEUED ||
           (x->progress == HTTPCLIENT_SENT && x->message->is_idempotent);
}

int httpclient_queue(struct httpclient_connection *c, struct httpclient_exchange *x)
{
    if (c->state == STATE_CLOSED || c->state == STATE_ENDING || !c->persistent || c->closing)
        return -ESHUTDOWN;
    *x = (struct httpclient_exchange){
        .handler = x->handler,
        .message = x->message,
        .connection = c,
        .times.queued = c->running ? c->clock : dispatch_clock(),
    };
    if (c->first)
        c->last->next = x;
    else
        c->first = x;
    c->last = x;
    if (!c->unsent)
        c->unsent = x;
    return 0;
}

void httpclient_flush(struct httpclient_connection *c)
{
    if (c->state == STATE_CONNECTING) {
        httpclient_watch(c);
    } else if (c->state == STATE_OPEN && !c->running) {
        c->clock = dispatch_clock();
        httpclient_send(c);
        httpclient_watch(c);
    }
}

/* Whether bytes of the body may be sent now. */
static bool is_wanted(const struct httpclient_exchange *x)
{
    const struct httpclient_connection *c = x->connection;

    return c && c->state == STATE_OPEN && c->sending == x && !c->waiting;
}

/* Out of the handler's turn there is nobody else to send it. */
static int settle(struct httpclient_connection *c)
{
    c->stalled = false;
    if (!c->running)
        httpclient_flush(c);
    return c->failure;
}

int httpclient_produce(struct httpclient_exchange *x, const void *data, size_t length)
{
    struct httpclient_connection *c = x->connection;
    bool sized = x->message->body == HTTP_BODY_SIZED;
    int error;

    if (!is_wanted(x) || length == 0)
        return 0;
    if (sized && length > x->message->body_length - x->produced)
        return -EMSGSIZE;
    error = sized ? write_plain(c, data, length) : write_chunk(c, data, length);
    if (check(c, error))
        return error;
    x->produced += length;
    if (sized && x->produced == x->message->body_length)
        c->sending = NULL;
    return settle(c);
}

int httpclient_produce_end(struct httpclient_exchange *x)
{
    struct httpclient_connection *c = x->connection;

    if (!is_wanted(x))
        return 0;
    if (x->message->body == HTTP_BODY_SIZED)
        return -EMSGSIZE;
    if (check(c, write_copy(c, "0\r\n\r\n", 5)))
        return c->failure;
    c->sending = NULL;
    return settle(c);
}

bool httpclient_full(const struct httpclient_exchange *x)
{
    return is_wanted(x) && tcpsocket_stream_full(&x->connection->stream);
}
