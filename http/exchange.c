/*
 * An exchange: from the handler's calls to bytes.
 *
 *   status == 0                        no response has begun
 *   framing == RESPONSE_SIZED          sent <= length, at the end sent == length
 *   framing == RESPONSE_EMPTY          sent == 0
 *
 * Output is committed here and goes to the kernel in http_connection_settle(),
 * except that no more is piled up than tcpsocket_stream_full(): so where
 * http_full() is true the kernel has been asked and has refused, and `writable`
 * is sure to come.
 */
#include "connection.h"
#include "put.h"

#include "config.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>

/* From here on, a second element for sendmsg(2) is cheaper than a copy. */
#define DIRECT_MIN 4096

/* -- Output --------------------------------------------------------------- */

static int commit(struct http_connection *c, size_t length)
{
    tcpsocket_stream_commit(&c->stream, length);
    return tcpsocket_stream_full(&c->stream) ? tcpsocket_stream_send(&c->stream, NULL, 0)
                                             : c->stream.error;
}

static int no_room(const struct http_connection *c)
{
    return c->stream.error != 0 ? c->stream.error : -ENOMEM;
}

static int write_copy(struct http_connection *c, const void *data, size_t length)
{
    unsigned char *room = tcpsocket_stream_reserve(&c->stream, length);

    if (room == NULL)
        return no_room(c);
    put(room, data, length);
    return commit(c, length);
}

static int write_plain(struct http_connection *c, const void *data, size_t length)
{
    return length < DIRECT_MIN ? write_copy(c, data, length)
                               : tcpsocket_stream_send(&c->stream, data, length);
}

static int write_chunk(struct http_connection *c, const void *data, size_t length)
{
    bool copies = length < DIRECT_MIN;
    unsigned char *room =
        tcpsocket_stream_reserve(&c->stream, HTTP_CHUNK_LINE + (copies ? length + 2 : 0));
    unsigned char *at;
    int error;

    if (room == NULL)
        return no_room(c);
    at = room + http_chunk_line(room, length);
    if (copies) {
        at = put(at, data, length);
        at = put(at, LITERAL("\r\n"));
        return commit(c, (size_t)(at - room));
    }
    tcpsocket_stream_commit(&c->stream, (size_t)(at - room));
    error = tcpsocket_stream_send(&c->stream, data, length);
    return error != 0 ? error : write_copy(c, LITERAL("\r\n"));
}

/* -- The life of an exchange ---------------------------------------------- */

bool http_exchange_begin(struct http_connection *c, const struct http_request *request)
{
    const struct http_server_options *options = &http_connection_server(c)->options;

    if (!http_server_give_exchange(c)) {
        c->state = STATE_CLOSED;
        return false;
    }
    /* Reading on for the last one may have got here without a look at the timer. */
    if (c->phase == PHASE_DRAIN)
        c->phase = PHASE_NONE;
    c->is_open = c->used = true;
    c->held = c->expects = c->client_closes = false;
    c->status = 0;
    c->exchange->began = dispatch_now(options->loop);
    c->to_head = request != NULL && request->is_head;
    c->to_http_10 = request != NULL && request->minor == 0;
    if (request != NULL)
        PROBE(head__complete, c, request->message + request->method.start, request->method.length,
              request->message + request->target.start, request->target.length);
    if (options->observer != NULL && options->observer->began != NULL)
        options->observer->began(c, request);
    return true;
}

static void end(struct http_connection *c)
{
    const struct http_observer *observer = http_connection_server(c)->options.observer;

    http_hold_memory(c, 0);
    c->is_open = false;
    if (c->status != 0)
        PROBE(response__end, c, c->status, c->exchange->sent);
    if (c->watched)
        tcpsocket_stream_heed_end(&c->stream, false);
    c->watched = false;
    if (observer != NULL && observer->ended != NULL)
        observer->ended(c);
}

/*
 * The response will never be complete.  Where its end is the connection's, only
 * a reset tells the client so.
 */
static void cut(struct http_connection *c)
{
    if (c->status != 0 && c->framing == RESPONSE_CLOSED)
        http_connection_reset(c);
    c->state = STATE_CLOSED;
}

void http_exchange_abandon(struct http_connection *c)
{
    if (c->is_open) {
        http_connection_handler(c)->abandoned(c);
        cut(c);
        end(c);
    }
    c->state = STATE_CLOSED;
}

#define HEADER(name, value)                                                              \
    {                                                                                    \
        (const unsigned char *)(name), (const unsigned char *)(value), sizeof(name) - 1, \
            sizeof(value) - 1                                                            \
    }

