/*
 * Threads that run the application, where options->threads is more than one.
 *
 * The loop's thread runs no Python then and never takes the interpreter's lock
 * (GIL), but to run a signal handler of the application.  What is the loop's (connections, timers,
 * targets, the lists of waits, and the pool's own queues) is guarded by another, the loop's lock.
 * The loop's thread has it whenever it is not asleep, others take it for the moment in which they
 * use something of that.
 *
 *   The loop's lock may be waited for with the GIL; the GIL never with the loop's
 *   lock.  So nothing is done under the loop's lock that may run Python code: no
 *   exception is made, and no object let go of whose end may do so.
 *
 * A request is in one stage at a time:
 *
 *   ARRIVING ---> QUEUED ---> RUNNING ---> SUSPENDED      "fresh" until it has been
 *                    ^           |             |          RUNNING
 *                    +-----------+-------------+
 *
 * Nobody but the thread that runs it uses a RUNNING request, except for
 * `connection`, which the loop takes away when the client leaves, and `sleeper`.
 * What comes for it meanwhile the thread finds when it is about to suspend it.
 */
#ifndef WSGI_POOL_H
#define WSGI_POOL_H

#include "state.h"

#include <pthread.h>
#include <semaphore.h>

struct wsgi_pool {
    struct wsgi *wsgi;

    pthread_mutex_t lock; /* the loop's */
    pthread_mutex_t gate; /* had while waiting for that one: so each waits for one turn at most */

    struct wsgi_queue fresh;      /* requests that no thread has seen yet ... */
    struct wsgi_queue going;      /* ... and others */
    bool next_goes;               /* of those is the next */
    struct dispatch_timer expiry; /* of the first of the fresh ones */
    uint64_t refused;             /* so many requests, since it was last said ... */
    uint64_t quiet_until;         /* ... and when it may be said again */

    /*
     * One idle thread at most is on its way: it gets the GIL, then sees what there
     * is to do, and wakes the next.  So a thread that has the GIL and finds more
     * to do is not in anybody's way.
     */
    sem_t bell;
    unsigned idle; /* threads that wait for the bell */
    bool coming;   /* one was woken and is not there yet */
    bool ring;     /* when the lock is free */

    /* Python tells by a pipe that a signal came for which the application has a handler. */
    struct dispatch_target signals;
    int signal_pipe[2];
    bool signalled;

    unsigned count, alive; /* threads made, and not ended */
    unsigned running;      /* of those, threads that run a request */
    bool stopping;
    pthread_cond_t ended; /* one has */
    pthread_t threads[];
};

/* Make the threads; from then on the caller has the loop's lock, and not the GIL. */
int wsgi_pool_start(struct wsgi *wsgi);

/*
 * End them when they have nothing more to do, and the reverse of the above.  -EBUSY:
 * some do not end, and neither lock is had; it may be tried again.
 */
int wsgi_pool_stop(struct wsgi *wsgi);

/* In a fork: only its one thread is there. */
void wsgi_pool_forked(void);

/* -- The loop's lock ------------------------------------------------------ */

void wsgi_pool_lock(struct wsgi_pool *pool);
void wsgi_pool_unlock(struct wsgi_pool *pool);

/* The same where there may be no pool: then the GIL is the loop's lock, and had. */
static inline void wsgi_lock(const struct wsgi *wsgi)
{
    if (wsgi->pool)
        wsgi_pool_lock(wsgi->pool);
}

static inline void wsgi_unlock(const struct wsgi *wsgi)
{
    if (wsgi->pool)
        wsgi_pool_unlock(wsgi->pool);
}

/* -- With it -------------------------------------------------------------- */

/* An ARRIVING request is to run. */
void wsgi_pool_submit(struct wsgi_request *request);

/*
 * Something came that the request may have waited for: a SUSPENDED one is queued, and
 * a RUNNING one whose thread sleeps looks whether that is it.
 */
void wsgi_pool_resume(struct wsgi_request *request);

/* The thread is done with the request, for now or until something comes. */
void wsgi_pool_suspend(struct wsgi_request *request, bool ready);

/* The exchange is over, without the application's doing: close() is to be called, if need be. */
void wsgi_pool_drop(struct wsgi_request *request);

/* Sleep, in the thread that runs it and without the GIL, until `over` holds. */
void wsgi_pool_sleep(struct wsgi_request *request, bool (*over)(const struct wsgi_request *));

#endif
