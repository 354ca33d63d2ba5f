/*
 *   NONE ---register---> registered ---begin---> begun ---end---> NONE
 *     ^                      |
 *     +-------forget---------+
 *
 * While it is begun its timer is set if it has a time-out, and its target is
 * added.  One for an event is in the event's list from its registration on, and in
 * wsgi->set when the event was set.  These lists are guarded by the loop's lock
 * (pool.h), or without a pool by the interpreter's, which the loop has then whenever
 * it is not asleep.  A wait that is not begun is its thread's otherwise.
 */
#include "wait.h"

#include "request.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stddef.h>
#include <unistd.h>

/* -- Lists ---------------------------------------------------------------- */

void wsgi_waits_join(struct wsgi_waits *list, struct wsgi_wait *wait)
{
    wait->list = list;
    wait->next = NULL;
    wait->previous = list->last;
    *(list->last ? &list->last->next : &list->first) = wait;
    list->last = wait;
}

static void leave(struct wsgi_wait *wait)
{
    struct wsgi_waits *list = wait->list;

    if (!list)
        return;
    wait->list = NULL;
    *(wait->previous ? &wait->previous->next : &list->first) = wait->next;
    *(wait->next ? &wait->next->previous : &list->last) = wait->previous;
}

/* -- The causes ------------------------------------------------------------ */

/* It is over: the request goes on. */
static void over(struct wsgi_wait *wait, bool timed_out)
{
    wsgi_wait_end(wait);
    wait->timed_out = timed_out;
    wsgi_resume(wait->request);
}

static void fired(struct dispatch_timer *timer)
{
    struct wsgi_wait *wait =
        (struct wsgi_wait *)(void *)((char *)timer - offsetof(struct wsgi_wait, timer));

    over(wait, wait->kind != WSGI_WAIT_TIME);
}

/* What is wrong with the descriptor the application will see when it uses it. */
static void ready(struct dispatch_target *target, unsigned events)
{
    (void)events;
    over((struct wsgi_wait *)(void *)((char *)target - offsetof(struct wsgi_wait, target)), false);
}

/* -- Events --------------------------------------------------------------- */

void wsgi_waits_go_on(struct wsgi *wsgi)
{
    while (wsgi->set.first) {
        struct wsgi_request *request = wsgi->set.first->request;

        wsgi_wait_end(wsgi->set.first);
        wsgi_turn_wait(request); /* this may be the turn of another */
    }
}

/* Whether the loop is to see to those that are in wsgi->set now. */
static bool set_all(struct wsgi *wsgi, struct wsgi_waits *waits)
{
    bool any = waits->first;

    while (waits->first) {
        struct wsgi_wait *wait = waits->first;

        leave(wait);
        if (!wait->begun)
            wait->kind = WSGI_WAIT_NONE; /* so that it is over when it is yielded */
        else if (wsgi->pool)
            over(wait, false);
        else
            wsgi_waits_join(&wsgi->set, wait);
    }
    return any && !wsgi->pool;
}

void wsgi_waits_set(struct wsgi *wsgi, struct wsgi_waits *waits)
{
    bool any;

    wsgi_lock(wsgi);
    any = set_all(wsgi, waits);
    wsgi_unlock(wsgi);
    if (any && PyThread_get_thread_ident() == wsgi->thread)
        wsgi_waits_go_on(wsgi);
    else if (any)
        dispatch_wake(&wsgi->waker);
}

/* -- Registering ------------------------------------------------------------ */

struct wsgi_wait *wsgi_wait_register(enum wsgi_wait_kind kind, uint64_t timeout)
{
    struct wsgi_request *request = wsgi_request_current();
    struct wsgi_wait *wait;

    if (!request)
        return NULL;
    if (!request->wait) {
        request->wait = PyMem_RawCalloc(1, sizeof *request->wait);
        if (!request->wait) {
            PyErr_NoMemory();
            return NULL;
        }
        request->wait->request = request;
        request->wait->timer.fired = fired;
        request->wait->target.ready = ready;
    }
    wait = request->wait;
    wsgi_wait_forget(wait);
    wait->kind = kind;
    wait->timeout = timeout;
    wait->timed_out = false;
    return wait;
}

void wsgi_wait_forget(struct wsgi_wait *wait)
{
    const struct wsgi *wsgi = wait->request->wsgi;

    if (wait->list) {
        wsgi_lock(wsgi);
        leave(wait);
        wsgi_unlock(wsgi);
    }
    wait->kind = WSGI_WAIT_NONE;
    Py_CLEAR(wait->event);
}

/* -- The beginning and the end -------------------------------------------- */

/*
 * A duplicate is watched: several requests may wait for one descriptor, and the
 * application may close its own, whose number is another's then.
 */
static int watch(struct wsgi_wait *wait, struct dispatch *loop)
{
    int duplicate = fcntl(wait->fd, F_DUPFD_CLOEXEC, 0), r;

    if (duplicate < 0)
        return -errno;
    r = dispatch_add(loop, &wait->target, duplicate, wait->events);
    if (r < 0)
        close(duplicate);
    return r;
}

static int set_timer(struct wsgi_wait *wait, struct dispatch *loop)
{
    int r = dispatch_timer_add(loop, &wait->timer);

    if (r == 0)
        dispatch_timer_set(&wait->timer, dispatch_clock() + wait->timeout);
    return r;
}

void wsgi_wait_begin(struct wsgi_wait *wait)
{
    struct dispatch *loop = wait->request->wsgi->loop;
    int r = 0;

    if (wait->kind == WSGI_WAIT_NONE)
        return;
    wait->begun = true;
    if (wait->timeout != DISPATCH_NEVER)
        r = set_timer(wait, loop);
    if (r == 0 && wait->kind == WSGI_WAIT_DESCRIPTOR)
        r = watch(wait, loop);
    else if (r == 0 && wait->kind == WSGI_WAIT_INPUT)
        wsgi_pieces_ask(wait->request);
    /* For want of memory, or of a descriptor that is open: there is no waiting then. */
    if (r < 0)
        wsgi_wait_end(wait);
}

static void unwatch(struct wsgi_wait *wait)
{
    int fd = wait->target.fd;

    if (!wait->target.loop)
        return;
    dispatch_retract(&wait->target);
    close(fd);
}

void wsgi_wait_end(struct wsgi_wait *wait)
{
    if (!wait->begun)
        return;
    wait->begun = false;
    dispatch_timer_remove(&wait->timer);
    if (wait->kind == WSGI_WAIT_DESCRIPTOR)
        unwatch(wait);
    leave(wait);
    wait->kind = WSGI_WAIT_NONE;
}

int wsgi_wait_timeout(PyObject *seconds, uint64_t *timeout)
{
    double value;

    *timeout = DISPATCH_NEVER;
    if (!seconds || seconds == Py_None)
        return 0;
    value = PyFloat_AsDouble(seconds);
    if (value == -1.0 && PyErr_Occurred())
        return -1;
    if (isnan(value)) {
        PyErr_SetString(PyExc_ValueError, "the number of seconds is not a number");
        return -1;
    }
    if (value < 0)
        value = 0;
    if (value < 1e9) /* thirty years; what is longer never ends */
        *timeout = (uint64_t)(value * 1e9);
    return 0;
}
