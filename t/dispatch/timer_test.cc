// Timers: when, in what order, and against a simple model.

#include "dispatch/fixture.h"
#include "dispatch/syscalls.h"

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <vector>

class TimerTest : public testing::Test {
  protected:
    VirtualClock clock;
    Loop loop;

    void add(Timer &timer, uint64_t deadline = DISPATCH_NEVER)
    {
        ASSERT_EQ(dispatch_timer_add(loop, &timer), 0);
        dispatch_timer_set(&timer, deadline);
    }
    uint64_t in(uint64_t milliseconds)
    {
        return dispatch_now(loop) + milliseconds * MS;
    }
};

TEST_F(TimerTest, FiresOnceAndNotBefore)
{
    Timer timer;
    uint64_t fired_at = 0;
    timer.on = [&] {
        fired_at = dispatch_now(loop);
        EXPECT_EQ(timer.deadline, DISPATCH_NEVER);
    };
    uint64_t deadline = in(5);
    add(timer);
    EXPECT_EQ(timer.deadline, DISPATCH_NEVER);
    dispatch_timer_set(&timer, deadline);
    EXPECT_EQ(timer.deadline, deadline);
    loop.run_for(15 * MS);
    EXPECT_EQ(timer.calls, 1);
    EXPECT_GE(fired_at, deadline);
    EXPECT_LT(fired_at, deadline + 2 * MS);
}

