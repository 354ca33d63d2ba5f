/*
 * server: the processes.  A supervisor, which runs no Python, owns the
 * listening sockets and the workers; each worker runs a loop, an http_server
 * and the application.
 */
#ifndef ASYNWSGI_SERVER_H
#define ASYNWSGI_SERVER_H

#include <asynwsgi/http_server.h>
#include <asynwsgi/wsgi.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum server_log_level {
    SERVER_LOG_DEBUG,
    SERVER_LOG_INFO,
    SERVER_LOG_WARNING,
    SERVER_LOG_ERROR,
    SERVER_LOG_CRITICAL
};

/* Their names, "debug" to "critical", NULL last. */
extern const char *const server_log_levels[];

/* Exit statuses of the command. */
enum server_status {
    SERVER_OK = 0,
    SERVER_FAILED = 1,            /* anything else: an address that is in use, say */
    SERVER_USAGE = 2,             /* the command line, a value in it */
    SERVER_BOOT_FAILED = 3,       /* a worker could not boot */
    SERVER_APPLICATION_FAILED = 4 /* the application could not be loaded */
};

struct server_options {
    const char *const *binds; /* HOST:PORT, [V6]:PORT, unix:PATH, unix:@NAME, fd://N; NULL last */
    unsigned workers;         /* 1 to 1,024 */
    int backlog;
    const char *backend;        /* of dispatch; NULL: the default */
    const char *const *targets; /* plug-ins, FILE[:ARGUMENTS] each, NULL last; or NULL */
    const char *access_log;     /* a file, "-" for standard output, NULL: none */
    const char *error_log;      /* a file, "-" or NULL for standard error */
    enum server_log_level log_level;
    uint64_t graceful_timeout; /* nanoseconds a draining worker is given */
    struct http_limits limits;
    struct http_timeouts timeouts;
    size_t memory_budget;     /* bytes that the connections of a worker may hold; 0: any */
    struct wsgi_options wsgi; /* without its log */
};

/*
 * Load the plug-ins and the application in a child, and tell whether it would serve: a
 * server_status.  Nothing is bound.
 */
int server_check(const struct server_options *options);

/*
 * Serve until a signal ends it: gives a server_status.
 *
 * TERM has the requests under way finished, within graceful_timeout; a second
 * one, INT and QUIT end all at once.  What is wrong before anything is served
 * goes to standard error, from then on to the error log.  "Listening at: "
 * stands there, for each address, when all workers are ready.
 */
int server_run(const struct server_options *options);

#ifdef __cplusplus
}
#endif
#endif
