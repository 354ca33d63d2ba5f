#include "profile.h"

#include "state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Nanoseconds: between one writing and the next ... */
static const uint64_t second = 1000000000;

/* ... and for the last one, while threads do not come back from the application. */
static const uint64_t patience = 500000000;

/* From then on it is one for all threads, and takes the calls of one for those of another. */
static const bool tells_threads_apart = PY_VERSION_HEX < 0x030C0000;

static _Thread_local struct wsgi_profiled *measured;

/* -- Around the application ------------------------------------------------- */

static int enter(PyObject *context)
{
    int r = PyContext_Enter(context);

    if (r < 0)
        return r;
    __atomic_store_n(&measured->profile->changed, true, __ATOMIC_RELAXED);
    wsgi_profile_stats_begin(measured);
    dispatch_phase(WSGI_PHASE_APPLICATION);
    return 0;
}

static int leave(PyObject *context)
{
    dispatch_phase(DISPATCH_PHASE_OTHER);
    wsgi_profile_stats_end(measured);
    return PyContext_Exit(context);
}

void wsgi_profile_count(struct wsgi_profile *profile)
{
    __atomic_fetch_add(&profile->requests, 1, __ATOMIC_RELAXED);
}

/* -- Writing ---------------------------------------------------------------- */

static void tell(struct wsgi_profile *profile, int error)
{
    if (error < 0 && !profile->told)
        wsgi_log(profile->wsgi, "cannot write the profile %s: %s", profile->wsgi->options->profile,
                 strerror(-error));
    profile->told |= error < 0;
}

/* Without the GIL what needs none is written all the same. */
static void write_all(struct wsgi_profile *profile, bool has_lock)
{
    PyGILState_STATE state = PyGILState_LOCKED;

    __atomic_store_n(&profile->changed, false, __ATOMIC_RELAXED);
    tell(profile, wsgi_profile_write_phases(profile));
    if (!has_lock)
        state = PyGILState_Ensure();
    tell(profile, wsgi_profile_write_stats(profile));
    if (!has_lock)
        PyGILState_Release(state);
}

static void fired(struct dispatch_timer *timer)
{
    struct wsgi_profile *profile =
        (struct wsgi_profile *)(void *)((char *)timer - offsetof(struct wsgi_profile, timer));

    if (profile->changed)
        write_all(profile, true);
    dispatch_timer_set(timer, dispatch_clock() + second);
}

/* -- Writing, where there is a pool ------------------------------------------ */

/* Until `over` is set or so much time has passed. */
static void await(struct wsgi_profile *profile, const bool *over, uint64_t nanoseconds)
{
    uint64_t until = dispatch_clock() + nanoseconds;
    struct timespec end = {.tv_sec = (time_t)(until / second), .tv_nsec = (long)(until % second)};

    while (!*over)
        if (pthread_cond_timedwait(&profile->news, &profile->lock, &end) == ETIMEDOUT)
            break;
}

static void *write_regularly(void *context)
{
    struct wsgi_profile *profile = context;
    bool ending = false;

    while (!ending) {
        pthread_mutex_lock(&profile->lock);
        await(profile, &profile->ending, second);
        ending = profile->ending;
        pthread_mutex_unlock(&profile->lock);
        if (ending || __atomic_load_n(&profile->changed, __ATOMIC_RELAXED))
            write_all(profile, false);
    }
    pthread_mutex_lock(&profile->lock);
    profile->ended = true;
    pthread_cond_signal(&profile->news);
    pthread_mutex_unlock(&profile->lock);
    return NULL;
}

/* Without the GIL.  Whether it has ended. */
static bool end_writer(struct wsgi_profile *profile)
{
    bool ended;

    pthread_mutex_lock(&profile->lock);
    profile->ending = true;
    pthread_cond_signal(&profile->news);
    await(profile, &profile->ended, patience);
    ended = profile->ended;
    pthread_mutex_unlock(&profile->lock);
    if (ended)
        pthread_join(profile->writer, NULL);
    profile->has_writer = !ended;
    return ended;
}

