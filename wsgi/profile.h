/*
 * A profile: what the application did, by Python's own profiler, and where the
 * time of each thread went.
 *
 * A thread that runs the application has a profiler, which is enabled around its
 * Python code only: by wsgi->enter and wsgi->leave.  Where the loop runs it, a
 * timer has the files written.  With a pool the loop has no business with Python, so
 * there is a thread for that.
 */
#ifndef WSGI_PROFILE_H
#define WSGI_PROFILE_H

#include "python.h"

#include <asynwsgi/phases.h>
#include <asynwsgi/wsgi.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wsgi;

struct wsgi_profiled {
    struct wsgi_profile *profile;
    struct dispatch_phases phases;
    PyObject *profiler; /* _lsprof.Profiler; NULL: it is not profiled, as the loop with a pool */
    bool enabled;
    bool unclosed; /* another took its place: it does not know yet that its calls are over */
};

struct wsgi_profile {
    struct wsgi *wsgi;
    PyObject *make;        /* _lsprof.Profiler */
    PyObject *get_present; /* sys.getprofile() */
    PyObject *collector;   /* the module gc */
    PyObject *join;        /* entries of profilers to what the module pstats reads, or None */
    uint64_t began, requests;
    bool changed; /* since it was last written */
    bool told;    /* that it cannot be written */
    bool refused; /* it was told that a profiler was */
    struct dispatch_timer timer;

    bool has_writer; /* the thread, which writes with a pool */
    pthread_t writer;
    pthread_mutex_t lock; /* of these two: */
    bool ending, ended;
    pthread_cond_t news; /* one of them was set */

    unsigned count; /* of threads that are measured; the first is the loop's */
    struct wsgi_profiled threads[];
};

/* Begin, for wsgi->loop; with a failure, what is wrong with Python is logged. */
int wsgi_profile_start(struct wsgi *wsgi);

/* The calling thread, one of the pool's, is going to run the application. */
void wsgi_profile_join(struct wsgi_profile *profile);

/* The application is called. */
void wsgi_profile_count(struct wsgi_profile *profile);

/*
 * Write it for the last time, and be done with it.  Without the GIL, since threads do not come
 * back from the application, the last is tried for a moment.
 */
void wsgi_profile_end(struct wsgi *wsgi, bool has_lock);

/* -- profile_stats.c: the profilers ---------------------------------------- */

/* -1 with an exception. */
int wsgi_profile_stats_init(struct wsgi_profile *profile);
void wsgi_profile_stats_fini(struct wsgi_profile *profile);

/* Around Python code of the application; an exception at hand stays so. */
void wsgi_profile_stats_begin(struct wsgi_profiled *thread);
void wsgi_profile_stats_end(struct wsgi_profiled *thread);

/* What all threads did, as bytes for a file; None: nothing yet.  NULL with an exception. */
PyObject *wsgi_profile_stats_join(const struct wsgi_profile *profile);

/* -- profile_file.c -------------------------------------------------------- */

/* Write both files anew.  The second needs the GIL.  A negative errno value. */
int wsgi_profile_write_phases(const struct wsgi_profile *profile);
int wsgi_profile_write_stats(const struct wsgi_profile *profile);

#endif
