/*
 * bytes[start .. start + length) is the body from `offset` on, and
 * chunks[chunk_start .. chunk_start + chunk_count) those that begin in there.
 */
#include "window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void wsgi_window_clear(struct wsgi_window *window)
{
    free(window->bytes);
    free(window->chunks);
    *window = (struct wsgi_window){.offset = window->offset, .ended = window->ended};
}

/* Room for `length` bytes more: what was taken makes way first. */
static int make_room(struct wsgi_window *window, size_t length)
{
    size_t needed = window->length + length;
    unsigned char *bytes;

    if (window->start > 0)
        memmove(window->bytes, wsgi_window_data(window), window->length);
    window->start = 0;
    if (needed <= window->capacity)
        return 0;
    bytes = realloc(window->bytes, needed);
    if (!bytes)
        return -ENOMEM;
    window->bytes = bytes;
    window->capacity = needed;
    return 0;
}

static int add_chunk(struct wsgi_window *window, uint64_t size)
{
    if (window->chunk_start > 0)
        memmove(window->chunks, window->chunks + window->chunk_start,
                window->chunk_count * sizeof *window->chunks);
    window->chunk_start = 0;
    if (window->chunk_count == window->chunk_capacity) {
        size_t capacity = window->chunk_capacity * 2 + 1;
        struct wsgi_chunk *chunks = realloc(window->chunks, capacity * sizeof *chunks);

        if (!chunks)
            return -ENOMEM;
        window->chunks = chunks;
        window->chunk_capacity = capacity;
    }
    window->chunks[window->chunk_count++] =
        (struct wsgi_chunk){.offset = window->offset + window->length, .size = size};
    return 0;
}

int wsgi_window_append(struct wsgi_window *window, const unsigned char *data, size_t length,
                       uint64_t chunk_size)
{
    if (length == 0)
        return 0;
    if (make_room(window, length) < 0 || (chunk_size > 0 && add_chunk(window, chunk_size) < 0))
        return -ENOMEM;
    memcpy(window->bytes + window->length, data, length);
    window->length += length;
    return 0;
}

size_t wsgi_window_run(const struct wsgi_window *window, uint64_t *chunk_size)
{
    const struct wsgi_chunk *next = window->chunks + window->chunk_start;
    size_t left = window->chunk_count;
    uint64_t end = window->offset + window->length;

    *chunk_size = 0;
    if (left > 0 && next->offset == window->offset) {
        *chunk_size = next->size;
        next++;
        left--;
    }
    return (size_t)((left > 0 ? next->offset : end) - window->offset);
}

void wsgi_window_take(struct wsgi_window *window, size_t length)
{
    window->start += length;
    window->length -= length;
    window->offset += length;
    while (window->chunk_count > 0 && window->chunks[window->chunk_start].offset < window->offset) {
        window->chunk_start++;
        window->chunk_count--;
    }
    if (window->length == 0)
        wsgi_window_clear(window);
}
