/* What there is one of: the interpreter's side of struct wsgi. */
#ifndef WSGI_STATE_H
#define WSGI_STATE_H

#include "addresses.h"
#include "head.h"
#include "model.h"
#include "names.h"
#include "types.h"
#include "values.h"
#include "wait.h"

#include <asynwsgi/wsgi.h>

struct wsgi_pool;
struct wsgi_profile;

enum {
    WSGI_FILE_TYPES = 3
};

struct wsgi_queue {
    struct wsgi_request *first, **end; /* the first, and where the next goes */
    size_t count;
};

struct wsgi {
    const struct wsgi_options *options;
    PyObject *module; /* asynwsgi, which has ... */
    const struct wsgi_types *types;
    PyObject *errors;                      /* wsgi.errors of all requests */
    PyObject *file_types[WSGI_FILE_TYPES]; /* of io, for send_file.c */
    struct wsgi_model template;            /* the environ of a request of which nothing is known */
    PyObject *application;                 /* NULL before wsgi_load() */
    bool streams;                          /* it asks for bodies as they come */
    PyObject *context; /* contextvars.Context of which each request has a copy */
    struct wsgi_names names;
    struct wsgi_values values;
    struct wsgi_addresses addresses;
    struct wsgi_model models[WSGI_MODELS]; /* by section */
    struct wsgi_head spare_head;           /* for wsgi_head_set() */
    struct wsgi_request *free; /* request objects for the next requests; under the loop's lock */
    unsigned free_count;
    struct dispatch *loop;           /* NULL: not attached */
    struct dispatch_timer turn;      /* goes on, in the next turn, with ... */
    struct wsgi_queue waiting;       /* ... those that others came before */
    struct wsgi_request *going_on;   /* the one whose turn it is */
    uint64_t turn_began, turn_spent; /* nanoseconds: what has gone on in this turn took so long */
    struct wsgi_waits set;           /* whose event was set */
    struct dispatch_waker waker;     /* for that, when another thread did it */
    PyThreadState *released;         /* while the loop waits, unless ... */
    bool keeps_lock;                 /* ... it does so with the interpreter's lock, until ... */
    struct dispatch_timer rest;      /* ... this fires, so long after the last request */
    uint64_t keeps_for;
    unsigned long thread; /* the loop's */
    /* PyContext_Enter() and PyContext_Exit(), or the same for a profile, around Python code. */
    int (*enter)(PyObject *context);
    int (*leave)(PyObject *context);
    struct wsgi_profile *profile; /* or NULL */
    struct wsgi_pool *pool;       /* threads that run the application; NULL: the loop's */
};

/* -- wsgi.c --------------------------------------------------------------- */

/* A request has come: the loop is busy. */
void wsgi_keep_lock(struct wsgi *wsgi);

/* -- interpreter.c, load.c ------------------------------------------------ */

/* Start Python; what is wrong is logged.  -EINVAL. */
int wsgi_interpreter_start(struct wsgi *wsgi);

/*
 * To be called where the application returns or raises.  In a process that it
 * forked, and that should have ended there, this is the end: it would serve the
 * parent's connections beside it.
 */
void wsgi_end_fork(const struct wsgi *wsgi);

/*
 * Run the handlers that the application has for signals that came: in Python's main
 * thread, which is the loop's.
 */
void wsgi_run_signal_handlers(const struct wsgi *wsgi);

/* -- traceback.c: the log ------------------------------------------------- */

/* Log a line, made as printf does; a long one is cut. */
__attribute__((format(printf, 2, 3))) void wsgi_log(const struct wsgi *wsgi, const char *format,
                                                    ...);

/* Log the lines of a str.  -1 with an exception. */
int wsgi_log_text(const struct wsgi *wsgi, PyObject *text);

/*
 * Log the exception at hand with its traceback, after the line `title` where there is one,
 * and be done with it.
 */
void wsgi_log_exception(const struct wsgi *wsgi, const char *title);

#endif
