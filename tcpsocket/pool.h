/* pool: what the streams of a loop share.  Private to tcpsocket. */
#ifndef ASYNWSGI_TCPSOCKET_POOL_H
#define ASYNWSGI_TCPSOCKET_POOL_H

#include <asynwsgi/tcpsocket.h>

struct tcpsocket_pool {
    struct dispatch *loop;
    struct tcpsocket_limits limits;
    struct tcpsocket_stream_events events;
    size_t streams; /* that are open */
    size_t held;    /* memory of their buffers */

    /* recv(2) and send(2), or the same as phases of a thread that is measured. */
    ssize_t (*receive)(int fd, void *buffer, size_t length, int flags);
    ssize_t (*send)(int fd, const void *data, size_t length, int flags);

    /*
     * The stream whose turn it is: `current` points at the variable of the
     * running function that names it, and closing it clears both.  So that
     * function can tell, even when stream and pool are freed.  Its input that
     * is neither consumed nor in its own buffer is input[start .. + unread].
     */
    struct tcpsocket_stream **current;
    size_t start, unread;

    /* The stream that builds output, which has `built` bytes of it committed. */
    struct tcpsocket_stream *builder;
    size_t built;

    unsigned char input[32768];
    unsigned char output[65536];
};

/* Is it this stream's turn? */
static inline bool tcpsocket_pool_serves(const struct tcpsocket_pool *pool,
                                         const struct tcpsocket_stream *stream)
{
    return pool->current && *pool->current == stream;
}

/* The bytes that the stream has committed but neither sent nor put in its own buffer. */
static inline size_t tcpsocket_pool_built(const struct tcpsocket_pool *pool,
                                          const struct tcpsocket_stream *stream)
{
    return pool->builder == stream ? pool->built : 0;
}

#endif
