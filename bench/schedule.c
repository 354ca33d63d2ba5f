/* When requests are due.  Whole seconds apart, so that no product is out of range. */
#include "schedule.h"

#define SECOND UINT64_C(1000000000)

uint64_t schedule_due(const struct schedule *schedule, uint64_t number)
{
    uint64_t rate = schedule->rate;

    return schedule->start + number / rate * SECOND + number % rate * SECOND / rate;
}

/* Number k is due before `passed` if k < passed * rate / SECOND, but for what due times are
 * rounded. */
uint64_t schedule_before(const struct schedule *schedule, uint64_t time)
{
    uint64_t passed, number;

    if (time <= schedule->start)
        return 0;
    passed = time - schedule->start;
    number = passed / SECOND * schedule->rate + passed % SECOND * schedule->rate / SECOND;
    while (schedule_due(schedule, number) < time)
        number++;
    return number;
}
