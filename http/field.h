/* field: what the other files of http need of field names and values. */
#ifndef HTTP_FIELD_H
#define HTTP_FIELD_H

#include <string.h>

#include <asynwsgi/http.h>

/* Whether the bytes are `lower`, but for the case of their letters. */
bool http_equal_nocase(const unsigned char *bytes, size_t length, const char *lower);

/*
 * Whether bytes are those of `lower` but for the case of letters: of what stands
 * in `lower`, letters alone have 0x40, and their case is 0x20.
 */
static inline bool field_is_8(const unsigned char *bytes, const char *lower)
{
    uint64_t word = 0, expected = 0;

    memcpy(&word, bytes, sizeof(word));
    memcpy(&expected, lower, sizeof(expected));
    return (word | (expected >> 1 & 0x2020202020202020)) == expected;
}

static inline bool field_is_4(const unsigned char *bytes, const char *lower)
{
    uint32_t word = 0, expected = 0;

    memcpy(&word, bytes, sizeof(word));
    memcpy(&expected, lower, sizeof(expected));
    return (word | (expected >> 1 & 0x20202020)) == expected;
}

/* The last word may overlap the one before it. */
static inline bool field_is(const unsigned char *bytes, const char *lower, size_t length)
{
    if (length >= 8) {
        for (size_t i = 0; i + 8 < length; i += 8)
            if (!field_is_8(bytes + i, lower + i))
                return false;
        return field_is_8(bytes + length - 8, lower + length - 8);
    }
    if (length >= 4)
        return field_is_4(bytes, lower) && field_is_4(bytes + length - 4, lower + length - 4);
    for (size_t i = 0; i < length; i++)
        if ((bytes[i] | (lower[i] >> 1 & 0x20)) != lower[i])
            return false;
    return true;
}

/* Length and last letter tell the known names apart: by these, which a name may be. */
#define FIELD_PLACE(length, last) (((length) + (size_t)4 * ((last) | 0x20)) % 128)
extern const struct field_place {
    uint8_t known, length;
} http_field_places[128];

extern const char *const http_field_names[]; /* in lower case */

/* http_field_name(), of a name that is not empty. */
static inline enum http_field_name field_name(const unsigned char *name, size_t length)
{
    struct field_place place = http_field_places[FIELD_PLACE(length, name[length - 1])];

    if (place.length != length || !field_is(name, http_field_names[place.known], length))
        return HTTP_FIELD_OTHER;
    return place.known;
}

#endif
