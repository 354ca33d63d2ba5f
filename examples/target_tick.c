/*
 * A plug-in with a timer, which writes a line to the error log every so many seconds:
 *
 *   cc -shared -fPIC -o tick.so $(pkg-config --cflags asynwsgi-target) target_tick.c
 *   asynwsgi --target ./tick.so:5 hello
 */
#include <asynwsgi/dispatch.h>
#include <asynwsgi/target.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct tick {
    struct dispatch_timer timer;
    const struct asynwsgi_target_worker *worker;
    uint64_t interval; /* nanoseconds */
    unsigned count;
};

static void fired(struct dispatch_timer *timer)
{
    struct tick *tick = (struct tick *)(void *)((char *)timer - offsetof(struct tick, timer));
    char line[64];

    dispatch_timer_set(timer, dispatch_now(tick->worker->loop) + tick->interval);
    snprintf(line, sizeof line, "tick %u of worker %u", ++tick->count, tick->worker->number);
    tick->worker->log(tick->worker, ASYNWSGI_TARGET_INFO, line);
}

/* Seconds, 1 where nothing is said. */
static int read_interval(const char *text, uint64_t *interval)
{
    char *end = NULL;
    double seconds = *text ? strtod(text, &end) : 1;

    if ((end && *end) || !(seconds >= 0.001 && seconds <= 1e6))
        return -EINVAL;
    *interval = (uint64_t)(seconds * 1e9);
    return 0;
}

static int start(const struct asynwsgi_target_worker *worker, void **state,
                 char explanation[ASYNWSGI_TARGET_EXPLANATION])
{
    struct tick *tick = calloc(1, sizeof *tick);
    int r;

    if (!tick)
        return -ENOMEM;
    tick->worker = worker;
    tick->timer.fired = fired;
    r = read_interval(worker->arguments, &tick->interval);
    if (r < 0)
        snprintf(explanation, ASYNWSGI_TARGET_EXPLANATION, "\"%.100s\" is no number of seconds",
                 worker->arguments);
    else
        r = dispatch_timer_add(worker->loop, &tick->timer);
    if (r < 0) {
        free(tick);
        return r;
    }
    dispatch_timer_set(&tick->timer, dispatch_now(worker->loop) + tick->interval);
    *state = tick;
    return 0;
}

static void stop(void *state)
{
    struct tick *tick = state;

    dispatch_timer_remove(&tick->timer);
    free(tick);
}

const struct asynwsgi_target asynwsgi_target = {
    .version = ASYNWSGI_TARGET_VERSION, .start = start, .stop = stop};
