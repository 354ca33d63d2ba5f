/*
 * dispatch: an event loop for descriptors, timers, wake-ups and signals.
 *
 * Objects are embedded in the caller's own and never allocated here.  What is
 * embedded stays the caller's: all zero before its first add, and it must not
 * move between its add and its remove.  Adding may fail, for want of memory;
 * everything after that cannot.
 *
 * Every callback runs in dispatch_run() and may call anything in this header,
 * for any object, its own included.  A removal takes effect at once: when it
 * returns, the callback will not be called again, the descriptor may be closed
 * and the memory freed.
 *
 * A loop belongs to one thread, or to those that share a lock as
 * dispatch_around_wait() has it.  Only dispatch_wake() may be called from other
 * threads and from signal handlers.  Times are nanoseconds of CLOCK_MONOTONIC.
 * After a fork the child may remove what was added and free the loop, without
 * effect on its parent's, but dispatch_run() refuses to run it.  It may be
 * forked in a callback, too, if it never returns from that.
 *
 * Functions that return int give 0 or a negative errno value.
 */
#ifndef ASYNWSGI_DISPATCH_H
#define ASYNWSGI_DISPATCH_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dispatch;

/* -- The loop ------------------------------------------------------------- */

/*
 * Make a loop with the back end of that name, or the platform's best when
 * `backend` is NULL.  -EINVAL: no such back end in this build; -ENOMEM,
 * -EMFILE, -ENFILE: the system's limits; -EPERM, -ENOSYS: the system forbids it
 * or is too old for it, which only io_uring meets (Linux 6.1, and no seccomp filter).
 */
int dispatch_new(const char *backend, struct dispatch **loop);

/* Free the loop, to which nothing may be added any more.  NULL is harmless. */
void dispatch_free(struct dispatch *loop);

/*
 * Run until dispatch_stop(); gives the status handed to it.  A failure of the
 * back end itself gives a negative errno value.  May be called again after.
 * -ECHILD: the loop was made by another process, of which this is a fork.
 */
int dispatch_run(struct dispatch *loop);

/*
 * End dispatch_run() when the present callback returns; status >= 0.  Called
 * outside dispatch_run(), it ends the next one before its first turn.
 */
void dispatch_stop(struct dispatch *loop, int status);

/*
 * Have `before` and `after` called around each wait, to let go of a lock, say,
 * while the thread sleeps.  NULL, NULL: no more.
 *
 * Such a lock makes the loop one for several threads: whoever holds it may call
 * anything here but dispatch_new(), dispatch_free() and dispatch_run(), and what
 * that changes for the wait ends it, given that the loop has a waker.
 */
void dispatch_around_wait(struct dispatch *loop, void (*before)(void *context),
                          void (*after)(void *context), void *context);

/* The time at which this turn of the loop began; read once a turn, and greater in each. */
uint64_t dispatch_now(const struct dispatch *loop);

/*
 * Let dispatch_now() tell the time of this call: for another thread, while this
 * one sleeps and its turn may have begun long ago.
 */
void dispatch_update(struct dispatch *loop);

/* The time by the clock: for a deadline that is set behind what may have taken long. */
uint64_t dispatch_clock(void);

/* The name of the loop's back end, and the names there are, NULL last. */
const char *dispatch_backend(const struct dispatch *loop);
extern const char *const dispatch_backends[];

/* -- Targets: descriptors ------------------------------------------------- */

enum {
    DISPATCH_READ = 1,   /* reading would not block: data, the end, an error */
    DISPATCH_WRITE = 2,  /* writing would not block */
    DISPATCH_HANGUP = 4, /* both directions are shut; reported unasked */
    DISPATCH_ERROR = 8,  /* the descriptor, or watching it, failed; unasked */
    DISPATCH_SHUT = 16   /* the peer has shut its side, be input before that or not (Linux) */
};

/*
 * A descriptor to be watched.  Readiness is a level: a target that wants an
 * event and leaves its cause in place is called again in the next turn.  With
 * a hang-up or an error come those of READ and WRITE that are wanted, since
 * neither would block.  A target that wants nothing hears of both all the same,
 * and should then be removed.  What is no longer wanted is not reported.
 *
 * An event can be stale when another callback, of this turn or with io_uring of
 * the former, has done away with its cause; so let descriptors be nonblocking.
 *
 * Remove a target before its descriptor is closed, then nothing is left of either.
 * Of one that is closed first the loop learns when it has something to tell the
 * kernel, as after dispatch_want(): DISPATCH_ERROR is reported, once.  Until
 * then poll reports that at once; epoll reports nothing, or goes on with the file
 * while a duplicate is open; and io_uring keeps the file open, with what happens to it, up to the
 * next event.  A number that is meanwhile opened again may be heard of as the target's.
 * The caller sets `ready`; the rest is the loop's, `fd` may be read.
 */
