#include "parsers.h"

#include <asynwsgi/http_server.h>
#include <asynwsgi/phases.h>

static enum http_fault head_measured(struct http_head_parser *parser,
                                     const struct http_limits *limits, const unsigned char *message,
                                     size_t length, const struct http_section *known,
                                     struct http_request *request)
{
    unsigned before = dispatch_phase(HTTP_PHASE_PARSE);
    enum http_fault fault =
        http_request_parse_known(parser, limits, message, length, known, request);

    dispatch_phase(before);
    return fault;
}

static enum http_fault chunk_measured(struct http_chunked *chunked,
                                      const struct http_limits *limits, const unsigned char *input,
                                      size_t length, struct http_piece *piece)
{
    unsigned before = dispatch_phase(HTTP_PHASE_PARSE);
    enum http_fault fault = http_chunked_parse(chunked, limits, input, length, piece);

    dispatch_phase(before);
    return fault;
}

struct http_parsers http_parsers_choose(bool measured)
{
    if (measured)
        return (struct http_parsers){head_measured, chunk_measured};
    return (struct http_parsers){http_request_parse_known, http_chunked_parse};
}
