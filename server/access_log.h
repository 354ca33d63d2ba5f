/*
 * The access log of a worker: an observer of its http_server.
 *
 * The lines of one turn of the loop are one write(2), or several when they are
 * more than a pipe takes in one piece.  So a line is there as soon as the
 * worker has nothing else to do, and a busy worker makes few system calls.
 */
#ifndef SERVER_ACCESS_LOG_H
#define SERVER_ACCESS_LOG_H

#include "access_line.h"

#include <asynwsgi/dispatch.h>
#include <asynwsgi/http_server.h>

struct server_access_record;

struct server_access_log {
    int fd;
    struct dispatch_timer flush;
    struct server_access_record *unused;
    int64_t date_second; /* of `date`, which is made once a second */
    char date[SERVER_ACCESS_DATE];
    size_t length; /* of the lines that wait in `buffer` */
    char buffer[SERVER_ACCESS_LINE];
};

/* Whose observer context is the log. */
extern const struct http_observer server_access_observer;

/* The descriptor stays the caller's.  -ENOMEM. */
int server_access_log_init(struct server_access_log *log, struct dispatch *loop, int fd);

/* Write what waits.  No exchange may be under way. */
void server_access_log_fini(struct server_access_log *log);

#endif
