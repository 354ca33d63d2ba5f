/*
 * What has arrived of the body of a streaming request and was not taken yet:
 * its bytes, and where the chunks begin that they came in.
 *
 * Memory is held only for what there is.
 */
#ifndef WSGI_WINDOW_H
#define WSGI_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A chunk that begins at that offset of the body. */
struct wsgi_chunk {
    uint64_t offset, size;
};

struct wsgi_window {
    unsigned char *bytes;
    size_t start, length; /* of what there is in `bytes` */
    size_t capacity;
    uint64_t offset; /* in the body, of the first of them */
    struct wsgi_chunk *chunks;
    size_t chunk_start, chunk_count, chunk_capacity;
    bool ended; /* the body has: no more will come */
};

/* Let go of what there is.  A window is all zero at first. */
void wsgi_window_clear(struct wsgi_window *window);

/* Append bytes of the body; with `chunk_size`, a chunk of that size begins with them.  -ENOMEM. */
int wsgi_window_append(struct wsgi_window *window, const unsigned char *data, size_t length,
                       uint64_t chunk_size);

/* The first byte of those that are there; valid until the next call. */
static inline const unsigned char *wsgi_window_data(const struct wsgi_window *window)
{
    return window->bytes + window->start;
}

/*
 * How many of them are of one chunk; of a body that has none, all.  If the chunk
 * begins with them, `chunk_size` is its size, or else 0.
 */
size_t wsgi_window_run(const struct wsgi_window *window, uint64_t *chunk_size);

/* Bytes of memory that it holds. */
static inline size_t wsgi_window_memory(const struct wsgi_window *window)
{
    return window->capacity + window->chunk_capacity * sizeof *window->chunks;
}

/* Done with so many. */
void wsgi_window_take(struct wsgi_window *window, size_t length);

#endif
