#include "pool.h"

#include "profile.h"
#include "queue.h"

#include <asynwsgi/phases.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    UNAVAILABLE = 503
};

/* Nanoseconds. */
static const uint64_t second = 1000000000;

/* How long threads may take to come back from the application, when all is over. */
static const uint64_t patience = 500000000;

static struct wsgi_pool *pool_of_process;

/* -- The loop's lock ------------------------------------------------------ */

void wsgi_pool_lock(struct wsgi_pool *pool)
{
    pthread_mutex_lock(&pool->gate);
    pthread_mutex_lock(&pool->lock);
    pthread_mutex_unlock(&pool->gate);
}

static void ring(struct wsgi_pool *pool)
{
    if (pool->ring)
        sem_post(&pool->bell);
    pool->ring = false;
}

void wsgi_pool_unlock(struct wsgi_pool *pool)
{
    bool rings = pool->ring;

    pool->ring = false;
    pthread_mutex_unlock(&pool->lock);
    if (rings)
        sem_post(&pool->bell);
}

static void before_wait(void *context)
{
    struct wsgi_pool *pool = context;
    bool signalled = pool->signalled;

    pool->signalled = false;
    wsgi_pool_unlock(pool);
    if (!signalled)
        return;
    PyEval_RestoreThread(pool->wsgi->released);
    wsgi_run_signal_handlers(pool->wsgi);
    pool->wsgi->released = PyEval_SaveThread();
}

static void after_wait(void *context)
{
    wsgi_pool_lock(context);
}

void wsgi_pool_forked(void)
{
    if (!pool_of_process)
        return;
    pthread_mutex_init(&pool_of_process->lock, NULL);
    pthread_mutex_init(&pool_of_process->gate, NULL);
}

/* -- Queues --------------------------------------------------------------- */

static void wake_one(struct wsgi_pool *pool)
{
    if (pool->idle == 0 || pool->coming || pool->fresh.count + pool->going.count == 0)
        return;
    pool->idle--;
    pool->coming = pool->ring = true;
}

/* From either queue in turn: so neither waits for more than as many of the other. */
static struct wsgi_request *take(struct wsgi_pool *pool)
{
    struct wsgi_queue *queue = pool->next_goes ? &pool->going : &pool->fresh;
    struct wsgi_request *request;

    if (queue->count == 0)
        queue = pool->next_goes ? &pool->fresh : &pool->going;
    pool->next_goes = queue == &pool->fresh;
    request = queue->first;
    if (!request)
        return NULL;
    wsgi_queue_remove(queue, request);
    request->stage = WSGI_STAGE_RUNNING;
    request->is_fresh = false;
    return request;
}

static void enqueue(struct wsgi_queue *queue, struct wsgi_request *request)
{
    request->stage = WSGI_STAGE_QUEUED;
    wsgi_queue_put(queue, request);
    wake_one(request->wsgi->pool);
}

/* A busy server may refuse very many: a line a second says enough. */
static void say_refused(struct wsgi_pool *pool)
{
    uint64_t now = dispatch_now(pool->wsgi->loop);

    pool->refused++;
    if (now < pool->quiet_until)
        return;
    wsgi_log(pool->wsgi,
             "requests were refused because all threads are busy (threads, queue): %llu",
             (unsigned long long)pool->refused);
    pool->refused = 0;
    pool->quiet_until = now + second;
}

static void refuse(struct wsgi_request *request)
{
    say_refused(request->wsgi->pool);
    http_fail(wsgi_request_let_go(request), UNAVAILABLE);
    wsgi_request_recycle(request);
}

static void expired(struct dispatch_timer *timer)
{
    struct wsgi_pool *pool =
        (struct wsgi_pool *)(void *)((char *)timer - offsetof(struct wsgi_pool, expiry));
    uint64_t now = dispatch_now(pool->wsgi->loop);

    while (pool->fresh.first && pool->fresh.first->expires <= now) {
        struct wsgi_request *request = pool->fresh.first;

        wsgi_queue_remove(&pool->fresh, request);
        refuse(request);
    }
    if (pool->fresh.first)
        dispatch_timer_set(timer, pool->fresh.first->expires);
}

