/*
 * wsgi: one embedded Python interpreter with one WSGI application (PEP 3333),
 * as a handler of http_server.
 *
 * Everything runs in the thread that made it, which holds the interpreter's
 * lock (GIL) except while the loop waits: Python threads of the application
 * run then.  With more than one of `threads`, the application runs in these,
 * and the thread that made it has the GIL only until wsgi_attach(); the loop,
 * the http_server and all that belongs to them are used by all of them then, so
 * nothing of that may be used outside of the loop's callbacks.
 * There can be one struct wsgi in a process, once.
 */
#ifndef ASYNWSGI_WSGI_H
#define ASYNWSGI_WSGI_H

#include <asynwsgi/dispatch.h>
#include <asynwsgi/http_server.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wsgi;

struct wsgi_options {
    /*
     * "MODULE:OBJECT", "MODULE:FACTORY()" or "MODULE", which tries its
     * `application`, then its `app`.  OBJECT may have dots.
     */
    const char *application;
    bool factory;                   /* call the object to get the application */
    const char *const *python_path; /* put before sys.path, NULL last; or NULL */
    const char *virtual_env;        /* its packages can be imported; or NULL */
    unsigned threads;               /* that run the application; 0, 1: the loop's does */
    size_t queue;                   /* requests that may wait for one of them, and ... */
    uint64_t queue_timeout;         /* ... for how long, in nanoseconds; 0: for ever */
    bool multiprocess;              /* wsgi.multiprocess: there are other workers */
    bool underscores;               /* fields with one in their name are not left out */
    const char *const *streaming;   /* paths where bodies are streamed, NULL last; or NULL */
    size_t input_window;            /* bytes of a streamed body that may be asked for at once */
    size_t body_memory;             /* bytes; a longer body goes to a temporary file */
    const char *body_folder; /* where that is made (unlinked at once); NULL: TMPDIR or /tmp */
    /*
     * Takes a line for the error log: of wsgi.errors, a traceback, a warning.
     * Called with the lock held, by Python threads of the application also; or,
     * with `threads`, by any thread at any time.
     */
    void (*log)(void *context, const char *line, size_t length);
    void *log_context;
    uint64_t switch_interval; /* sys.setswitchinterval(), in nanoseconds; 0: Python's own */
    /*
     * Where a profile of the application is written, and beside it, as FILE.json, where
     * the time went: about each second, and at the end.  NULL: nowhere.
     */
    const char *profile;
};

/* Phases of a thread that is measured: Python code of the application runs. */
enum {
    WSGI_PHASE_APPLICATION = HTTP_PHASES,
    WSGI_PHASES
};

/* The version built against, "3.11". */
extern const char wsgi_python_version[];

/* Room for a sentence that says what is wrong. */
#define WSGI_EXPLANATION 512

/*
 * Whether `folder` is a virtual environment of this Python's version.
 * -ENOENT: it is none; -EINVAL: of another version, which is named.
 */
int wsgi_virtual_env_check(const char *folder, char explanation[WSGI_EXPLANATION]);

/*
 * Whether a profile can be written to that file, which is left as it is.  A negative
 * errno value: it can't be, for the reason that is given.
 */
int wsgi_profile_check(const char *file, char explanation[WSGI_EXPLANATION]);

/*
 * Start the interpreter.  The options are used until wsgi_free().  The current
 * folder is put first on sys.path.  What is wrong goes to the log.
 *
 * SIGPIPE and SIGXFSZ are ignored from here on.  Other signals stay the
 * caller's, but Python takes SIGINT, to raise KeyboardInterrupt, when a module
 * imports `signal` and finds it in its default disposition.
 */
int wsgi_new(const struct wsgi_options *options, struct wsgi **wsgi);

/*
 * Import the application.  -ENOENT when it cannot be had: its traceback or a
 * line that names what is missing is in the log then.
 */
int wsgi_load(struct wsgi *wsgi);

/*
 * Serve in this loop, which is that of the http_server: from now on the lock is
 * let go of while it waits.  NULL: no longer; due before the loop is freed, and
 * part of wsgi_free().  With a profile, the loop is measured, too: so what else is
 * made for it is to be made after this.  -ENOMEM, -EMFILE, -ENFILE, -EAGAIN; -EINVAL:
 * Python has no profiler, as the log says.
 *
 * NULL with threads gives them half a second to come back from the application.  -EBUSY:
 * they did not, and nothing is left to do but to try again, or _exit().
 */
int wsgi_attach(struct wsgi *wsgi, struct dispatch *loop);

/* The handler for http_server_options, whose context is the struct wsgi. */
extern const struct http_handler wsgi_handler;

/*
 * Finalize the interpreter (atexit functions run).  No exchange may be under
 * way.  NULL is harmless.
 */
void wsgi_free(struct wsgi *wsgi);

#ifdef __cplusplus
}
#endif
#endif