struct dispatch_target {
    void (*ready)(struct dispatch_target *target, unsigned events);
    struct dispatch *loop; /* NULL while not added */
    int fd;
    unsigned wanted;
};

/*
 * Watch `fd` for `events` (READ, WRITE, SHUT, or 0).  One target a descriptor:
 * -EEXIST; -EBADF: fd < 0, or beyond the loop's table and not open; -ENOMEM.
 * The kernel hears of it at the next wait, so a target that is removed before
 * costs no system call; a descriptor the kernel won't watch (closed, or with
 * epoll a regular file) is then reported once by DISPATCH_ERROR.  To have it try
 * again, remove the target and add it: in its old place that cannot fail.
 */
int dispatch_add(struct dispatch *loop, struct dispatch_target *target, int fd, unsigned events);

/* Change what is wanted.  Costs nothing until the next wait. */
void dispatch_want(struct dispatch_target *target, unsigned events);

/*
 * Harmless on a target that is not added (loop == NULL).  Closes nothing.  Costs no
 * system call; with io_uring, one when it isn't the target's own callback that
 * removes it.  Another thread, as above, leaves that to the loop's: with io_uring
 * a file that it closes then is let go of as soon as the loop has woken.
 */
void dispatch_remove(struct dispatch_target *target);

/*
 * The same for one whose file stays open under another number when its descriptor is
 * closed, a duplicate: the kernel would go on to report it.  It is told at once.
 */
void dispatch_retract(struct dispatch_target *target);

/* -- Timers --------------------------------------------------------------- */

#define DISPATCH_NEVER UINT64_MAX

/*
 * A deadline.  It fires once, in the first turn that begins at or after it,
 * those due in one turn in the order of their deadlines.  One set during a turn
 * fires in the next turn at the earliest, so a timer that sets itself again
 * does not keep descriptors waiting.
 * The caller sets `fired`; the rest is the loop's, `deadline` may be read.
 */
struct dispatch_timer {
    void (*fired)(struct dispatch_timer *timer);
    struct dispatch *loop; /* NULL while not added */
    uint64_t deadline;     /* DISPATCH_NEVER while not set */
    uint32_t position;     /* in the heap */
};

/* Give the timer its place in the loop, not set yet.  -ENOMEM. */
int dispatch_timer_add(struct dispatch *loop, struct dispatch_timer *timer);

/*
 * Set or move the deadline; one already past becomes the next instant, and
 * DISPATCH_NEVER unsets it.  Moving it later costs nothing until the old
 * deadline passes, so a time-out may be pushed on at every sign of life.
 */
void dispatch_timer_set(struct dispatch_timer *timer, uint64_t deadline);

/* Harmless on a timer that is not added (loop == NULL). */
void dispatch_timer_remove(struct dispatch_timer *timer);

/* -- Wake-ups from other threads ------------------------------------------ */

/*
 * Something that another thread or a signal handler may call for.  Several
 * wakes before the loop gets to it are one call of `woken`.  A wake makes the
 * loop look at all its wakers: have a few, not thousands.
 */
struct dispatch_waker {
    void (*woken)(struct dispatch_waker *waker);
    struct dispatch *loop; /* NULL while not added */
    struct dispatch_waker *next, **link;
    int pending;
};

/* The loop's first needs a descriptor: -ENOMEM, -EMFILE, -ENFILE. */
int dispatch_waker_add(struct dispatch *loop, struct dispatch_waker *waker);

/*
 * Have `woken` called soon.  Async-signal-safe and thread-safe; keeps errno.
 * The caller sees to it that the waker is not removed meanwhile.
 */
void dispatch_wake(struct dispatch_waker *waker);

/* Harmless on a waker that is not added (loop == NULL). */
void dispatch_waker_remove(struct dispatch_waker *waker);

/* -- Signals -------------------------------------------------------------- */

/*
 * A signal of the process, taken over while added; its former disposition
 * comes back with the removal.  In a process that is forked meanwhile it has the
 * default action.  One a signal number in the process (-EBUSY).
 * Children that exec find the default disposition and an unchanged mask.
 */
struct dispatch_signal {
    void (*caught)(struct dispatch_signal *signal);
    struct dispatch_waker waker;
    int number;
};

/* -EINVAL: no such signal, or one that cannot be caught; as for a waker. */
int dispatch_signal_add(struct dispatch *loop, struct dispatch_signal *signal, int number);

/* Harmless on a signal that is not added (number == 0). */
void dispatch_signal_remove(struct dispatch_signal *signal);

#ifdef __cplusplus
}
#endif
#endif
