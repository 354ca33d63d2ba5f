/* plain_take: what plain.h promises, as scan.h has it for the file that includes this. */
#ifndef HTTP_PLAIN_TAKE_H
#define HTTP_PLAIN_TAKE_H

#include "field.h"
#include "head.h"
#include "scan.h"

static const unsigned char *take(const struct http_limits *limits, const unsigned char *message,
                                 const unsigned char *line, const unsigned char *end,
                                 struct http_field *fields, uint32_t *count)
{
    struct http_field *field = fields + *count;
    const struct http_field *const fields_end = fields + limits->fields;
    const uint32_t limit = limits->field;

    while (field != fields_end && end - line >= 4) { /* "a:" CRLF */
        const unsigned char *stop = line_end(line, end, limit);
        /* From the start of the line both, so that neither waits for the other. */
        const unsigned char *colon = scan_name(line, stop, message);
        const unsigned char *cr = scan_value(line, stop, message);

        if (stop - cr < 2 || cr[0] != '\r' || cr[1] != '\n' || *colon != ':' || colon == line)
            break;
        field->name = span(message, line, colon);
        field->value = trimmed_span(message, colon + 1, cr);
        field->known = field_name(line, (size_t)(colon - line));
        field++;
        line = cr + 2;
    }
    *count = (uint32_t)(field - fields);
    return line;
}

#endif
