/*
 * Output of a stream.
 *
 * It is built in the buffer that the pool's streams share, and handed to the
 * kernel together with what the caller has elsewhere.  What the kernel does
 * not take is copied to a buffer of the stream's own, and as long as that
 * holds something new output is added to it.  So the committed output is in
 * one of the two: where pool->builder == stream, its own holds none.
 *
 * `blocked`: the kernel took less than it was offered, so there is no point in
 * offering more before the loop reports WRITE.  `waits`: so it is, and the caller
 * has more, in a file or elsewhere, that is not copied.
 */
#include "buffer.h"
#include "pool.h"
#include "stream.h"

#include <assert.h>
#include <asynwsgi/phases.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/uio.h>

/* Linux' (send(2)): what is sent goes into one segment with what follows. */
#ifndef MSG_MORE
#define MSG_MORE 0
#endif

/*
 * Bytes: a stream with so many unsent will have all it may have.  Its buffer is made
 * for that at once: growing step by step, those of many streams leave between them
 * half of what they hold.
 */
#define STALLED 8192

/* Move what is built in the shared buffer to its stream's own. */
static int park(struct tcpsocket_pool *pool)
{
    struct tcpsocket_stream *stream = pool->builder;

    if (!stream)
        return 0;
    if (tcpsocket_buffer_append(&stream->output, pool->output, pool->built, &pool->held))
        return -ENOMEM;
    pool->builder = NULL;
    pool->built = 0;
    tcpsocket_stream_watch(stream);
    return 0;
}

unsigned char *tcpsocket_stream_reserve(struct tcpsocket_stream *stream, size_t length)
{
    struct tcpsocket_pool *pool = stream->pool;

    if (length > pool->limits.output_max - tcpsocket_stream_unsent(stream))
        return NULL;
    if (tcpsocket_buffer_length(stream->output) == 0) {
        if (pool->builder != stream && park(pool))
            return NULL;
        pool->builder = stream;
        if (length <= sizeof pool->output - pool->built)
            return pool->output + pool->built;
        if (park(pool))
            return NULL;
    }
    return tcpsocket_buffer_room(&stream->output, length, &pool->held);
}

void tcpsocket_stream_commit(struct tcpsocket_stream *stream, size_t length)
{
    struct tcpsocket_pool *pool = stream->pool;
    struct tcpsocket_buffer *own = stream->output;

    if (pool->builder == stream) {
        assert(length <= sizeof pool->output - pool->built);
        pool->built += length;
    } else {
        assert(length <= own->capacity - own->start - own->length);
        own->length += (uint32_t)length;
    }
}

/* The output that waits: in the stream's own buffer, or else in the shared one. */
static struct iovec waiting(const struct tcpsocket_stream *stream)
{
    struct tcpsocket_pool *pool = stream->pool;
    struct tcpsocket_buffer *own = stream->output;

    if (tcpsocket_buffer_length(own) > 0)
        return (struct iovec){own->data + own->start, own->length};
    return (struct iovec){pool->output, tcpsocket_pool_built(pool, stream)};
}

static ssize_t send_both(int fd, struct iovec pieces[2], int flags)
{
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
    unsigned before = dispatch_phase(TCPSOCKET_PHASE_SEND);
    ssize_t taken = sendmsg(fd, &message, flags);

    dispatch_phase(before);
    return taken;
}

/* Offer the pieces to the kernel; gives how much it took, or a negative errno value. */
static ssize_t offer(struct tcpsocket_stream *stream, struct iovec pieces[2], int flags)
{
    const struct iovec *only = pieces[1].iov_len == 0 ? &pieces[0] : &pieces[1];
    ssize_t taken;

    /* send(2) is 4 % cheaper than sendmsg(2).  Without MSG_NOSIGNAL comes SIGPIPE. */
    if (pieces[0].iov_len == 0 || pieces[1].iov_len == 0)
        taken = stream->pool->send(stream->target.fd, only->iov_base, only->iov_len,
                                   MSG_NOSIGNAL | flags);
    else
        taken = send_both(stream->target.fd, pieces, MSG_NOSIGNAL | flags);
    if (taken >= 0)
        stream->sent += (uint32_t)taken;
    else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
        taken = 0;
    else
        taken = -errno;
    return taken;
}

/* All output is sent. */
static void finish(struct tcpsocket_stream *stream)
{
    stream->blocked = stream->waits = false;
    tcpsocket_buffer_release(&stream->output, &stream->pool->held);
    if (stream->shutting)
        shutdown(stream->target.fd, SHUT_WR);
}

/*
 * The kernel took the first `taken` bytes of the pieces: keep the others, but of
 * the second only what makes them `most` in all; the rest is cut off it.  The
 * first piece is what waited, so it may be in the stream's own buffer already.
 */
