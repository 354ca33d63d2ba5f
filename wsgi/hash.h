/* A hash of bytes for the tables that only cache: cheap, of a few of them. */
#ifndef WSGI_HASH_H
#define WSGI_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t wsgi_hash_word(const unsigned char *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof word);
    return word;
}

/*
 * Gives `bits` bits.  The first, middle and last eight bytes count: what
 * differs elsewhere only shares a slot.
 */
static inline size_t wsgi_hash(const unsigned char *bytes, size_t length, unsigned bits)
{
    uint64_t h = length * UINT64_C(0x9e3779b97f4a7c15);

    if (length >= 8) {
        h ^= wsgi_hash_word(bytes);
        h *= UINT64_C(0xff51afd7ed558ccd);
        h ^= wsgi_hash_word(bytes + (length - 8) / 2);
        h *= UINT64_C(0xc4ceb9fe1a85ec53);
        h ^= wsgi_hash_word(bytes + length - 8);
    } else
        for (size_t i = 0; i < length; i++)
            h = (h ^ bytes[i]) * UINT64_C(0x100000001b3);
    h *= UINT64_C(0xff51afd7ed558ccd);
    return (size_t)(h >> (64 - bits));
}

#endif
