/*
 * head: what the machines for the heads of requests and responses share beside
 * their rules, which are in head.rl.
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
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <asynwsgi/http.h>

#include "plain.h"

static inline struct http_span span(const unsigned char *message, const unsigned char *start,
                                    const unsigned char *end)
{
    return (struct http_span){(uint32_t)(start - message), (uint32_t)(end - start)};
}

/*
 * A value without OWS at both ends, where a colon is in front of it and a CR
 * behind.  What is in a value and not above SP is that.
 */
static inline struct http_span trimmed_span(const unsigned char *message,
                                            const unsigned char *start, const unsigned char *end)
{
    while (start < end && *start <= ' ')
        start++;
    while (end[-1] <= ' ' && end > start)
        end--;
    return span(message, start, end);
}

/* The start line begins at 0, or behind an empty line at 2; no other can. */
static inline bool in_start_line(const struct http_head_parser *parser)
{
    return parser->start <= 2;
}

/* How long the line at hand may be, without its CRLF. */
static inline uint32_t line_limit(const struct http_head_parser *parser,
                                  const struct http_limits *limits)
{
    return in_start_line(parser) ? limits->start_line : limits->field;
}

/* The end of what there is of a head, or may be. */
static inline const unsigned char *head_end(const struct http_limits *limits,
                                            const unsigned char *message, size_t length)
{
    return message + (limits->head < length ? limits->head : length);
}

/* Where a line must have ended, or what there is does. */
static inline const unsigned char *line_end(const unsigned char *line, const unsigned char *end,
                                            uint32_t limit)
{
    return end - line > (int64_t)limit + 2 ? line + limit + 2 : end;
}

/* What a run gives that the machine let go on up to `pe`: more is needed, unless a limit is met. */
static inline enum http_fault limit_fault(const struct http_head_parser *parser,
                                          const struct http_limits *limits)
{
    if (parser->position == limits->head)
        return HTTP_LONG_HEAD;
    if (parser->position != (uint64_t)parser->start + line_limit(parser, limits) + 2)
        return HTTP_INCOMPLETE;
    return in_start_line(parser) ? HTTP_LONG_START_LINE : HTTP_LONG_FIELD;
}

/*
 * Reads a head by one run, or a second from the machine's start, as told above.
 * `run` goes on from where the parser is to what there is, or the head's end.
 */
static inline enum http_fault
read_head(enum http_fault (*run)(struct http_head_parser *, const struct http_limits *,
                                 const unsigned char *, size_t, void *),
          int machine_start, struct http_head_parser *parser, const struct http_limits *limits,
          const unsigned char *message, size_t length, void *head)
{
    bool resumed = parser->position != 0;
    enum http_fault fault;

    if (length == parser->position)
        return HTTP_INCOMPLETE;
    while ((fault = run(parser, limits, message, length, head)) == HTTP_COMPLETE && resumed) {
        *parser = (struct http_head_parser){.state = machine_start};
        resumed = false;
    }
    return fault;
}

#endif
