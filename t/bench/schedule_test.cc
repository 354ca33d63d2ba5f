// When requests are due: evenly spaced from the start, at any rate, for as long as one likes.

#include "harness/harness.h"

extern "C" {
#include "schedule.h"
}

static const uint64_t second = 1000000000;

TEST(Schedule, SpreadsEachSecondEvenly)
{
    const schedule s{100, 4, 0, UINT64_MAX};

    EXPECT_EQ(schedule_due(&s, 0), 100u);
    EXPECT_EQ(schedule_due(&s, 1), 100 + second / 4);
    EXPECT_EQ(schedule_due(&s, 3), 100 + second * 3 / 4);
    EXPECT_EQ(schedule_due(&s, 4), 100 + second);
    EXPECT_EQ(schedule_due(&s, 10), 100 + second * 5 / 2);
}

TEST(Schedule, DoesNotDriftWhereTheSecondCannotBeDivided)
{
    const schedule s{0, 3, 0, UINT64_MAX};

    EXPECT_EQ(schedule_due(&s, 1), 333333333u);
    EXPECT_EQ(schedule_due(&s, 2), 666666666u);
    EXPECT_EQ(schedule_due(&s, 3000000), 1000000 * second);
}

TEST(Schedule, HasRoomForYearsOfTheHighestRate)
{
    const uint64_t year = 31536000;
    const schedule s{second, second, 0, UINT64_MAX};

    EXPECT_EQ(schedule_due(&s, 100 * year * second + 7), (100 * year + 1) * second + 7);
    EXPECT_EQ(schedule_before(&s, (100 * year + 1) * second), 100 * year * second);
}

TEST(Schedule, CountsThoseBeforeATime)
{
    for (uint64_t rate : {UINT64_C(1), UINT64_C(3), UINT64_C(7), UINT64_C(1000), second}) {
        const schedule s{500, rate, 0, UINT64_MAX};

        EXPECT_EQ(schedule_before(&s, 0), 0u);
        EXPECT_EQ(schedule_before(&s, 500), 0u);
        EXPECT_EQ(schedule_before(&s, 501), 1u);
        EXPECT_EQ(schedule_before(&s, 500 + second), rate);
        EXPECT_EQ(schedule_before(&s, 500 + 5 * second), 5 * rate);
        for (uint64_t time : {UINT64_C(123456789), UINT64_C(999999999), UINT64_C(3141592653)}) {
            uint64_t count = schedule_before(&s, time);

            EXPECT_LT(schedule_due(&s, count - 1), time) << rate;
            EXPECT_GE(schedule_due(&s, count), time) << rate;
        }
    }
}
