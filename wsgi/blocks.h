/*
 * Field sections that come again, by http_request.section: for those it is
 * enough to copy the environ they gave.
 */
#ifndef WSGI_BLOCKS_H
#define WSGI_BLOCKS_H

#include "python.h"

#include <stdint.h>

enum {
    WSGI_BLOCKS = 128
};

struct wsgi_block {
    uint64_t section;
    PyObject *env; /* or NULL */
};

struct wsgi_blocks {
    struct wsgi_block slots[WSGI_BLOCKS];
};

/* The environ kept for the section, borrowed, or NULL. */
static inline PyObject *wsgi_blocks_find(const struct wsgi_blocks *blocks, uint64_t section)
{
    const struct wsgi_block *slot = &blocks->slots[section % WSGI_BLOCKS];

    return slot->section == section ? slot->env : NULL;
}

/* Keep a copy of `env` for a section, unless it is 0.  -1 with an exception. */
int wsgi_blocks_keep(struct wsgi_blocks *blocks, uint64_t section, PyObject *env);

void wsgi_blocks_fini(struct wsgi_blocks *blocks);

#endif
