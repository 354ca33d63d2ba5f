/* libuv, for loop.c. */
#include "loop.h"

#include <stdlib.h>
#include <uv.h>

static const char *const backends[] = {"epoll", NULL};
const char *const *const loop_backends = backends;
static uv_loop_t loop;
static uv_timer_t *timers;

bool loop_open(const char *backend)
{
    (void)backend;
    return uv_loop_init(&loop) == 0;
}

void loop_run(void)
{
    uv_run(&loop, UV_RUN_DEFAULT);
}

void loop_stop(void)
{
    uv_stop(&loop);
}

static void ready(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    bench_ready((size_t)poll->data);
}

void loop_watch(const int *fds, size_t count)
{
    uv_poll_t *all = calloc(count, sizeof *all);

    for (size_t i = 0; i < count; i++) {
        all[i].data = (void *)i;
        if (uv_poll_init(&loop, &all[i], fds[i]) < 0 ||
            uv_poll_start(&all[i], UV_READABLE, ready) < 0)
            abort();
    }
}

union delay loop_delay(uint64_t nanoseconds)
{
    return (union delay){.count = nanoseconds / 1000000};
}

static void fired(uv_timer_t *timer)
{
    (void)timer;
    bench_fired();
}

void loop_timers_new(size_t count)
{
    timers = calloc(count, sizeof *timers);
    for (size_t i = 0; i < count; i++)
        uv_timer_init(&loop, &timers[i]);
}

void loop_timer_add(size_t i, union delay delay)
{
    uv_timer_start(&timers[i], fired, delay.count, 0);
}

void loop_timer_move(size_t i, union delay delay)
{
    uv_timer_start(&timers[i], fired, delay.count, 0);
}

void loop_timer_remove(size_t i)
{
    uv_timer_stop(&timers[i]);
}
