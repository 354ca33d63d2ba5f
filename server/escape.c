/* Bytes from outside, for a log. */
#include "escape.h"

static bool plain(unsigned char c, bool quoted)
{
    if (quoted)
        return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
    return (c >= ' ' && c != 0x7f) || c == '\t';
}

size_t server_escape(const unsigned char *bytes, size_t length, bool quoted, char *output,
                     size_t room, size_t *taken)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t written = 0, i;

    for (i = 0; i < length; i++) {
        unsigned char c = bytes[i];
        bool escaped = !plain(c, quoted);

        if (room - written < (escaped ? 4u : 1u))
            break;
        if (!escaped) {
            output[written++] = (char)c;
            continue;
        }
        output[written++] = '\\';
        output[written++] = 'x';
        output[written++] = digits[c >> 4];
        output[written++] = digits[c & 15];
    }
    *taken = i;
    return written;
}
