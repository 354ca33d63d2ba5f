/*
 * What the streams of a loop share.
 *
 * Most input is consumed by the callback that hears of it, and most output is
 * taken by the kernel at once.  So one buffer for each direction serves all
 * streams, and an idle connection holds none.
 */
#include "pool.h"

#include <assert.h>
#include <asynwsgi/phases.h>
#include <errno.h>
#include <stdlib.h>

static ssize_t receive_measured(int fd, void *buffer, size_t length, int flags)
{
    unsigned before = dispatch_phase(TCPSOCKET_PHASE_RECEIVE);
    ssize_t received = recv(fd, buffer, length, flags);

    dispatch_phase(before);
    return received;
}

static ssize_t send_measured(int fd, const void *data, size_t length, int flags)
{
    unsigned before = dispatch_phase(TCPSOCKET_PHASE_SEND);
    ssize_t sent = send(fd, data, length, flags);

    dispatch_phase(before);
    return sent;
}

int tcpsocket_pool_new(struct dispatch *loop, const struct tcpsocket_limits *limits,
                       const struct tcpsocket_stream_events *events, struct tcpsocket_pool **pool)
{
    if (limits->input == 0)
        return -EINVAL;
    /* Not calloc(): the pages of the buffers need not exist before they are used. */
    struct tcpsocket_pool *made = malloc(sizeof *made);

    if (!made)
        return -ENOMEM;
    made->loop = loop;
    made->limits = *limits;
    made->events = *events;
    made->streams = made->held = 0;
    made->receive = dispatch_is_measured(loop) ? receive_measured : recv;
    made->send = dispatch_is_measured(loop) ? send_measured : send;
    made->current = NULL;
    made->start = made->unread = 0;
    made->builder = NULL;
    made->built = 0;
    *pool = made;
    return 0;
}

void tcpsocket_pool_free(struct tcpsocket_pool *pool)
{
    assert(!pool || (pool->streams == 0 && pool->held == 0));
    free(pool);
}

size_t tcpsocket_pool_held(const struct tcpsocket_pool *pool)
{
    return pool->held + pool->unread;
}
