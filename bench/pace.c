/* Paces.  Whole intervals and the rest apart, so that no product is over 64 bits. */
#include "pace.h"

uint64_t pace_due(uint64_t elapsed, uint64_t count, uint64_t interval)
{
    return elapsed / interval * count + elapsed % interval * count / interval;
}

uint64_t pace_when(uint64_t n, uint64_t count, uint64_t interval)
{
    return n / count * interval + (n % count * interval + count - 1) / count;
}
