/*
 * target: plug-ins.  A shared object that is named by `asynwsgi --target` runs in
 * every worker, beside the application: it adds targets, timers, wakers and signals
 * of <asynwsgi/dispatch.h> to the worker's loop, and may use <asynwsgi/tcpsocket.h>
 * and <asynwsgi/http_server.h>.  All of that is in the command, which it is not
 * linked with.  asynwsgi-target(7) has the rules and a whole plug-in.
 *
 * A plug-in defines the one symbol `asynwsgi_target`:
 *
 *   const struct asynwsgi_target asynwsgi_target = {
 *       .version = ASYNWSGI_TARGET_VERSION, .start = start, .stop = stop};
 *
 *   loaded     in a worker, before the application is
 *   start      the worker has loaded the application, and accepts nobody yet
 *   drain      no new work: the worker is to end when what is under way has
 *   stop       leave the loop; nothing of the plug-in is called any more
 *
 * All are called by the thread of the loop, as its callbacks are, and none of them
 * may block or use Python.
 */
#ifndef ASYNWSGI_TARGET_H
#define ASYNWSGI_TARGET_H

#include <asynwsgi/dispatch.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Of this header and of all that a plug-in may include, dispatch.h, tcpsocket.h,
 * http.h and http_server.h: what is built with them runs in a server of the same number.
 */
#define ASYNWSGI_TARGET_VERSION 1

/* Room for a sentence that says what is wrong. */
#define ASYNWSGI_TARGET_EXPLANATION 512

/* What is below the server's --log-level is not written. */
enum asynwsgi_target_level {
    ASYNWSGI_TARGET_DEBUG,
    ASYNWSGI_TARGET_INFO,
    ASYNWSGI_TARGET_WARNING,
    ASYNWSGI_TARGET_ERROR,
    ASYNWSGI_TARGET_CRITICAL
};

/* The worker that a plug-in runs in.  Valid from `start` until `stop` returns. */
struct asynwsgi_target_worker {
    struct dispatch *loop;
    const char *arguments; /* what stands behind FILE: in --target; "" where nothing does */
    unsigned number;       /* 0 to count - 1; who follows a worker that died has its number */
    unsigned count;        /* of workers */
    /* Write a line to the error log, without its end.  Any thread may. */
    void (*log)(const struct asynwsgi_target_worker *worker, enum asynwsgi_target_level level,
                const char *line);
};

struct asynwsgi_target {
    unsigned version; /* ASYNWSGI_TARGET_VERSION */
    /*
     * Add what the plug-in has to worker->loop, and set *state to what the other
     * functions are to be given.  0, or a negative errno value and, if there is more to
     * say, an explanation: nothing is added then, and the worker ends.
     */
    int (*start)(const struct asynwsgi_target_worker *worker, void **state,
                 char explanation[ASYNWSGI_TARGET_EXPLANATION]);
    /*
     * May be NULL.  The server has been told to finish: accept nothing new, and call
     * `drained` once when nothing is under way any more, from here or later from the
     * loop.  The worker waits for that, within its --graceful-timeout.
     */
    void (*drain)(void *state, void (*drained)(void *context), void *context);
    /*
     * Remove all that was added, end all threads, close and free.  Comes once after a
     * `start` that succeeded, with or without a `drain` before it, and then also if it
     * had not drained.
     */
    void (*stop)(void *state);
};

/* The plug-in's definition, which is found whatever its -fvisibility. */
extern const struct asynwsgi_target asynwsgi_target __attribute__((visibility("default")));

#ifdef __cplusplus
}
#endif
#endif
