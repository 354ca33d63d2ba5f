/*
 * Has an event loop library work.  Of each thing that is measured it prints a
 * line: its name, how often it was done, and the nanoseconds of CPU time that it
 * took.  Under callgrind, with --toggle-collect=bench_ready, there is a dump for
 * each, without what turns read and write.
 *
 *   loop_NAME backends
 *   loop_NAME turns BACKEND TARGETS READY EVENTS
 *   loop_NAME timers BACKEND COUNT
 *
 * turns: of so many eventfds, READY are ready in every turn, a divisor of
 * TARGETS.  Each that is read makes another ready, a multiple of READY further
 * on, so that no two ever meet and all have their turn, here and there.
 * timers: of timers within a second from now, each step goes through all of
 * them, in an order of its own.
 */
#include "loop.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_TOGGLE_COLLECT
#define CALLGRIND_DUMP_STATS_AT(name)
#endif

#define SECOND 1000000000

static int *fds;
static size_t targets, at_once, stride;
static size_t done, wanted; /* calls of bench_ready or bench_fired */

static size_t count;
static uint32_t *order;
static uint64_t *at; /* of each timer, its delay */
static union delay *delays;

_Noreturn static void fail(const char *what)
{
    perror(what);
    exit(2);
}

/* 1 or more. */
static size_t number(const char *digits)
{
    size_t n = 0;

    while (*digits >= '0' && *digits <= '9')
        n = 10 * n + (size_t)(*digits++ - '0');
    if (n == 0)
        fail("number");
    return n;
}

static uint64_t cpu_time(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

/* Without a name, only do it. */
static void measure(const char *name, void (*phase)(void))
{
    uint64_t before;

    done = 0;
    if (!name) {
        phase();
        return;
    }
    before = cpu_time();
    CALLGRIND_TOGGLE_COLLECT;
    phase();
    CALLGRIND_TOGGLE_COLLECT;
    CALLGRIND_DUMP_STATS_AT(name);
    printf("%s %zu %" PRIu64 "\n", name, done, cpu_time() - before);
}

/* -- Turns ---------------------------------------------------------------- */

void bench_ready(size_t i)
{
    size_t next = i + stride < targets ? i + stride : i + stride - targets;
    uint64_t value;

    if (read(fds[i], &value, sizeof value) != sizeof value ||
        write(fds[next], &value, sizeof value) != sizeof value)
        fail("eventfd");
    if (++done == wanted)
        loop_stop();
}

static void open_targets(void)
{
    struct rlimit limit;
    uint64_t one = 1;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit); /* or else eventfd fails */
    fds = calloc(targets, sizeof *fds);
    for (size_t i = 0; i < targets; i++) {
        fds[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (fds[i] < 0)
            fail("eventfd");
        if (i < at_once && write(fds[i], &one, sizeof one) != sizeof one)
            fail("write");
    }
}

static void turns(size_t events)
{
    open_targets();
    loop_watch(fds, targets);
    wanted = at_once; /* once, for the kernel to be told of the targets */
    loop_run();
    wanted = events;
    measure("turns", loop_run);
}

/* -- Timers --------------------------------------------------------------- */

static uint64_t random_below(uint64_t limit)
{
    static uint64_t state = 88172645463325252;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % limit;
}

static void shuffle(void)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = random_below(i);
        uint32_t other = order[j];

        order[j] = order[i - 1];
        order[i - 1] = other;
    }
}

void bench_fired(void)
{
    if (++done == count)
        loop_stop();
}

static void add_all(void)
{
    for (; done < count; done++)
        loop_timer_add(order[done], delays[done]);
}

static void move_all(void)
{
    for (; done < count; done++)
        loop_timer_move(order[done], delays[done]);
}

static void remove_all(void)
{
    for (; done < count; done++)
        loop_timer_remove(order[done]);
}

/* For all timers, in an order of its own, and with delays that `change` makes of those they had. */
static void step(const char *name, void (*phase)(void), uint64_t (*change)(uint64_t))
{
    shuffle();
    for (size_t i = 0; change && i < count; i++) {
        at[order[i]] = change(at[order[i]]);
        delays[i] = loop_delay(at[order[i]]);
    }
    measure(name, phase);
}

static uint64_t any(uint64_t delay)
{
    (void)delay;
    return random_below(SECOND);
}

static uint64_t earlier(uint64_t delay)
{
    return random_below(delay + 1);
}

static uint64_t later(uint64_t delay)
{
    return delay + random_below(SECOND - delay);
}

static void fire(const char *name)
{
    nanosleep(&(struct timespec){1, 1000000}, NULL);
    measure(name, loop_run);
}

static void timers(void)
{
    order = calloc(count, sizeof *order);
    at = calloc(count, sizeof *at);
    delays = calloc(count, sizeof *delays);
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    loop_timers_new(count);
    step("add", add_all, any);
    step("change", move_all, any);
    step("earlier", move_all, earlier);
    step("later", move_all, later);
    step("remove", remove_all, NULL);
    step(NULL, add_all, any);
    fire("fire");
    step("again", move_all, any);
    step(NULL, move_all, later);
    fire("fire-moved");
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "backends") == 0) {
        for (size_t i = 0; loop_backends[i]; i++)
            puts(loop_backends[i]);
        return 0;
    }
    if (argc < 3 || !loop_open(argv[2]))
        fail("loop");
    if (argc == 6 && strcmp(argv[1], "turns") == 0) {
        targets = number(argv[3]);
        at_once = number(argv[4]);
        stride = at_once * 7919 % targets;
        turns(number(argv[5]));
    } else if (argc == 4 && strcmp(argv[1], "timers") == 0) {
        count = number(argv[3]);
        timers();
    }
    return 0;
}
