/*
 * What a connection waits for, and for how long.
 *
 * There is one timer.  It guards one phase at a time, which follows from the
 * state; unsent output, in a file too, comes first, since nothing else helps a client that
 * does not read.  Its deadline moves when the phase changes or is `moved`: so
 * that of a head stands from its first byte, however many more trickle in.
 *
 * With a rate, n bytes move a deadline on by n / rate, but never further than
 * the time-out from now: a bucket that leaks, whose level is the deadline.
 */
#include "connection.h"

static const uint64_t second = 1000000000;

/* LINGER ends this long after the last input. */
static const uint64_t linger_step = 2;

static enum http_connection_phase phase_of(const struct http_connection *c)
{
    if (c->stream.waits || tcpsocket_stream_unsent(&c->stream) > 0)
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
    case STATE_LINGER:
        return PHASE_DRAIN;
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

/* Where a deadline that stood at `before` <= `most` moves to when `bytes` come. */
static uint64_t extended(uint64_t before, uint64_t bytes, uint32_t rate, uint64_t most)
{
    uint64_t gain = rate == 0 ? DISPATCH_NEVER : bytes * second / rate;

    return gain < most - before ? before + gain : most;
}

/* `again`: the phase was this already. */
static uint64_t deadline(struct http_connection *c, bool again)
{
    const struct http_timeouts *timeouts = &http_connection_server(c)->options.timeouts;
    uint64_t now = dispatch_clock(), end;

    switch ((enum http_connection_phase)c->phase) {
    case PHASE_IDLE:
        return after(now, timeouts->idle);
    case PHASE_HEAD:
        return after(now, timeouts->head);
    case PHASE_BODY:
        end = after(now, timeouts->body);
        return again ? extended(c->timer.deadline, c->progress, timeouts->body_rate, end) : end;
    case PHASE_WRITE:
        return after(now, timeouts->write);
    case PHASE_DRAIN:
        end = after(c->drains, timeouts->drain);
        if (c->state == STATE_LINGER && end > now + linger_step * second)
            return now + linger_step * second;
        return end;
    case PHASE_NONE:
    case PHASE_KICK:
        break;
    }
    return DISPATCH_NEVER;
}

void http_connection_watch(struct http_connection *c)
{
    enum http_connection_phase phase = phase_of(c);
    bool again = phase == c->phase;

    if (c->phase == PHASE_KICK)
        return;
    if (again && (!c->moved || phase == PHASE_WRITE))
        return;
    if (phase == PHASE_DRAIN && !again)
        c->drains = dispatch_clock();
    c->phase = (uint8_t)phase;
    c->moved = false;
    dispatch_timer_set(&c->timer, deadline(c, again));
    c->progress = phase == PHASE_WRITE ? tcpsocket_stream_progress(&c->stream) : 0;
}

void http_connection_kick(struct http_connection *c)
{
    if (c->phase == PHASE_KICK)
        return; /* set again it would fire a turn later, and so never */
    c->kicked = c->phase & 7U;
    c->until = c->timer.deadline;
    c->phase = PHASE_KICK;
    dispatch_timer_set(&c->timer, 0);
}

/* The time to take a response is up: what the client took meanwhile may give it more. */
static void check_progress(struct http_connection *c)
{
    const struct http_timeouts *timeouts = &http_connection_server(c)->options.timeouts;
    uint32_t progress = tcpsocket_stream_progress(&c->stream);
    uint64_t now = dispatch_clock();

    if (progress == c->progress) {
        http_exchange_abandon(c);
        http_connection_reset(c);
        return;
    }
    c->phase = PHASE_WRITE;
    dispatch_timer_set(&c->timer, extended(now, progress - c->progress, timeouts->write_rate,
                                           after(now, timeouts->write)));
    c->progress = progress;
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
        check_progress(c);
        break;
    case PHASE_HEAD:
        if (c->state == STATE_HEAD) {
            if (http_exchange_begin(c, NULL))
                http_exchange_refuse(c, 408, "the head took too long");
        } else {
            c->state = STATE_CLOSED;
        }
        break;
    case PHASE_BODY:
        http_connection_break_off(c, 408, "the body took too long");
        break;
    case PHASE_IDLE:
    case PHASE_DRAIN:
    case PHASE_NONE:
        c->state = STATE_CLOSED;
        break;
    }
}

void http_connection_expired(struct dispatch_timer *timer)
{
    struct http_connection *c = (void *)((char *)timer - offsetof(struct http_connection, timer));
    enum http_connection_phase phase = c->phase;

    c->phase = phase == PHASE_KICK ? c->kicked : PHASE_NONE;
    if (phase == PHASE_KICK)
        dispatch_timer_set(timer, c->until);
    c->running = true;
    if (c->stream.error != 0)
        http_exchange_abandon(c);
    else
        give_up(c, phase);
    c->running = false;
    http_connection_run(c);
}
