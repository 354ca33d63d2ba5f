/* dispatch, for loop.c. */
#include "loop.h"

#include <asynwsgi/dispatch.h>

#include <stdlib.h>

struct watched {
    struct dispatch_target target;
    size_t i;
};

const char *const *const loop_backends = dispatch_backends;
static struct dispatch *loop;
static struct dispatch_timer *timers;

bool loop_open(const char *backend)
{
    return dispatch_new(backend, &loop) == 0;
}

void loop_run(void)
{
    dispatch_run(loop);
}

void loop_stop(void)
{
    dispatch_stop(loop, 0);
}

static void ready(struct dispatch_target *target, unsigned events)
{
    (void)events;
    bench_ready(((struct watched *)target)->i);
}

void loop_watch(const int *fds, size_t count)
{
    struct watched *all = calloc(count, sizeof *all);

    for (size_t i = 0; i < count; i++) {
        all[i].target.ready = ready;
        all[i].i = i;
        if (dispatch_add(loop, &all[i].target, fds[i], DISPATCH_READ) < 0)
            abort();
    }
}

union delay loop_delay(uint64_t nanoseconds)
{
    return (union delay){.count = nanoseconds};
}

static void fired(struct dispatch_timer *timer)
{
    (void)timer;
    bench_fired();
}

void loop_timers_new(size_t count)
{
    timers = calloc(count, sizeof *timers);
    for (size_t i = 0; i < count; i++)
        timers[i].fired = fired;
}

void loop_timer_add(size_t i, union delay delay)
{
    if (dispatch_timer_add(loop, &timers[i]) < 0)
        abort();
    dispatch_timer_set(&timers[i], dispatch_now(loop) + delay.count);
}

void loop_timer_move(size_t i, union delay delay)
{
    dispatch_timer_set(&timers[i], dispatch_now(loop) + delay.count);
}

void loop_timer_remove(size_t i)
{
    dispatch_timer_remove(&timers[i]);
}
