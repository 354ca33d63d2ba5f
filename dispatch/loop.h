/*
 * The inside of a loop, shared by the files of this folder.  What isn't static
 * is named dispatch_ too, since an archive hides nothing.
 *
 * Targets live in a table by descriptor.  A slot without a target is kept: its
 * generation, which only grows, is what tells the present target's events from
 * those of its predecessors.
 *
 *   generation of an event == generation of its slot  =>  the slot has a target
 *   told == (wanted | WATCHED), or told == REFUSED, or the slot is dirty or empty
 *   slots, dirty, ready and the back end's tables have `capacity` places, and
 *   a descriptor is at most once in each, so that only dispatch_add can fail
 */
#ifndef DISPATCH_LOOP_H
#define DISPATCH_LOOP_H

#include <asynwsgi/dispatch.h>

#include <stddef.h>
#include <sys/types.h>

struct slot {
    struct dispatch_target *target;
    uint32_t generation;
    uint8_t told; /* what the kernel knows: 0 for nothing, or events and the flags below */
    bool dirty;   /* in the dirty list */
};

enum {
    WATCHED = 32, /* in `told`: the kernel knows of the target */
    REFUSED = 64  /* alone in `told`: it won't watch it; the error is in `ready` or reported */
};

struct event {
    int fd;
    uint32_t generation;
    unsigned events;
};

/* See timer.c; `key` is the timer's deadline or before it. */
struct heap_entry {
    uint64_t key;
    struct dispatch_timer *timer;
};

struct backend {
    const char *name;

    /* Make and destroy `kernel`. */
    int (*open)(struct dispatch *loop);
    void (*close)(struct dispatch *loop);

    /* Make place for the descriptors below `capacity`. */
    int (*reserve)(struct dispatch *loop, size_t capacity);

    /* Watch the slot's target for `events`.  Failure means that it can't be watched. */
    int (*change)(struct dispatch *loop, int fd, unsigned events);

    /* The slot of `fd` has lost its target.  The descriptor may be closed or something else. */
    void (*forget)(struct dispatch *loop, int fd);
    /* The same at once, while the descriptor is open, for dispatch_retract; NULL: no need. */
    void (*retract)(struct dispatch *loop, int fd);
    /* Let go of its file at once, lest closing it has no effect; NULL: the kernel has no hold of
     * it. */
    void (*release)(struct dispatch *loop, int fd);

    /* Wait, and dispatch_target_report what is ready.  An interruption is a success. */
    int (*wait)(struct dispatch *loop, int milliseconds);

    /* A nonblocking descriptor to read and one to write, maybe the same; 8 bytes at a time. */
    int (*wake_open)(int ends[2]);
};

struct around_wait {
    void (*before)(void *context);
    void (*after)(void *context);
    void *context;
};

struct dispatch {
    const struct backend *backend;
    void *kernel;  /* the back end's own */
    uint64_t now;  /* greater in every turn */
    pid_t process; /* that made the loop, and may run it */
    bool running, stopped;
    int status;
    struct around_wait around;
    struct around_wait let_go; /* measured: what the caller wants called, see phases.c */
    bool measured;
    bool asleep;    /* between the two, so other threads may be at work on the loop ... */
    bool roused;    /* ... one of which ended the wait ... */
    uint64_t until; /* ... or else a timer does, whose key this is */

    struct slot *slots;
    int *dirty;
    struct event *ready;
    size_t capacity, dirty_count, ready_count;
    size_t target_count;

    struct heap_entry *heap;
    size_t heap_capacity, heap_count;

    struct dispatch_waker *wakers;
    struct dispatch_waker *next_waker; /* that wakers_run will look at */
    struct dispatch_target wake_target;
    int wake_fd; /* to write to; -1 until there is a waker */
};

/* target.c */
void dispatch_targets_tell(struct dispatch *loop);    /* empties ready, fills it with refusals */
void dispatch_targets_deliver(struct dispatch *loop); /* calls those in ready, until stopped */
void dispatch_target_forgotten(struct dispatch *loop, int fd); /* by the kernel: tell it again */
void dispatch_targets_forgotten(struct dispatch *loop);        /* all that it didn't refuse */

/*
 * dispatch.c.  To be called by the back end's wait, around its system call: in
 * between, the back end uses nothing of the loop's, and what it has in the kernel's
 * hands stays where it is.
 */
void dispatch_wait_begins(struct dispatch *loop);
void dispatch_wait_ends(struct dispatch *loop); /* keeps errno */

/* End the wait of a loop that is asleep: another thread has changed what it waits for. */
void dispatch_rouse(struct dispatch *loop);

/* timer.c */
void dispatch_timers_run(struct dispatch *loop);
int dispatch_timers_timeout(const struct dispatch *loop); /* milliseconds, -1 for none */

/* waker.c */
void dispatch_kick(const struct dispatch *loop);
void dispatch_wakers_close(struct dispatch *loop);

extern const struct backend dispatch_backend_poll, dispatch_backend_epoll, dispatch_backend_uring;
int dispatch_eventfd_open(int ends[2]); /* wake_open for Linux; in backend_epoll.c */

/* For what cannot happen unless the caller or we are wrong; stays on in releases. */
#define ASSERT(condition) \
    ((condition) ? (void)0 : dispatch_assertion_failed(#condition, __FILE__, __LINE__))
_Noreturn void dispatch_assertion_failed(const char *condition, const char *file, int line);

/* By the back end's wait; here, since a call for each event would double what it costs there. */
static inline void dispatch_target_report(struct dispatch *loop, int fd, unsigned events)
{
    ASSERT(loop->ready_count < loop->capacity);
    loop->ready[loop->ready_count++] =
        (struct event){.fd = fd, .generation = loop->slots[fd].generation, .events = events};
}

#endif
