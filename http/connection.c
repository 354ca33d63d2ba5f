/*
 * A server connection: from bytes to the handler's callbacks.
 *
 * connection.h has its states.  Whatever happens (input, room for output, a
 * time-out) ends in http_connection_run(), which reads as far as input and
 * output allow, requests pipelined behind each other included; and that ends
 * in http_connection_settle(), where all their answers go out in one piece.
 *
 * The handler is called from here, never from within a function it called: so
 * an exchange that ends outside of `running` has the loop go on with the next.
 * For the same reason a connection is freed in http_connection_settle() only.
 */
#include "connection.h"

#include "config.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is read of a body nobody wants, before closing is the cheaper way to be rid of it. */
#define DISCARD_MAX 262144

/* Nanoseconds of requests behind each other, before others have their turn. */
#define TURN 5000000

/* -- Reading -------------------------------------------------------------- */

/* Refuse a request of which there is no exchange yet. */
static bool refuse(struct http_connection *c, const struct http_request *request,
                   enum http_fault fault)
{
    if (http_exchange_begin(c, request))
        http_exchange_refuse(c, http_fault_status(fault), http_fault_text(fault));
    return true; /* what is left of the input is to be dropped */
}

void http_connection_be_idle(struct http_connection *c)
{
    http_server_take_exchange(c);
    http_request_parser_init(&c->parser);
    c->state = STATE_IDLE;
}

/* A head is complete: have it answered. */
static void begin(struct http_connection *c, const struct http_request *request,
                  const struct http_framing *framing)
{
    bool body = framing->body == HTTP_BODY_CHUNKED || framing->length > 0;

    if (!http_exchange_begin(c, request))
        return;
    c->client_closes = !framing->persistent;
    /* After a 2xx to CONNECT a client takes what follows for the tunnel. */
    c->persistent = framing->persistent && request->form != HTTP_TARGET_AUTHORITY;
    c->expects = framing->expects_continue;
    c->chunked_body = framing->body == HTTP_BODY_CHUNKED;
    if (c->chunked_body)
        http_chunked_init(&c->exchange->chunked);
    else
        c->exchange->remaining = framing->length;
    c->state = body ? STATE_BODY : STATE_WAIT;
    http_connection_handler(c)->request(c, request, framing);
}

/* No other request before the client reads its answers, and memory is free. */
static bool may_not_begin(const struct http_connection *c)
{
    return tcpsocket_stream_full(&c->stream) || http_connection_server(c)->spent;
}

static bool read_head(struct http_connection *c)
{
    struct http_server *server = http_connection_server(c);
    struct http_request *request = &server->request;
    struct http_framing framing;
    enum http_fault fault;
    size_t length;
    const unsigned char *input = tcpsocket_stream_peek(&c->stream, &length);

    if (length == 0 && !server->draining && !tcpsocket_stream_ended(&c->stream))
        return false;
    if (may_not_begin(c))
        return false;
    fault = HTTP_INCOMPLETE;
    if (length > 0) {
        c->state = STATE_HEAD;
        fault = server->parse.head(&c->parser, &server->options.limits, input, length,
                                   http_sections_at(&server->sections, c->section), request);
    }
    if (fault == HTTP_INCOMPLETE) {
        /* While the server drains there is no waiting for another request. */
        c->client_closes = c->state == STATE_IDLE && server->draining;
        if (c->client_closes || tcpsocket_stream_ended(&c->stream))
            c->state = STATE_LINGER;
        return false;
    }
    if (fault != HTTP_COMPLETE)
        return refuse(c, NULL, fault);
    /* What is consumed stays in place until this turn of the stream ends. */
    tcpsocket_stream_consume(&c->stream, request->length);
    fault = http_sections_frame(&server->sections, &server->options.limits, request, &framing);
    if (fault != HTTP_COMPLETE)
        return refuse(c, request, fault);
    if (request->section != 0)
        c->section = server->last_section = http_section_place(request);
    begin(c, request, &framing);
    return true;
}

/* The next piece of the request's body, consumed; HTTP_COMPLETE: its last. */
static enum http_fault take_piece(struct http_connection *c, const unsigned char *input,
                                  size_t length, struct http_piece *piece)
{
    const struct http_server *server = http_connection_server(c);
    enum http_fault fault;

    if (c->chunked_body) {
        fault = server->parse.chunk(&c->exchange->chunked, &server->options.limits, input, length,
                                    piece);
    } else {
        uint64_t *remaining = &c->exchange->remaining;

        if (length > *remaining)
            length = (size_t)*remaining;
        *piece = (struct http_piece){.consumed = length, .data = input, .length = length};
        *remaining -= length;
        fault = *remaining > 0 ? HTTP_INCOMPLETE : HTTP_COMPLETE;
    }
    if (fault <= HTTP_INCOMPLETE)
        tcpsocket_stream_consume(&c->stream, piece->consumed);
    if (c->phase == PHASE_BODY)
        c->progress += (uint32_t)piece->consumed;
    c->moved = true;
    return fault;
}

