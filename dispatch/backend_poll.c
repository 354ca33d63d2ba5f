#define _GNU_SOURCE /* POLLRDHUP */
/*
 * The portable back end: poll(2) on an array that is kept from turn to turn.
 *
 *   place[fd] is the descriptor's index in fds plus one, or 0 when not in it
 *
 * Another thread may have the tables grow during the wait, but nothing else of
 * them changes then (see dispatch_targets_tell): so the kernel goes on with the
 * former array, and what it found is copied.
 */
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef POLLRDHUP
#define POLLRDHUP 0
#endif

struct kernel {
    struct pollfd *fds;
    struct pollfd *former; /* than fds, in the kernel's hands; or NULL */
    nfds_t *place;
    nfds_t count;
};

static int poll_open(struct dispatch *loop)
{
    loop->kernel = calloc(1, sizeof(struct kernel));
    return loop->kernel ? 0 : -ENOMEM;
}

static void poll_close(struct dispatch *loop)
{
    struct kernel *kernel = loop->kernel;

    free(kernel->fds);
    free(kernel->place);
    free(kernel);
}

/* Not by memcpy(): the kernel may be writing the third member. */
static struct pollfd *copy(const struct kernel *kernel, size_t capacity)
{
    struct pollfd *fds = calloc(capacity, sizeof *fds);

    for (nfds_t i = 0; fds && i < kernel->count; i++) {
        fds[i].fd = kernel->fds[i].fd;
        fds[i].events = kernel->fds[i].events;
    }
    return fds;
}

static int grow(struct kernel *kernel, size_t capacity, bool in_use)
{
    struct pollfd *fds =
        in_use ? copy(kernel, capacity) : realloc(kernel->fds, capacity * sizeof *kernel->fds);

    if (!fds)
        return -ENOMEM;
    if (in_use)
        kernel->former = kernel->fds;
    kernel->fds = fds;
    return 0;
}

static int poll_reserve(struct dispatch *loop, size_t capacity)
{
    struct kernel *kernel = loop->kernel;
    void *p;

    if (grow(kernel, capacity, loop->asleep && !kernel->former) < 0)
        return -ENOMEM;
    if (!(p = realloc(kernel->place, capacity * sizeof *kernel->place)))
        return -ENOMEM;
    kernel->place = p;
    memset(kernel->place + loop->capacity, 0, (capacity - loop->capacity) * sizeof *kernel->place);
    return 0;
}

static int poll_change(struct dispatch *loop, int fd, unsigned events)
{
    struct kernel *kernel = loop->kernel;

    if (kernel->place[fd] == 0) {
        kernel->place[fd] = ++kernel->count;
        kernel->fds[kernel->count - 1].fd = fd;
    }
    kernel->fds[kernel->place[fd] - 1].events =
        (short)((events & DISPATCH_READ ? POLLIN : 0) | (events & DISPATCH_WRITE ? POLLOUT : 0) |
                (events & DISPATCH_SHUT ? POLLRDHUP : 0));
    return 0;
}

static void poll_forget(struct dispatch *loop, int fd)
{
    struct kernel *kernel = loop->kernel;
    nfds_t place = kernel->place[fd];
    struct pollfd last;

    if (place == 0)
        return;
    last = kernel->fds[--kernel->count];
    kernel->fds[place - 1] = last;
    kernel->place[last.fd] = place;
    kernel->place[fd] = 0;
}

static unsigned from_poll(int events)
{
    return (events & POLLIN ? DISPATCH_READ : 0u) | (events & POLLOUT ? DISPATCH_WRITE : 0u) |
           (events & POLLHUP ? DISPATCH_HANGUP : 0u) |
           (events & (POLLERR | POLLNVAL) ? DISPATCH_ERROR : 0u) |
           (events & POLLRDHUP ? DISPATCH_SHUT : 0u);
}

/* What the kernel wrote into the former array. */
static void adopt(struct kernel *kernel)
{
    for (nfds_t i = 0; i < kernel->count; i++)
        kernel->fds[i].revents = kernel->former[i].revents;
    free(kernel->former);
    kernel->former = NULL;
}

static int poll_wait(struct dispatch *loop, int milliseconds)
{
    struct kernel *kernel = loop->kernel;
    struct pollfd *fds = kernel->fds;
    int left;

    dispatch_wait_begins(loop);
    left = poll(fds, kernel->count, milliseconds);
    dispatch_wait_ends(loop);
    if (kernel->former)
        adopt(kernel);
    if (left < 0)
        return errno == EINTR || errno == EAGAIN ? 0 : -errno;
    /* Backwards, since a refusal puts the last, which is done, in its place. */
    for (nfds_t i = kernel->count; left > 0 && i-- > 0;) {
        struct pollfd p = kernel->fds[i];

        if (!p.revents)
            continue;
        left--;
        /* Another thread may have taken the target away meanwhile, or put another in its place. */
        if (!(loop->slots[p.fd].told & WATCHED))
            continue;
        if (p.revents & POLLNVAL) {
            loop->slots[p.fd].told = REFUSED;
            poll_forget(loop, p.fd);
        }
        dispatch_target_report(loop, p.fd, from_poll(p.revents));
    }
    return 0;
}

/* POSIX has no way to make a pipe closed on exec from the start; eventfd has, see backend_epoll. */
static int poll_wake_open(int ends[2])
{
    if (pipe(ends) < 0)
        return -errno;
    for (int i = 0; i < 2; i++) {
        if (fcntl(ends[i], F_SETFD, FD_CLOEXEC) < 0 || fcntl(ends[i], F_SETFL, O_NONBLOCK) < 0) {
            int r = -errno;

            close(ends[0]);
            close(ends[1]);
            return r;
        }
    }
    return 0;
}

const struct backend dispatch_backend_poll = {
    .name = "poll",
    .open = poll_open,
    .close = poll_close,
    .reserve = poll_reserve,
    .change = poll_change,
    .forget = poll_forget,
    .wait = poll_wait,
    .wake_open = poll_wake_open,
};
