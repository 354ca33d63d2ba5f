// The loop: making, running, stopping, and what happens when there is no memory.

#include "dispatch/fixture.h"

#include <ctime>
#include <memory>
#include <set>
#include <vector>

TEST(LoopNew, KnowsItsBackends)
{
    struct dispatch *loop = nullptr;
    EXPECT_EQ(dispatch_new("kqueue", &loop), -EINVAL);
    EXPECT_EQ(dispatch_new("", &loop), -EINVAL);
    EXPECT_EQ(loop, nullptr);

    std::set<std::string> names;
    for (const char *const *name = dispatch_backends; *name; name++) {
        names.insert(*name);
        ASSERT_EQ(dispatch_new(*name, &loop), 0);
        EXPECT_EQ(dispatch_backend(loop), std::string(*name));
        dispatch_free(loop);
    }
    EXPECT_TRUE(names.count("poll"));
    EXPECT_TRUE(names.count(test_backend()));

    ASSERT_EQ(dispatch_new(nullptr, &loop), 0);
    EXPECT_EQ(dispatch_backend(loop), std::string(dispatch_backends[0]));
    dispatch_free(loop);
    dispatch_free(nullptr);
}

TEST(LoopNew, HasATimeBeforeItRuns)
{
    timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    Loop loop;
    clock_gettime(CLOCK_MONOTONIC, &after);
    EXPECT_GE(dispatch_now(loop), uint64_t(before.tv_sec) * 1000000000 + uint64_t(before.tv_nsec));
    EXPECT_LE(dispatch_now(loop), uint64_t(after.tv_sec) * 1000000000 + uint64_t(after.tv_nsec));
}

TEST(LoopNow, GrowsWithEveryTurnOnly)
{
    Loop loop;
    Timer timer;
    uint64_t previous = dispatch_now(loop);
    ASSERT_EQ(dispatch_timer_add(loop, &timer), 0);
    timer.on = [&] {
        uint64_t now = dispatch_now(loop);
        EXPECT_GT(now, previous);
        previous = now;
        usleep(100);
        EXPECT_EQ(dispatch_now(loop), now);
        dispatch_timer_set(&timer, 0);
    };
    dispatch_timer_set(&timer, 0);
    loop.turns(10);
    EXPECT_GE(timer.calls, 9);
}

TEST(LoopStop, GivesItsStatusAndEndsTheTurn)
{
    Loop loop;
    Pair pairs[2];
    Target targets[2];
    for (int i = 0; i < 2; i++) {
        pairs[i].say();
        targets[i].on = [&, i](unsigned) {
            dispatch_stop(loop, 40 + i);
            dispatch_remove(&targets[i]);
        };
        ASSERT_EQ(dispatch_add(loop, &targets[i], pairs[i].ours, DISPATCH_READ), 0);
    }
    Timer timer;
    ASSERT_EQ(dispatch_timer_add(loop, &timer), 0);
    dispatch_timer_set(&timer, 0);
    timer.on = [&] { dispatch_stop(loop, 50); };

    int sum = dispatch_run(loop);
    EXPECT_EQ(targets[0].calls + targets[1].calls, 1);
    EXPECT_EQ(timer.calls, 0);
    sum += dispatch_run(loop);
    EXPECT_EQ(sum, 81);
    EXPECT_EQ(targets[0].calls + targets[1].calls, 2);
    EXPECT_EQ(dispatch_run(loop), 50);
}

TEST(LoopStop, BeforeRunEndsItAtOnce)
{
    Loop loop;
    Pair pair;
    Target target;
    pair.say();
    ASSERT_EQ(dispatch_add(loop, &target, pair.ours, DISPATCH_READ), 0);
    dispatch_stop(loop, 3);
    EXPECT_EQ(dispatch_run(loop), 3);
    EXPECT_EQ(target.calls, 0);
    loop.turns(1);
    EXPECT_EQ(target.calls, 1);
}

