/* buffer: the bytes that one stream holds for itself.  Private to tcpsocket. */
#ifndef ASYNWSGI_TCPSOCKET_BUFFER_H
#define ASYNWSGI_TCPSOCKET_BUFFER_H

#include <asynwsgi/tcpsocket.h>

/*
 * One piece of memory, which moves as it grows.  Where nothing is held there
 * need not be one: a pointer to it may be NULL.
 */
struct tcpsocket_buffer {
    uint32_t start, length, capacity;
    unsigned char data[];
};

static inline size_t tcpsocket_buffer_length(const struct tcpsocket_buffer *buffer)
{
    return buffer ? buffer->length : 0;
}

/*
 * Room for `length` more bytes behind those held, or NULL.  `held` is the
 * account of the memory of all buffers, which is kept up to date.
 */
unsigned char *tcpsocket_buffer_room(struct tcpsocket_buffer **buffer, size_t length, size_t *held);

/* Copy `length` bytes behind those held; 0 or -ENOMEM. */
int tcpsocket_buffer_append(struct tcpsocket_buffer **buffer, const void *bytes, size_t length,
                            size_t *held);

/* Take `length` bytes off the front.  They stay readable until there is an append. */
void tcpsocket_buffer_consume(struct tcpsocket_buffer *buffer, size_t length);

/* Give the memory back.  Harmless where there is none. */
void tcpsocket_buffer_release(struct tcpsocket_buffer **buffer, size_t *held);

#endif
