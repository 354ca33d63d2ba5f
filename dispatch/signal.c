/*
 * Signals: a handler that wakes.
 *
 * Dispositions belong to the process, so who has which signal is kept in a
 * static table, the one piece of global state.  Not signalfd: it needs the
 * signal blocked, and a blocked mask goes through exec into children.
 */
#include "loop.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#define SIGNALS 65

static struct {
    struct dispatch_signal *owner;
    struct sigaction former;
    pid_t process; /* of the owner */
} table[SIGNALS];

/* Handlers at work, in any thread: an owner isn't let go of while there are. */
static int handling;

/* The signal's default action, as soon as the handler is done. */
static void default_action(int number)
{
    struct sigaction action = {.sa_handler = SIG_DFL};

    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
    raise(number);
}

static void handler(int number)
{
    struct dispatch_signal *owner;

    /* A fork has the handler but not the loop: nobody would ever hear of it. */
    if (__atomic_load_n(&table[number].process, __ATOMIC_SEQ_CST) != getpid()) {
        default_action(number);
        return;
    }
    __atomic_add_fetch(&handling, 1, __ATOMIC_SEQ_CST);
    owner = __atomic_load_n(&table[number].owner, __ATOMIC_SEQ_CST);
    if (owner)
        dispatch_wake(&owner->waker);
    __atomic_sub_fetch(&handling, 1, __ATOMIC_SEQ_CST);
}

static void woken(struct dispatch_waker *waker)
{
    char *start = (char *)waker - offsetof(struct dispatch_signal, waker);
    struct dispatch_signal *owner = (void *)start;

    owner->caught(owner);
}

/*
 * After this no handler touches the owner.  A handler takes a microsecond, so
 * one that is still counted after so many rounds is another thread's that a
 * fork has left behind in the parent.
 */
static void disown(int number)
{
    __atomic_store_n(&table[number].owner, NULL, __ATOMIC_SEQ_CST);
    for (int i = 0; i < 10000 && __atomic_load_n(&handling, __ATOMIC_SEQ_CST) > 0; i++)
        sched_yield();
}

int dispatch_signal_add(struct dispatch *loop, struct dispatch_signal *signal, int number)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    struct dispatch_signal *nobody = NULL;
    int r;

    ASSERT(signal->number == 0);
    if (number <= 0 || number >= SIGNALS)
        return -EINVAL;
    signal->waker.woken = woken;
    r = dispatch_waker_add(loop, &signal->waker);
    if (r < 0)
        return r;
    if (!__atomic_compare_exchange_n(&table[number].owner, &nobody, signal, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST)) {
        r = -EBUSY;
        goto no_owner;
    }
    __atomic_store_n(&table[number].process, getpid(), __ATOMIC_SEQ_CST);
    sigemptyset(&action.sa_mask);
    if (sigaction(number, &action, &table[number].former) < 0) {
        r = -errno;
        goto no_action;
    }
    signal->number = number;
    return 0;

no_action:
    disown(number);
no_owner:
    dispatch_waker_remove(&signal->waker);
    return r;
}

void dispatch_signal_remove(struct dispatch_signal *signal)
{
    if (signal->number == 0)
        return;
    sigaction(signal->number, &table[signal->number].former, NULL);
    disown(signal->number);
    dispatch_waker_remove(&signal->waker);
    signal->number = 0;
}