void http_connection_break_off(struct http_connection *c, unsigned status, const char *why)
{
    http_connection_handler(c)->abandoned(c);
    if (c->status != 0)
        http_abort(c);
    else
        http_exchange_refuse(c, status, why);
}

static bool read_body(struct http_connection *c)
{
    struct http_piece piece;
    enum http_fault fault;
    size_t length;
    const unsigned char *input = tcpsocket_stream_peek(&c->stream, &length);

    if (c->held)
        return false;
    if (length == 0) {
        if (tcpsocket_stream_ended(&c->stream))
            http_connection_break_off(c, 400, "the body is incomplete");
        return false;
    }
    c->expects = false;
    fault = take_piece(c, input, length, &piece);
    if (fault > HTTP_INCOMPLETE) {
        http_connection_break_off(c, http_fault_status(fault), http_fault_text(fault));
        return true;
    }
    if (fault == HTTP_COMPLETE)
        c->state = STATE_WAIT;
    if (piece.length > 0 || piece.trailer_length > 0 || fault == HTTP_COMPLETE)
        http_connection_handler(c)->body(c, &piece, fault == HTTP_COMPLETE);
    return true;
}

static bool discard_body(struct http_connection *c)
{
    struct http_piece piece;
    enum http_fault fault;
    size_t length;
    const unsigned char *input = tcpsocket_stream_peek(&c->stream, &length);

    if (length == 0) {
        if (tcpsocket_stream_ended(&c->stream))
            c->state = STATE_LINGER;
        return false;
    }
    fault = take_piece(c, input, length, &piece);
    c->exchange->dropped += piece.consumed;
    if (fault == HTTP_COMPLETE) {
        http_connection_be_idle(c);
    } else if (fault != HTTP_INCOMPLETE || c->exchange->dropped > DISCARD_MAX) {
        c->state = STATE_LINGER;
    }
    return true;
}

static bool drop_input(struct http_connection *c)
{
    size_t length;

    tcpsocket_stream_peek(&c->stream, &length);
    tcpsocket_stream_consume(&c->stream, length);
    c->moved |= length > 0;
    return false;
}

/* The request is there: of the client only its end is looked for, where it has a meaning. */
static bool look_for_end(struct http_connection *c)
{
    if (c->watched && tcpsocket_stream_ended(&c->stream))
        http_exchange_abandon(c);
    return false;
}

/* One step; whether another may follow. */
static bool step(struct http_connection *c)
{
    switch ((enum http_connection_state)c->state) {
    case STATE_IDLE:
    case STATE_HEAD:
        return read_head(c);
    case STATE_BODY:
        return read_body(c);
    case STATE_DISCARD:
        return discard_body(c);
    case STATE_LINGER:
        return drop_input(c);
    case STATE_WAIT:
        return look_for_end(c);
    case STATE_CLOSED:
        break;
    }
    return false;
}

/* Has this turn of the loop been long?  A client that pipelines is not the only one. */
static bool had_its_turn(const struct http_connection *c, unsigned steps)
{
    return steps % 8 == 0 && dispatch_clock() - dispatch_now(c->timer.loop) >= TURN;
}

void http_connection_run(struct http_connection *c)
{
    unsigned steps = 0;

    if (c->running)
        return;
    c->running = true;
    while (step(c))
        if (had_its_turn(c, ++steps)) {
            http_connection_kick(c);
            break;
        }
    c->running = false;
    http_connection_settle(c);
}

void http_connection_lost(struct http_connection *c)
{
    bool running = c->running;

    c->running = true;
    http_exchange_abandon(c);
    c->running = running;
    http_connection_settle(c);
}

/* -- Settling ------------------------------------------------------------- */

