/*
 * A plug-in that writes down what is done with it: NAME, what, and its arguments. These have it
 * do something, too:
 *
 *   silent    fails to start, without a word
 *   taken     fails to start, with words
 *   positive  fails to start, with an error that is not negative
 *   crash     ends its worker by SIGABRT, in its loop, if there is a file of the name "crash"
 *   thread    has a thread, whose wake-ups it counts up to 100
 *   late      has drained when there is a file of the name "drained"
 *   stuck     never has
 */
#include <asynwsgi/target.h>
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef NAME
#define NAME "witness"
#endif

struct witness {
    const struct asynwsgi_target_worker *worker;
    struct dispatch_timer timer;
    struct dispatch_waker waker;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t seen;
    int wakes, woken;
    void (*drained)(void *context);
    void *context;
};

static struct witness *of(void *member, size_t offset)
{
    return (struct witness *)(void *)((char *)member - offset);
}

static void tell(const struct witness *witness, const char *what)
{
    char line[1024];

    snprintf(line, sizeof line, "%s %s %u/%u [%.500s] %zu", NAME, what, witness->worker->number,
             witness->worker->count, witness->worker->arguments,
             strlen(witness->worker->arguments));
    witness->worker->log(witness->worker, ASYNWSGI_TARGET_INFO, line);
}

static int is(const struct witness *witness, const char *arguments)
{
    return strcmp(witness->worker->arguments, arguments) == 0;
}

/* -- Waiting for a file --------------------------------------------------- */

static void look_again(struct witness *witness)
{
    dispatch_timer_set(&witness->timer, dispatch_now(witness->worker->loop) + 10000000);
}

static void fired(struct dispatch_timer *timer)
{
    struct witness *witness = of(timer, offsetof(struct witness, timer));

    if (is(witness, "crash") && unlink("crash") == 0)
        abort();
    if (witness->drained && access("drained", F_OK) == 0)
        witness->drained(witness->context);
    else
        look_again(witness);
}

/* -- A thread, each of whose wake-ups waits for the one before to be seen -- */

static void *wake(void *argument)
{
    struct witness *witness = (struct witness *)argument;

    pthread_mutex_lock(&witness->lock);
    for (; witness->wakes < 100; witness->wakes++) {
        dispatch_wake(&witness->waker);
        while (witness->woken <= witness->wakes)
            pthread_cond_wait(&witness->seen, &witness->lock);
    }
    pthread_mutex_unlock(&witness->lock);
    return NULL;
}

static void woken(struct dispatch_waker *waker)
{
    struct witness *witness = of(waker, offsetof(struct witness, waker));

    pthread_mutex_lock(&witness->lock);
    if (++witness->woken == 100)
        tell(witness, "woken 100 times");
    pthread_cond_signal(&witness->seen);
    pthread_mutex_unlock(&witness->lock);
}

static int start_thread(struct witness *witness)
{
    int r;

    pthread_mutex_init(&witness->lock, NULL);
    pthread_cond_init(&witness->seen, NULL);
    witness->waker.woken = woken;
    r = dispatch_waker_add(witness->worker->loop, &witness->waker);
    return r < 0 ? r : -pthread_create(&witness->thread, NULL, wake, witness);
}

/* Its wake-ups are not seen any more. */
static void end_thread(struct witness *witness)
{
    pthread_mutex_lock(&witness->lock);
    witness->woken = 100;
    witness->wakes = 99;
    pthread_cond_signal(&witness->seen);
    pthread_mutex_unlock(&witness->lock);
    pthread_join(witness->thread, NULL);
    dispatch_waker_remove(&witness->waker);
}

/* -- The entry point ------------------------------------------------------ */

static int start(const struct asynwsgi_target_worker *worker, void **state,
                 char explanation[ASYNWSGI_TARGET_EXPLANATION])
{
    struct witness *witness = (struct witness *)calloc(1, sizeof *witness);
    int r = 0;

    if (!witness)
        return -ENOMEM;
    witness->worker = worker;
    witness->timer.fired = fired;
    tell(witness, "starts");
    if (is(witness, "beyond"))
        worker->log(worker, (enum asynwsgi_target_level)99, "witness beyond all levels");
    if (is(witness, "silent") || is(witness, "taken"))
        r = -EBUSY;
    if (is(witness, "positive"))
        r = EBUSY;
    if (is(witness, "taken"))
        snprintf(explanation, ASYNWSGI_TARGET_EXPLANATION, "somebody has taken it");
    if (r != 0 || (r = dispatch_timer_add(worker->loop, &witness->timer)) < 0) {
        free(witness);
        return r;
    }
    if (is(witness, "crash"))
        look_again(witness);
    *state = witness;
    return is(witness, "thread") ? start_thread(witness) : 0;
}

static void drain(void *state, void (*drained)(void *context), void *context)
{
    struct witness *witness = (struct witness *)state;

    tell(witness, "drains");
    if (is(witness, "stuck"))
        return;
    if (!is(witness, "late")) {
        drained(context);
        return;
    }
    witness->drained = drained;
    witness->context = context;
    look_again(witness);
}

static void stop(void *state)
{
    struct witness *witness = (struct witness *)state;

    if (is(witness, "thread"))
        end_thread(witness);
    tell(witness, "stops");
    dispatch_timer_remove(&witness->timer);
    free(witness);
}

const struct asynwsgi_target asynwsgi_target = {ASYNWSGI_TARGET_VERSION, start, drain, stop};
