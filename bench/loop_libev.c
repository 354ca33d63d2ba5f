/* libev, for loop.c. */
#include "loop.h"

#include <ev.h>
#include <stdlib.h>

static const char *const backends[] = {"epoll", NULL};
const char *const *const loop_backends = backends;
static struct ev_loop *loop;
static ev_timer *timers;

bool loop_open(const char *backend)
{
    (void)backend;
    loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
    return loop;
}

void loop_run(void)
{
    ev_run(loop, 0);
}

void loop_stop(void)
{
    ev_break(loop, EVBREAK_ONE);
}

static void ready(struct ev_loop *l, ev_io *io, int events)
{
    (void)l, (void)events;
    bench_ready((size_t)io->data);
}

void loop_watch(const int *fds, size_t count)
{
    ev_io *all = calloc(count, sizeof *all);

    for (size_t i = 0; i < count; i++) {
        ev_io_init(&all[i], ready, fds[i], EV_READ);
        all[i].data = (void *)i;
        ev_io_start(loop, &all[i]);
    }
}

union delay loop_delay(uint64_t nanoseconds)
{
    return (union delay){.seconds = (double)nanoseconds / 1e9};
}

static void fired(struct ev_loop *l, ev_timer *timer, int events)
{
    (void)l, (void)timer, (void)events;
    bench_fired();
}

void loop_timers_new(size_t count)
{
    timers = calloc(count, sizeof *timers);
    for (size_t i = 0; i < count; i++)
        ev_init(&timers[i], fired);
}

void loop_timer_add(size_t i, union delay delay)
{
    ev_timer_set(&timers[i], delay.seconds, 0.);
    ev_timer_start(loop, &timers[i]);
}

/* The shortest way, by its manual: the timer keeps its place and is moved from there. */
void loop_timer_move(size_t i, union delay delay)
{
    timers[i].repeat = delay.seconds;
    ev_timer_again(loop, &timers[i]);
    timers[i].repeat = 0;
}

void loop_timer_remove(size_t i)
{
    ev_timer_stop(loop, &timers[i]);
}
