/*
 * What loop.c measures: loop_NAME.c has, for an event loop library each, the functions
 * named loop_, as thin as can be, and calls those named bench_ from its callbacks.
 */
#ifndef BENCH_LOOP_H
#define BENCH_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The back ends that loop_open takes, NULL last. */
extern const char *const *const loop_backends;
bool loop_open(const char *backend);

/* Turns until loop_stop. */
void loop_run(void);
void loop_stop(void);

/* Call bench_ready(i) whenever there is something to read from fds[i]. */
void loop_watch(const int *fds, size_t count);
void bench_ready(size_t i);

/* From now on, as the library has it. */
union delay {
    uint64_t count;
    double seconds;
};
union delay loop_delay(uint64_t nanoseconds);

/* Of timers 0 to count - 1, each fires once, by bench_fired(). */
void loop_timers_new(size_t count);
void loop_timer_add(size_t i, union delay delay);
void loop_timer_move(size_t i, union delay delay);
void loop_timer_remove(size_t i);
void bench_fired(void);

#endif
