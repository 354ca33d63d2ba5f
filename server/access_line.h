/*
 * A line of the access log, in the combined format:
 *
 *   peer - - [22/Nov/2026:20:15:01 +0000] "request line" status bytes "referer" "user-agent"
 *
 * The status and the bytes are known when the exchange ends, the rest only
 * while its head is there: what stands before them and after them is written
 * first.  Quoted text is escaped, and cut where it is too long.
 */
#ifndef SERVER_ACCESS_LINE_H
#define SERVER_ACCESS_LINE_H

#include <asynwsgi/http.h>
#include <stddef.h>
#include <sys/socket.h>

/* Room for a whole line; a pipe takes it in one piece (PIPE_BUF). */
#define SERVER_ACCESS_LINE 4096

/* "22/Nov/2026:20:15:01 +0000" with its NUL */
#define SERVER_ACCESS_DATE 27
void server_access_date(int64_t seconds_since_epoch, char date[SERVER_ACCESS_DATE]);

/* Up to the status, with the space before it.  `request` may be NULL, and is "-" then. */
size_t server_access_line_before(char *output, const struct sockaddr *peer, const char *date,
                                 const struct http_request *request);

/* The status and the bytes sent.  0, none was sent, is 499, as in nginx. */
size_t server_access_line_result(char *output, unsigned status, uint64_t bytes);

/* From the bytes on, with its line end. */
size_t server_access_line_after(char *output, const struct http_request *request);

#endif
