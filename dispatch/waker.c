/*
 * Wakers: one descriptor for all the wakers of a loop, and a flag in each.
 *
 * Whoever raises a flag writes to the descriptor; the loop empties it before
 * it looks at the flags.  So a raised flag has been seen, or the descriptor is
 * readable, or its raiser is about to make it so.
 */
#include "loop.h"

#include <errno.h>
#include <unistd.h>

void dispatch_kick(const struct dispatch *loop)
{
    const uint64_t one = 1;
    ssize_t n = write(loop->wake_fd, &one, sizeof one);

    (void)n; /* when it is full, it is readable */
}

static void wakers_run(struct dispatch_target *target, unsigned events)
{
    struct dispatch *loop = target->loop;
    char sink[512];
    ssize_t n = read(target->fd, sink, sizeof sink);

    (void)n;
    if (events & DISPATCH_ERROR) {
        /* The kernel had no memory to watch it.  A loop may not be deaf: once more. */
        dispatch_remove(target);
        (void)dispatch_add(loop, target, target->fd, DISPATCH_READ); /* in the same slot */
    }
    for (struct dispatch_waker *waker = loop->wakers; waker; waker = loop->next_waker) {
        loop->next_waker = waker->next;
        if (!__atomic_exchange_n(&waker->pending, 0, __ATOMIC_SEQ_CST))
            continue;
        waker->woken(waker);
        if (loop->stopped) {
            /* Others may be pending, and the descriptor is empty. */
            dispatch_kick(loop);
            return;
        }
    }
}

static int wakers_open(struct dispatch *loop)
{
    int ends[2];
    int r = loop->backend->wake_open(ends);

    if (r < 0)
        return r;
    loop->wake_target.ready = wakers_run;
    r = dispatch_add(loop, &loop->wake_target, ends[0], DISPATCH_READ);
    if (r < 0) {
        close(ends[0]);
        if (ends[1] != ends[0])
            close(ends[1]);
        return r;
    }
    loop->wake_fd = ends[1];
    return 0;
}

void dispatch_wakers_close(struct dispatch *loop)
{
    if (loop->wake_fd < 0)
        return;
    dispatch_remove(&loop->wake_target);
    close(loop->wake_target.fd);
    if (loop->wake_fd != loop->wake_target.fd)
        close(loop->wake_fd);
}

int dispatch_waker_add(struct dispatch *loop, struct dispatch_waker *waker)
{
    int r;

    ASSERT(!waker->loop);
    if (loop->wake_fd < 0 && (r = wakers_open(loop)) < 0)
        return r;
    waker->loop = loop;
    waker->pending = 0;
    waker->next = loop->wakers;
    waker->link = &loop->wakers;
    if (waker->next)
        waker->next->link = &waker->next;
    loop->wakers = waker;
    return 0;
}

void dispatch_wake(struct dispatch_waker *waker)
{
    if (!__atomic_exchange_n(&waker->pending, 1, __ATOMIC_SEQ_CST)) {
        int saved = errno;

        dispatch_kick(waker->loop);
        errno = saved;
    }
}

void dispatch_waker_remove(struct dispatch_waker *waker)
{
    struct dispatch *loop = waker->loop;

    if (!loop)
        return;
    if (loop->next_waker == waker)
        loop->next_waker = waker->next;
    *waker->link = waker->next;
    if (waker->next)
        waker->next->link = waker->link;
    waker->loop = NULL;
}
