/*
 * The request head (RFC 9112, 2 to 5), as one resumable machine.  How a head is
 * read in pieces, and within its limits, is told in head.h.
 */
#include <string.h>

#include <asynwsgi/http.h>

#include "head.h"
#include "plain.h"
#include "scan.h"
#include "section.h"

%%{
    machine request;
    include head "head.rl";

    action empty_line_ends {
        line = p + 1;
        pe = line_end(line, end, limits->start_line);
    }
    action bad_method { fault = HTTP_BAD_METHOD; }
    action section_begins {
        if (http_section_take(known, line, end, head)) {
            p += known->length;
            fault = HTTP_COMPLETE;
            fbreak;
        }
    }
    action bad_target { fault = HTTP_BAD_TARGET; }

    action method_ends { head->method = span(message, line, p); target = p + 1; }
    action target_ends { head->target = span(message, target, p); }
    action absolute {
        head->form = HTTP_TARGET_ABSOLUTE;
        head->path = span(message, p, p + 1);
    }
    action asterisk { head->form = HTTP_TARGET_ASTERISK; }
    action authority { head->form = HTTP_TARGET_AUTHORITY; }
    action authority_begins { mark = p; }
    action authority_ends { head->authority = span(message, mark, p); }
    action path_begins { mark = p; }
    action path_skip { p = scan_path(p + 1, pe, message) - 1; }
    action path_ends { head->path = span(message, mark, p); }
    action query_begins { mark = p + 1; }
    action query_skip { p = scan_query(p + 1, pe, message) - 1; }
    action query_ends { head->query = span(message, mark, p); }

    # RFC 3986, 3.3: pchar and "/".  Wider: any visible character but those that end
    # a path, since clients send them.
    path_char = VCHAR - [?#%];

    # RFC 3986, 2.1.  Narrower: no "%00", which ends a string for some.
    path_pct = pct_encoded - "%00";

    # RFC 9110, 4.1: "//" is a path like others.
    absolute_path = ("/" (path_char @path_skip | path_pct)*) >path_begins %path_ends;

    # RFC 3986, 3.4.  Wider: any visible character but "#", and a "%" that encodes
    # nothing, since clients send them.
    query = (VCHAR - "#")* $query_skip %query_ends;

    # RFC 9112, 3.2.1
    origin_form = absolute_path ("?" @query_begins query)?;

    # RFC 3986, 3.2.  Wider here: what it is made of is judged by
    # http_request_frame(), as Host is.  Narrower: not empty (RFC 9110, 4.2.1), and
    # no userinfo, which would hide a host (4.2.4).
    authority_chars = (unreserved | pct_encoded | sub_delims | [:\[\]])+
                      >authority_begins %authority_ends;

    # RFC 9112, 3.2.2.  Narrower: no schemes but those that are served (RFC 9110,
    # 4.2.1 and 4.2.2), in any case (4.2.3).
    absolute_form = "http"i "s"i? "://" @absolute authority_chars
                    absolute_path? ("?" @query_begins query)?;

    # RFC 9112, 3.2.3.  That there is a port is judged with what it is made of.
    authority_form = authority_chars >authority;

    # RFC 9112, 3.2.4
    asterisk_form = "*" @asterisk;

    # RFC 9112, 3 and 3.1 (method: RFC 9110, 9.1).  The method says which forms of
    # a target there are (3.2).  Narrower: what stands between is one SP, no other
    # white space.
    method_sp = SP @method_ends;
    target_sp = SP @target_ends;
    usual_form = origin_form | absolute_form;
    method_and_target =
        ((token - "CONNECT" - "OPTIONS") method_sp) @err(bad_method)
            (usual_form target_sp) @err(bad_target) |
        ("OPTIONS" method_sp) @err(bad_method)
            ((usual_form | asterisk_form) target_sp) @err(bad_target) |
        ("CONNECT" method_sp) @err(bad_method)
            (authority_form target_sp) @err(bad_target);

    # RFC 9113, 3.4: refused by its version as soon as it is no request.
    HTTP2_preface = "PRI *" @unsupported;

    # RFC 9112, 3.  Narrower: the version is always there, unlike in HTTP/0.9.
    request_line = HTTP2_preface |
                   method_and_target (HTTP_version CR) @err(bad_version)
                   line_LF @section_begins @plain_lines;

    # RFC 9112, 2.1.  Wider: one empty line in front is skipped, as 2.2 asks for.
    main := (CR (LF @empty_line_ends) >err(bad_line_end))? request_line @{ fgoto fields; };
    fields := field_section;
}%%

%% write data nofinal;

/* What a run is to fill, and a field section that may be there; or NULL. */
struct goal {
    struct http_request *head;
    const struct http_section *known;
};

/* Goes on with a head; most never come to it, which need no room for its variables. */
__attribute__((noinline)) static enum http_fault
run_machine(struct http_head_parser *parser, const struct http_limits *limits,
            const unsigned char *message, const unsigned char *const end,
            const struct http_section *known, struct http_request *head)
{
    int cs = parser->state;
    const unsigned char *line = message + parser->start;
    const unsigned char *p = message + parser->position;
    const unsigned char *target = p, *mark = p;
    const unsigned char *pe = line_end(line, end, line_limit(parser, limits));
    const unsigned char *const eof = NULL; /* input only stops here, it never ends */
    enum http_fault fault = HTTP_INCOMPLETE;

    %% write exec;
    if (cs == request_error && (*p == '\r' || *p == '\n'))
        return HTTP_BAD_LINE_END;
    head->length = (uint32_t)(p - message);
    *parser = (struct http_head_parser){
        .position = head->length,
        .start = (uint32_t)(line - message),
        .field_count = head->field_count,
        .state = cs,
    };
    if (fault == HTTP_COMPLETE)
        head->is_head = head->method.length == 4 &&
                        memcmp(message + head->method.start, "HEAD", 4) == 0;
    return fault == HTTP_INCOMPLETE ? limit_fault(parser, limits) : fault;
}

__attribute__((always_inline)) static inline enum http_fault
run(struct http_head_parser *parser, const struct http_limits *limits,
    const unsigned char *message, size_t length, void *result)
{
    const struct goal *goal = result;
    struct http_request *head = goal->head;
    const unsigned char *const end = head_end(limits, message, length);
    uint32_t taken;

    *head = (struct http_request){
        .message = message, .fields = head->fields, .field_count = parser->field_count};
    if (parser->position == 0) {
        taken = (uint32_t)(http_plain_get()->head(limits, end, goal->known, head) - message);
        if (head->length != 0)
            return HTTP_COMPLETE;
        if (taken != 0)
            *parser = (struct http_head_parser){
                .position = taken,
                .start = taken,
                .field_count = head->field_count,
                .state = request_en_fields,
            };
    }
    return run_machine(parser, limits, message, end, goal->known, head);
}

void http_request_parser_init(struct http_head_parser *parser)
{
    *parser = (struct http_head_parser){.state = request_start};
}

enum http_fault http_request_parse_known(struct http_head_parser *parser,
                                         const struct http_limits *limits,
                                         const unsigned char *message, size_t length,
                                         const struct http_section *known,
                                         struct http_request *request)
{
    struct goal goal = {.head = request, .known = known};

    return read_head(run, request_en_main, parser, limits, message, length, &goal);
}

enum http_fault http_request_parse(struct http_head_parser *parser,
                                   const struct http_limits *limits, const unsigned char *message,
                                   size_t length, struct http_request *request)
{
    return http_request_parse_known(parser, limits, message, length, NULL, request);
}
