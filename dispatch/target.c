/*
 * Targets: the table of slots, the list of those the kernel must hear of, and
 * the batch of those that are ready.
 *
 * Only dispatch_targets_tell has the kernel called, so what a target wants may
 * go back and forth for nothing, and one that is closed is never taken out:
 * the kernel does that with the close.  loop.h has the invariants.
 */
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WANTABLE ((unsigned)(DISPATCH_READ | DISPATCH_WRITE | DISPATCH_SHUT))

static int grow(struct dispatch *loop, int fd)
{
    size_t capacity = loop->capacity ? loop->capacity : 64;
    void *p;
    int r;

    /* A number that isn't open could be any: don't make a table of gigabytes for it. */
    if (fcntl(fd, F_GETFD) < 0)
        return -EBADF;
    while (capacity <= (size_t)fd)
        capacity *= 2;

    /* What has grown before a failure stays so, unseen until `capacity` says it. */
    if (!(p = realloc(loop->slots, capacity * sizeof *loop->slots)))
        return -ENOMEM;
    loop->slots = p;
    if (!(p = realloc(loop->dirty, capacity * sizeof *loop->dirty)))
        return -ENOMEM;
    loop->dirty = p;
    if (!(p = realloc(loop->ready, capacity * sizeof *loop->ready)))
        return -ENOMEM;
    loop->ready = p;
    r = loop->backend->reserve(loop, capacity);
    if (r < 0)
        return r;
    memset(loop->slots + loop->capacity, 0, (capacity - loop->capacity) * sizeof *loop->slots);
    loop->capacity = capacity;
    return 0;
}

static void mark(struct dispatch *loop, int fd)
{
    struct slot *slot = &loop->slots[fd];

    if (slot->dirty)
        return;
    slot->dirty = true;
    loop->dirty[loop->dirty_count++] = fd;
    dispatch_rouse(loop);
}

int dispatch_add(struct dispatch *loop, struct dispatch_target *target, int fd, unsigned events)
{
    struct slot *slot;
    int r;

    ASSERT(!target->loop && (events & ~WANTABLE) == 0);
    if (fd < 0)
        return -EBADF;
    if ((size_t)fd >= loop->capacity && (r = grow(loop, fd)) < 0)
        return r;
    slot = &loop->slots[fd];
    if (slot->target)
        return -EEXIST;

    slot->target = target;
    loop->target_count++;
    target->loop = loop;
    target->fd = fd;
    target->wanted = events;
    mark(loop, fd);
    return 0;
}

void dispatch_want(struct dispatch_target *target, unsigned events)
{
    ASSERT(target->loop && (events & ~WANTABLE) == 0);
    if (target->wanted == events)
        return;
    target->wanted = events;
    mark(target->loop, target->fd);
}

void dispatch_remove(struct dispatch_target *target)
{
    struct dispatch *loop = target->loop;
    struct slot *slot;

    if (!loop)
        return;
    slot = &loop->slots[target->fd];
    slot->target = NULL;
    slot->generation++;
    slot->told = 0;
    if (loop->backend->release)
        loop->backend->release(loop, target->fd);
    mark(loop, target->fd);
    loop->target_count--;
    target->loop = NULL;
}

void dispatch_retract(struct dispatch_target *target)
{
    struct dispatch *loop = target->loop;

    /* What a fork has by that number in the kernel is its parent's, too. */
    if (loop && loop->backend->retract && (loop->slots[target->fd].told & WATCHED) &&
        loop->process == getpid())
        loop->backend->retract(loop, target->fd);
    dispatch_remove(target);
}

void dispatch_target_forgotten(struct dispatch *loop, int fd)
{
    loop->slots[fd].told = 0;
    mark(loop, fd);
}

void dispatch_targets_forgotten(struct dispatch *loop)
{
    for (size_t fd = 0; fd < loop->capacity; fd++)
        if (loop->slots[fd].target && loop->slots[fd].told != REFUSED)
            dispatch_target_forgotten(loop, (int)fd);
}

static void tell(struct dispatch *loop, int fd)
{
    struct slot *slot = &loop->slots[fd];
    unsigned wish;

    if (!slot->target) {
        loop->backend->forget(loop, fd);
        return;
    }
    wish = slot->target->wanted | WATCHED;
    if (slot->told == wish || slot->told == REFUSED)
        return;
    if (loop->backend->change(loop, fd, slot->target->wanted) == 0) {
        slot->told = (uint8_t)wish;
    } else {
        slot->told = REFUSED;
        dispatch_target_report(loop, fd, DISPATCH_ERROR);
    }
}

void dispatch_targets_tell(struct dispatch *loop)
{
    loop->ready_count = 0;
    while (loop->dirty_count > 0) {
        int fd = loop->dirty[--loop->dirty_count];

        loop->slots[fd].dirty = false;
        tell(loop, fd);
    }
}

/*
 * The callbacks may change everything: slots move when the table grows,
 * targets of this batch go or are replaced, or no longer want the event.
 */
void dispatch_targets_deliver(struct dispatch *loop)
{
    for (size_t i = 0; i < loop->ready_count; i++) {
        struct event e = loop->ready[i];
        struct slot *slot = &loop->slots[e.fd];
        struct dispatch_target *target = slot->target;

        if (slot->generation != e.generation)
            continue;
        if (loop->stopped) {
            /* What is a level comes again by itself; a refusal must be met anew. */
            if (slot->told == REFUSED)
                dispatch_target_forgotten(loop, e.fd);
            continue;
        }
        if (e.events & (DISPATCH_HANGUP | DISPATCH_ERROR))
            e.events |= DISPATCH_READ | DISPATCH_WRITE;
        e.events &= target->wanted | DISPATCH_HANGUP | DISPATCH_ERROR;
        if (e.events)
            target->ready(target, e.events);
    }
}