/* A page that says no more than the status and why; then the exchange is over. */
static void answer(struct http_connection *c, unsigned status, const char *why)
{
    /* The last is for 503: what is short now may not be so for long (RFC 9110, 10.2.3). */
    static const struct http_header headers[] = {HEADER("Content-Type", "text/plain"),
                                                 HEADER("Retry-After", "1")};
    char page[160];
    int line = snprintf(page, sizeof(page), "%03u %s", status, http_reason(status));
    int length = line + snprintf(page + line, sizeof(page) - (size_t)line, "%s%s\n",
                                 why != NULL ? ": " : "", why != NULL ? why : "");
    struct http_response response = {.status = status,
                                     .status_text = (const unsigned char *)page,
                                     .status_length = (uint32_t)line,
                                     .header_count = status == 503 ? 2 : 1,
                                     .headers = headers};

    assert(length < (int)sizeof(page));
    if (http_respond(c, &response, length) != 0) {
        http_abort(c);
        return;
    }
    http_send(c, page, (size_t)length);
    http_finish(c);
}

void http_exchange_refuse(struct http_connection *c, unsigned status, const char *why)
{
    c->persistent = false;
    answer(c, status, why);
}

/* -- The handler's calls -------------------------------------------------- */

/* Has the client sent something (the end counts) that is not looked at yet? */
static bool input_waits(const struct http_connection *c)
{
    size_t length;

    tcpsocket_stream_peek(&c->stream, &length);
    return length > 0 || tcpsocket_stream_ended(&c->stream);
}

/* What was held up may go on; the loop sees to it, if it isn't at it. */
static void go_on(struct http_connection *c)
{
    if (!c->running && input_waits(c))
        http_connection_kick(c);
    http_connection_settle(c);
}

void http_want_body(struct http_connection *c)
{
    assert(c->is_open);
    if (!c->expects || c->status != 0)
        return;
    c->expects = false;
    if (!input_waits(c) && write_copy(c, LITERAL("HTTP/1.1 100 Continue\r\n\r\n")) == 0)
        http_flush(c);
}

void http_hold_body(struct http_connection *c)
{
    assert(c->is_open);
    c->held = true;
    http_connection_settle(c);
}

void http_release_body(struct http_connection *c)
{
    assert(c->is_open);
    c->held = false;
    go_on(c);
}

void http_receive_body(struct http_connection *c)
{
    assert(!c->running);
    http_release_body(c);
    if (c->state == STATE_BODY)
        tcpsocket_stream_receive(&c->stream);
}

void http_watch_client(struct http_connection *c, bool on)
{
    assert(c->is_open);
    c->watched = on;
    tcpsocket_stream_heed_end(&c->stream, on);
    if (on)
        go_on(c);
    else
        http_connection_settle(c);
}

int http_respond(struct http_connection *c, const struct http_response *response, int64_t length)
{
    struct http_server *server = http_connection_server(c);
    const struct response_stamp *stamp = http_server_stamp(server);
    /* A client that still waits for 100 (Continue) may or may not send the body after this. */
    struct response_framing framing = {.to_head = c->to_head,
                                       .to_http_10 = c->to_http_10,
                                       .persistent = c->persistent && !server->draining &&
                                                     (!server->spent || input_waits(c)) &&
                                                     !(c->expects && !input_waits(c)),
                                       .length = length};
    unsigned char *room;
    size_t written;

    assert(c->is_open && c->status == 0);
    room = tcpsocket_stream_reserve(&c->stream, http_response_head_room(response, stamp));
    if (room == NULL)
        return no_room(c);
    written = http_response_head_write(response, stamp, &framing, room);
    if (written == 0)
        return -EINVAL;
    c->status = (uint16_t)response->status;
    c->persistent = framing.persistent;
    c->framing = framing.body;
    c->exchange->length = (uint64_t)framing.length;
    PROBE(response__start, c, response->status);
    return commit(c, written);
}

size_t http_exchange_allowed(const struct http_connection *c, size_t length)
{
    uint64_t left = c->exchange->length - c->exchange->sent;

    assert(c->is_open && c->status != 0);
    if (c->framing == RESPONSE_EMPTY)
        return 0;
    return c->framing == RESPONSE_SIZED && length > left ? (size_t)left : length;
}

int http_send(struct http_connection *c, const void *data, size_t length)
{
    size_t sending = http_exchange_allowed(c, length);
    int error = 0;

    c->exchange->sent += sending;
    if (sending > 0)
        error = c->framing == RESPONSE_CHUNKED ? write_chunk(c, data, sending)
                                               : write_plain(c, data, sending);
    if (error == 0 && sending < length && c->framing != RESPONSE_EMPTY)
        error = -EMSGSIZE;
    return error;
}

