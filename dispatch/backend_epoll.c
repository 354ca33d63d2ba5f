/*
 * The back end for Linux: epoll, level-triggered.
 *
 * The kernel is given descriptor and generation, never a pointer.  It drops a
 * registration by itself when the last duplicate of the descriptor is closed.
 * One that outlives its target, because a duplicate is open in a child, say,
 * or because the caller didn't close at all, can't always be reached any more
 * by its number: then a fresh epoll instance takes the place of the old.
 */
#ifdef __linux__
#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BATCH 256

struct kernel {
    int fd; /* -1 when it couldn't be replaced; epoll_backend_wait tries again */
    struct epoll_event batch[BATCH];
};

static int epoll_backend_open(struct dispatch *loop)
{
    struct kernel *kernel = malloc(sizeof *kernel);
    int r;

    if (!kernel)
        return -ENOMEM;
    kernel->fd = epoll_create1(EPOLL_CLOEXEC);
    if (kernel->fd < 0) {
        r = -errno;
        free(kernel);
        return r;
    }
    loop->kernel = kernel;
    return 0;
}

static void epoll_backend_close(struct dispatch *loop)
{
    struct kernel *kernel = loop->kernel;

    if (kernel->fd >= 0)
        close(kernel->fd);
    free(kernel);
}

static int epoll_reserve(struct dispatch *loop, size_t capacity)
{
    (void)loop, (void)capacity;
    return 0;
}

static int control(struct dispatch *loop, int operation, int fd, unsigned events)
{
    const struct kernel *kernel = loop->kernel;
    struct epoll_event e = {
        .events = (events & DISPATCH_READ ? EPOLLIN : 0) |
                  (events & DISPATCH_WRITE ? EPOLLOUT : 0) |
                  (events & DISPATCH_SHUT ? EPOLLRDHUP : 0),
        .data.u64 = (uint64_t)loop->slots[fd].generation << 32 | (uint32_t)fd,
    };

    return epoll_ctl(kernel->fd, operation, fd, &e) == 0 ? 0 : -errno;
}

static int epoll_change(struct dispatch *loop, int fd, unsigned events)
{
    const struct kernel *kernel = loop->kernel;
    struct slot *slot = &loop->slots[fd];
    int r;

    if (kernel->fd < 0)
        return 0;
    r = control(loop, slot->told ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, events);
    if (r == -EEXIST) {
        /* A target was removed and its descriptor not closed. */
        r = control(loop, EPOLL_CTL_MOD, fd, events);
    } else if (r == -ENOENT) {
        /* It was closed and opened again behind our back; what it was may still be watched. */
        slot->generation++;
        r = control(loop, EPOLL_CTL_ADD, fd, events);
    }
    return r;
}

static void epoll_retract(struct dispatch *loop, int fd)
{
    (void)control(loop, EPOLL_CTL_DEL, fd, 0);
}

static void epoll_forget(struct dispatch *loop, int fd)
{
    (void)loop, (void)fd;
}

/* All targets are told anew in the next turn. */
static int replace(struct dispatch *loop)
{
    struct kernel *kernel = loop->kernel;

    if (kernel->fd >= 0)
        close(kernel->fd);
    kernel->fd = epoll_create1(EPOLL_CLOEXEC);
    if (kernel->fd < 0)
        return -errno;
    dispatch_targets_forgotten(loop);
    return 0;
}

/* A registration without a target: a level that nobody reacts to. */
static bool is_deleted(struct dispatch *loop, int fd)
{
    /* By that number we would reach the present target's registration. */
    if (loop->slots[fd].target)
        return false;
    return control(loop, EPOLL_CTL_DEL, fd, 0) == 0;
}

static unsigned from_epoll(uint32_t events)
{
    if (events == EPOLLIN) /* as nearly always */
        return DISPATCH_READ;
    return (events & EPOLLIN ? DISPATCH_READ : 0u) | (events & EPOLLOUT ? DISPATCH_WRITE : 0u) |
           (events & EPOLLHUP ? DISPATCH_HANGUP : 0u) | (events & EPOLLERR ? DISPATCH_ERROR : 0u) |
           (events & EPOLLRDHUP ? DISPATCH_SHUT : 0u);
}

static int epoll_backend_wait(struct dispatch *loop, int milliseconds)
{
    struct kernel *kernel = loop->kernel;
    bool stale = kernel->fd < 0;
    int n = 0;

    dispatch_wait_begins(loop);
    if (!stale)
        n = epoll_wait(kernel->fd, kernel->batch, BATCH, milliseconds);
    dispatch_wait_ends(loop);
    if (n < 0)
        return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < n; i++) {
        uint64_t data = kernel->batch[i].data.u64;
        int fd = (int)(uint32_t)data;

        if (loop->slots[fd].generation == data >> 32)
            dispatch_target_report(loop, fd, from_epoll(kernel->batch[i].events));
        else if (!is_deleted(loop, fd))
            stale = true;
    }
    return stale ? replace(loop) : 0;
}

int dispatch_eventfd_open(int ends[2])
{
    ends[0] = ends[1] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return ends[0] < 0 ? -errno : 0;
}

const struct backend dispatch_backend_epoll = {
    .name = "epoll",
    .open = epoll_backend_open,
    .close = epoll_backend_close,
    .reserve = epoll_reserve,
    .change = epoll_change,
    .forget = epoll_forget,
    .retract = epoll_retract,
    .wait = epoll_backend_wait,
    .wake_open = dispatch_eventfd_open,
};
#endif
