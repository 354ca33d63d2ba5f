/* plain_take: what plain.h promises, as scan.h has it for the file that includes this. */
#ifndef HTTP_PLAIN_TAKE_H
#define HTTP_PLAIN_TAKE_H

#include "field.h"
#include "head.h"
#include "scan.h"
#include "section.h"

/* In each caller, so that what does not matter there costs nothing. */
__attribute__((always_inline)) static inline const unsigned char *
take_fields(const struct http_limits *limits, const unsigned char *message,
            const unsigned char *line, const unsigned char *end, struct http_field *fields,
            uint32_t *count)
{
    struct http_field *field = fields + *count;
    uint32_t room = limits->fields - *count;

    end -= 2; /* what is found may be where a CRLF is, and then there is one */
    for (; room > 0 && end - line >= 2; room--) { /* "a:" */
        const unsigned char *colon, *value, *value_end;
        const unsigned char *cr = scan_line(line, end, message, &colon);

        if (memcmp(cr, "\r\n", 2) != 0 || *colon != ':' || colon == line ||
            cr - line > limits->field)
            break;
        field->name = span(message, line, colon);
        for (value = colon + 1; *value == ' '; value++)
            ;
        for (value_end = cr; value_end[-1] == ' ' && value_end > value; value_end--)
            ;
        field->value = span(message, value, value_end);
        field->known = field_name(line, (size_t)(colon - line));
        field++;
        line = cr + 2;
    }
    *count = limits->fields - room;
    return line;
}

static const unsigned char *take_lines(const struct http_limits *limits,
                                       const unsigned char *message, const unsigned char *line,
                                       const unsigned char *end, struct http_field *fields,
                                       uint32_t *count)
{
    return take_fields(limits, message, line, end, fields, count);
}

/* Gives what is behind the request line; NULL: it is not plain. */
static inline const unsigned char *take_request_line(const unsigned char *end,
                                                     struct http_request *head)
{
    const unsigned char *line = head->message, *method_end, *target, *path_end, *target_end;
    unsigned minor;

    if (end - line < 16) /* "GET / HTTP/1.1" CRLF */
        return NULL;
    end -= 11; /* " HTTP/1.1" CRLF: so that there is as much behind what is scanned */
    if (memcmp(line, "GET /", 5) == 0)
        method_end = line + 3;
    else {
        method_end = scan_name(line, end - 2, line);
        /* CONNECT and OPTIONS have forms of their own. */
        if (memcmp(method_end, " /", 2) != 0 || method_end == line || method_end == line + 7)
            return NULL;
        head->is_head = memcmp(line, "HEAD ", 5) == 0;
    }
    target = method_end + 1;
    path_end = target_end = scan_path(target + 1, end, line);
    if (target_end != end && *target_end == '?')
        target_end = scan_query(target_end + 1, end, line);
    if (memcmp(target_end, " HTTP/1.", 8) != 0)
        return NULL;
    minor = (unsigned)target_end[8] - '0';
    if (minor > 9 || memcmp(target_end + 9, "\r\n", 2) != 0)
        return NULL;
    head->method.length = (uint32_t)(method_end - line);
    head->target = span(line, target, target_end);
    head->path = span(line, target, path_end);
    if (path_end != target_end)
        head->query = span(line, path_end + 1, target_end);
    head->minor = (uint8_t)minor;
    return target_end + 11;
}

static const unsigned char *take_head(const struct http_limits *limits, const unsigned char *end,
                                      const struct http_section *known, struct http_request *head)
{
    const unsigned char *message = head->message;
    const unsigned char *line = take_request_line(line_end(message, end, limits->start_line), head);
    uint32_t count = 0;

    if (line == NULL)
        return message;
    if (http_section_take(known, line, end, head))
        line += known->length;
    else {
        line = take_fields(limits, message, line, end, head->fields, &count);
        head->field_count = count;
        if (end - line < 2 || memcmp(line, "\r\n", 2) != 0)
            return line;
        line += 2;
    }
    head->length = (uint32_t)(line - message);
    return line;
}

#endif
