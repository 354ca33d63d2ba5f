#define _GNU_SOURCE /* POLLRDHUP */
/*
 * The back end for io_uring, of Linux 6.1 or later: readiness by polls in a ring.
 *
 * A poll of the ring reports a change, and a target hears of a level.  So each
 * is made for one report, and the target that got it is told to the kernel anew
 * with the next wait, which looks what there is by then.  That is an entry in
 * the ring for each target that was ready, and nothing for one that was not.  A
 * multishot poll would need the same entry, dearer, as it has to be found again
 * to have it look.
 *
 * And it would always be there, holding the file: a socket that is closed sends
 * its FIN, and a port is free, only when the poll is cancelled.  As it is, a callback,
 * where most are closed, finds none of its own; for the rest a removal costs
 * a system call.
 *
 * A poll always reports that the peer has shut its side (POLLRDHUP), asked or not.  Where
 * nobody wants that, a multishot poll takes its place, which reports it just once.
 *
 *   places[fd].serial is that of the one poll which the kernel has of fd, or 0
 *
 * The kernel is given serial and descriptor, never a pointer.  Whose serial is
 * not in its place has been cancelled, and says nothing any more.
 *
 * The kernel works on what has happened when we ask, not in the middle of
 * anything else that the thread does (IORING_SETUP_DEFER_TASKRUN), lest it
 * interrupts a system call of a callback.  For that a ring belongs to a
 * thread; when another runs the loop, a fresh ring takes the place of the old.
 */
#include "loop.h"

#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    CHANGES = 256,
    COMPLETIONS = 1024
};

struct place {
    uint32_t serial;
    bool once; /* the next poll is to report once what is there, and then changes */
};

struct kernel {
    struct io_uring ring;
    bool open; /* false when it couldn't be replaced; uring_wait tries again */
    bool lost; /* something didn't reach the kernel, or us: all is to be told anew */
    uint32_t serial;
    struct place *places;
};

static int open_ring(struct kernel *kernel)
{
    struct io_uring_params params = {
        .flags = IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER |
                 IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
        .cq_entries = COMPLETIONS,
    };
    int r = io_uring_queue_init_params(CHANGES, &kernel->ring, &params);

    kernel->open = r == 0;
    kernel->lost = !kernel->open;
    return r == -EINVAL ? -ENOSYS : r; /* a kernel that doesn't know the flags */
}

static int uring_open(struct dispatch *loop)
{
    struct kernel *kernel = calloc(1, sizeof *kernel);
    int r;

    if (!kernel)
        return -ENOMEM;
    r = open_ring(kernel);
    if (r < 0) {
        free(kernel);
        return r;
    }
    loop->kernel = kernel;
    return 0;
}

/* NULL: neither is there room nor can it be made. */
static struct io_uring_sqe *entry(struct kernel *kernel)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&kernel->ring);

    if (!sqe) {
        io_uring_submit(&kernel->ring);
        sqe = io_uring_get_sqe(&kernel->ring);
    }
    if (!sqe)
        kernel->lost = true;
    return sqe;
}

/* Have the kernel do all that it has been told. */
static void flush(struct kernel *kernel)
{
    int r;

    do
        r = io_uring_submit_and_get_events(&kernel->ring);
    while (r >= 0 && IO_URING_READ_ONCE(*kernel->ring.sq.kflags) & IORING_SQ_TASKRUN);
}

/* By itself a ring goes in the background, or not while a child has it, too; the files are to go
 * now. */
static void close_ring(struct kernel *kernel)
{
    struct io_uring_sqe *sqe = entry(kernel);

    if (sqe) {
        io_uring_prep_cancel64(sqe, 0, IORING_ASYNC_CANCEL_ANY);
        io_uring_sqe_set_data64(sqe, 0);
        flush(kernel);
    }
    io_uring_queue_exit(&kernel->ring);
    kernel->open = false;
}

static void uring_close(struct dispatch *loop)
{
    struct kernel *kernel = loop->kernel;

    if (kernel->open && loop->process == getpid())
        close_ring(kernel);
    else if (kernel->open)
        io_uring_queue_exit(&kernel->ring); /* the polls are the parent's */
    free(kernel->places);
    free(kernel);
}

static int uring_reserve(struct dispatch *loop, size_t capacity)
{
    struct kernel *kernel = loop->kernel;
    void *p = realloc(kernel->places, capacity * sizeof *kernel->places);

    if (!p)
        return -ENOMEM;
    kernel->places = p;
    memset(kernel->places + loop->capacity, 0,
           (capacity - loop->capacity) * sizeof *kernel->places);
    return 0;
}

static uint64_t name_of(uint32_t serial, int fd)
{
    return (uint64_t)serial << 32 | (uint32_t)fd;
}

static void uring_forget(struct dispatch *loop, int fd)
{
    struct kernel *kernel = loop->kernel;
    struct place *place = &kernel->places[fd];
    struct io_uring_sqe *sqe;

    place->once = false;
    if (place->serial == 0 || kernel->lost || !(sqe = entry(kernel)))
        return;
    /* Not IORING_OP_POLL_REMOVE: that spares a multishot poll that is about to report. */
    io_uring_prep_cancel64(sqe, name_of(place->serial, fd), 0);
    io_uring_sqe_set_data64(sqe, 0);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    place->serial = 0;
}

