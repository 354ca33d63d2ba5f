/*
 * Timers: a heap with four children to a node, of all that are added.
 *
 *   heap[i].timer->position == i
 *   heap[parent].key <= heap[child].key
 *   heap[i].key <= heap[i].timer->deadline
 *   the keys of BEYOND entries beyond the last are DISPATCH_NEVER, so that of each
 *   node that has a child four can be compared, and none of those goes up
 *
 * The third is an equality but for timers moved later, or unset, since they got
 * that key: those are put right when it comes up, at the latest.  So pushing a
 * time-out on, the one thing done at every sign of life, is a store.
 */
#include "loop.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#define BEYOND 3

static inline void sift_up(struct heap_entry *heap, size_t i, struct heap_entry entry)
{
    struct heap_entry *hole = &heap[i];

    while (i > 0) {
        struct heap_entry *parent = &heap[(i - 1) / 4];

        if (parent->key <= entry.key)
            break;
        *hole = *parent;
        hole->timer->position = (uint32_t)i;
        hole = parent;
        i = (i - 1) / 4;
    }
    *hole = entry;
    entry.timer->position = (uint32_t)i;
}

static inline struct heap_entry *lesser(struct heap_entry *a, struct heap_entry *b)
{
    return b->key < a->key ? b : a;
}

/*
 * With `correct`, a leaf that was moved is put right before it goes up: there it is a
 * store.  Not in a removal, where most of those that were moved are about to go too.
 */
__attribute__((always_inline)) static inline void sift_down(struct dispatch *loop, size_t i,
                                                            struct heap_entry entry, bool correct)
{
    struct heap_entry *heap = loop->heap;
    size_t count = loop->heap_count;
    const struct heap_entry *leaves = heap + (count + 2) / 4;

    for (size_t child = 4 * i + 1; child < count; child = 4 * i + 1) {
        struct heap_entry *c = heap + child;

        c = lesser(lesser(c, c + 1), lesser(c + 2, c + 3));
        if (entry.key <= c->key)
            break;
        if (correct && c >= leaves && c->key != c->timer->deadline) {
            c->key = c->timer->deadline;
            continue;
        }
        heap[i] = *c;
        c->timer->position = (uint32_t)i;
        i = (size_t)(c - heap);
    }
    heap[i] = entry;
    entry.timer->position = (uint32_t)i;
}

/* The first has fired, or was moved.  Not inline: it needs all registers. */
__attribute__((noinline)) static void correct_first(struct dispatch *loop)
{
    struct dispatch_timer *timer = loop->heap[0].timer;

    sift_down(loop, 0, (struct heap_entry){timer->deadline, timer}, true);
}

/* Not inline, so that adding where there is room needs no stack. */
__attribute__((noinline)) static int grow_and_add(struct dispatch *loop,
                                                  struct dispatch_timer *timer)
{
    size_t capacity = loop->heap_capacity ? 2 * loop->heap_capacity : 16;
    struct heap_entry *heap = realloc(loop->heap, capacity * sizeof *heap);

    if (!heap)
        return -ENOMEM;
    for (size_t i = 0; i < BEYOND; i++)
        heap[loop->heap_count + i].key = DISPATCH_NEVER;
    loop->heap = heap;
    loop->heap_capacity = capacity;
    return dispatch_timer_add(loop, timer);
}

int dispatch_timer_add(struct dispatch *loop, struct dispatch_timer *timer)
{
    struct heap_entry *end;

    ASSERT(!timer->loop);
    if (loop->heap_count + BEYOND >= loop->heap_capacity)
        return grow_and_add(loop, timer);
    timer->loop = loop;
    timer->deadline = DISPATCH_NEVER;
    timer->position = (uint32_t)loop->heap_count;
    end = &loop->heap[loop->heap_count++];
    end->timer = timer; /* whose key is DISPATCH_NEVER already */
    end[BEYOND].key = DISPATCH_NEVER;
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
        sift_up(loop->heap, timer->position, (struct heap_entry){deadline, timer});
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
    loop->heap[loop->heap_count].key = DISPATCH_NEVER;
    if (last.timer != timer) {
        if (last.key < loop->heap[timer->position].key)
            sift_up(loop->heap, timer->position, last);
        else
            sift_down(loop, timer->position, last, false);
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
        correct_first(loop);
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