/* -- Its life ---------------------------------------------------------------- */

static struct wsgi_profiled *add_thread(struct wsgi_profile *profile)
{
    struct wsgi_profiled *thread = &profile->threads[profile->count];

    thread->profile = profile;
    dispatch_phases_begin(&thread->phases, profile->began);
    measured = thread;
    __atomic_store_n(&profile->count, profile->count + 1, __ATOMIC_RELEASE);
    return thread;
}

static int add_profiler(struct wsgi_profiled *thread)
{
    thread->profiler = PyObject_CallNoArgs(thread->profile->make);
    return thread->profiler ? 0 : -1;
}

void wsgi_profile_join(struct wsgi_profile *profile)
{
    struct wsgi_profiled *thread = add_thread(profile);

    if (tells_threads_apart && add_profiler(thread) < 0)
        wsgi_log_exception(profile->wsgi, "profile: a thread is not profiled");
}

static struct wsgi_profile *make(struct wsgi *wsgi)
{
    unsigned threads = wsgi->options->threads > 1 ? 1 + wsgi->options->threads : 1;
    struct wsgi_profile *profile =
        calloc(1, sizeof *profile + threads * sizeof profile->threads[0]);
    pthread_condattr_t monotonic;

    if (!profile)
        return NULL;
    profile->wsgi = wsgi;
    profile->timer.fired = fired;
    profile->began = dispatch_clock();
    pthread_mutex_init(&profile->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&profile->news, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return profile;
}

static void destroy(struct wsgi_profile *profile)
{
    struct wsgi *wsgi = profile->wsgi;

    wsgi->enter = PyContext_Enter;
    wsgi->leave = PyContext_Exit;
    wsgi->profile = NULL;
    measured = NULL;
    dispatch_phases_begin(NULL, 0);
    dispatch_timer_remove(&profile->timer);
    wsgi_profile_stats_fini(profile);
    pthread_cond_destroy(&profile->news);
    pthread_mutex_destroy(&profile->lock);
    free(profile);
}

/* Have it written about each second. */
static int write_by_and_by(struct wsgi_profile *profile)
{
    int r;

    if (profile->wsgi->options->threads > 1) {
        r = -pthread_create(&profile->writer, NULL, write_regularly, profile);
        profile->has_writer = r == 0;
        return r;
    }
    r = dispatch_timer_add(profile->wsgi->loop, &profile->timer);
    if (r == 0)
        dispatch_timer_set(&profile->timer, dispatch_clock() + second);
    return r;
}

int wsgi_profile_start(struct wsgi *wsgi)
{
    struct wsgi_profile *profile = make(wsgi);
    struct wsgi_profiled *loop;
    int r;

    if (!profile)
        return -ENOMEM;
    loop = add_thread(profile);
    if (wsgi_profile_stats_init(profile) < 0 ||
        (wsgi->options->threads <= 1 && add_profiler(loop) < 0)) {
        wsgi_log_exception(wsgi, "profile: Python's profiler cannot be had");
        destroy(profile);
        return -EINVAL;
    }
    if (wsgi->options->threads > 1 && !tells_threads_apart)
        wsgi_log(wsgi, "profile: this Python cannot profile threads; there will be phases only");
    r = write_by_and_by(profile);
    if (r < 0) {
        destroy(profile);
        return r;
    }
    dispatch_measure(wsgi->loop);
    wsgi->enter = enter;
    wsgi->leave = leave;
    wsgi->profile = profile;
    return 0;
}

void wsgi_profile_end(struct wsgi *wsgi, bool has_lock)
{
    struct wsgi_profile *profile = wsgi->profile;
    bool ended = true;

    if (profile->has_writer) {
        PyThreadState *state = has_lock ? PyEval_SaveThread() : NULL;

        ended = end_writer(profile);
        if (state)
            PyEval_RestoreThread(state);
    } else {
        write_all(profile, true);
    }
    if (ended && has_lock)
        destroy(profile);
}