void http_connection_reset(const struct http_connection *c)
{
    const struct linger now = {.l_onoff = 1, .l_linger = 0};

    setsockopt(c->stream.target.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static void discharge(struct http_connection *c)
{
    struct http_server *server = http_connection_server(c);

    http_server_take_exchange(c);
    dispatch_timer_remove(&c->timer);
    tcpsocket_stream_close(&c->stream);
    http_server_remove(server, c);
    http_server_watch_memory(server);
}

/*
 * Closing with input unread makes the kernel send a reset, which may overtake
 * the answer in the client's hands.  So shut just the sending side and wait for
 * the client to do the same (RFC 9112, 9.6), unless nothing can be on its way.
 */
static void linger(struct http_connection *c)
{
    size_t length;

    tcpsocket_stream_peek(&c->stream, &length);
    if (tcpsocket_stream_unsent(&c->stream) == 0 &&
        (tcpsocket_stream_ended(&c->stream) || (c->client_closes && length == 0)))
        c->state = STATE_CLOSED;
    else if (!c->stream.shutting)
        tcpsocket_stream_shutdown(&c->stream);
}

/*
 * Input that must wait is left to the kernel, once there is some.  Not before:
 * most clients send nothing while they wait, and saying so would cost a system
 * call each way.  But of a body that is held more is sure to come, and where
 * memory is spent, even what comes first is too much.
 */
static void control_input(struct http_connection *c)
{
    bool before = c->state == STATE_IDLE || c->state == STATE_HEAD;
    bool held = c->state == STATE_BODY && c->held;
    bool waits = held || c->state == STATE_WAIT || (before && may_not_begin(c));
    bool must = held || (before && http_connection_server(c)->spent);
    size_t length;

    tcpsocket_stream_peek(&c->stream, &length);
    if (!waits) {
        if (c->stream.paused)
            tcpsocket_stream_resume(&c->stream);
    } else if ((must || length > 0) && !c->stream.paused) {
        tcpsocket_stream_pause(&c->stream);
    }
}

void http_connection_spent(struct http_connection *c)
{
    const struct http_server *server = http_connection_server(c);
    size_t length;

    tcpsocket_stream_peek(&c->stream, &length);
    if (!server->spent && !c->running && (length > 0 || server->draining))
        http_connection_kick(c);
    http_connection_settle(c);
}

/* While memory is spent nobody waits for the next request of a client that was served. */
static bool is_in_the_way(const struct http_connection *c)
{
    size_t length;

    if (!http_connection_server(c)->spent || c->state != STATE_IDLE || !c->used)
        return false;
    tcpsocket_stream_peek(&c->stream, &length);
    return length == 0;
}

void http_connection_settle(struct http_connection *c)
{
    if (c->running)
        return;
    if (c->state != STATE_CLOSED && tcpsocket_stream_send(&c->stream, NULL, 0) != 0) {
        if (c->is_open) {
            http_connection_kick(c);
            return;
        }
        c->state = STATE_CLOSED;
    }
    if (is_in_the_way(c))
        c->state = STATE_LINGER;
    if (c->state == STATE_LINGER)
        linger(c);
    if (c->state == STATE_CLOSED) {
        discharge(c);
        return;
    }
    control_input(c);
    http_connection_watch(c);
    http_server_watch_memory(http_connection_server(c));
}

/* -- Events --------------------------------------------------------------- */

static void received(struct tcpsocket_stream *stream)
{
    http_connection_run((struct http_connection *)stream);
}

static bool wanted(struct tcpsocket_stream *stream)
{
    struct http_connection *c = (struct http_connection *)stream;
    const struct http_handler *handler = http_connection_handler(c);

    size_t length;

    if (c->state != STATE_BODY)
        return true;
    tcpsocket_stream_peek(stream, &length);
    if (length > 0) { /* what came with the head, say: that first */
        http_connection_kick(c);
        return false;
    }
    if (!handler->receives || handler->receives(c))
        return true;
    c->held = true;
    http_connection_settle(c);
    return false;
}

static void drained(struct tcpsocket_stream *stream)
{
    struct http_connection *c = (struct http_connection *)stream;

    c->running = true;
    if (c->is_open && c->status != 0)
        http_connection_handler(c)->writable(c);
    c->running = false;
    http_connection_run(c);
}

static void failed(struct tcpsocket_stream *stream, int error)
{
    (void)error;
    http_connection_lost((struct http_connection *)stream);
}

const struct tcpsocket_stream_events http_connection_events = {
    .wanted = wanted, .input = received, .drained = drained, .failed = failed};

static void set_peer(struct http_connection *c, const struct sockaddr *peer, socklen_t length)
{
    c->peer.any.sa_family = peer->sa_family;
    if (peer->sa_family != AF_UNIX)
        memcpy(&c->peer, peer, length < sizeof(c->peer) ? length : sizeof(c->peer));
}

void http_connection_open(struct http_listener *listener, int descriptor,
                          const struct sockaddr *peer, socklen_t length)
{
    static_assert(offsetof(struct http_connection, stream) == 0, "the events' functions cast");
    struct http_server *server = listener->server;
    struct http_connection *c = http_server_add(server);

    if (c == NULL)
        goto fail;
    c->listener = listener;
    c->section = server->last_section;
    c->timer.fired = http_connection_expired;
    if (dispatch_timer_add(server->options.loop, &c->timer) != 0)
        goto fail_connection;
    if (tcpsocket_stream_open(&c->stream, server->pool, descriptor) != 0)
        goto fail_timer;
    set_peer(c, peer, length);
    http_request_parser_init(&c->parser);
    http_connection_watch(c);
    PROBE(accept, c, descriptor);
    tcpsocket_stream_receive(&c->stream);
    http_server_watch_memory(server);
    return;

fail_timer:
    dispatch_timer_remove(&c->timer);
fail_connection:
    http_server_remove(server, c);
fail:
    close(descriptor);
}
