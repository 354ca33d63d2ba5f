/*
 * The plug-ins of a worker: loaded, started, drained, stopped.
 */
#ifndef SERVER_TARGETS_H
#define SERVER_TARGETS_H

#include "log.h"

#include <asynwsgi/target.h>

struct server_target;

/* All zero before it is loaded. */
struct server_targets {
    const struct server_log *log;
    struct server_target *items;
    size_t count;
    size_t started;  /* the first so many */
    size_t draining; /* of them, those that have not drained */
    void (*drained)(void *context);
    void *context;
};

/*
 * Load them; `options` are "FILE[:ARGUMENTS]", NULL last, or NULL.  What is wrong is
 * in the log; -ENOMEM, -EINVAL.
 */
int server_targets_load(struct server_targets *targets, const char *const *options,
                        const struct server_log *log);

/*
 * Start them in this loop, in their order.  What is wrong is in the log; the error of
 * the first that does not start.
 */
int server_targets_start(struct server_targets *targets, struct dispatch *loop, unsigned number,
                         unsigned count);

/* Have them finish; `drained` is called once, perhaps from here, when all have. */
void server_targets_drain(struct server_targets *targets, void (*drained)(void *context),
                          void *context);

/* Stop those that were started, the last first, and let go of all. */
void server_targets_stop(struct server_targets *targets);

#endif
