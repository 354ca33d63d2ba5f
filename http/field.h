/* field: what the other files of http need of field names and values. */
#ifndef HTTP_FIELD_H
#define HTTP_FIELD_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the bytes are `lower`, but for the case of their letters. */
bool http_equal_nocase(const unsigned char *bytes, size_t length, const char *lower);

#endif