/* Another thread can't use the ring; it rouses the loop, which forgets. */
static void uring_release(struct dispatch *loop, int fd)
{
    struct kernel *kernel = loop->kernel;

    if (kernel->places[fd].serial == 0 || loop->asleep || loop->process != getpid())
        return;
    uring_forget(loop, fd);
    flush(kernel);
}

static int uring_change(struct dispatch *loop, int fd, unsigned events)
{
    struct kernel *kernel = loop->kernel;
    struct place *place = &kernel->places[fd];
    bool once = place->once;
    struct io_uring_sqe *sqe;

    uring_forget(loop, fd);
    if (kernel->lost || !(sqe = entry(kernel)))
        return 0; /* uring_wait has all told anew */
    io_uring_prep_poll_add(sqe, fd,
                           (events & DISPATCH_READ ? POLLIN : 0u) |
                               (events & DISPATCH_WRITE ? POLLOUT : 0u) |
                               (events & DISPATCH_SHUT ? POLLRDHUP : 0u));
    if (once)
        sqe->len |= IORING_POLL_ADD_MULTI;
    if (++kernel->serial == 0)
        kernel->serial = 1;
    place->serial = kernel->serial;
    io_uring_sqe_set_data64(sqe, name_of(place->serial, fd));
    return 0;
}

static unsigned from_poll(int events)
{
    return (events & POLLIN ? DISPATCH_READ : 0u) | (events & POLLOUT ? DISPATCH_WRITE : 0u) |
           (events & POLLHUP ? DISPATCH_HANGUP : 0u) | (events & POLLERR ? DISPATCH_ERROR : 0u) |
           (events & POLLRDHUP ? DISPATCH_SHUT : 0u);
}

static void refused(struct dispatch *loop, int fd, int error)
{
    switch (error) {
    case -EINVAL: /* a file that doesn't wait, and is never ready for what is wanted */
        break;
    case -ECANCELED: /* the thread that had the ring has ended */
        dispatch_target_forgotten(loop, fd);
        break;
    default:
        loop->slots[fd].told = REFUSED;
        dispatch_target_report(loop, fd, DISPATCH_ERROR);
        break;
    }
}

static void take(struct dispatch *loop, const struct io_uring_cqe *cqe)
{
    struct kernel *kernel = loop->kernel;
    uint32_t serial = (uint32_t)(cqe->user_data >> 32);
    int fd = (int)(uint32_t)cqe->user_data;
    struct place *place = &kernel->places[fd];
    unsigned told = loop->slots[fd].told, events;

    if (serial == 0 || serial != place->serial)
        return; /* a cancellation that came too late, or what was cancelled */
    if (!(cqe->flags & IORING_CQE_F_MORE))
        place->serial = 0;
    /* Another thread may have taken the target away meanwhile, or this is its second event. */
    if (!(told & WATCHED))
        return;
    if (cqe->res < 0) {
        refused(loop, fd, cqe->res);
        return;
    }
    events = from_poll(cqe->res) & (told | DISPATCH_HANGUP | DISPATCH_ERROR);
    if (place->serial != 0 && !events)
        return; /* a multishot poll goes on */
    place->once = !events;
    dispatch_target_forgotten(loop, fd);
    if (events)
        dispatch_target_report(loop, fd, events);
}

static void take_all(struct dispatch *loop)
{
    struct kernel *kernel = loop->kernel;
    struct io_uring_cqe *cqe;
    unsigned head, count = 0;

    io_uring_for_each_cqe(&kernel->ring, head, cqe)
    {
        take(loop, cqe);
        count++;
    }
    io_uring_cq_advance(&kernel->ring, count);
}

static int replace(struct dispatch *loop)
{
    struct kernel *kernel = loop->kernel;
    int r;

    if (kernel->open)
        close_ring(kernel);
    if (loop->capacity > 0)
        memset(kernel->places, 0, loop->capacity * sizeof *kernel->places);
    r = open_ring(kernel);
    if (r == 0)
        dispatch_targets_forgotten(loop);
    return r;
}

static int uring_wait(struct dispatch *loop, int milliseconds)
{
    struct kernel *kernel = loop->kernel;
    /* Years for ever: without a time liburing goes on with a wait that a signal has interrupted. */
    struct __kernel_timespec time = {.tv_sec = 1 << 30};
    struct io_uring_cqe *cqe;
    int r = -EBADR;

    if (milliseconds >= 0) {
        time.tv_sec = milliseconds / 1000;
        time.tv_nsec = milliseconds % 1000 * 1000000L;
    }
    dispatch_wait_begins(loop);
    if (!kernel->lost)
        r = io_uring_submit_and_wait_timeout(&kernel->ring, &cqe, 1, &time, NULL);
    dispatch_wait_ends(loop);
    switch (r) {
    case -EEXIST: /* the ring is another thread's */
    case -EBADR:  /* the kernel had no memory for a completion */
        return replace(loop);
    case -ETIME:
    case -EINTR:
    case -EAGAIN: /* it had none for all of the changes; what it didn't take is still there */
    case -EBUSY:
        r = 0;
        break;
    }
    take_all(loop);
    return r < 0 ? r : 0;
}

const struct backend dispatch_backend_uring = {
    .name = "io_uring",
    .open = uring_open,
    .close = uring_close,
    .reserve = uring_reserve,
    .change = uring_change,
    .forget = uring_forget,
    .release = uring_release,
    .wait = uring_wait,
    .wake_open = dispatch_eventfd_open,
};
