/*
 * What a connection waits for, and for how long.
 *
 * `since` is when that began, or last came nearer.  The timer is set again at every
 * end of a turn; what it stands for is found out when it fires.
 */
#include "client.h"

#include <errno.h>
#include <stddef.h>

/* What is waited for; those of enum httpclient_timeout, and two that are no failures. */
enum {
    WAIT_EXPECT = HTTPCLIENT_LATE_EXCHANGE + 1,
    WAIT_IDLE
};

/* So often a connection that cannot be written to is read from. */
#define LAST_WORDS 64

static uint64_t after(uint64_t since, uint64_t patience)
{
    return patience == 0 || since > DISPATCH_NEVER - patience ? DISPATCH_NEVER : since + patience;
}

/* The server is to take what there is of a request. */
static bool leaves(const struct httpclient_connection *c)
{
    return (c->sending && !c->stalled) || tcpsocket_stream_unsent(&c->stream) > 0;
}

/* The deadline of an open connection, and of what. */
static uint64_t phase_deadline(const struct httpclient_connection *c, int *what)
{
    const struct httpclient_timeouts *timeouts = &c->client->options.timeouts;

    if (c->reading != READ_HEAD) {
        *what = HTTPCLIENT_LATE_BODY;
        return c->held ? DISPATCH_NEVER : after(c->since, timeouts->body);
    }
    if (c->waiting && c->sending) {
        *what = WAIT_EXPECT;
        return after(c->since, timeouts->expect);
    }
    if (leaves(c)) {
        *what = HTTPCLIENT_LATE_SEND;
        return after(c->since, timeouts->send);
    }
    *what = HTTPCLIENT_LATE_HEAD;
    return c->held || c->sending ? DISPATCH_NEVER : after(c->since, timeouts->head);
}

static uint64_t deadline(const struct httpclient_connection *c, int *what)
{
    const struct httpclient_timeouts *timeouts = &c->client->options.timeouts;
    uint64_t whole, phase = DISPATCH_NEVER;

    if (!c->first) {
        *what = WAIT_IDLE;
        return c->state == STATE_OPEN ? after(c->since, timeouts->idle) : DISPATCH_NEVER;
    }
    if (c->state == STATE_OPEN)
        phase = phase_deadline(c, what);
    whole = after(c->first->times.queued, timeouts->exchange);
    if (whole > phase)
        return phase;
    *what = HTTPCLIENT_LATE_EXCHANGE;
    return whole;
}

void httpclient_watch(struct httpclient_connection *c)
{
    uint64_t now = dispatch_now(c->client->options.loop), due;
    int what;

    if (c->kicked)
        return;
    due = deadline(c, &what);
    /* One that is about to fire would be put off by a turn, and with input in each for ever. */
    if (due > now || c->timer.deadline > now)
        dispatch_timer_set(&c->timer, due);
}

void httpclient_kick(struct httpclient_connection *c)
{
    c->kicked = true;
    dispatch_timer_set(&c->timer, 0);
}

/* Does the server take what it is sent, though not fast enough for us to hear of it? */
static bool took_some(struct httpclient_connection *c)
{
    uint32_t before = c->taken;

    c->taken = tcpsocket_stream_progress(&c->stream);
    return c->taken != before;
}

static void time_is_up(struct httpclient_connection *c, int what)
{
    switch (what) {
    case WAIT_IDLE:
        httpclient_connection_end(c, 0);
        return;
    case WAIT_EXPECT: /* RFC 9110, 10.1.1: the server may not know of it */
        c->waiting = false;
        break;
    case HTTPCLIENT_LATE_SEND:
        if (took_some(c))
            break;
        /* fall through */
    default:
        httpclient_connection_fail(c, -ETIMEDOUT, HTTP_COMPLETE, (enum httpclient_timeout)what);
        return;
    }
    c->since = dispatch_clock();
    httpclient_run(c);
}

/*
 * Writing failed.  A server that does not want the rest of a request may have said so
 * before it closed (RFC 9112, 9.5), and that is read first: up to the end, or the error
 * that is then there instead.
 */
static void give_up(struct httpclient_connection *c)
{
    bool gone = false;
    bool closed = !c->held && (c->failure == -EPIPE || c->failure == -ECONNRESET);

    c->gone = &gone;
    for (unsigned i = 0; closed && i < LAST_WORDS; i++) {
        tcpsocket_stream_receive(&c->stream);
        if (gone)
            return;
    }
    c->gone = NULL;
    httpclient_connection_lost(c, c->failure);
}

void httpclient_expired(struct dispatch_timer *timer)
{
    struct httpclient_connection *c =
        (void *)((char *)timer - offsetof(struct httpclient_connection, timer));
    int what;

    c->kicked = false;
    if (c->failure)
        give_up(c);
    else if (deadline(c, &what) <= dispatch_now(timer->loop))
        time_is_up(c, what);
    else if (c->state == STATE_OPEN)
        httpclient_run(c);
    else
        httpclient_watch(c);
}