void wsgi_pool_submit(struct wsgi_request *request)
{
    struct wsgi_pool *pool = request->wsgi->pool;
    const struct wsgi_options *options = pool->wsgi->options;
    size_t unused = pool->alive - pool->running; /* idle, on their way, or only just made */

    if (pool->fresh.count >= unused + options->queue) {
        refuse(request);
        return;
    }
    request->expires = DISPATCH_NEVER;
    if (options->queue_timeout > 0)
        request->expires = dispatch_now(pool->wsgi->loop) + options->queue_timeout;
    if (pool->fresh.count == 0)
        dispatch_timer_set(&pool->expiry, request->expires);
    enqueue(&pool->fresh, request);
}

void wsgi_pool_resume(struct wsgi_request *request)
{
    if (request->stage == WSGI_STAGE_SUSPENDED)
        enqueue(&request->wsgi->pool->going, request);
    else if (request->stage == WSGI_STAGE_RUNNING && request->sleeper)
        pthread_cond_signal(request->sleeper);
}

void wsgi_pool_suspend(struct wsgi_request *request, bool ready)
{
    request->stage = WSGI_STAGE_SUSPENDED;
    if (ready)
        wsgi_pool_resume(request);
}

void wsgi_pool_drop(struct wsgi_request *request)
{
    if (!request->is_fresh) {
        if (request->stage == WSGI_STAGE_SUSPENDED && request->wait)
            wsgi_wait_end(request->wait);
        wsgi_pool_resume(request);
        return;
    }
    if (request->stage == WSGI_STAGE_QUEUED)
        wsgi_queue_remove(&request->wsgi->pool->fresh, request);
    wsgi_request_recycle(request);
}

void wsgi_pool_sleep(struct wsgi_request *request, bool (*over)(const struct wsgi_request *))
{
    struct wsgi_pool *pool = request->wsgi->pool;
    PyThreadState *state = PyEval_SaveThread();
    pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
    unsigned phase = dispatch_phase(DISPATCH_PHASE_WAIT);

    ring(pool);
    request->sleeper = &changed;
    while (!over(request))
        pthread_cond_wait(&changed, &pool->lock);
    request->sleeper = NULL;
    wsgi_pool_unlock(pool);
    dispatch_phase(DISPATCH_PHASE_LOCK);
    PyEval_RestoreThread(state);
    wsgi_pool_lock(pool);
    dispatch_phase(phase);
    pthread_cond_destroy(&changed);
}

/* -- Threads -------------------------------------------------------------- */

static void be_idle(struct wsgi_pool *pool)
{
    PyThreadState *state;

    pool->idle++;
    wsgi_pool_unlock(pool);
    state = PyEval_SaveThread();
    dispatch_phase(DISPATCH_PHASE_WAIT);
    while (sem_wait(&pool->bell) < 0 && errno == EINTR)
        ;
    dispatch_phase(DISPATCH_PHASE_LOCK);
    PyEval_RestoreThread(state);
    wsgi_pool_lock(pool);
    dispatch_phase(DISPATCH_PHASE_OTHER);
    pool->coming = false;
}

/* The next request to run, after another or not; NULL: there will be none. */
static struct wsgi_request *next(struct wsgi_pool *pool, bool after)
{
    struct wsgi_request *request;

    wsgi_pool_lock(pool);
    pool->running -= after;
    while (!(request = take(pool)) && !pool->stopping)
        be_idle(pool);
    pool->running += request != NULL;
    wake_one(pool);
    wsgi_pool_unlock(pool);
    return request;
}

static void *run(void *context)
{
    struct wsgi_pool *pool = context;
    PyGILState_STATE state = PyGILState_Ensure();
    struct wsgi_request *request;

    if (pool->wsgi->profile)
        wsgi_profile_join(pool->wsgi->profile);
    request = next(pool, false);
    while (request) {
        wsgi_request_run(request);
        request = next(pool, true);
    }
    PyGILState_Release(state);
    wsgi_pool_lock(pool);
    pool->alive--;
    pthread_cond_signal(&pool->ended);
    wsgi_pool_unlock(pool);
    return NULL;
}

/* -- Signals -------------------------------------------------------------- */

static void signalled(struct dispatch_target *target, unsigned events)
{
    struct wsgi_pool *pool =
        (struct wsgi_pool *)(void *)((char *)target - offsetof(struct wsgi_pool, signals));
    char sink[64];
    ssize_t n = read(target->fd, sink, sizeof sink);

    (void)n, (void)events;
    pool->signalled = true;
}

/*
 * signal.set_wakeup_fd(fd), whose C function is not everywhere.  Only Python's main
 * thread can set handlers, and that has loaded the application by now: where it has
 * not imported `signal` there are none.
 */
