/*
 * Timers: a heap with four children to a node, of all that are added.
 *
 *   heap[i].timer->position == i
 *   heap[parent].key <= heap[child].key
 *   heap[i].key <= heap[i].timer->deadline
 *
 * The last is an equality but for timers moved later, or unset, since they got
 * that key: those are put right when it comes up.  So pushing a time-out on,
 * the one thing done at every sign of life, is a store.
 */
#include "loop.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

static void put(struct dispatch *loop, size_t i, struct heap_entry entry)
{
    loop->heap[i] = entry;
    entry.timer->position = (uint32_t)i;
}

static void sift_up(struct dispatch *loop, size_t i, struct heap_entry entry)
{
    while (i > 0) {
        size_t parent = (i - 1) / 4;

        if (loop->heap[parent].key <= entry.key)
            break;
        put(loop, i, loop->heap[parent]);
        i = parent;
    }
    put(loop, i, entry);
}

static void sift_down(struct dispatch *loop, size_t i, struct heap_entry entry)
{
    for (;;) {
        size_t least = 4 * i + 1;
        size_t end = least + 4 < loop->heap_count ? least + 4 : loop->heap_count;

        if (least >= end)
            break;
        for (size_t child = least + 1; child < end; child++)
            if (loop->heap[child].key < loop->heap[least].key)
                least = child;
        if (entry.key <= loop->heap[least].key)
            break;
        put(loop, i, loop->heap[least]);
        i = least;
    }
    put(loop, i, entry);
}

int dispatch_timer_add(struct dispatch *loop, struct dispatch_timer *timer)
{
    ASSERT(!timer->loop);
    if (loop->heap_count == loop->heap_capacity) {
        size_t capacity = loop->heap_capacity ? 2 * loop->heap_capacity : 16;
        void *p = realloc(loop->heap, capacity * sizeof *loop->heap);

        if (!p)
            return -ENOMEM;
        loop->heap = p;
        loop->heap_capacity = capacity;
    }
    timer->loop = loop;
    timer->deadline = DISPATCH_NEVER;
    put(loop, loop->heap_count++, (struct heap_entry){DISPATCH_NEVER, timer});
    return 0;
}

void dispatch_timer_set(struct dispatch_timer *timer, uint64_t deadline)
{
    struct dispatch *loop = timer->loop;

    ASSERT(loop);
    /* After this turn, at or before the next: loop->now grows with every turn. */
    if (deadline <= loop->now)
        deadline = loop->now + 1;
    timer->deadline = deadline;
    if (deadline < loop->heap[timer->position].key)
        sift_up(loop, timer->position, (struct heap_entry){deadline, timer});
    if (deadline < loop->until)
        dispatch_rouse(loop);
}

void dispatch_timer_remove(struct dispatch_timer *timer)
{
    struct dispatch *loop = timer->loop;
    struct heap_entry last;

    if (!loop)
        return;
    last = loop->heap[--loop->heap_count];
    if (last.timer != timer) {
        if (last.key < loop->heap[timer->position].key)
            sift_up(loop, timer->position, last);
        else
            sift_down(loop, timer->position, last);
    }
    timer->loop = NULL;
    timer->deadline = DISPATCH_NEVER;
}

void dispatch_timers_run(struct dispatch *loop)
{
    while (!loop->stopped && loop->heap_count > 0 && loop->heap[0].key <= loop->now) {
        struct dispatch_timer *timer = loop->heap[0].timer;
        bool due = timer->deadline == loop->heap[0].key;

        if (due)
            timer->deadline = DISPATCH_NEVER;
        sift_down(loop, 0, (struct heap_entry){timer->deadline, timer});
        if (due)
            timer->fired(timer);
    }
}

int dispatch_timers_timeout(const struct dispatch *loop)
{
    uint64_t left;

    if (loop->heap_count == 0)
        return -1;
    if (loop->heap[0].key <= loop->now + 1)
        return 0;
    /* Rounded up: a wait that ends too early would be followed by turns for nothing. */
    left = (loop->heap[0].key - loop->now - 1) / 1000000 + 1;
    return left < INT_MAX ? (int)left : INT_MAX;
}
