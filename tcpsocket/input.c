/*
 * Input of a stream.
 *
 * It is received into the buffer that the pool's streams share, and the stream
 * that took it sees it there.  What is left at the end of its turn moves to a
 * buffer of its own, and as long as that holds something new input is added to
 * it.  So unconsumed input is in one of the two, never in both.
 */
#include "buffer.h"
#include "pool.h"
#include "stream.h"

#include <assert.h>
#include <errno.h>

/*
 * Only one recv(2) a turn: whether there is more, the loop knows, and asking
 * costs more than being called again (EAGAIN is half the price of a success).
 */
void tcpsocket_stream_read(struct tcpsocket_stream *stream)
{
    struct tcpsocket_pool *pool = stream->pool;
    size_t room = pool->limits.input - tcpsocket_buffer_length(stream->input);

    if (room > sizeof pool->input)
        room = sizeof pool->input;
    ssize_t received = pool->receive(stream->target.fd, pool->input, room, 0);

    if (received < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
            tcpsocket_stream_fail(stream, -errno);
        return;
    }
    if (received == 0) {
        stream->ended = true;
    } else if (tcpsocket_buffer_length(stream->input) == 0) {
        pool->start = 0;
        pool->unread = (size_t)received;
    } else if (tcpsocket_buffer_append(&stream->input, pool->input, (size_t)received,
                                       &pool->held)) {
        tcpsocket_stream_fail(stream, -ENOMEM);
        return;
    }
    stream->pool->events.input(stream);
}

const unsigned char *tcpsocket_stream_peek(const struct tcpsocket_stream *stream, size_t *length)
{
    const struct tcpsocket_pool *pool = stream->pool;

    *length = tcpsocket_buffer_length(stream->input);
    if (*length > 0)
        return stream->input->data + stream->input->start;
    *length = tcpsocket_pool_serves(pool, stream) ? pool->unread : 0;
    return pool->input + pool->start;
}

void tcpsocket_stream_consume(struct tcpsocket_stream *stream, size_t length)
{
    struct tcpsocket_pool *pool = stream->pool;

    if (length == 0)
        return;
    if (tcpsocket_buffer_length(stream->input) > 0) {
        tcpsocket_buffer_consume(stream->input, length);
    } else {
        assert(tcpsocket_pool_serves(pool, stream) && length <= pool->unread);
        pool->start += length;
        pool->unread -= length;
    }
    if (!tcpsocket_pool_serves(pool, stream))
        tcpsocket_stream_watch(stream);
}

bool tcpsocket_stream_ended(const struct tcpsocket_stream *stream)
{
    return stream->ended;
}
