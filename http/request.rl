/*
 * The request head (RFC 9112, 2 to 5), as one resumable machine.
 *
 * While a head is incomplete nothing is kept of it but where the machine
 * stands.  A run from the first byte marks spans as it goes; a resumed one,
 * whose marks before its own bytes are lost, only validates and counts, and
 * what it stores means nothing.  When a resumed run completes the head, the
 * machine goes over it once more from the start: twice the work at most.
 *
 * The limits cost nothing per byte: `pe` is never beyond the byte at which the
 * line at hand, or the head, would be too long.
 *
 * In long runs `p` skips to the last byte that surely belongs; the machine
 * then sees the one that may not, and judges it.
 */
#include <string.h>

#include <asynwsgi/http.h>

#include "scan.h"

%%{
    machine request;
    include grammar "grammar.rl";

    action bad_method { fault = HTTP_BAD_METHOD; }
    action bad_target { fault = HTTP_BAD_TARGET; }
    action bad_version { fault = HTTP_BAD_VERSION; }
    action bad_line_end { fault = HTTP_BAD_LINE_END; }
    action bad_name { fault = HTTP_BAD_FIELD_NAME; }
    action bad_value { fault = HTTP_BAD_FIELD_VALUE; }
    action unsupported { fault = HTTP_UNSUPPORTED_VERSION; fbreak; }
    action obsolete_fold { fault = HTTP_OBSOLETE_FOLD; fbreak; }
    action complete { fault = HTTP_COMPLETE; fbreak; }

    action method_ends { request->method = span(message, line, p); target = p + 1; }
    action target_ends { request->target = span(message, target, p); }
    action absolute {
        request->form = HTTP_TARGET_ABSOLUTE;
        request->path = span(message, p, p + 1);
    }
    action asterisk { request->form = HTTP_TARGET_ASTERISK; }
    action authority { request->form = HTTP_TARGET_AUTHORITY; }
    action authority_begins { mark = p; }
    action authority_ends { request->authority = span(message, mark, p); }
    action path_begins { mark = p; }
    action path_skip { p = scan_path(p + 1, pe) - 1; }
    action path_ends { request->path = span(message, mark, p); }
    action query_begins { mark = p + 1; }
    action query_skip { p = scan_query(p + 1, pe) - 1; }
    action query_ends { request->query = span(message, mark, p); }
    action minor { request->minor = (uint8_t)(*p - '0'); }

    action field_begins {
        if (count == limits->fields) {
            fault = HTTP_MANY_FIELDS;
            fbreak;
        }
    }
    action name_skip { p = scan_name(p + 1, pe) - 1; }
    action name_ends {
        request->fields[count].name = span(message, line, p);
        request->fields[count].known = http_field_name(line, (size_t)(p - line));
        count++;
        mark = p + 1;
        p = scan_value(mark, pe) - 1;
    }
    action value_skip { p = scan_value(p + 1, pe) - 1; }
    action value_ends { request->fields[count - 1].value = trimmed_span(message, mark, p); }
    action line_ends {
        line = p + 1;
        pe = run_end(limits, message, length, line);
    }

    # RFC 9112, 3.2.  Wider than RFC 3986: a path or query may hold any visible
    # character but "#", a query also a broken "%", since clients send them.
    # Narrower: no "%00"; only the schemes that are served; no userinfo.  What an
    # authority is made of is judged by http_request_frame(), as Host is.
    path_char = VCHAR - [?#%];
    path_pct = pct_encoded - "%00";
    absolute_path = ("/" @path_skip (path_char @path_skip | path_pct)*) >path_begins %path_ends;
    query = (VCHAR - "#")* $query_skip %query_ends;
    origin_form = absolute_path ("?" @query_begins query)?;
    authority_chars = (unreserved | pct_encoded | sub_delims | [:\[\]])+
                      >authority_begins %authority_ends;
    absolute_form = "http"i "s"i? "://" @absolute authority_chars
                    absolute_path? ("?" @query_begins query)?;
    asterisk_form = "*" @asterisk;
    authority_form = authority_chars >authority;

    # RFC 9112, 3.1: the method says which forms there are.
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

    # RFC 9112, 2.3.  Any HTTP/1.x will do.
    HTTP_version = "HTTP/" ("1." DIGIT @minor | [02-9] @unsupported);
    HTTP2_preface = "PRI *" @unsupported; # RFC 9113, 3.4
    request_line = HTTP2_preface |
                   method_and_target
                   (HTTP_version CR) @err(bad_version)
                   (LF @line_ends) >err(bad_line_end);

    # RFC 9112, 5
    field_line = ((tchar $name_skip)+ >field_begins ":" @name_ends) @err(bad_name)
                 (field_value $value_skip CR @value_ends) @err(bad_value)
                 (LF @line_ends) >err(bad_line_end);

    # RFC 9112, 2.1, 2.2 and 5.2
    main := (CR (LF @line_ends) >err(bad_line_end))?
            request_line
            (field_line* CR | field_line+ (SP | HTAB) @obsolete_fold)
            (LF @complete) >err(bad_line_end);
}%%

%% write data nofinal noentry;

static struct http_span span(const unsigned char *message, const unsigned char *start,
                             const unsigned char *end)
{
    return (struct http_span){(uint32_t)(start - message), (uint32_t)(end - start)};
}

/* The same without OWS at both ends. */
static struct http_span trimmed_span(const unsigned char *message, const unsigned char *start,
                                     const unsigned char *end)
{
    while (start < end && (*start == ' ' || *start == '\t'))
        start++;
    while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    return span(message, start, end);
}

/*
 * Where a head is too long if the line that begins at `line` has not ended.
 * The request line begins at 0, or behind an empty line at 2; no other can.
 */
static uint64_t line_limit(const struct http_limits *limits, uint64_t line)
{
    uint64_t limit = line + (line <= 2 ? limits->start_line : limits->field) + 2;

    return limit < limits->head ? limit : limits->head;
}

static const unsigned char *run_end(const struct http_limits *limits, const unsigned char *message,
                                    size_t length, const unsigned char *line)
{
    uint64_t limit = line_limit(limits, (uint64_t)(line - message));

    return message + (limit < length ? (size_t)limit : length);
}

static enum http_fault length_fault(const struct http_limits *limits, uint64_t line)
{
    if (line_limit(limits, line) == limits->head)
        return HTTP_LONG_HEAD;
    return line <= 2 ? HTTP_LONG_START_LINE : HTTP_LONG_FIELD;
}

static enum http_fault run(struct http_head_parser *parser, const struct http_limits *limits,
                           const unsigned char *message, size_t length,
                           struct http_request *request)
{
    int cs = parser->state;
    uint32_t count = parser->field_count;
    const unsigned char *line = message + parser->start;
    const unsigned char *p = message + parser->position;
    const unsigned char *target = p, *mark = p;
    const unsigned char *pe = run_end(limits, message, length, line);
    const unsigned char *const eof = NULL; /* input only stops here, it never ends */
    enum http_fault fault = HTTP_INCOMPLETE;

    *request = (struct http_request){.message = message, .fields = request->fields};
    %% write exec;
    if (cs == request_error && (*p == '\r' || *p == '\n'))
        return HTTP_BAD_LINE_END;
    parser->position = request->length = (uint32_t)(p - message);
    parser->start = (uint32_t)(line - message);
    parser->field_count = request->field_count = count;
    parser->state = cs;
    if (fault == HTTP_INCOMPLETE && parser->position == line_limit(limits, parser->start))
        return length_fault(limits, parser->start);
    return fault;
}

void http_request_parser_init(struct http_head_parser *parser)
{
    *parser = (struct http_head_parser){.state = request_start};
}

enum http_fault http_request_parse(struct http_head_parser *parser,
                                   const struct http_limits *limits, const unsigned char *message,
                                   size_t length, struct http_request *request)
{
    bool resumed = parser->position != 0;
    enum http_fault fault;

    if (length == parser->position)
        return HTTP_INCOMPLETE;
    fault = run(parser, limits, message, length, request);
    if (fault == HTTP_COMPLETE && resumed) {
        http_request_parser_init(parser);
        fault = run(parser, limits, message, length, request);
    }
    if (fault == HTTP_COMPLETE)
        request->is_head = request->method.length == 4 &&
                           memcmp(message + request->method.start, "HEAD", 4) == 0;
    return fault;
}
