/*
 * http: HTTP/1.1 messages as functions from bytes to results (RFC 9110 and
 * RFC 9112).  Nothing here does I/O; <asynwsgi/http_server.h> does.
 *
 * Parsers may be given a message in any pieces and resume where they stopped.
 * They never copy: what they find are spans, offsets from the start of the
 * message, so that its buffer may move.  They are stricter than the RFC lets
 * them be: what two servers could read differently is refused.
 */
#ifndef ASYNWSGI_HTTP_H
#define ASYNWSGI_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* -- Results -------------------------------------------------------------- */

/* What a parser says: the first two are no faults, the others name the rule broken. */
enum http_fault {
    HTTP_COMPLETE,
    HTTP_INCOMPLETE, /* right so far; more is needed */
    HTTP_BAD_METHOD,
    HTTP_BAD_TARGET,          /* also: a broken triplet or "%00" in a path */
    HTTP_BAD_VERSION,         /* not an HTTP/ version: 400 */
    HTTP_UNSUPPORTED_VERSION, /* a major version other than 1: 505 */
    HTTP_BAD_LINE_END,        /* bare CR, bare LF, a line that ends too early */
    HTTP_BAD_FIELD_NAME,      /* empty, not a token, white space before it or the colon */
    HTTP_BAD_FIELD_VALUE,     /* a control character */
    HTTP_OBSOLETE_FOLD,
    HTTP_LONG_START_LINE,         /* 414 */
    HTTP_LONG_FIELD,              /* 431 */
    HTTP_MANY_FIELDS,             /* 431 */
    HTTP_LONG_HEAD,               /* 431 */
    HTTP_BAD_HOST,                /* missing, repeated, malformed */
    HTTP_BAD_CONTENT_LENGTH,      /* a list, repeated, malformed, above INT64_MAX */
    HTTP_BAD_TRANSFER_ENCODING,   /* a list, repeated, malformed, in HTTP/1.0 */
    HTTP_UNKNOWN_TRANSFER_CODING, /* 501 */
    HTTP_AMBIGUOUS_LENGTH,        /* Content-Length and Transfer-Encoding */
    HTTP_UNKNOWN_EXPECTATION,     /* 417 */
    HTTP_REPEATED_FIELD,          /* one that may stand only once: see http_request_frame() */
    HTTP_LONG_BODY,               /* 413 */
    HTTP_BAD_CHUNK_SIZE,          /* also: above 16 digits, or INT64_MAX with those before it */
    HTTP_BAD_CHUNK_EXTENSION,
    HTTP_LONG_CHUNK_EXTENSION,
    HTTP_BAD_CHUNK_END, /* chunk data not followed by CRLF */
    HTTP_BAD_TRAILER,
    HTTP_LONG_TRAILER,
    HTTP_BAD_STATUS_LINE, /* of a response; the version has faults of its own */
    HTTP_FAULTS
};

/*
 * The status that answers a fault (4xx, 5xx), and what is wrong, for a log or
 * the client; of a limit, with the name of the server's option that sets it.
 */
unsigned http_fault_status(enum http_fault fault);
const char *http_fault_text(enum http_fault fault);

/* The phrase for a status code (RFC 9110, 15), "Unknown" where there is none. */
const char *http_reason(unsigned status);

/* Bytes or counts, the largest allowed; tested while parsing. */
struct http_limits {
    uint32_t start_line;      /* without its CRLF */
    uint32_t field;           /* one field line, without its CRLF */
    uint32_t fields;          /* number of field lines, HTTP_FIELDS_MAX at most */
    uint32_t head;            /* start line and all field lines, CRLFs included */
    uint32_t chunk_extension; /* of one chunk; of all, beyond the bytes of data they came with */
    uint32_t trailer;         /* all trailer fields, CRLFs of their lines included */
    uint64_t body;            /* content; 0: unlimited */
};

#define HTTP_FIELDS_MAX 1000
extern const struct http_limits http_limits_default;

/* -- The head of a request ------------------------------------------------ */

/* Bytes of a message, counted from its first. */
struct http_span {
    uint32_t start, length;
};

/* The field names that the protocol itself acts on. */
enum http_field_name {
    HTTP_FIELD_OTHER,
    HTTP_FIELD_AUTHORIZATION,
    HTTP_FIELD_CONNECTION,
    HTTP_FIELD_CONTENT_LENGTH,
    HTTP_FIELD_CONTENT_RANGE,
    HTTP_FIELD_CONTENT_TYPE,
    HTTP_FIELD_DATE,
    HTTP_FIELD_EXPECT,
    HTTP_FIELD_HOST,
    HTTP_FIELD_IF_MODIFIED_SINCE,
    HTTP_FIELD_IF_RANGE,
    HTTP_FIELD_IF_UNMODIFIED_SINCE,
    HTTP_FIELD_KEEP_ALIVE,
    HTTP_FIELD_PROXY_AUTHENTICATE,
    HTTP_FIELD_PROXY_AUTHORIZATION,
    HTTP_FIELD_PROXY_CONNECTION,
    HTTP_FIELD_RANGE,
    HTTP_FIELD_SERVER,
    HTTP_FIELD_TE,
    HTTP_FIELD_TRAILER,
    HTTP_FIELD_TRANSFER_ENCODING,
    HTTP_FIELD_UPGRADE
};

