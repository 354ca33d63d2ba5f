/*
 * Histograms of times: log-linear, to three significant digits.
 *
 * Values below 2,048 have a slot of their own; above that, each power of two is
 * divided into 1,024 slots, so a slot is at most 1/1024 of its values wide.  What is
 * over HISTOGRAM_MOST, 73 minutes in nanoseconds, is counted there.
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum {
    HISTOGRAM_BITS = 11, /* of a value that are kept */
    HISTOGRAM_WIDTH = 42 /* of the largest */
};
#define HISTOGRAM_MOST ((UINT64_C(1) << HISTOGRAM_WIDTH) - 1)
#define HISTOGRAM_SLOTS ((size_t)(HISTOGRAM_WIDTH - HISTOGRAM_BITS + 2) << (HISTOGRAM_BITS - 1))

/* All zero at first. */
struct histogram {
    uint64_t count;
    uint64_t sum; /* of the values, exactly */
    uint64_t max; /* as recorded */
    uint64_t slots[HISTOGRAM_SLOTS];
};

void histogram_record(struct histogram *histogram, uint64_t value);

/* Add what another one has. */
void histogram_add(struct histogram *histogram, const struct histogram *other);

/*
 * The largest value that the slot stands for which holds the percentile, 0 to 100,
 * and no more than the largest recorded; 0 when there is none.
 */
uint64_t histogram_percentile(const struct histogram *histogram, double percentile);

/* The largest value of a slot. */
uint64_t histogram_slot_value(size_t slot);

#endif