TEST(LoopRun, DoesNotNest)
{
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    Loop loop;
    Timer timer;
    ASSERT_EQ(dispatch_timer_add(loop, &timer), 0);
    timer.on = [&] {
        EXPECT_DEATH(dispatch_run(loop), "does not hold");
        dispatch_stop(loop, 0);
    };
    dispatch_timer_set(&timer, 0);
    dispatch_run(loop);
}

TEST(LoopMemory, NewFailsCleanly)
{
    struct dispatch *loop = nullptr;
    int failures = 0;
    for (;; failures++) {
        test_fail_allocation((unsigned long)failures + 1);
        int r = dispatch_new(test_backend(), &loop);
        test_fail_allocation(0);
        if (r == 0)
            break;
        EXPECT_EQ(r, -ENOMEM);
        EXPECT_EQ(loop, nullptr);
    }
    EXPECT_EQ(failures, 2);
    dispatch_free(loop);
}

// Every allocation that adding makes fails once; what was there before goes on, and a second try
// succeeds.
TEST(LoopMemory, AddingFailsCleanly)
{
    Loop loop;
    Pair pair, first;
    Target bystander;
    int failures = 0;
    auto twice = [&](auto add) {
        for (unsigned long n = 1;; n++) {
            test_fail_allocation(n);
            int r = add();
            test_fail_allocation(0);
            if (r == 0)
                return;
            failures++;
            EXPECT_EQ(r, -ENOMEM);
            if (bystander.loop) {
                int calls = bystander.calls;
                loop.turns(1);
                EXPECT_EQ(bystander.calls, calls + 1);
            }
        }
    };
    pair.say();
    first.say();
    Waker waker;
    twice([&] { return dispatch_waker_add(loop, &waker); });
    twice([&] { return dispatch_add(loop, &bystander, pair.ours, DISPATCH_READ); });

    std::vector<std::unique_ptr<Target>> targets;
    for (int fd : {100, 127, 128, 300, 900}) {
        ASSERT_EQ(dup2(first.ours, fd), fd);
        targets.push_back(std::make_unique<Target>());
        twice([&] { return dispatch_add(loop, targets.back().get(), fd, DISPATCH_READ); });
    }
    std::vector<std::unique_ptr<Timer>> timers;
    for (int i = 0; i < 100; i++) {
        timers.push_back(std::make_unique<Timer>());
        // That of turns() needs a place too.
        twice([&] { return dispatch_timer_add(loop, timers.back().get()); });
        dispatch_timer_set(timers.back().get(), 0);
    }
    loop.turns(2);
    for (auto &target : targets) {
        EXPECT_GE(target->calls, 1);
        dispatch_remove(target.get());
        close(target->fd);
    }
    for (auto &timer : timers)
        EXPECT_EQ(timer->calls, 1);
    EXPECT_GT(failures, 15);
}

TEST(LoopMemory, NothingIsAllocatedAfterAdding)
{
    Loop loop;
    std::vector<std::unique_ptr<Pair>> pairs;
    Target targets[50];
    Timer timers[50];
    Waker wakers[3];
    for (auto &waker : wakers)
        ASSERT_EQ(dispatch_waker_add(loop, &waker), 0);
    for (auto &timer : timers)
        ASSERT_EQ(dispatch_timer_add(loop, &timer), 0);
    for (auto &target : targets) {
        pairs.push_back(std::make_unique<Pair>());
        ASSERT_EQ(dispatch_add(loop, &target, pairs.back()->ours, DISPATCH_READ), 0);
    }
    loop.turns(1);

    unsigned long before = test_allocations();
    for (int i = 0; i < 1000; i++) {
        for (int j = 0; j < 50; j++) {
            dispatch_want(&targets[j], unsigned(i + j) % 4);
            dispatch_timer_set(&timers[j], dispatch_now(loop) + uint64_t(j * 10000));
            if ((i + j) % 7 == 0) {
                dispatch_remove(&targets[j]);
                ASSERT_EQ(dispatch_add(loop, &targets[j], pairs[size_t(j)]->ours, 0), 0);
            }
        }
        dispatch_wake(&wakers[i % 3]);
        loop.turns(1);
    }
    EXPECT_EQ(test_allocations(), before);
}