/* Which of these a name is, in any case of its letters. */
enum http_field_name http_field_name(const unsigned char *name, size_t length);

/* Whether it is meant for one connection only (RFC 9110, 7.6.1; PEP 3333). */
bool http_field_is_hop_by_hop(enum http_field_name name);

/* field-name and field-content of RFC 9110, 5.1 and 5.5 (obs-text allowed). */
bool http_field_name_valid(const unsigned char *name, size_t length);
bool http_field_value_valid(const unsigned char *value, size_t length);

struct http_field {
    struct http_span name, value; /* value without white space around it */
    enum http_field_name known;
};

/* RFC 9112, 3.2 */
enum http_target_form {
    HTTP_TARGET_ORIGIN,
    HTTP_TARGET_ABSOLUTE,  /* of the schemes http and https */
    HTTP_TARGET_AUTHORITY, /* CONNECT only */
    HTTP_TARGET_ASTERISK   /* OPTIONS only */
};

/*
 * A parsed head; `message` is where the parser was told its bytes are.  A span
 * with length 0 is absent or empty.  The path of an absolute-form without one
 * is "/": the last of its "://".
 */
struct http_request {
    const unsigned char *message;
    uint32_t length; /* of the whole head, the empty line included */
    struct http_span method, target;
    struct http_span authority; /* of absolute-form and authority-form */
    struct http_span path;      /* of origin-form and absolute-form, still percent-encoded */
    struct http_span query;     /* without the "?" */
    enum http_target_form form;
    uint8_t minor; /* of the version HTTP/1.x */
    bool is_head;  /* the method is HEAD */
    uint32_t field_count;
    struct http_field *fields; /* the caller's, room for limits->fields */
    /*
     * From an http_server: requests that have the same number have the same bytes from
     * their first field on.  Its low bits differ the most.  0: nothing is known of that.
     */
    uint64_t section;
};

/* Where a parser stands in a head, of a request or a response, that has not arrived whole. */
struct http_head_parser {
    uint32_t position;    /* bytes read */
    uint32_t start;       /* of the line at hand */
    uint32_t field_count; /* seen so far */
    int state;
};

void http_request_parser_init(struct http_head_parser *parser);

/*
 * Parse a head that lies whole or in part in `message`, which begins with the
 * same bytes at every call and has more of them.  `request` and its fields mean
 * nothing before HTTP_COMPLETE; nothing of them is kept from call to call.
 * Work is linear in the bytes of the head however it is cut.  One empty line
 * before the request line is skipped (RFC 9112, 2.2).  After a fault or
 * HTTP_COMPLETE the parser is not called again before http_request_parser_init().
 */
enum http_fault http_request_parse(struct http_head_parser *parser,
                                   const struct http_limits *limits, const unsigned char *message,
                                   size_t length, struct http_request *request);

/* -- The head of a response, for those who receive one -------------------- */

/* As struct http_request is for a request. */
struct http_response_head {
    const unsigned char *message;
    uint32_t length;         /* of the whole head, the empty line included */
    struct http_span reason; /* as sent; empty or absent: length 0 */
    uint16_t status;         /* 100 to 999 */
    uint8_t minor;           /* of the version HTTP/1.x */
    uint32_t field_count;
    struct http_field *fields; /* the caller's, room for limits->fields */
};

void http_response_parser_init(struct http_head_parser *parser);

/*
 * As http_request_parse(), with HTTP_BAD_STATUS_LINE for what stands between the
 * version and the CR of the status line.  That line may end right behind the
 * status, as many servers send it (RFC 9112, 4, wants a space there).  No empty
 * line is skipped, and a folded field line is a fault, though a client may unfold
 * it (5.2 there).
 */
enum http_fault http_response_parse(struct http_head_parser *parser,
                                    const struct http_limits *limits, const unsigned char *message,
                                    size_t length, struct http_response_head *response);

/* -- How a message is framed (RFC 9112, 6 and 9) -------------------------- */

enum http_body {
    HTTP_BODY_NONE,
    HTTP_BODY_SIZED,
    HTTP_BODY_CHUNKED,
    HTTP_BODY_CLOSED /* of a response: up to the end of the connection */
};

struct http_framing {
    enum http_body body;
    uint64_t length; /* of a sized body; may be 0 */
    bool persistent; /* the connection may carry another request */
    bool expects_continue;
};

