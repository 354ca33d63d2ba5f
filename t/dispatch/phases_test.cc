// Phases: their times are those that were spent in them, and add up to the whole.

#include "fixture.h"

#include <asynwsgi/phases.h>

#include <ctime>
#include <numeric>
#include <thread>

struct Times {
    uint64_t spent[DISPATCH_PHASES_MOST], sum;

    Times(const dispatch_phases &phases) : sum(dispatch_phases_read(&phases, spent))
    {
        EXPECT_EQ(std::accumulate(spent, spent + DISPATCH_PHASES_MOST, uint64_t(0)), sum);
    }
};

class Phases : public testing::Test {
  protected:
    dispatch_phases phases{};

    ~Phases()
    {
        dispatch_phases_begin(nullptr, 0);
    }

    // At least so many nanoseconds.
    static void pass(uint64_t time)
    {
        for (uint64_t began = dispatch_clock(); dispatch_clock() - began < time;)
            std::this_thread::sleep_for(std::chrono::nanoseconds(time));
    }
};

TEST_F(Phases, AThreadThatIsNotMeasuredHasNone)
{
    EXPECT_EQ(dispatch_phase(DISPATCH_PHASE_WAIT), 0u);
    EXPECT_EQ(dispatch_phase(DISPATCH_PHASE_LOCK), 0u);
}

TEST_F(Phases, AddUpToTheWhole)
{
    uint64_t began = dispatch_clock();

    dispatch_phases_begin(&phases, began);
    pass(MS);
    EXPECT_EQ(dispatch_phase(3), (unsigned)DISPATCH_PHASE_OTHER);
    pass(2 * MS);
    EXPECT_EQ(dispatch_phase(4), 3u);
    pass(3 * MS);
    EXPECT_EQ(dispatch_phase(3), 4u);
    uint64_t before = dispatch_clock();
    Times times(phases);
    uint64_t after = dispatch_clock();

    EXPECT_GE(times.sum, before - began);
    EXPECT_LE(times.sum, after - began);
    EXPECT_GE(times.spent[DISPATCH_PHASE_OTHER], MS);
    EXPECT_GE(times.spent[3], 2 * MS);
    EXPECT_GE(times.spent[4], 3 * MS);
    EXPECT_EQ(times.spent[DISPATCH_PHASE_WAIT], 0u);
}

TEST_F(Phases, ThePresentOneGrowsWhileItIsRead)
{
    dispatch_phases_begin(&phases, dispatch_clock());
    dispatch_phase(5);
    pass(MS);
    Times first(phases);
    pass(MS);
    Times second(phases);

    EXPECT_GE(first.spent[5], MS);
    EXPECT_GE(second.spent[5], first.spent[5] + MS);
}

TEST_F(Phases, AreOfOneThread)
{
    dispatch_phases_begin(&phases, dispatch_clock());
    std::thread([] { EXPECT_EQ(dispatch_phase(5), 0u); }).join();
    EXPECT_EQ(dispatch_phase(DISPATCH_PHASE_OTHER), (unsigned)DISPATCH_PHASE_OTHER);
    EXPECT_EQ(Times(phases).spent[5], 0u);
}

// Whoever reads finds a sum that only grows, whatever the thread is at.
TEST_F(Phases, AreReadByAnotherThread)
{
    bool done = false;
    std::thread thread([&] {
        dispatch_phases_begin(&phases, dispatch_clock());
        for (unsigned i = 0; !__atomic_load_n(&done, __ATOMIC_RELAXED); i++)
            dispatch_phase(i % DISPATCH_PHASES_MOST);
        dispatch_phases_begin(nullptr, 0);
    });
    uint64_t last = 0;

    while (__atomic_load_n(&phases.version, __ATOMIC_SEQ_CST) == 0)
        std::this_thread::yield();
    for (int i = 0; i < 10000; i++) {
        Times times(phases);

        ASSERT_GE(times.sum, last);
        last = times.sum;
    }
    __atomic_store_n(&done, true, __ATOMIC_RELAXED);
    thread.join();
}

TEST_F(Phases, OfALoop)
{
    struct dispatch *loop;
    int calls = 0;

    ASSERT_EQ(dispatch_new(test_backend(), &loop), 0);
    EXPECT_FALSE(dispatch_is_measured(loop));
    dispatch_phases_begin(&phases, dispatch_clock());
    dispatch_measure(loop);
    EXPECT_TRUE(dispatch_is_measured(loop));
    dispatch_around_wait(
        loop, [](void *context) { ++*static_cast<int *>(context); },
        [](void *context) {
            ++*static_cast<int *>(context);
            pass(MS);
        },
        &calls);
    {
        Timer timer;
        ASSERT_EQ(dispatch_timer_add(loop, &timer), 0);
        dispatch_timer_set(&timer, dispatch_clock() + 3 * MS);
        timer.on = [&] {
            pass(2 * MS);
            dispatch_stop(loop, 0);
        };
        EXPECT_EQ(dispatch_run(loop), 0);
    }
    Times times(phases);
    EXPECT_GT(calls, 0);
    EXPECT_EQ(calls % 2, 0);
    EXPECT_GT(times.spent[DISPATCH_PHASE_WAIT], 0u);
    EXPECT_GE(times.spent[DISPATCH_PHASE_LOCK], MS);
    EXPECT_GE(times.spent[DISPATCH_PHASE_OTHER], 2 * MS);
    dispatch_around_wait(loop, nullptr, nullptr, nullptr);
    dispatch_free(loop);
}

// What was set before goes on to be called.
TEST_F(Phases, OfALoopThatHasALock)
{
    struct dispatch *loop;
    int calls = 0;
    auto count = [](void *context) { ++*static_cast<int *>(context); };

    ASSERT_EQ(dispatch_new(test_backend(), &loop), 0);
    dispatch_around_wait(loop, count, count, &calls);
    dispatch_measure(loop);
    dispatch_measure(loop);
    {
        Timer timer;
        ASSERT_EQ(dispatch_timer_add(loop, &timer), 0);
        dispatch_timer_set(&timer, 0);
        timer.on = [&] { dispatch_stop(loop, 0); };
        EXPECT_EQ(dispatch_run(loop), 0);
    }
    EXPECT_EQ(calls, 2);
    dispatch_free(loop);
}
