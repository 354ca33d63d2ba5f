// Steady paces: how many steps are due, and when the next one is.

#include "harness/harness.h"

extern "C" {
#include "pace.h"
}

static const uint64_t second = 1000000000;

TEST(Pace, IsEvenlySpread)
{
    EXPECT_EQ(pace_due(0, 10, second), 0u);
    EXPECT_EQ(pace_due(second / 10 - 1, 10, second), 0u);
    EXPECT_EQ(pace_due(second / 10, 10, second), 1u);
    EXPECT_EQ(pace_due(second, 10, second), 10u);
    EXPECT_EQ(pace_due(3 * second + second / 2, 10, second), 35u);
}

TEST(Pace, OfNothingIsNothing)
{
    EXPECT_EQ(pace_due(3 * second, 0, second), 0u);
}

// The two functions are each other's inverse: a timer that is set by one finds a step due by the
// other.
TEST(Pace, AStepIsDueAtItsTimeAndNotBefore)
{
    for (uint64_t count : {UINT64_C(1), UINT64_C(3), UINT64_C(7), UINT64_C(1000), PACE_COUNT_MAX})
        for (uint64_t interval : {UINT64_C(1000000), second, 7 * second, PACE_INTERVAL_MAX})
            for (uint64_t n :
                 {UINT64_C(1), UINT64_C(2), count - 1, count, count + 1, 5 * count + 3}) {
                if (n == 0)
                    continue;
                uint64_t when = pace_when(n, count, interval);

                EXPECT_GE(pace_due(when, count, interval), n) << count << " " << interval;
                EXPECT_LT(pace_due(when - 1, count, interval), n) << count << " " << interval;
            }
}

TEST(Pace, GoesOnForYears)
{
    const uint64_t year = 365 * 24 * 3600 * second;

    EXPECT_EQ(pace_due(10 * year, PACE_COUNT_MAX, PACE_INTERVAL_MAX),
              10 * 365 * 24 * PACE_COUNT_MAX);
}
