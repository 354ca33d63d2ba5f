/*
 * What an iterable is suspended for.
 *
 * A call by the application registers a wait, and gives b"" for the iterable to
 * yield; when an empty item comes out of it, whatever middleware it went
 * through, the wait is begun.  A wait is over by its cause or its time-out, or
 * because the client leaves, which ends the request.
 */
#ifndef WSGI_WAIT_H
#define WSGI_WAIT_H

#include "python.h"

#include <asynwsgi/dispatch.h>
#include <stdbool.h>
#include <stdint.h>

struct wsgi;
struct wsgi_request;

enum wsgi_wait_kind {
    WSGI_WAIT_NONE,
    WSGI_WAIT_INPUT, /* `wanted` bytes of the body, or its end */
    WSGI_WAIT_DESCRIPTOR,
    WSGI_WAIT_EVENT,
    WSGI_WAIT_TIME /* the time-out alone */
};

/* Waits in the order in which they came. */
struct wsgi_waits {
    struct wsgi_wait *first, *last;
};

/* All zero but for `request` at first. */
struct wsgi_wait {
    struct wsgi_request *request;
    enum wsgi_wait_kind kind;
    bool begun;       /* and not over */
    bool timed_out;   /* the last one was */
    uint64_t timeout; /* nanoseconds; DISPATCH_NEVER: none */
    union {
        size_t wanted;
        struct {
            int fd;
            unsigned events;
        };
    };
    PyObject *event; /* owned, until it is forgotten: the loop's thread may not let go of it */
    struct wsgi_waits
        *list; /* EVENT: of those that wait for it, or those for which it came; or NULL */
    struct wsgi_wait *next, *previous;
    struct dispatch_target target;
    struct dispatch_timer timer;
};

/*
 * Register a wait of this kind for the request that the calling thread runs; it takes
 * the place of one that is registered already.  What is particular to the kind is for
 * the caller to fill in.  NULL with RuntimeError where there is no such request.
 */
struct wsgi_wait *wsgi_wait_register(enum wsgi_wait_kind kind, uint64_t timeout);

/* Register nothing any more: one that has not begun, or is over. */
void wsgi_wait_forget(struct wsgi_wait *wait);

/*
 * The registered wait begins: wsgi_resume() when it is over.  For want of memory it is
 * over at once, without that.  Under the loop's lock, like its end.
 */
void wsgi_wait_begin(struct wsgi_wait *wait);

/* It is over.  Harmless when it has not begun. */
void wsgi_wait_end(struct wsgi_wait *wait);

/* Put a registered wait into its event's list.  Under the loop's lock. */
void wsgi_waits_join(struct wsgi_waits *waits, struct wsgi_wait *wait);

/* The event came for all in the list, which is empty then.  By any thread that runs Python. */
void wsgi_waits_set(struct wsgi *wsgi, struct wsgi_waits *waits);

/* Those in wsgi->set go on. */
void wsgi_waits_go_on(struct wsgi *wsgi);

/*
 * An optional argument: seconds, None for no time-out.  -1 with TypeError or
 * ValueError.  It runs Python code.
 */
int wsgi_wait_timeout(PyObject *seconds, uint64_t *timeout);

#endif