/*
 * Decide it, and check Host and the authority of the target, which comes before
 * Host but does not replace it (RFC 9112, 3.2).  An empty Host is let through
 * (3.3 there).  Faults: HTTP_BAD_HOST and those after it up to HTTP_LONG_BODY.
 *
 * These fields are refused when they stand twice, be the values equal or not:
 * Host, Content-Length and Transfer-Encoding by the faults of their names;
 * Authorization, Content-Range, Content-Type, If-Modified-Since, If-Range,
 * If-Unmodified-Since, Proxy-Authorization and Range by HTTP_REPEATED_FIELD.
 * The lines of all others are one list (RFC 9110, 5.3).
 */
enum http_fault http_request_frame(const struct http_request *request,
                                   const struct http_limits *limits, struct http_framing *framing);

/*
 * The same for a response; `to_head`: to a HEAD request.  A 1xx has no body, and
 * another response follows it, but for 101: what follows that is not HTTP, so it
 * does not count as persistent.  What a response to CONNECT is followed by is not
 * told here.  HTTP_BODY_CLOSED is never persistent; limits->body is the reader's
 * to keep then.  Faults: as above, but for Host and Expect; a response that has
 * no body whatever its fields say (RFC 9112, 6.3) has those faults too, and is
 * never too long.
 */
enum http_fault http_response_frame(const struct http_response_head *response, bool to_head,
                                    const struct http_limits *limits, struct http_framing *framing);

/* -- Chunked transfer coding (RFC 9112, 7.1) ------------------------------ */

struct http_chunked {
    uint64_t size;      /* of the chunk at hand */
    uint64_t remaining; /* data bytes of it to come */
    uint64_t total;     /* data bytes of all chunks announced so far */
    uint32_t counted;   /* bytes of extensions that data has not made up for, or of the trailer */
    uint8_t digits;     /* of the size */
    uint8_t state;
};

/* What one step over the input gave. */
struct http_piece {
    size_t consumed;           /* bytes of input done with */
    const unsigned char *data; /* body bytes, within the input ... */
    size_t length;             /* ... and their number, which may be 0 */
    uint64_t chunk_size;       /* of the chunk the data is of */
    bool chunk_begins;         /* this is the first of its data */
    /* Of the trailer section's field lines, their CRLFs included; a piece has these or data. */
    const unsigned char *trailer;
    size_t trailer_length;
};

void http_chunked_init(struct http_chunked *chunked);

/*
 * Take one step: over framing, up to and including the next run of data.
 * HTTP_INCOMPLETE with consumed < length: call again with the rest.
 * HTTP_COMPLETE: the trailer section has ended; what follows is the next
 * message.  The last chunk has no data.  Trailer fields are checked, and handed
 * on as they came, for whoever knows what they mean: they are not to be merged
 * into the head (RFC 9110, 6.5.1).
 */
enum http_fault http_chunked_parse(struct http_chunked *chunked, const struct http_limits *limits,
                                   const unsigned char *input, size_t length,
                                   struct http_piece *piece);

/*
 * Fields of a trailer section, one after the other: of the field lines of all
 * its pieces behind each other, which http_chunked_parse() went over.  The spans
 * of `field` are offsets in them.  `position` is 0 at first; false: no line is
 * left that is whole.
 */
bool http_trailer_next(const unsigned char *trailer, size_t length, size_t *position,
                       struct http_field *field);

/* Room for the line that begins a chunk; writes it and gives its length. */
#define HTTP_CHUNK_LINE 18
size_t http_chunk_line(unsigned char line[HTTP_CHUNK_LINE], uint64_t size);

/* -- Targets -------------------------------------------------------------- */

/*
 * Percent-decode (RFC 3986, 2.1) into `output`, which may be `input` itself
 * and needs room for `length` bytes; gives the length.  Broken triplets stay
 * as they are.  A path that the parser let through holds none, and no "%00".
 */
size_t http_percent_decode(const unsigned char *input, size_t length, unsigned char *output);

/* -- The head of a response ----------------------------------------------- */

/* A field to send, in the caller's memory; valid by the functions above. */
struct http_header {
    const unsigned char *name, *value;
    uint32_t name_length, value_length;
};

/*
 * Fields as the lines they are sent as, their CRLFs included: from who sends the
 * same ones often.  They are valid, and none is Content-Length or hop-by-hop.
 */
struct http_lines {
    const unsigned char *bytes;
    uint32_t length;
    bool has_date, has_server; /* there are such fields among them */
    int64_t content_length;    /* a field beside them; -1: none */
};

struct http_response {
    unsigned status;
    const unsigned char *status_text; /* "200 OK": the code and the phrase */
    uint32_t status_length;
    uint32_t header_count;
    const struct http_header *headers;
    const struct http_lines *lines; /* before these headers; NULL: none */
};

/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7); from 1970 to the year 9999 */
#define HTTP_DATE 29
void http_date_format(int64_t seconds_since_epoch, char date[HTTP_DATE]);

#ifdef __cplusplus
}
#endif
#endif
