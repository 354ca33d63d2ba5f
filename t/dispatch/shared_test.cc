// A loop that threads share by a lock which it has while it does not sleep.

#include "dispatch/fixture.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace {

// The lock, and the loop's hooks.
class Shared : public testing::Test {
  public:
    std::mutex mutex;
    std::condition_variable changed;
    int waits = 0;
    Loop loop;
    Waker waker;

    void SetUp() override
    {
        ASSERT_EQ(dispatch_waker_add(loop, &waker), 0);
        dispatch_around_wait(
            loop,
            [](void *context) {
                auto *self = static_cast<Shared *>(context);
                self->waits++;
                self->changed.notify_all();
                self->mutex.unlock();
            },
            [](void *context) { static_cast<Shared *>(context)->mutex.lock(); }, this);
    }

    // Runs the loop, until it is stopped, and `change` in another thread while it sleeps.
    void run(const std::function<void()> &change)
    {
        std::thread other([&] {
            std::unique_lock<std::mutex> lock(mutex);

            changed.wait(lock, [&] { return waits > 0; });
            change();
        });

        mutex.lock();
        dispatch_run(loop);
        mutex.unlock();
        other.join();
    }
};

TEST_F(Shared, ATimerEndsTheWait)
{
    Timer never, soon;

    ASSERT_EQ(dispatch_timer_add(loop, &never), 0);
    dispatch_timer_set(&never, dispatch_now(loop) + 1000000 * MS);
    soon.on = [&] { dispatch_stop(loop, 0); };
    run([&] {
        EXPECT_EQ(dispatch_timer_add(loop, &soon), 0);
        dispatch_timer_set(&soon, 0);
    });
    EXPECT_EQ(soon.calls, 1);
}

TEST_F(Shared, ATargetEndsTheWait)
{
    Target target;
    Pair pair;

    pair.say();
    target.on = [&](unsigned) { dispatch_stop(loop, 0); };
    run([&] { EXPECT_EQ(dispatch_add(loop, &target, pair.ours, DISPATCH_READ), 0); });
    EXPECT_EQ(target.last, DISPATCH_READ);
}

TEST_F(Shared, WhatDoesNotMatterDoesNot)
{
    Timer first, later, last;

    ASSERT_EQ(dispatch_timer_add(loop, &first), 0);
    ASSERT_EQ(dispatch_timer_add(loop, &later), 0);
    dispatch_timer_set(&first, dispatch_now(loop) + 30 * MS);
    first.on = [&] { dispatch_stop(loop, 0); };
    run([&] {
        dispatch_timer_set(&later, dispatch_clock() + 1000 * MS);
        dispatch_timer_set(&later, dispatch_clock() + 2000 * MS);
    });
    EXPECT_EQ(waits, 1);
}

// Each makes the tables grow, poll's, which the kernel has, among them.
TEST_F(Shared, TablesGrowDuringTheWait)
{
    std::vector<int> numbers = {100, 200, 400};
    std::vector<std::unique_ptr<Target>> targets;
    Pair pair, before;
    Target first;
    int heard = 0;

    first.on = [&](unsigned) { dispatch_stop(loop, 0); };
    ASSERT_EQ(dispatch_add(loop, &first, before.ours, DISPATCH_READ), 0);
    run([&] {
        for (int number : numbers) {
            ASSERT_EQ(dup2(pair.ours, number), number);
            targets.push_back(std::make_unique<Target>());
            targets.back()->on = [&, target = targets.back().get()](unsigned) {
                dispatch_want(target, 0);
                if (++heard == 3)
                    before.say();
            };
            ASSERT_EQ(dispatch_add(loop, targets.back().get(), number, DISPATCH_WRITE), 0);
        }
    });
    EXPECT_EQ(heard, 3);
    EXPECT_EQ(first.calls, 1);
    targets.clear();
    for (int number : numbers)
        close(number);
}

// What the kernel has found of it by then is nobody's, and not its successor's.
TEST_F(Shared, ATargetGoesDuringTheWait)
{
    Target going, replaced, successor;
    Pair pair, other, next;
    Timer end;

    ASSERT_EQ(dispatch_timer_add(loop, &end), 0);
    end.on = [&] { dispatch_stop(loop, 0); };
    ASSERT_EQ(dispatch_add(loop, &going, pair.ours, DISPATCH_READ), 0);
    ASSERT_EQ(dispatch_add(loop, &replaced, other.ours, DISPATCH_READ), 0);
    run([&] {
        pair.close_peer();
        other.close_peer();
        dispatch_remove(&going);
        dispatch_remove(&replaced);
        ASSERT_EQ(dup2(next.ours, other.ours), other.ours);
        ASSERT_EQ(dispatch_add(loop, &successor, other.ours, DISPATCH_READ), 0);
        dispatch_timer_set(&end, dispatch_clock() + 10 * MS);
    });
    EXPECT_EQ(going.calls, 0);
    EXPECT_EQ(replaced.calls, 0);
    EXPECT_EQ(successor.calls, 0);
}

TEST_F(Shared, TheTimeCanBeReadAnew)
{
    Timer timer;
    uint64_t before = 0, after = 0;

    ASSERT_EQ(dispatch_timer_add(loop, &timer), 0);
    timer.on = [&] { dispatch_stop(loop, 0); };
    run([&] {
        before = dispatch_now(loop);
        usleep(100);
        dispatch_update(loop);
        after = dispatch_now(loop);
        dispatch_timer_set(&timer, 0);
    });
    EXPECT_GE(after, before + 100000);
    EXPECT_EQ(timer.calls, 1);
}

} // namespace
