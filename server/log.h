/*
 * The error log:
 *
 *   2026-11-22 20:15:01 +0000 [4711] [info] Listening at: http://127.0.0.1:8000
 *
 * Each line is one write(2) to a descriptor that appends, so that the lines of
 * all processes stay whole.  Lines that cannot be written are lost.
 */
#ifndef SERVER_LOG_H
#define SERVER_LOG_H

#include <asynwsgi/server.h>

struct server_log {
    int fd;
    enum server_log_level level; /* what is below is not written */
};

#define SERVER_LOG_FORMAT __attribute__((format(printf, 3, 4)))

/* A message of one line. */
void server_log_print(const struct server_log *log, enum server_log_level level, const char *format,
                      ...) SERVER_LOG_FORMAT;

/*
 * Text of others.  Its control characters are escaped, a line end included; a
 * very long line becomes several.
 */
void server_log_text(const struct server_log *log, enum server_log_level level, const char *text,
                     size_t length);

/* Open a log to append to; "-" is `standard`, one of the standard descriptors. */
int server_log_open(const char *file, int standard, int *fd);

/* Harmless on a standard descriptor. */
void server_log_close(int fd);

/* Write it all, unless that would block or fails. */
void server_log_write(int fd, const char *data, size_t length);

#endif
