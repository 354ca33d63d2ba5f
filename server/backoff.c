/*
 * The pause before a worker that died is started again: none for one that had
 * settled, or 0.1 s, doubling up to 10 s.
 */
#include "backoff.h"

static const uint64_t settled = 5000000000, least = 100000000, most = 10000000000;

uint64_t server_backoff(uint64_t previous, uint64_t served)
{
    if (served >= settled)
        return 0;
    if (previous < least)
        return least;
    return previous < most / 2 ? previous * 2 : most;
}
