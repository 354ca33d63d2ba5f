/*
 * The str objects of bytes that come again: field values, targets, methods.
 * A table of the last ones seen, so that most requests make none of their own.
 */
#ifndef WSGI_VALUES_H
#define WSGI_VALUES_H

#include "python.h"

#include <stdbool.h>
#include <string.h>

enum {
    WSGI_VALUE_BITS = 10
};

struct wsgi_values {
    PyObject *slots[1 << WSGI_VALUE_BITS]; /* str of one byte a character, or NULL */
};

/* Whether it is the str of these bytes, which one of one byte a character may be. */
static inline bool wsgi_value_is(PyObject *value, const unsigned char *bytes, size_t length)
{
    return (size_t)PyUnicode_GET_LENGTH(value) == length &&
           memcmp(PyUnicode_1BYTE_DATA(value), bytes, length) == 0;
}

/* The bytes as Latin-1 (PEP 3333, "A Note on String Types"): a new reference. */
PyObject *wsgi_values_get(struct wsgi_values *values, const unsigned char *bytes, size_t length);

void wsgi_values_fini(struct wsgi_values *values);

#endif
