/*
 * The response head (RFC 9112, 2, 4 and 5), as one resumable machine.  How a
 * head is read in pieces, and within its limits, is told in head.h.
 */
#include <asynwsgi/http.h>

#include "head.h"
#include "plain.h"
#include "scan.h"

%%{
    machine response;
    include head "head.rl";

    action bad_status_line { fault = HTTP_BAD_STATUS_LINE; }

    action status_digit { head->status = (uint16_t)(head->status * 10 + *p - '0'); }
    action reason_begins { mark = p + 1; }
    action reason_skip { p = scan_text(p + 1, pe, message) - 1; }
    action reason_ends { head->reason = span(message, mark, p); }

    # RFC 9112, 4.  Narrower: none of 0xx, which is no class (RFC 9110, 15); those
    # above 599 are for a client to take as a 5xx.
    status_code = ([1-9] DIGIT{2}) $status_digit;

    # RFC 9112, 4.  An empty one is the absent one.
    reason_phrase = (HTAB | SP | VCHAR | obs_text)* $reason_skip;

    # RFC 9112, 4.  Wider: the SP in front of an absent reason may be missing, since
    # many servers leave it out.  Narrower: what stands between is one SP, no other
    # white space.
    status_line = (HTTP_version SP) @err(bad_version)
                  (status_code (SP @reason_begins reason_phrase %reason_ends)? CR)
                      @err(bad_status_line)
                  line_LF @plain_lines;

    # RFC 9112, 2.1.  No empty line in front: 2.2 has that for requests.
    main := status_line field_section;
}%%

%% write data nofinal noentry;

static enum http_fault run(struct http_head_parser *parser, const struct http_limits *limits,
                           const unsigned char *message, size_t length, void *result)
{
    struct http_response_head *head = result;
    int cs = parser->state;
    const unsigned char *line = message + parser->start;
    const unsigned char *p = message + parser->position;
    const unsigned char *mark = p;
    const unsigned char *const end = head_end(limits, message, length);
    const unsigned char *pe = line_end(line, end, line_limit(parser, limits));
    const unsigned char *const eof = NULL; /* input only stops here, it never ends */
    enum http_fault fault = HTTP_INCOMPLETE;

    *head = (struct http_response_head){
        .message = message, .fields = head->fields, .field_count = parser->field_count};
    %% write exec;
    if (cs == response_error && (*p == '\r' || *p == '\n'))
        return HTTP_BAD_LINE_END;
    head->length = (uint32_t)(p - message);
    *parser = (struct http_head_parser){
        .position = head->length,
        .start = (uint32_t)(line - message),
        .field_count = head->field_count,
        .state = cs,
    };
    return fault == HTTP_INCOMPLETE ? limit_fault(parser, limits) : fault;
}

void http_response_parser_init(struct http_head_parser *parser)
{
    *parser = (struct http_head_parser){.state = response_start};
}

enum http_fault http_response_parse(struct http_head_parser *parser,
                                    const struct http_limits *limits, const unsigned char *message,
                                    size_t length, struct http_response_head *response)
{
    return read_head(run, response_start, parser, limits, message, length, response);
}
