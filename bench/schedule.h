/*
 * The times at which requests are to be sent, fixed in advance: number k is due
 * k / rate seconds after the start.
 */
#ifndef BENCH_SCHEDULE_H
#define BENCH_SCHEDULE_H

#include <stdint.h>

struct schedule {
    uint64_t start; /* ns */
    uint64_t rate;  /* a second; 1 to 10^9 */
    uint64_t next;  /* number of the next one */
    uint64_t count; /* there are no more */
};

/* When one of that number is due. */
uint64_t schedule_due(const struct schedule *schedule, uint64_t number);

/* How many are due before a time. */
uint64_t schedule_before(const struct schedule *schedule, uint64_t time);

#endif
