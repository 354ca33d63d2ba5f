/*
 * A worker: the process that runs the application, forked by the supervisor,
 * from which it has everything it does not open itself.
 */
#ifndef SERVER_WORKER_H
#define SERVER_WORKER_H

#include "listeners.h"
#include "log.h"

#include <asynwsgi/server.h>

/* What the supervisor has prepared. */
struct server_setup {
    const struct server_options *options;
    struct server_log log;
    int access_fd; /* -1: none */
    struct server_listeners listeners;
};

/*
 * Load the plug-ins and the application, and serve from this slot's sockets, until a signal
 * or the supervisor's death ends it; gives the status to exit with.
 *
 * `lifeline` is connected with the supervisor: the worker sends a byte when it
 * has booted, and drains when the other end is gone.
 */
enum server_status server_worker_run(struct server_setup *setup, unsigned slot, int lifeline);

/* Load the plug-ins and the application, and no more. */
enum server_status server_worker_try(const struct server_options *options,
                                     const struct server_log *log);

#endif
