/*
 * put.h: bytes written one behind the other, where there is room for them.
 */
#ifndef HTTP_PUT_H
#define HTTP_PUT_H

#include <string.h>

/* A string literal and its length, as two arguments. */
#define LITERAL(text) text, sizeof(text) - 1

static inline unsigned char *put(unsigned char *at, const void *bytes, size_t length)
{
    memcpy(at, bytes, length);
    return at + length;
}

#endif
