/*
 * A steady pace: `count` steps in each interval, evenly spread.  For an interval of an
 * hour at most and PACE_COUNT_MAX steps in it.
 */
#ifndef BENCH_PACE_H
#define BENCH_PACE_H

#include <stdint.h>

#define PACE_COUNT_MAX UINT64_C(4000000)
#define PACE_INTERVAL_MAX UINT64_C(3600000000000)

/* The steps that are due when that time has elapsed, in nanoseconds. */
uint64_t pace_due(uint64_t elapsed, uint64_t count, uint64_t interval);

/* The time that has elapsed when the n-th becomes due; the first is number 1. */
uint64_t pace_when(uint64_t n, uint64_t count, uint64_t interval);

#endif
