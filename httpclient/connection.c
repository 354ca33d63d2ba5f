/*
 * A connection: being made, and its end.
 *
 *   CLOSED --> CONNECTING --> OPEN --> ENDING --> CLOSED
 *                   |                    ^
 *                   +--------------------+
 *
 * In CONNECTING the connection owns `connect`, in OPEN `stream`; in both the timer,
 * and a place in client->connections.
 *
 * Any callback may close the connection, and free it.  So whoever calls one from
 * here has a variable of his own that c->gone points to, and looks at nothing else
 * once that is true.
 */
#include "client.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

/* -- Connecting ----------------------------------------------------------- */

/* Try the next address that can be tried at all. */
static int try_next(struct httpclient_connection *c)
{
    const struct httpclient_options *options = &c->client->options;
    uint64_t patience = options->timeouts.connect;
    int error = -EINVAL;

    while (c->address_count > 0) {
        const struct tcpsocket_address *address = c->addresses++;

        c->address_count--;
        error = tcpsocket_connect_start(&c->connect, options->loop, address,
                                        patience ? dispatch_clock() + patience : DISPATCH_NEVER);
        if (!error)
            break;
    }
    return error;
}

/* Where no address is left, all exchanges suffer what the last had. */
static void fail_all(struct httpclient_connection *c, int error)
{
    for (struct httpclient_exchange *x = c->first; x; x = x->next) {
        x->error = error;
        if (error == -ETIMEDOUT)
            x->late = HTTPCLIENT_LATE_CONNECT;
    }
    httpclient_connection_end(c, error);
}

static void connected(struct tcpsocket_connect *connect, int descriptor)
{
    struct httpclient_connection *c =
        (void *)((char *)connect - offsetof(struct httpclient_connection, connect));
    int error = descriptor;

    if (descriptor < 0 && c->address_count > 0) {
        error = try_next(c);
        if (!error)
            return;
    }
    if (descriptor >= 0) {
        error = tcpsocket_stream_open(&c->stream, c->client->pool, descriptor);
        if (error)
            close(descriptor);
    }
    if (error < 0) {
        memset(&c->connect, 0, sizeof c->connect); /* nothing is under way any more */
        fail_all(c, error);
        return;
    }
    c->state = STATE_OPEN;
    c->stream.last_words = true;
    c->connected = c->since = dispatch_clock();
    httpclient_run(c);
}

int httpclient_connection_open(struct httpclient_connection *c, struct httpclient *client,
                               const struct tcpsocket_address *addresses, size_t count)
{
    int error;

    if (c->state != STATE_CLOSED)
        return -EBUSY;
    *c = (struct httpclient_connection){
        .closed = c->closed,
        .tap = c->tap,
        .client = client,
        .connect.done = connected,
        .timer.fired = httpclient_expired,
        .addresses = addresses,
        .address_count = count,
        .persistent = true,
    };
    error = dispatch_timer_add(client->options.loop, &c->timer);
    if (error)
        return error;
    error = try_next(c);
    if (error) {
        dispatch_timer_remove(&c->timer);
        return error;
    }
    client->connections++;
    c->opened = c->since = dispatch_clock();
    c->state = STATE_CONNECTING;
    http_response_parser_init(&c->parser);
    return 0;
}

/* -- The end -------------------------------------------------------------- */

void httpclient_connection_drop(struct httpclient_connection *c)
{
    if (c->state == STATE_OPEN)
        tcpsocket_stream_close(&c->stream);
    else
        tcpsocket_connect_cancel(&c->connect);
    dispatch_timer_remove(&c->timer);
    c->client->connections--;
}

/* The next exchange is the caller's again. */
static struct httpclient_exchange *pop(struct httpclient_connection *c)
{
    struct httpclient_exchange *x = c->first;

    if (x) {
        c->first = x->next;
        x->connection = NULL;
        x->next = NULL;
    }
    return x;
}

/* What was received and will not be read any more: no response, or not the whole of one. */
static void show_rest(struct httpclient_connection *c)
{
    const unsigned char *input;
    size_t length;

    if (!c->tap || c->state != STATE_OPEN)
        return;
    input = tcpsocket_stream_peek(&c->stream, &length);
    if (length > 0)
        c->tap(c, input, length);
}

void httpclient_connection_end(struct httpclient_connection *c, int error)
{
    bool *outer = c->gone, gone = false, connected_once = c->connected != 0;
    struct httpclient_exchange *x;

    show_rest(c);
    httpclient_connection_drop(c);
    c->state = STATE_ENDING;
    c->gone = &gone;
    while (!gone && (x = pop(c))) {
        if (!x->error)
            x->error = connected_once || !error ? -ECONNABORTED : error;
        x->times.end = dispatch_clock();
        x->handler->done(x);
    }
    if (outer)
        *outer = true;
    if (gone)
        return;
    c->gone = NULL;
    c->state = STATE_CLOSED;
    if (c->closed)
        c->closed(c, error);
}

void httpclient_connection_fail(struct httpclient_connection *c, int error, enum http_fault fault,
                                enum httpclient_timeout late)
{
    if (c->first) {
        c->first->error = error;
        c->first->fault = fault;
        c->first->late = late;
    }
    httpclient_connection_end(c, error);
}

void httpclient_connection_lost(struct httpclient_connection *c, int error)
{
    if (error == 0 && c->flying == 0)
        httpclient_connection_end(c, 0);
    else if (c->flying == 0)
        httpclient_connection_end(c, error);
    else
        httpclient_connection_fail(c, error == 0 || error == -EPIPE ? -ECONNRESET : error,
                                   HTTP_COMPLETE, HTTPCLIENT_IN_TIME);
}

void httpclient_connection_close(struct httpclient_connection *c)
{
    if (c->state == STATE_CLOSED)
        return;
    if (c->state != STATE_ENDING)
        httpclient_connection_drop(c);
    c->state = STATE_CLOSED;
    if (c->gone)
        *c->gone = true;
    c->gone = NULL;
    while (pop(c))
        ;
}

int httpclient_connection_take(struct httpclient_connection *c, void *rest, size_t room,
                               size_t *length, int *descriptor)
{
    size_t behind;
    const unsigned char *input;
    int taken;

    if (!c->switched)
        return -EINVAL;
    input = tcpsocket_stream_peek(&c->stream, &behind);
    if (behind > room)
        return -ENOBUFS;
    taken = fcntl(c->stream.target.fd, F_DUPFD_CLOEXEC, 0);
    if (taken < 0)
        return -errno;
    if (behind > 0)
        memcpy(rest, input, behind);
    *length = behind;
    *descriptor = taken;
    dispatch_retract(&c->stream.target);
    httpclient_connection_close(c);
    return 0;
}

void httpclient_hold(struct httpclient_connection *c)
{
    if (c->held || c->state != STATE_OPEN)
        return;
    c->held = true;
    tcpsocket_stream_pause(&c->stream);
}

void httpclient_release(struct httpclient_connection *c)
{
    if (!c->held || c->state != STATE_OPEN)
        return;
    c->held = false;
    c->since = dispatch_clock();
    tcpsocket_stream_resume(&c->stream);
    httpclient_kick(c);
}