TEST_F(TimerTest, FiresInTheOrderOfDeadlines)
{
    Timer timers[20];
    std::vector<int> order;
    for (int i = 0; i < 20; i++) {
        add(timers[i], in(2) + uint64_t(i * 7 % 20));
        timers[i].on = [&, i] { order.push_back(i * 7 % 20); };
    }
    loop.run_for(8 * MS);
    EXPECT_EQ(order.size(), 20u);
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_F(TimerTest, TiesAllFireInOneTurn)
{
    Timer timers[10];
    uint64_t deadline = in(2), turn = 0;
    for (auto &timer : timers) {
        add(timer, deadline);
        timer.on = [&] {
            EXPECT_TRUE(turn == 0 || turn == dispatch_now(loop));
            turn = dispatch_now(loop);
        };
    }
    loop.run_for(6 * MS);
    for (auto &timer : timers)
        EXPECT_EQ(timer.calls, 1);
}

TEST_F(TimerTest, APastDeadlineFiresInTheNextTurn)
{
    Timer before, setter, inside;
    add(before, 0);
    add(setter, 0);
    add(inside);
    int turn_of_inside = 0;
    setter.on = [&] {
        if (setter.calls == 1)
            dispatch_timer_set(&inside, 0);
        if (setter.calls < 3)
            dispatch_timer_set(&setter, 0);
        else
            dispatch_stop(loop, 0);
    };
    inside.on = [&] { turn_of_inside = setter.calls; };
    dispatch_run(loop);
    EXPECT_EQ(before.calls, 1);
    EXPECT_EQ(inside.calls, 1);
    EXPECT_TRUE(turn_of_inside == 1 || turn_of_inside == 2); // after or before `setter` of turn 2
}

TEST_F(TimerTest, SetByATargetDoesNotFireInThatTurn)
{
    Pair pair;
    Target target;
    Timer timer, due;
    uint64_t set_at = 0;
    target.on = [&](unsigned) {
        set_at = dispatch_now(loop);
        dispatch_timer_set(&timer, 0);
        dispatch_timer_set(&due, set_at); // was due in this turn
        dispatch_remove(&target);
    };
    timer.on = due.on = [&] { EXPECT_GT(dispatch_now(loop), set_at); };
    pair.say();
    add(timer);
    add(due, 0);
    ASSERT_EQ(dispatch_add(loop, &target, pair.ours, DISPATCH_READ), 0);
    loop.turns(4);
    EXPECT_EQ(timer.calls, 1);
    EXPECT_EQ(due.calls, 1);
}

TEST_F(TimerTest, OneThatSetsItselfAgainDoesNotStarveTargets)
{
    Pair pair;
    Target target;
    Timer timer;
    timer.on = [&] { dispatch_timer_set(&timer, 0); };
    target.on = [&](unsigned) { dispatch_stop(loop, timer.calls); };
    pair.say();
    add(timer, 0);
    ASSERT_EQ(dispatch_add(loop, &target, pair.ours, DISPATCH_READ), 0);
    EXPECT_LE(dispatch_run(loop), 1);
}

TEST_F(TimerTest, MovesLaterAndEarlier)
{
    Timer later, earlier, unset, set_again;
    uint64_t at_later = 0, at_earlier = 0;
    later.on = [&] { at_later = dispatch_now(loop); };
    earlier.on = [&] { at_earlier = dispatch_now(loop); };
    uint64_t start = dispatch_now(loop);
    add(later, in(2));
    add(earlier, in(3600000));
    add(unset, in(1));
    add(set_again, in(1));
    dispatch_timer_set(&later, in(10));
    dispatch_timer_set(&earlier, in(5));
    dispatch_timer_set(&unset, DISPATCH_NEVER);
    EXPECT_EQ(unset.deadline, DISPATCH_NEVER);
    dispatch_timer_set(&set_again, DISPATCH_NEVER);
    dispatch_timer_set(&set_again, in(2));
    loop.run_for(20 * MS);
    EXPECT_EQ(later.calls, 1);
    EXPECT_GE(at_later, start + 10 * MS);
    EXPECT_LT(at_later, start + 12 * MS);
    EXPECT_EQ(earlier.calls, 1);
    EXPECT_GE(at_earlier, start + 5 * MS);
    EXPECT_LT(at_earlier, start + 7 * MS);
    EXPECT_EQ(unset.calls, 0);
    EXPECT_EQ(set_again.calls, 1);
    dispatch_timer_set(&unset, 0);
    loop.turns(2);
    EXPECT_EQ(unset.calls, 1);
}

TEST_F(TimerTest, PushedOnAtEverySignOfLife)
{
    Timer timeout, life;
    add(timeout, in(5));
    add(life, 0);
    life.on = [&] {
        dispatch_timer_set(&timeout, in(5));
        dispatch_timer_set(&life, in(1));
    };
    loop.run_for(30 * MS);
    EXPECT_EQ(timeout.calls, 0);
    dispatch_timer_remove(&life);
    loop.run_for(20 * MS);
    EXPECT_EQ(timeout.calls, 1);
}

TEST_F(TimerTest, EachOfTwoRemovesTheOther)
{
    auto *first = new Timer, *second = new Timer;
    int calls = 0;
    add(*first, 0);
    add(*second, 0);
    bool first_ran = false;
    first->on = [&] {
        calls++;
        first_ran = true;
        delete second;
    };
    second->on = [&] {
        calls++;
        delete first;
    };
    loop.turns(3);
    EXPECT_EQ(calls, 1);
    delete (first_ran ? first : second);
}

TEST_F(TimerTest, EndsItselfInItsCallback)
{
    auto *timer = new Timer;
    int calls = 0;
    add(*timer, 0);
    timer->on = [&] {
        calls++;
        delete timer;
    };
    loop.turns(3);
    EXPECT_EQ(calls, 1);
}

TEST_F(TimerTest, TheLastInTheHeapLeavesNothingBehind)
{
    Timer first, other, last;
    add(first, in(1));
    add(other, in(3));
    add(last, in(2));
    dispatch_timer_remove(&last);
    loop.run_for(6 * MS);
    EXPECT_EQ(first.calls, 1);
    EXPECT_EQ(other.calls, 1);
    EXPECT_EQ(last.calls, 0);
}

// Random setting, moving and removing, between turns and in callbacks. The model says which must
// have fired when a turn is over, and in what order.
class TimerModelTest : public TimerTest, public testing::WithParamInterface<size_t> {};

TEST_P(TimerModelTest, Agrees)
{
    const unsigned seed = 7;
    std::mt19937 random(seed);
    std::vector<std::unique_ptr<Timer>> timers(GetParam());
    uint64_t last_deadline = 0, last_turn = 0, tick_deadline = 0;
    int operations = 0, fired = 0;
    std::vector<uint64_t> model(timers.size(), DISPATCH_NEVER);

    auto operate = [&] {
        size_t i = random() % timers.size();
        operations++;
        switch (random() % 8) {
        case 0:
            if (timers[i])
                timers[i].reset();
            model[i] = DISPATCH_NEVER;
            return;
        case 1:
            model[i] = DISPATCH_NEVER;
            break;
        case 2:
            model[i] = random() % 1000; // past
            break;
        default:
            model[i] = dispatch_now(loop) + random() % 20000;
            break;
        }
        if (!timers[i]) {
            timers[i] = std::make_unique<Timer>();
            ASSERT_EQ(dispatch_timer_add(loop, timers[i].get()), 0);
            timers[i]->on = nullptr;
        }
        if (model[i] != DISPATCH_NEVER)
            model[i] = std::max(model[i], dispatch_now(loop) + 1);
        dispatch_timer_set(timers[i].get(), model[i]);
    };
    std::function<void(size_t)> on_fired = [&](size_t i) {
        uint64_t now = dispatch_now(loop), deadline = model[i];
        ASSERT_LE(deadline, now) << "seed " << seed;
        if (now == last_turn) {
            ASSERT_GE(deadline, last_deadline) << "seed " << seed;
        }
        last_turn = now;
        last_deadline = deadline;
        model[i] = DISPATCH_NEVER;
        fired++;
        if (random() % 2)
            operate();
    };
    while (operations < 100000 && !HasFatalFailure()) {
        for (size_t n = 0; n < timers.size() / 4; n++)
            operate();
        for (size_t i = 0; i < timers.size(); i++)
            if (timers[i])
                timers[i]->on = [&, i] { on_fired(i); };
        tick_deadline = dispatch_now(loop) + 1;
        loop.turns(1);
        for (size_t i = 0; i < timers.size(); i++)
            ASSERT_GE(model[i], tick_deadline) << "seed " << seed;
    }
    EXPECT_GT(fired, 5000);
}

INSTANTIATE_TEST_SUITE_P(Timers, TimerModelTest, testing::Values(4, 20, 400));
