/*
 * Streams: their life, and their turns in the loop.
 *
 * A turn is one call from the loop (or of tcpsocket_stream_receive()), in
 * which a stream reads once and writes once.  Any callback may close the
 * stream, so a turn looks at its own `current` after each (see pool.h).
 *
 * A stream wants READ    while input is wanted and there is room for it,
 *              SHUT      while input is paused and its end is heeded,
 *              WRITE     while output waits in a buffer of its own or in a
 *                        file, or to get a turn in which its empty input
 *                        buffer is freed.
 * It leaves the loop when it breaks, or when both sides are shut.
 */
#include "stream.h"
#include "buffer.h"
#include "pool.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

void tcpsocket_stream_watch(struct tcpsocket_stream *stream)
{
    size_t unread = tcpsocket_buffer_length(stream->input);
    bool spent = stream->input && unread == 0;
    unsigned events = 0;

    if (!stream->paused && !stream->ended && unread < stream->pool->limits.input)
        events |= DISPATCH_READ;
    if (tcpsocket_buffer_length(stream->output) > 0 || stream->waits || spent)
        events |= DISPATCH_WRITE;
    if (stream->paused && stream->heeds_end && !stream->ended)
        events |= DISPATCH_SHUT;
    if (stream->target.loop && stream->target.wanted != events)
        dispatch_want(&stream->target, events);
}

void tcpsocket_stream_break(struct tcpsocket_stream *stream, int error)
{
    stream->error = (int16_t)error;
    dispatch_remove(&stream->target);
}

void tcpsocket_stream_fail(struct tcpsocket_stream *stream, int error)
{
    tcpsocket_stream_break(stream, error);
    stream->pool->events.failed(stream, error);
}

/*
 * The kernel reports that both sides are shut, or an error, while nothing is
 * to be read that would have told it.
 */
static void hang_up(struct tcpsocket_stream *stream)
{
    int error = 0;
    socklen_t length = sizeof error;

    if (getsockopt(stream->target.fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
        error = errno;
    if (error == 0 && stream->ended && stream->shutting &&
        tcpsocket_buffer_length(stream->output) == 0) {
        dispatch_remove(&stream->target); /* it came to its end in good order */
        return;
    }
    tcpsocket_stream_fail(stream, error ? -error : -ECONNRESET);
}

/* What a turn leaves behind: input nobody consumed, and buffers nobody needs. */
static void end_turn(struct tcpsocket_stream *stream)
{
    struct tcpsocket_pool *pool = stream->pool;
    size_t unread = pool->unread;

    pool->current = NULL;
    pool->unread = 0;
    if (stream->error && !stream->last_words)
        return;
    if (tcpsocket_buffer_append(&stream->input, pool->input + pool->start, unread, &pool->held)) {
        tcpsocket_stream_fail(stream, -ENOMEM);
        return;
    }
    if (tcpsocket_buffer_length(stream->input) == 0)
        tcpsocket_buffer_release(&stream->input, &pool->held);
    if (tcpsocket_buffer_length(stream->output) == 0)
        tcpsocket_buffer_release(&stream->output, &pool->held);
    tcpsocket_stream_watch(stream);
}

static bool is_wanted(struct tcpsocket_stream *stream)
{
    const struct tcpsocket_stream_events *events = &stream->pool->events;

    return !events->wanted || events->wanted(stream);
}

static void take_turn(struct tcpsocket_stream *stream, unsigned events)
{
    struct tcpsocket_stream *current = stream;
    /* A connection's own errors end it; any other is that it can't be watched. */
    bool lost = events & DISPATCH_ERROR && !(events & DISPATCH_HANGUP);

    stream->pool->current = &current;
    /* Before writing: a peer that refused the output may have said why. */
    if (events & DISPATCH_READ && !lost) {
        if (is_wanted(stream))
            tcpsocket_stream_read(stream);
    } else if (events & (DISPATCH_HANGUP | DISPATCH_ERROR))
        hang_up(stream);
    else if (events & DISPATCH_SHUT)
        tcpsocket_stream_fail(stream, -ECONNRESET);
    if (current && !stream->error && events & DISPATCH_WRITE)
        tcpsocket_stream_write(stream);
    if (current)
        end_turn(stream);
}

static void ready(struct dispatch_target *target, unsigned events)
{
    take_turn((struct tcpsocket_stream *)target, events);
}

int tcpsocket_stream_open(struct tcpsocket_stream *stream, struct tcpsocket_pool *pool,
                          int descriptor)
{
    static_assert(offsetof(struct tcpsocket_stream, target) == 0, "ready() casts");

    *stream = (struct tcpsocket_stream){
        .target.ready = ready,
        .pool = pool,
    };
    int error = dispatch_add(pool->loop, &stream->target, descriptor, DISPATCH_READ);

    if (error)
        return error;
    pool->streams++;
    return 0;
}

void tcpsocket_stream_close(struct tcpsocket_stream *stream)
{
    struct tcpsocket_pool *pool = stream->pool;
    int descriptor = stream->target.fd;

    if (tcpsocket_pool_serves(pool, stream)) {
        *pool->current = NULL;
        pool->current = NULL;
        pool->unread = 0;
    }
    if (pool->builder == stream) {
        pool->builder = NULL;
        pool->built = 0;
    }
    tcpsocket_buffer_release(&stream->input, &pool->held);
    tcpsocket_buffer_release(&stream->output, &pool->held);
    dispatch_remove(&stream->target);
    close(descriptor);
    pool->streams--;
}

void tcpsocket_stream_receive(struct tcpsocket_stream *stream)
{
    bool may = stream->error ? stream->last_words
                             : stream->target.loop && stream->target.wanted & DISPATCH_READ;

    /* In another stream's turn the shared buffer is taken; the loop sees to it in the next. */
    if (!stream->pool->current && may)
        take_turn(stream, DISPATCH_READ);
}

void tcpsocket_stream_pause(struct tcpsocket_stream *stream)
{
    stream->paused = true;
    tcpsocket_stream_watch(stream);
}

void tcpsocket_stream_resume(struct tcpsocket_stream *stream)
{
    stream->paused = false;
    tcpsocket_stream_watch(stream);
}

void tcpsocket_stream_heed_end(struct tcpsocket_stream *stream, bool heeds)
{
    stream->heeds_end = heeds;
    tcpsocket_stream_watch(stream);
}