/* Some of a chunk, which is begun if none is, and ended with its last byte. */
static int send_some_chunk(struct http_connection *c, const void *data, size_t length,
                           size_t *taken)
{
    uint64_t *left = &c->exchange->chunk_left;
    unsigned char *room;
    int error;

    if (*left == 0) {
        room = tcpsocket_stream_reserve(&c->stream, HTTP_CHUNK_LINE);
        if (room == NULL)
            return no_room(c);
        tcpsocket_stream_commit(&c->stream, http_chunk_line(room, length));
        *left = length;
    }
    error = tcpsocket_stream_send_some(&c->stream, data, length < *left ? length : (size_t)*left,
                                       taken);
    if (error != 0)
        return error;
    *left -= *taken;
    return *left > 0 ? 0 : write_copy(c, LITERAL("\r\n"));
}

int http_send_some(struct http_connection *c, const void *data, size_t length, size_t *taken)
{
    int error;

    if ((length < DIRECT_MIN && c->exchange->chunk_left == 0) ||
        http_exchange_allowed(c, length) < length) {
        *taken = length;
        return http_send(c, data, length);
    }
    error = c->framing == RESPONSE_CHUNKED
                ? send_some_chunk(c, data, length, taken)
                : tcpsocket_stream_send_some(&c->stream, data, length, taken);
    if (error == 0)
        c->exchange->sent += *taken;
    return error;
}

void http_flush(struct http_connection *c)
{
    /* A failure stays in the stream; the connection's own callback ends with settling it. */
    if (c->running)
        (void)tcpsocket_stream_send(&c->stream, NULL, 0);
    else
        http_connection_settle(c);
}

void http_gather(struct http_connection *c, bool on)
{
    tcpsocket_stream_gather(&c->stream, on);
}

bool http_full(const struct http_connection *c)
{
    return tcpsocket_stream_full(&c->stream);
}

static bool complete(struct http_connection *c)
{
    if (c->status == 0)
        return false;
    if (c->framing == RESPONSE_CHUNKED)
        return write_copy(c, LITERAL("0\r\n\r\n")) == 0;
    return c->framing != RESPONSE_SIZED || c->exchange->sent == c->exchange->length;
}

/* This was the last exchange; what was handed out, earlier answers too, still goes out. */
static void linger(struct http_connection *c)
{
    c->client_closes = c->client_closes && c->state == STATE_WAIT;
    c->state = STATE_LINGER;
}

void http_finish(struct http_connection *c)
{
    assert(c->is_open);
    if (!complete(c)) {
        http_abort(c);
        return;
    }
    end(c);
    c->moved = true;
    if (!c->persistent || http_connection_server(c)->draining) {
        linger(c);
    } else if (c->state == STATE_BODY) {
        c->exchange->dropped = 0;
        c->state = STATE_DISCARD;
    } else {
        http_connection_be_idle(c);
    }
    go_on(c);
}

void http_abort(struct http_connection *c)
{
    assert(c->is_open);
    if (c->status != 0 && c->framing == RESPONSE_CLOSED) {
        (void)tcpsocket_stream_send(&c->stream, NULL, 0);
        cut(c);
    } else {
        linger(c); /* it is seen to be short */
    }
    end(c);
    http_connection_settle(c);
}

void http_fail(struct http_connection *c, unsigned status)
{
    assert(c->is_open);
    if (c->status != 0)
        http_abort(c);
    else
        answer(c, status, NULL);
}

void http_refuse(struct http_connection *c, unsigned status)
{
    c->persistent = false;
    http_fail(c, status);
}

/* -- Asking --------------------------------------------------------------- */

void http_exchange_set(struct http_connection *c, void *exchange)
{
    c->exchange->handlers = exchange;
}

void *http_exchange(const struct http_connection *c)
{
    return c->exchange->handlers;
}

void http_record_set(struct http_connection *c, void *record)
{
    c->exchange->observers = record;
}

void *http_record(const struct http_connection *c)
{
    return c->exchange->observers;
}

void *http_connection_context(const struct http_connection *c)
{
    return http_connection_server(c)->options.context;
}

void *http_connection_observer_context(const struct http_connection *c)
{
    return http_connection_server(c)->options.observer_context;
}

const struct sockaddr *http_connection_peer(const struct http_connection *c)
{
    return &c->peer.any;
}

const struct sockaddr *http_connection_local(const struct http_connection *c)
{
    return &c->listener->address.socket.any;
}

bool http_client_gone(const struct http_connection *c)
{
    return tcpsocket_stream_gone(&c->stream);
}

unsigned http_connection_status(const struct http_connection *c)
{
    return c->status;
}

uint64_t http_connection_sent(const struct http_connection *c)
{
    return c->exchange->sent;
}

uint64_t http_connection_began(const struct http_connection *c)
{
    return c->exchange->began;
}
