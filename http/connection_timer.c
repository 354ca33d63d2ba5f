/*
 * What a connection waits for, and for how long.
 *
 * There is one timer.  It guards one phase at a time, which follows from the
 * state; unsent output comes first, since nothing else helps a client that
 * does not read.  Its deadline moves when the phase changes or is `moved`: so
 * that of a head stands from its first byte, however many more trickle in.
 */
#include "connection.h"

static const uint64_t second = 1000000000;

/* LINGER ends this long after the last input, and at last after the second. */
static const uint64_t linger_step = 2, linger_most = 30;

static enum http_connection_phase phase_of(const struct http_connection *c)
{
    if (tcpsocket_stream_unsent(&c->stream) > 0)
        return PHASE_WRITE;
    switch ((enum http_connection_state)c->state) {
    case STATE_IDLE:
        return c->used ? PHASE_IDLE : PHASE_HEAD;
    case STATE_HEAD:
        return PHASE_HEAD;
    case STATE_BODY:
        /* It is the handler that keeps the client waiting. */
        return c->held || c->expects ? PHASE_NONE : PHASE_BODY;
    case STATE_DISCARD:
        return PHASE_BODY;
    case STATE_LINGER:
        return PHASE_LINGER;
    case STATE_WAIT:
    case STATE_CLOSED:
        break;
    }
    return PHASE_NONE;
}

static uint64_t after(uint64_t start, uint64_t duration)
{
    return duration == 0 || duration > DISPATCH_NEVER - start ? DISPATCH_NEVER : start + duration;
}

static uint64_t deadline(struct http_connection *c)
{
    const struct http_timeouts *timeouts = &http_connection_server(c)->options.timeouts;
    uint64_t now = dispatch_now(c->timer.loop), end;

    switch ((enum http_connection_phase)c->phase) {
    case PHASE_IDLE:
        return after(now, timeouts->idle);
    case PHASE_HEAD:
        return after(now, timeouts->head);
    case PHASE_BODY:
        return after(now, timeouts->body);
    case PHASE_WRITE:
        return after(now, timeouts->write);
    case PHASE_LINGER:
        end = c->began + linger_most * second;
        return end < now + linger_step * second ? end : now + linger_step * second;
    case PHASE_NONE:
    case PHASE_KICK:
        break;
    }
    return DISPATCH_NEVER;
}

void http_connection_watch(struct http_connection *c)
{
    enum http_connection_phase phase = phase_of(c);

    if (c->phase == PHASE_KICK)
        return;
    if (phase == c->phase && (!c->moved || phase == PHASE_WRITE))
        return;
    if (phase == PHASE_WRITE)
        c->progress = (uint32_t)tcpsocket_stream_progress(&c->stream);
    else if (phase == PHASE_LINGER && c->phase != PHASE_LINGER)
        c->began = dispatch_now(c->timer.loop);
    c->phase = (uint8_t)phase;
    c->moved = false;
    dispatch_timer_set(&c->timer, deadline(c));
}

void http_connection_kick(struct http_connection *c)
{
    c->phase = PHASE_KICK;
    dispatch_timer_set(&c->timer, 0);
}

/* Nobody waits any longer. */
static void give_up(struct http_connection *c, enum http_connection_phase phase)
{
    switch (phase) {
    case PHASE_KICK:
        /* The loop may not have come to the request that has arrived here. */
        if (c->state == STATE_IDLE && http_connection_server(c)->draining)
            tcpsocket_stream_receive(&c->stream);
        break;
    case PHASE_WRITE:
        /* Progress is looked at here only; the phase is set anew if there was some. */
        if (c->progress == (uint32_t)tcpsocket_stream_progress(&c->stream))
            http_exchange_abandon(c);
        break;
    case PHASE_HEAD:
        if (c->state == STATE_HEAD) {
            http_exchange_begin(c, NULL);
            http_exchange_refuse(c, 408, "the head took too long");
        } else {
            c->state = STATE_CLOSED;
        }
        break;
    case PHASE_BODY:
        if (c->state == STATE_BODY)
            http_connection_break_off(c, 408, "the body took too long");
        else
            c->state = STATE_CLOSED;
        break;
    case PHASE_IDLE:
    case PHASE_LINGER:
    case PHASE_NONE:
        c->state = STATE_CLOSED;
        break;
    }
}

void http_connection_expired(struct dispatch_timer *timer)
{
    struct http_connection *c = (void *)((char *)timer - offsetof(struct http_connection, timer));
    enum http_connection_phase phase = c->phase;

    c->phase = PHASE_NONE;
    c->running = true;
    if (c->stream.error != 0)
        http_exchange_abandon(c);
    else
        give_up(c, phase);
    c->running = false;
    http_connection_run(c);
}
