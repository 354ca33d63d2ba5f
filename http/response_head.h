/*
 * response_head.h: the bytes of a response's head, as a function.
 */
#ifndef HTTP_RESPONSE_HEAD_H
#define HTTP_RESPONSE_HEAD_H

#include <asynwsgi/http.h>

/* How the client learns where the body ends (RFC 9112, 6.3). */
enum response_body {
    RESPONSE_EMPTY,   /* by the status or the method */
    RESPONSE_SIZED,   /* by Content-Length */
    RESPONSE_CHUNKED, /* by the last chunk */
    RESPONSE_CLOSED   /* by the end of the connection */
};

struct response_framing {
    bool to_head;    /* the request's method is HEAD */
    bool to_http_10; /* the client can't read chunks, and must be told of persistence */

    /* Given, and decided on writing: */
    bool persistent;
    int64_t length; /* of the body where it is known, or -1 */
    enum response_body body;
};

/* "Date: ...\r\nServer: ...\r\n", each part perhaps missing. */
struct response_stamp {
    unsigned char *text;
    size_t date_length, server_length;
};

/* Room that suffices for a head. */
size_t http_response_head_room(const struct http_response *response,
                               const struct response_stamp *stamp);

/*
 * Decide the framing and write the head; gives its length, or 0 for a
 * Content-Length that is no number or contradicts another.
 */
size_t http_response_head_write(const struct http_response *response,
                                const struct response_stamp *stamp,
                                struct response_framing *framing, unsigned char *output);

#endif
