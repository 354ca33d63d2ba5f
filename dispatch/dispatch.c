/*
 * The loop and its turn: tell the kernel what changed, wait, read the clock,
 * call the targets that are ready, then the timers that are due.
 *
 * The clock is read once a turn, after the wait.  A timer can thus be late by
 * as long as the callbacks of one turn take, which it can be anyway.
 */
#include "config.h"
#include "loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Best first. */
static const struct backend *const backends[] = {
#ifdef __linux__
    &dispatch_backend_epoll,
#endif
#ifdef HAVE_LIBURING
    &dispatch_backend_uring,
#endif
    &dispatch_backend_poll,
};

const char *const dispatch_backends[] = {
#ifdef __linux__
    "epoll",
#endif
#ifdef HAVE_LIBURING
    "io_uring",
#endif
    "poll",
    NULL,
};

uint64_t dispatch_clock(void)
{
    struct timespec t;
    int r = clock_gettime(CLOCK_MONOTONIC, &t);

    ASSERT(r == 0);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static const struct backend *find_backend(const char *name)
{
    if (!name)
        return backends[0];
    for (size_t i = 0; dispatch_backends[i]; i++)
        if (strcmp(backends[i]->name, name) == 0)
            return backends[i];
    return NULL;
}

int dispatch_new(const char *backend, struct dispatch **result)
{
    struct dispatch *loop;
    int r;

    loop = calloc(1, sizeof *loop);
    if (!loop)
        return -ENOMEM;
    loop->process = getpid();
    loop->backend = find_backend(backend);
    r = loop->backend ? loop->backend->open(loop) : -EINVAL;
    if (r < 0) {
        free(loop);
        return r;
    }
    loop->wake_fd = -1;
    loop->now = dispatch_clock();
    *result = loop;
    return 0;
}

void dispatch_free(struct dispatch *loop)
{
    if (!loop)
        return;
    ASSERT(!loop->wakers && loop->heap_count == 0);
    dispatch_wakers_close(loop);
    ASSERT(loop->target_count == 0);
    loop->backend->close(loop);
    free(loop->slots);
    free(loop->dirty);
    free(loop->ready);
    free(loop->heap);
    free(loop);
}

void dispatch_wait_begins(struct dispatch *loop)
{
    if (!loop->around.before)
        return;
    loop->asleep = true;
    loop->until = loop->heap_count > 0 ? loop->heap[0].key : DISPATCH_NEVER;
    loop->around.before(loop->around.context);
}

void dispatch_wait_ends(struct dispatch *loop)
{
    int saved = errno;

    if (!loop->around.before)
        return;
    loop->around.after(loop->around.context);
    loop->asleep = loop->roused = false;
    errno = saved;
}

void dispatch_rouse(struct dispatch *loop)
{
    if (!loop->asleep || loop->roused)
        return;
    loop->roused = true;
    dispatch_kick(loop);
}

static void turn(struct dispatch *loop)
{
    uint64_t now;
    int r;

    dispatch_targets_tell(loop);
    r = loop->backend->wait(loop, loop->ready_count > 0 ? 0 : dispatch_timers_timeout(loop));
    if (r < 0)
        dispatch_stop(loop, r);
    now = dispatch_clock();
    loop->now = now > loop->now ? now : loop->now + 1;
    dispatch_targets_deliver(loop);
    dispatch_timers_run(loop);
}

int dispatch_run(struct dispatch *loop)
{
    if (loop->process != getpid())
        return -ECHILD;
    ASSERT(!loop->running);
    loop->running = true;
    while (!loop->stopped)
        turn(loop);
    loop->running = loop->stopped = false;
    return loop->status;
}

void dispatch_stop(struct dispatch *loop, int status)
{
    loop->stopped = true;
    loop->status = status;
}

void dispatch_around_wait(struct dispatch *loop, void (*before)(void *context),
                          void (*after)(void *context), void *context)
{
    *(loop->measured ? &loop->let_go : &loop->around) =
        (struct around_wait){before, after, context};
}

uint64_t dispatch_now(const struct dispatch *loop)
{
    return loop->now;
}

void dispatch_update(struct dispatch *loop)
{
    uint64_t now;

    if (!loop->asleep)
        return;
    now = dispatch_clock();
    if (now > loop->now)
        loop->now = now;
}

const char *dispatch_backend(const struct dispatch *loop)
{
    return loop->backend->name;
}

void dispatch_assertion_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "%s:%d: %s does not hold\n", file, line, condition);
    abort();
}
