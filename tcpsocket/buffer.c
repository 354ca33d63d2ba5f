/*
 * The bytes that one stream holds for itself.
 *
 * The bytes held are data[start .. start + length - 1], and
 * start + length <= capacity.
 */
#include "buffer.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of a buffer, all of it, in the account. */
static size_t memory(size_t capacity)
{
    return sizeof(struct tcpsocket_buffer) + capacity;
}

/*
 * What is needed, in steps of 64; and an eighth more for a buffer that grows
 * little by little.  So there are few enough copies, and there is little waste
 * in the thousands of streams that stall with part of a message.
 */
static uint32_t capacity_for(size_t needed, const struct tcpsocket_buffer *old)
{
    size_t most = UINT32_MAX - memory(0);
    size_t more = old && needed / 2 < old->capacity ? needed / 8 : 0;
    size_t capacity = ((memory(needed) + more + 63) & ~(size_t)63) - memory(0);

    return (uint32_t)(capacity < most ? capacity : most);
}

static int grow(struct tcpsocket_buffer **buffer, size_t needed, size_t *held)
{
    struct tcpsocket_buffer *old = *buffer, *grown;
    uint32_t capacity = capacity_for(needed, old);

    if (needed > capacity)
        return -ENOMEM;
    grown = realloc(old, memory(capacity));
    if (!grown)
        return -ENOMEM;
    if (old)
        *held -= memory(grown->capacity);
    else
        *grown = (struct tcpsocket_buffer){0};
    grown->capacity = capacity;
    *held += memory(capacity);
    *buffer = grown;
    return 0;
}

unsigned char *tcpsocket_buffer_room(struct tcpsocket_buffer **buffer, size_t length, size_t *held)
{
    struct tcpsocket_buffer *own = *buffer;

    if (own && own->capacity - own->start - own->length < length) {
        memmove(own->data, own->data + own->start, own->length);
        own->start = 0;
    }
    if (!own || own->capacity - own->start - own->length < length) {
        if (grow(buffer, tcpsocket_buffer_length(own) + length, held) < 0)
            return NULL;
        own = *buffer;
    }
    return own->data + own->start + own->length;
}

int tcpsocket_buffer_append(struct tcpsocket_buffer **buffer, const void *bytes, size_t length,
                            size_t *held)
{
    if (length == 0)
        return 0;
    unsigned char *room = tcpsocket_buffer_room(buffer, length, held);

    if (!room)
        return -ENOMEM;
    memcpy(room, bytes, length);
    (*buffer)->length += (uint32_t)length;
    return 0;
}

void tcpsocket_buffer_consume(struct tcpsocket_buffer *buffer, size_t length)
{
    assert(length <= buffer->length);
    buffer->start += (uint32_t)length;
    buffer->length -= (uint32_t)length;
}

void tcpsocket_buffer_release(struct tcpsocket_buffer **buffer, size_t *held)
{
    if (!*buffer)
        return;
    *held -= memory((*buffer)->capacity);
    free(*buffer);
    *buffer = NULL;
}
