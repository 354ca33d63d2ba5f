/*
 * Whole field sections that come again: a client sends the same one with each
 * of its requests.  For those it is enough to copy the environ they gave.
 */
#ifndef WSGI_BLOCKS_H
#define WSGI_BLOCKS_H

#include "python.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    WSGI_BLOCK_BITS = 7,
    WSGI_BLOCK = 2048 /* the longest that is kept */
};

/* env == NULL: only the hash is known, of the last block that came here. */
struct wsgi_block {
    uint64_t hash;
    size_t length;
    unsigned char *bytes; /* room for WSGI_BLOCK, or NULL */
    PyObject *env;
};

struct wsgi_blocks {
    struct wsgi_block slots[1 << WSGI_BLOCK_BITS];
};

/* The environ kept for these bytes, a new reference, or NULL. */
PyObject *wsgi_blocks_find(struct wsgi_blocks *blocks, const unsigned char *bytes, size_t length);

/*
 * Keep a copy of `env` for bytes that were just not found, if it is not the
 * first time.  -1 with an exception.
 */
int wsgi_blocks_keep(struct wsgi_blocks *blocks, const unsigned char *bytes, size_t length,
                     PyObject *env);

void wsgi_blocks_fini(struct wsgi_blocks *blocks);

#endif