static void have_signals_told(int fd)
{
    PyObject *module = PyDict_GetItemString(PyImport_GetModuleDict(), "signal");
    PyObject *former = module ? PyObject_CallMethod(module, "set_wakeup_fd", "i", fd) : NULL;

    PyErr_Clear();
    Py_XDECREF(former);
}

static int watch_signals(struct wsgi_pool *pool)
{
    if (pipe(pool->signal_pipe) < 0)
        return -errno;
    for (int i = 0; i < 2; i++) {
        fcntl(pool->signal_pipe[i], F_SETFD, FD_CLOEXEC);
        fcntl(pool->signal_pipe[i], F_SETFL, O_NONBLOCK);
    }
    have_signals_told(pool->signal_pipe[1]);
    pool->signals.ready = signalled;
    return dispatch_add(pool->wsgi->loop, &pool->signals, pool->signal_pipe[0], DISPATCH_READ);
}

static void ignore_signals(struct wsgi_pool *pool)
{
    if (pool->signal_pipe[0] < 0)
        return;
    have_signals_told(-1);
    dispatch_remove(&pool->signals);
    close(pool->signal_pipe[0]);
    close(pool->signal_pipe[1]);
}

/* -- The pool ------------------------------------------------------------- */

static struct wsgi_pool *make(struct wsgi *wsgi)
{
    unsigned count = wsgi->options->threads;
    struct wsgi_pool *pool = calloc(1, sizeof *pool + count * sizeof pool->threads[0]);
    pthread_condattr_t monotonic;

    if (!pool)
        return NULL;
    pool->wsgi = wsgi;
    pool->expiry.fired = expired;
    pool->signal_pipe[0] = pool->signal_pipe[1] = -1;
    wsgi_queue_init(&pool->fresh);
    wsgi_queue_init(&pool->going);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_mutex_init(&pool->gate, NULL);
    sem_init(&pool->bell, 0, 0);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return pool;
}

static void destroy(struct wsgi_pool *pool)
{
    ignore_signals(pool);
    dispatch_timer_remove(&pool->expiry);
    pthread_cond_destroy(&pool->ended);
    sem_destroy(&pool->bell);
    pthread_mutex_destroy(&pool->gate);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

int wsgi_pool_start(struct wsgi *wsgi)
{
    struct wsgi_pool *pool = make(wsgi);
    int r = 0;

    if (!pool)
        return -ENOMEM;
    if ((r = dispatch_timer_add(wsgi->loop, &pool->expiry)) < 0 || (r = watch_signals(pool)) < 0) {
        destroy(pool);
        return r;
    }
    wsgi->pool = pool_of_process = pool;
    dispatch_around_wait(wsgi->loop, before_wait, after_wait, pool);
    wsgi_pool_lock(pool);
    wsgi->released = PyEval_SaveThread();
    for (; r == 0 && pool->count < wsgi->options->threads; pool->count++, pool->alive++) {
        r = -pthread_create(&pool->threads[pool->count], NULL, run, pool);
        if (r < 0)
            break;
    }
    if (r < 0)
        (void)wsgi_pool_stop(wsgi);
    return r;
}

/* Whether all threads have ended in time. */
static bool have_ended(struct wsgi_pool *pool)
{
    uint64_t until = dispatch_clock() + patience;
    struct timespec end = {.tv_sec = (time_t)(until / second), .tv_nsec = (long)(until % second)};
    bool ended;

    wsgi_pool_lock(pool);
    pool->stopping = true;
    for (unsigned i = 0; i < pool->count; i++)
        sem_post(&pool->bell);
    while (pool->alive > 0)
        if (pthread_cond_timedwait(&pool->ended, &pool->lock, &end) == ETIMEDOUT)
            break;
    ended = pool->alive == 0;
    wsgi_pool_unlock(pool);
    return ended;
}

int wsgi_pool_stop(struct wsgi *wsgi)
{
    struct wsgi_pool *pool = wsgi->pool;

    if (!pool->stopping) /* the second time there is nothing to let go of */
        wsgi_pool_unlock(pool);
    if (!have_ended(pool))
        return -EBUSY;
    for (unsigned i = 0; i < pool->count; i++)
        pthread_join(pool->threads[i], NULL);
    PyEval_RestoreThread(wsgi->released);
    wsgi->pool = pool_of_process = NULL;
    destroy(pool);
    return 0;
}