static int keep(struct tcpsocket_stream *stream, struct iovec pieces[2], size_t taken, size_t most)
{
    struct tcpsocket_pool *pool = stream->pool;
    size_t rest = pieces[0].iov_len + pieces[1].iov_len - taken;

    stream->blocked = true;
    if (rest > most) {
        size_t over = rest - most;

        pieces[1].iov_len -= over < pieces[1].iov_len ? over : pieces[1].iov_len;
        rest = pieces[0].iov_len + pieces[1].iov_len - taken;
    }
    if (rest > pool->limits.output_max)
        return -ENOBUFS;
    if (rest >= STALLED && rest < pool->limits.output_high &&
        !tcpsocket_buffer_room(&stream->output,
                               pool->limits.output_high - tcpsocket_buffer_length(stream->output) +
                                   STALLED,
                               &pool->held))
        return -ENOMEM;
    for (int i = 0; i < 2; i++) {
        size_t gone = taken < pieces[i].iov_len ? taken : pieces[i].iov_len;

        taken -= gone;
        if (i == 0 && tcpsocket_buffer_length(stream->output) > 0)
            tcpsocket_buffer_consume(stream->output, gone);
        else if (gone < pieces[i].iov_len &&
                 tcpsocket_buffer_append(&stream->output,
                                         (unsigned char *)pieces[i].iov_base + gone,
                                         pieces[i].iov_len - gone, &pool->held))
            return -ENOMEM;
    }
    return 0;
}

/* Send the committed output and `data`, whose length becomes that of what was taken. */
static int send_all(struct tcpsocket_stream *stream, struct iovec *data, size_t most, int flags)
{
    struct tcpsocket_pool *pool = stream->pool;
    struct iovec pieces[2] = {waiting(stream), *data};
    size_t all = pieces[0].iov_len + pieces[1].iov_len;
    ssize_t taken = 0;
    int error = 0;

    if (pool->builder == stream) {
        pool->builder = NULL;
        pool->built = 0;
    }
    if (stream->error || all == 0)
        return stream->error;
    if (!stream->blocked)
        taken = offer(stream, pieces, flags);
    if (taken < 0)
        error = (int)taken;
    else if ((size_t)taken == all)
        finish(stream);
    else
        error = keep(stream, pieces, (size_t)taken, most);
    if (error)
        tcpsocket_stream_break(stream, error);
    else if (!tcpsocket_pool_serves(pool, stream)) /* or its turn ends with that */
        tcpsocket_stream_watch(stream);
    data->iov_len = pieces[1].iov_len;
    return error;
}

int tcpsocket_stream_send(struct tcpsocket_stream *stream, const void *data, size_t length)
{
    return send_all(stream, &(struct iovec){(void *)data, length}, SIZE_MAX, 0);
}

int tcpsocket_stream_send_some(struct tcpsocket_stream *stream, const void *data, size_t length,
                               size_t *taken)
{
    struct iovec piece = {(void *)data, length};
    int error = send_all(stream, &piece, 0, 0);

    if (error)
        return error;
    *taken = piece.iov_len;
    if (piece.iov_len < length) {
        stream->waits = true;
        tcpsocket_stream_watch(stream);
    }
    return 0;
}

int tcpsocket_stream_push(struct tcpsocket_stream *stream)
{
    return send_all(stream, &(struct iovec){0}, SIZE_MAX, MSG_MORE);
}

/* There is room for what was to follow. */
static void go_on(struct tcpsocket_stream *stream)
{
    stream->waits = false;
    stream->pool->events.drained(stream);
}

void tcpsocket_stream_write(struct tcpsocket_stream *stream)
{
    if (tcpsocket_buffer_length(stream->output) == 0) {
        if (stream->waits) {
            stream->blocked = false;
            go_on(stream);
        }
        return;
    }
    struct iovec pieces[2] = {waiting(stream)};
    ssize_t taken = offer(stream, pieces, 0);

    if (taken < 0) {
        tcpsocket_stream_fail(stream, (int)taken);
        return;
    }
    tcpsocket_buffer_consume(stream->output, (size_t)taken);
    if (stream->output->length == 0)
        finish(stream);
    if (taken > 0 && tcpsocket_buffer_length(stream->output) <= stream->pool->limits.output_low)
        go_on(stream);
}

void tcpsocket_stream_gather(struct tcpsocket_stream *stream, bool on)
{
    const int no_delay = !on;

    setsockopt(stream->target.fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, sizeof no_delay);
}

size_t tcpsocket_stream_unsent(const struct tcpsocket_stream *stream)
{
    return tcpsocket_buffer_length(stream->output) + tcpsocket_pool_built(stream->pool, stream);
}

bool tcpsocket_stream_full(const struct tcpsocket_stream *stream)
{
    return stream->waits || tcpsocket_stream_unsent(stream) >= stream->pool->limits.output_high;
}

void tcpsocket_stream_shutdown(struct tcpsocket_stream *stream)
{
    stream->shutting = true;
    if (tcpsocket_stream_unsent(stream) == 0)
        finish(stream);
}
