// The pauses before a worker is started again.

#include "harness/harness.h"

extern "C" {
#include "backoff.h"
}

static const uint64_t MS = 1000000, SECOND = 1000 * MS;

TEST(Backoff, DoublesUpToTenSeconds)
{
    uint64_t pause = 0;

    for (uint64_t expected : {100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000, 10000}) {
        pause = server_backoff(pause, 0);
        EXPECT_EQ(pause, expected * MS);
    }
}

TEST(Backoff, ForgetsWhenAWorkerHadSettled)
{
    EXPECT_EQ(server_backoff(6400 * MS, 5 * SECOND), 0u);
    EXPECT_EQ(server_backoff(0, 5 * SECOND - 1), 100 * MS);
    EXPECT_EQ(server_backoff(800 * MS, 5 * SECOND - 1), 1600 * MS);
}
