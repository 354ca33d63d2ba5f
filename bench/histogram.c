/* Histograms of times. */
#include "histogram.h"

/* As 99.9 is: 99.9% of 1,000 are 999, and not one more. */
#define ROUNDED (1 - 1e-15)

/* The value without its low bits, and behind those of all that lose fewer. */
static size_t slot_of(uint64_t value)
{
    unsigned lost = 0;

    if (value > HISTOGRAM_MOST)
        value = HISTOGRAM_MOST;
    if (value >> HISTOGRAM_BITS)
        lost = 64 - (unsigned)__builtin_clzll(value) - HISTOGRAM_BITS;
    return ((size_t)lost << (HISTOGRAM_BITS - 1)) + (size_t)(value >> lost);
}

uint64_t histogram_slot_value(size_t slot)
{
    size_t half = (size_t)1 << (HISTOGRAM_BITS - 1);
    size_t lost = slot < half ? 0 : slot / half - 1;

    return ((uint64_t)(slot - lost * half + 1) << lost) - 1;
}

void histogram_record(struct histogram *histogram, uint64_t value)
{
    histogram->slots[slot_of(value)]++;
    histogram->count++;
    histogram->sum += value;
    if (value > histogram->max)
        histogram->max = value;
}

void histogram_add(struct histogram *histogram, const struct histogram *other)
{
    for (size_t i = 0; i < HISTOGRAM_SLOTS; i++)
        histogram->slots[i] += other->slots[i];
    histogram->count += other->count;
    histogram->sum += other->sum;
    if (other->max > histogram->max)
        histogram->max = other->max;
}

uint64_t histogram_percentile(const struct histogram *histogram, double percentile)
{
    double rank = percentile * (double)histogram->count / 100 * ROUNDED;
    uint64_t seen = 0;

    for (size_t i = 0; i < HISTOGRAM_SLOTS; i++) {
        seen += histogram->slots[i];
        if (seen > 0 && (double)seen >= rank) {
            uint64_t value = histogram_slot_value(i);

            return value < histogram->max ? value : histogram->max;
        }
    }
    return histogram->max;
}
