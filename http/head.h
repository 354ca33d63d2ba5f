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

static inline struct http_span span(const unsigned char *message, const unsigned char *start,
                                    const unsigned char *end)
{
    return (struct http_span){(uint32_t)(start - message), (uint32_t)(end - start)};
}

/* The same without OWS at both ends. */
static inline struct http_span trimmed_span(const unsigned char *message,
                                            const unsigned char *start, const unsigned char *end)
{
    while (start < end && (*start == ' ' || *start == '\t'))
        start++;
    while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    return span(message, start, end);
}

/*
 * Where a head is too long if the line that begins at `line` has not ended.
 * The start line begins at 0, or behind an empty line at 2; no other can.
 */
static inline uint64_t line_limit(const struct http_limits *limits, uint64_t line)
{
    uint64_t limit = line + (line <= 2 ? limits->start_line : limits->field) + 2;

    return limit < limits->head ? limit : limits->head;
}

static inline const unsigned char *run_end(const struct http_limits *limits,
                                           const unsigned char *message, size_t length,
                                           const unsigned char *line)
{
    uint64_t limit = line_limit(limits, (uint64_t)(line - message));

    return message + (limit < length ? (size_t)limit : length);
}

/* What a run gives that the machine let go on up to `pe`: more is needed, unless a limit is met. */
static inline enum http_fault limit_fault(const struct http_head_parser *parser,
                                          const struct http_limits *limits)
{
    uint64_t limit = line_limit(limits, parser->start);

    if (parser->position != limit)
        return HTTP_INCOMPLETE;
    if (limit == limits->head)
        return HTTP_LONG_HEAD;
    return parser->start <= 2 ? HTTP_LONG_START_LINE : HTTP_LONG_FIELD;
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
    fault = run(parser, limits, message, length, head);
    if (fault == HTTP_COMPLETE && resumed) {
        *parser = (struct http_head_parser){.state = machine_start};
        fault = run(parser, limits, message, length, head);
    }
    return fault;
}

#endif
