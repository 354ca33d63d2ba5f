/* parsers: the machines that a server connection calls. */
#ifndef HTTP_PARSERS_H
#define HTTP_PARSERS_H

#include "section.h"

#include <asynwsgi/http.h>
#include <stdbool.h>
#include <stddef.h>

struct http_parsers {
    /* http_request_parse_known() */
    enum http_fault (*head)(struct http_head_parser *parser, const struct http_limits *limits,
                            const unsigned char *message, size_t length,
                            const struct http_section *known, struct http_request *request);
    /* http_chunked_parse() */
    enum http_fault (*chunk)(struct http_chunked *chunked, const struct http_limits *limits,
                             const unsigned char *input, size_t length, struct http_piece *piece);
};

/* They themselves or, measured, as a phase. */
struct http_parsers http_parsers_choose(bool measured);

#endif
