/*
 * The bytes that one stream holds for itself.
 *
 * The bytes held are data[start .. start + length - 1], and
 * start + length <= capacity; capacity is 0 where data is NULL.
 */
#include "buffer.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * An eighth more than needed, in steps of 64: few enough copies while a buffer
 * grows byte by byte, and little waste in the thousands of streams that stall
 * with part of a request.
 */
static uint32_t capacity_for(size_t needed)
{
    size_t capacity = (needed + needed / 8 + 63) & ~(size_t)63;

    return capacity < UINT32_MAX ? (uint32_t)capacity : UINT32_MAX;
}

static int grow(struct tcpsocket_buffer *buffer, size_t needed, size_t *held)
{
    assert(needed <= UINT32_MAX);
    uint32_t capacity = capacity_for(needed);
    unsigned char *data = realloc(buffer->data, capacity);

    if (!data)
        return -ENOMEM;
    *held += capacity - buffer->capacity;
    buffer->data = data;
    buffer->capacity = capacity;
    return 0;
}

unsigned char *tcpsocket_buffer_room(struct tcpsocket_buffer *buffer, size_t length, size_t *held)
{
    if (buffer->capacity - buffer->start - buffer->length < length) {
        if (buffer->start > 0)
            memmove(buffer->data, buffer->data + buffer->start, buffer->length);
        buffer->start = 0;
        if (buffer->capacity < buffer->length + length &&
            grow(buffer, buffer->length + length, held) < 0)
            return NULL;
    }
    return buffer->data + buffer->start + buffer->length;
}

int tcpsocket_buffer_append(struct tcpsocket_buffer *buffer, const void *bytes, size_t length,
                            size_t *held)
{
    if (length == 0)
        return 0;
    unsigned char *room = tcpsocket_buffer_room(buffer, length, held);

    if (!room)
        return -ENOMEM;
    memcpy(room, bytes, length);
    buffer->length += (uint32_t)length;
    return 0;
}

void tcpsocket_buffer_consume(struct tcpsocket_buffer *buffer, size_t length)
{
    assert(length <= buffer->length);
    buffer->start += (uint32_t)length;
    buffer->length -= (uint32_t)length;
}

void tcpsocket_buffer_release(struct tcpsocket_buffer *buffer, size_t *held)
{
    if (!buffer->data)
        return;
    *held -= buffer->capacity;
    free(buffer->data);
    *buffer = (struct tcpsocket_buffer){0};
}
