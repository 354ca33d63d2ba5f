/* text: what the files that read URLs share.  Private to httpclient. */
#ifndef HTTPCLIENT_TEXT_H
#define HTTPCLIENT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static inline bool is_alpha(unsigned char byte)
{
    return (unsigned char)((byte | 0x20) - 'a') < 26;
}

static inline bool is_digit(unsigned char byte)
{
    return byte >= '0' && byte <= '9';
}

/* A part of a URL; its text is NULL where it is not there, which is not the same as empty. */
struct part {
    const char *text;
    size_t length;
};

/* RFC 3986, 3 and appendix B; the path is always there.  No part has its delimiter. */
struct reference {
    struct part scheme, authority, path, query, fragment;
};

/* Split a URL or a relative reference.  Every text is one. */
void reference_split(const char *text, size_t length, struct reference *parts);

/* Whether a part is `lower` but for the case of its letters. */
bool equal_nocase(struct part part, const char *lower);

#endif
