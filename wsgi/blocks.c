#include "blocks.h"

#include "hash.h"

#include <stdlib.h>

/* Of all bytes: clients often differ in a few only. */
static uint64_t hash(const unsigned char *bytes, size_t length)
{
    const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t h = length * factor;

    for (; length >= 8; bytes += 8, length -= 8) {
        h = (h ^ wsgi_hash_word(bytes)) * factor;
        h ^= h >> 32;
    }
    for (; length > 0; bytes++, length--)
        h = (h ^ *bytes) * factor;
    return h ^ h >> 32;
}

static struct wsgi_block *slot_of(struct wsgi_blocks *blocks, uint64_t h)
{
    return &blocks->slots[h & ((1 << WSGI_BLOCK_BITS) - 1)];
}

PyObject *wsgi_blocks_find(struct wsgi_blocks *blocks, const unsigned char *bytes, size_t length)
{
    uint64_t h = length <= WSGI_BLOCK ? hash(bytes, length) : 0;
    struct wsgi_block *slot = slot_of(blocks, h);

    if (slot->env && slot->hash == h && slot->length == length &&
        memcmp(slot->bytes, bytes, length) == 0)
        return Py_NewRef(slot->env);
    return NULL;
}

int wsgi_blocks_keep(struct wsgi_blocks *blocks, const unsigned char *bytes, size_t length,
                     PyObject *env)
{
    struct wsgi_block *slot;
    PyObject *copy;
    uint64_t h;

    if (length > WSGI_BLOCK)
        return 0;
    h = hash(bytes, length);
    slot = slot_of(blocks, h);
    if (slot->hash != h) {
        slot->hash = h;
        Py_CLEAR(slot->env);
        return 0;
    }
    if (!slot->bytes)
        slot->bytes = malloc(WSGI_BLOCK);
    if (!slot->bytes)
        return 0;
    copy = PyDict_Copy(env);
    if (!copy)
        return -1;
    /* Making the copy may have let another thread in (see environ.c). */
    slot->hash = h;
    memcpy(slot->bytes, bytes, length);
    slot->length = length;
    Py_XSETREF(slot->env, copy);
    return 0;
}

void wsgi_blocks_fini(struct wsgi_blocks *blocks)
{
    for (size_t i = 0; i < sizeof blocks->slots / sizeof blocks->slots[0]; i++) {
        free(blocks->slots[i].bytes);
        Py_CLEAR(blocks->slots[i].env);
    }
}
