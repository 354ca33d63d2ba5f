/*
 * The fields of a trailer section (RFC 9112, 7.1.2), of which http_chunked_parse()
 * has seen that each line is right: a name, a colon, a value without a CR, CRLF.
 */
#include <string.h>

#include <asynwsgi/http.h>

static bool is_white(unsigned char byte)
{
    return byte == ' ' || byte == '\t';
}

bool http_trailer_next(const unsigned char *trailer, size_t length, size_t *position,
                       struct http_field *field)
{
    const unsigned char *line = trailer + *position, *end, *colon, *value;

    if (*position >= length)
        return false;
    end = memchr(line, '\r', length - *position);
    colon = end == NULL ? NULL : memchr(line, ':', (size_t)(end - line));
    if (colon == NULL)
        return false;
    *position = (size_t)(end - trailer) + 2;
    /* OWS around the value is not part of it (RFC 9112, 5.1). */
    for (value = colon + 1; value < end && is_white(*value); value++)
        ;
    while (end > value && is_white(end[-1]))
        end--;
    *field = (struct http_field){
        .name = {(uint32_t)(line - trailer), (uint32_t)(colon - line)},
        .value = {(uint32_t)(value - trailer), (uint32_t)(end - value)},
        .known = http_field_name(line, (size_t)(colon - line)),
    };
    return true;
}
