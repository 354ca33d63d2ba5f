// Targets: what they are told, when, and that nothing comes after a removal; and what a turn of the
// loop asks of the kernel.

#include "dispatch/fixture.h"
#include "dispatch/syscalls.h"

#include <climits>
#include <cstdio>
#include <memory>
#include <sys/wait.h>
#include <vector>

static bool is_epoll()
{
    return test_backend() == std::string("epoll");
}

TEST(Target, HearsOfReadingAndWriting)
{
    Loop loop;
    Pair pair;
    Target target;
    ASSERT_EQ(dispatch_add(loop, &target, pair.ours, DISPATCH_READ), 0);
    EXPECT_EQ(target.loop, loop.loop);
    EXPECT_EQ(target.fd, pair.ours);
    loop.turns(2);
    EXPECT_EQ(target.calls, 0);
    pair.say();
    loop.turns(1);
    EXPECT_EQ(target.calls, 1);
    EXPECT_EQ(target.last, DISPATCH_READ);
    dispatch_want(&target, DISPATCH_WRITE);
    loop.turns(1);
    EXPECT_EQ(target.calls, 2);
    EXPECT_EQ(target.last, DISPATCH_WRITE);
    dispatch_want(&target, DISPATCH_READ | DISPATCH_WRITE);
    loop.turns(1);
    EXPECT_EQ(target.calls, 3);
    EXPECT_EQ(target.last, unsigned(DISPATCH_READ | DISPATCH_WRITE));
    dispatch_want(&target, 0);
    loop.turns(1);
    EXPECT_EQ(target.calls, 3);
}

TEST(Target, HearsThatThePeerHasShutItsSide)
{
    Loop loop;
    Pair pair;
    Target target;
    ASSERT_EQ(dispatch_add(loop, &target, pair.ours, DISPATCH_SHUT), 0);
    pair.say();
    loop.turns(2);
    EXPECT_EQ(target.calls, 0);
    shutdown(pair.peer, SHUT_WR);
    loop.turns(1);
    EXPECT_EQ(target.calls, 1);
    EXPECT_EQ(target.last, DISPATCH_SHUT);
    dispatch_want(&target, 0);
    loop.turns(1);
    EXPECT_EQ(target.calls, 1);
}

// The kernel, which knows files and not numbers, would go on to report it.
TEST(Target, RetractedBeforeADuplicateIsClosed)
{
    Loop loop;
    Pair pair;
    Target target;
    int duplicate = dup(pair.ours);

    ASSERT_EQ(dispatch_add(loop, &target, duplicate, DISPATCH_WRITE), 0);
    loop.turns(1);
    EXPECT_EQ(target.calls, 1);
    dispatch_retract(&target);
    EXPECT_EQ(target.loop, nullptr);
    close(duplicate);
    instances = 0;
    loop.turns(3);
    EXPECT_EQ(target.calls, 1);
    EXPECT_EQ(instances, 0);   // the epoll instance is not made anew
    dispatch_retract(&target); // harmless
}

TEST(Target, ReadinessIsALevel)
{
    Loop loop;
    Pair pair;
    Target target;
    ASSERT_EQ(dispatch_add(loop, &target, pair.ours, DISPATCH_READ), 0);
    pair.say();
    loop.turns(3);
    EXPECT_EQ(target.calls, 3);
    pair.hear();
    loop.turns(3);
    EXPECT_EQ(target.calls, 3);
}

TEST(Target, AFullSocketIsNotWritable)
{
    Loop loop;
    Pair pair;
    Target target;
    char block[4096] = {};
    while (write(pair.ours, block, sizeof block) > 0)
        continue;
    ASSERT_EQ(dispatch_add(loop, &target, pair.ours, DISPATCH_WRITE), 0);
    loop.turns(2);
    EXPECT_EQ(target.calls, 0);
    while (read(pair.peer, block, sizeof block) > 0)
        continue;
    loop.turns(1);
    EXPECT_EQ(target.calls, 1);
}

TEST(Target, AddRefuses)
{
    Loop loop;
    Pair pair;
    Target first, second;
    EXPECT_EQ(dispatch_add(loop, &first, -1, DISPATCH_READ), -EBADF);
    EXPECT_EQ(dispatch_add(loop, &first, 2000000000, DISPATCH_READ), -EBADF);
    EXPECT_EQ(first.loop, nullptr);
    ASSERT_EQ(dispatch_add(loop, &first, pair.ours, DISPATCH_READ), 0);
    EXPECT_EQ(dispatch_add(loop, &second, pair.ours, DISPATCH_READ), -EEXIST);
    EXPECT_EQ(second.loop, nullptr);
    dispatch_remove(&second);
    pair.say();
    loop.turns(1);
    EXPECT_EQ(first.calls, 1);
}

TEST(Target, CallersMistakesAreAssertions)
{
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    Loop loop;
    Pair pair;
    Target target;
    ASSERT_EQ(dispatch_add(loop, &target, pair.ours, DISPATCH_READ), 0);
    EXPECT_DEATH(dispatch_add(loop, &target, pair.peer, DISPATCH_READ), "does not hold");
    EXPECT_DEATH(dispatch_want(&target, DISPATCH_HANGUP), "does not hold");
    EXPECT_DEATH(dispatch_free(loop), "does not hold");
}

TEST(Target, ARegularFileIsRefusedOrReady)
{
    Loop loop;
    Target target;
    FILE *file = tmpfile();
    ASSERT_NE(file, nullptr);
    ASSERT_EQ(dispatch_add(loop, &target, fileno(file), DISPATCH_READ), 0);
    loop.turns(3);
    if (is_epoll()) {
        EXPECT_EQ(target.calls, 1);
        EXPECT_EQ(target.last, unsigned(DISPATCH_ERROR | DISPATCH_READ));
        dispatch_want(&target, DISPATCH_WRITE);
        loop.turns(3);
        EXPECT_EQ(target.calls, 1);
    } else {
        EXPECT_EQ(target.calls, 3);
        EXPECT_EQ(target.last, DISPATCH_READ);
    }
    dispatch_remove(&target);
    fclose(file);
}

TEST(Target, ARefusalIsReportedOnceButNotLostByAStop)
{
    Loop loop;
    Pair pairs[4];
    Target targets[4];
    int calls = 0;
    for (int i = 0; i < 4; i++) {
        targets[i].on = [&](unsigned events) {
            EXPECT_EQ(events, unsigned(DISPATCH_ERROR));
            calls++;
            dispatch_stop(loop, 5);
        };
        ASSERT_EQ(dispatch_add(loop, &targets[i], pairs[i].ours, 0), 0);
        pairs[i].close_ours();
    }
    for (int i = 1; i <= 4; i++) {
        EXPECT_EQ(dispatch_run(loop), 5);
        EXPECT_EQ(calls, i);
    }
    loop.turns(3);
    EXPECT_EQ(calls, 4);
    for (auto &target : targets)
        EXPECT_EQ(target.calls, 1);
}

TEST(Target, ClosedBehindItsBack)
{
    Loop loop;
    Pair closed, other;
    Target first, second;
    ASSERT_EQ(dispatch_add(loop, &first, closed.ours, DISPATCH_READ), 0);
    ASSERT_EQ(dispatch_add(loop, &second, other.ours, DISPATCH_READ), 0);
    loop.turns(1);
    closed.close_ours();
    dispatch_want(&first, DISPATCH_READ | DISPATCH_WRITE); // epoll doesn't know before it is told
    other.say();
    loop.turns(3);
    EXPECT_EQ(first.calls, 1);
    EXPECT_TRUE(first.last & DISPATCH_ERROR);
    EXPECT_EQ(second.calls, 3);
    dispatch_remove(&first);

    Pair again; // has the number
    EXPECT_EQ(again.ours, first.fd);
    ASSERT_EQ(dispatch_add(loop, &first, again.ours, DISPATCH_READ), 0);
    again.say();
    loop.turns(1);
    EXPECT_EQ(first.calls, 2);
    EXPECT_EQ(first.last, DISPATCH_READ);
    dispatch_remove(&first);
    dispatch_remove(&second);
}

TEST(Target, ExchangedBehindItsBack)
{
    VirtualClock clock;
    Loop loop;
    Pair former, present;
    Target target;
    ASSERT_EQ(dispatch_add(loop, &target, former.ours, DISPATCH_READ), 0);
    loop.turns(1);
    int duplicate = dup(former.ours);
    former.say();
    ASSERT_EQ(dup2(present.ours, former.ours), former.ours);
    dispatch_want(&target, DISPATCH_WRITE);
    loop.turns(1);
    EXPECT_EQ(target.last, DISPATCH_WRITE);
    dispatch_want(&target, DISPATCH_READ);
    target.calls = waits = 0;
    loop.run_for(20 * MS);
    EXPECT_EQ(target.calls, 0);
    EXPECT_LE(waits, 5);
    present.say();
    loop.turns(1);
    EXPECT_EQ(target.last, DISPATCH_READ);
    close(duplicate);
}

TEST(Target, AHangUpIsReportedUnasked)
{
    Loop loop;
    Pair pair;
    Target target;
    ASSERT_EQ(dispatch_add(loop, &target, pair.ours, 0), 0);
    loop.turns(2);
    EXPECT_EQ(target.calls, 0);
    pair.close_peer();
    loop.turns(1);
    EXPECT_EQ(target.calls, 1);
    EXPECT_EQ(target.last, DISPATCH_HANGUP);
    dispatch_want(&target, DISPATCH_READ | DISPATCH_WRITE);
    loop.turns(1);
    EXPECT_EQ(target.calls, 2);
    EXPECT_EQ(target.last, unsigned(DISPATCH_HANGUP | DISPATCH_READ | DISPATCH_WRITE));
}

// The kernel says only POLLHUP of a pipe without writers, and only POLLERR of one without readers.
TEST(Target, TheEndOfAPipeIsReadable)
{
    Loop loop;
    Target target;
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    ASSERT_EQ(dispatch_add(loop, &target, ends[0], DISPATCH_READ), 0);
    close(ends[1]);
    loop.turns(1);
    EXPECT_EQ(target.last, unsigned(DISPATCH_HANGUP | DISPATCH_READ));
    dispatch_remove(&target);
    close(ends[0]);

    ASSERT_EQ(pipe(ends), 0);
    ASSERT_EQ(dispatch_add(loop, &target, ends[1], 0), 0);
    close(ends[0]);
    loop.turns(1);
    EXPECT_EQ(target.last, unsigned(DISPATCH_ERROR));
    dispatch_remove(&target);
    close(ends[1]);
}

TEST(Target, TheKernelHearsOnlyOfWhatHasChanged)
{
    Loop loop;
    Pair pair;
    Target target;
    changes = 0;
    ASSERT_EQ(dispatch_add(loop, &target, pair.ours, DISPATCH_READ), 0);
    dispatch_want(&target, 0);
    dispatch_want(&target, DISPATCH_READ);
    EXPECT_EQ(changes, 0);
    loop.turns(1);
    EXPECT_EQ(changes, is_epoll() ? 1 : 0);

    changes = 0;
    for (int i = 0; i < 10; i++) {
        dispatch_want(&target, DISPATCH_WRITE);
        dispatch_want(&target, DISPATCH_READ);
        loop.turns(1);
    }
    EXPECT_EQ(changes, 0);

    dispatch_remove(&target);
    pair.close_ours();
    Pair brief;
    ASSERT_EQ(dispatch_add(loop, &target, brief.ours, DISPATCH_READ), 0);
    dispatch_remove(&target);
    loop.turns(3);
    EXPECT_EQ(changes, 0);
}

TEST(Target, EachOfTwoRemovesTheOther)
{
    Loop loop;
    Pair pairs[2];
    auto *first = new Target, *second = new Target;
    int calls = 0;
    first->on = [&](unsigned) {
        calls++;
        delete second;
        pairs[1].close_ours();
    };
    second->on = [&](unsigned) {
        calls++;
        delete first;
        pairs[0].close_ours();
    };
    pairs[0].say();
    pairs[1].say();
    ASSERT_EQ(dispatch_add(loop, first, pairs[0].ours, DISPATCH_READ), 0);
    ASSERT_EQ(dispatch_add(loop, second, pairs[1].ours, DISPATCH_READ), 0);
    loop.turns(1);
    EXPECT_EQ(calls, 1);
    delete (pairs[0].ours < 0 ? second : first);
}

TEST(Target, EndsItselfInItsCallback)
{
    Loop loop;
    Pair pair;
    auto *target = new Target;
    int calls = 0;
    target->on = [&](unsigned) {
        calls++;
        delete target;
        pair.close_ours();
    };
    pair.say();
    ASSERT_EQ(dispatch_add(loop, target, pair.ours, DISPATCH_READ), 0);
    loop.turns(3);
    EXPECT_EQ(calls, 1);
}

TEST(Target, WhatIsNoLongerWantedIsNotReported)
{
    Loop loop;
    Pair pairs[2];
    Target targets[2];
    for (int i = 0; i < 2; i++) {
        targets[i].on = [&, i](unsigned) { dispatch_want(&targets[1 - i], 0); };
        pairs[i].say();
        ASSERT_EQ(dispatch_add(loop, &targets[i], pairs[i].ours, DISPATCH_READ), 0);
    }
    loop.turns(1);
    EXPECT_EQ(targets[0].calls + targets[1].calls, 1);
}

// All three are ready; the first that is called gives the numbers of the others to new sockets, of
// which nothing may be reported in this batch.
TEST(Target, ANumberIsReusedWithinABatch)
{
    Loop loop;
    Pair pairs[3], fresh[3];
    Target targets[3], successors[3];
    int first = -1;
    for (int i = 0; i < 3; i++) {
        targets[i].on = [&, i](unsigned) {
            ASSERT_EQ(first, -1);
            first = i;
            for (int j = 0; j < 3; j++) {
                if (j == i)
                    continue;
                dispatch_remove(&targets[j]);
                ASSERT_EQ(dup2(fresh[j].ours, pairs[j].ours), pairs[j].ours);
                ASSERT_EQ(dispatch_add(loop, &successors[j], pairs[j].ours, DISPATCH_READ), 0);
            }
            dispatch_want(&targets[i], 0);
        };
        pairs[i].say();
        ASSERT_EQ(dispatch_add(loop, &targets[i], pairs[i].ours, DISPATCH_READ), 0);
    }
    loop.turns(1);
    EXPECT_NE(first, -1);
    for (int i = 0; i < 3; i++)
        EXPECT_EQ(successors[i].calls, 0);
    for (int i = 0; i < 3; i++)
        fresh[i].say();
    loop.turns(1);
    for (int i = 0; i < 3; i++)
        EXPECT_EQ(successors[i].calls, i == first ? 0 : 1);
}

TEST(Target, AddsManyInACallback)
{
    Loop loop;
    Pair pairs[3];
    std::vector<std::unique_ptr<Pair>> more;
    std::vector<std::unique_ptr<Target>> added;
    Target targets[3];
    for (int i = 0; i < 3; i++) {
        targets[i].on = [&](unsigned) {
            for (int j = 0; j < 100; j++) { // the table grows while it is gone through
                more.push_back(std::make_unique<Pair>());
                added.push_back(std::make_unique<Target>());
                more.back()->say();
                ASSERT_EQ(dispatch_add(loop, added.back().get(), more.back()->ours, DISPATCH_READ),
                          0);
            }
        };
        pairs[i].say();
        ASSERT_EQ(dispatch_add(loop, &targets[i], pairs[i].ours, DISPATCH_READ), 0);
    }
    loop.turns(1);
    EXPECT_EQ(added.size(), 300u);
    for (auto &target : targets)
        dispatch_remove(&target);
    loop.turns(3);
    for (auto &target : added)
        EXPECT_GE(target->calls, 1);
    added.clear();
}

TEST(Target, HandsItsOpenDescriptorOn)
{
    Loop loop;
    Pair pair;
    Target first, second;
    pair.say();
    first.on = [&](unsigned) {
        dispatch_remove(&first);
        ASSERT_EQ(dispatch_add(loop, &second, pair.ours, DISPATCH_READ), 0);
    };
    ASSERT_EQ(dispatch_add(loop, &first, pair.ours, DISPATCH_READ), 0);
    instances = 0;
    loop.turns(3);
    EXPECT_EQ(first.calls, 1);
    EXPECT_EQ(second.calls, 2);
    EXPECT_EQ(instances, 0);
}

TEST(Turn, IsOneWait)
{
    Loop loop;
    Pair pair;
    Target target;
    ASSERT_EQ(dispatch_add(loop, &target, pair.ours, DISPATCH_READ), 0);
    pair.say();
    loop.turns(1);
    waits = changes = longest = 0;
    loop.turns(100);
    EXPECT_EQ(target.calls, 101);
    EXPECT_EQ(waits, 100);
    EXPECT_EQ(changes, 0);
    EXPECT_EQ(longest, 0); // for the timer that counts the turns is always due
}

TEST(Turn, EndsItsWaitAtTheDeadlineOrAfter)
{
    VirtualClock clock;
    Loop loop;
    waits = longest = 0;
    loop.run_for(2 * MS);
    EXPECT_EQ(waits, 1);
    EXPECT_EQ(longest, 2);
    waits = longest = 0;
    loop.run_for(2 * MS + 1);
    EXPECT_EQ(waits, 1);
    EXPECT_EQ(longest, 3);
}

TEST(Turn, WaitsNoLongerThanAnIntHolds)
{
    Loop loop;
    Timer far, farther;
    Waker waker;
    ASSERT_EQ(dispatch_waker_add(loop, &waker), 0);
    ASSERT_EQ(dispatch_timer_add(loop, &far), 0);
    ASSERT_EQ(dispatch_timer_add(loop, &farther), 0);
    dispatch_timer_set(&farther, DISPATCH_NEVER - 1);
    waker.on = [&] {
        dispatch_stop(loop, 0);
        dispatch_timer_set(&far, dispatch_now(loop) + uint64_t(3000000000) * MS);
    };
    for (int i = 0; i < 3; i++) {
        longest = 0;
        dispatch_wake(&waker);
        EXPECT_EQ(dispatch_run(loop), 0);
        EXPECT_EQ(longest, INT_MAX);
    }
    EXPECT_EQ(far.calls + farther.calls, 0);
}

TEST(Turn, HasATimeOfItsOwnThoughTheClockStands)
{
    VirtualClock clock;
    Loop loop;
    wait_takes = 0;
    uint64_t before = dispatch_now(loop);
    loop.turns(5);
    wait_takes = 1000;
    EXPECT_EQ(dispatch_now(loop), before + 5);
}

// What the kernel still watches for a target that was removed must neither be reported nor keep the
// loop from sleeping.

TEST(Leftover, OfADescriptorThatWasNotClosed)
{
    VirtualClock clock;
    Loop loop;
    Pair pair;
    Target target;
    pair.say();
    ASSERT_EQ(dispatch_add(loop, &target, pair.ours, DISPATCH_READ), 0);
    loop.turns(1);
    dispatch_remove(&target);
    waits = instances = 0;
    loop.run_for(20 * MS);
    EXPECT_LE(waits, 5);
    EXPECT_EQ(instances, 0);
    EXPECT_EQ(target.calls, 1);
    ASSERT_EQ(dispatch_add(loop, &target, pair.ours, DISPATCH_READ), 0);
    loop.turns(1);
    EXPECT_EQ(target.calls, 2);
}

TEST(Leftover, OfADuplicate)
{
    VirtualClock clock;
    Loop loop;
    Pair pair, other, closed;
    Target target, bystander, refused;
    int duplicate = dup(pair.ours);
    pair.say();
    ASSERT_EQ(dispatch_add(loop, &target, pair.ours, DISPATCH_READ), 0);
    ASSERT_EQ(dispatch_add(loop, &bystander, other.ours, DISPATCH_READ), 0);
    ASSERT_EQ(dispatch_add(loop, &refused, closed.ours, DISPATCH_READ), 0);
    closed.close_ours();
    loop.turns(1);
    EXPECT_EQ(refused.calls, 1);
    dispatch_remove(&target);
    pair.close_ours();
    waits = 0;
    loop.run_for(20 * MS);
    EXPECT_LE(waits, 5);
    EXPECT_EQ(target.calls, 1);
    other.say();
    loop.turns(1);
    EXPECT_EQ(bystander.calls, 1);
    EXPECT_EQ(refused.calls, 1); // is not told anew
    close(duplicate);
}

TEST(Leftover, OfADuplicateWhoseNumberIsUsedAgain)
{
    VirtualClock clock;
    Loop loop;
    Pair pair;
    Target target, successor;
    int duplicate = dup(pair.ours);
    ASSERT_EQ(dispatch_add(loop, &target, pair.ours, DISPATCH_READ), 0);
    loop.turns(1);
    dispatch_remove(&target);
    int number = pair.ours;
    pair.close_ours();
    Pair next;
    ASSERT_EQ(next.ours, number);
    ASSERT_EQ(dispatch_add(loop, &successor, next.ours, DISPATCH_READ), 0);
    loop.turns(1);
    pair.say();
    waits = 0;
    loop.run_for(20 * MS);
    EXPECT_LE(waits, 5);
    EXPECT_EQ(target.calls, 0);
    EXPECT_EQ(successor.calls, 0);
    next.say();
    loop.turns(1);
    EXPECT_EQ(successor.calls, 1);
    EXPECT_EQ(successor.last, DISPATCH_READ);
    close(duplicate);
}

TEST(Leftover, OfAChildThatHasACopy)
{
    VirtualClock clock;
    Loop loop;
    Pair pair;
    Target target;
    int hold[2];
    ASSERT_EQ(pipe(hold), 0);
    ASSERT_EQ(dispatch_add(loop, &target, pair.ours, DISPATCH_READ), 0);
    loop.turns(1);
    pid_t child = fork();
    if (child == 0) {
        char byte;
        close(hold[1]);
        _exit(read(hold[0], &byte, 1) == 0 ? 0 : 1);
    }
    dispatch_remove(&target);
    pair.close_ours();
    pair.say();
    waits = 0;
    loop.run_for(20 * MS);
    EXPECT_LE(waits, 5);
    EXPECT_EQ(target.calls, 0);
    close(hold[0]);
    close(hold[1]);
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

TEST(Leftover, NoNewInstanceToBeHad)
{
    if (!is_epoll())
        GTEST_SKIP();
    Loop loop;
    Pair pair, other;
    Target target, bystander;
    int duplicate = dup(pair.ours);
    pair.say();
    other.say();
    ASSERT_EQ(dispatch_add(loop, &target, pair.ours, DISPATCH_READ), 0);
    ASSERT_EQ(dispatch_add(loop, &bystander, other.ours, DISPATCH_READ), 0);
    loop.turns(1);
    dispatch_remove(&target);
    pair.close_ours();
    instances_to_fail = 2;
    EXPECT_EQ(dispatch_run(loop), -ENFILE);
    dispatch_want(&bystander, DISPATCH_READ | DISPATCH_WRITE);
    EXPECT_EQ(dispatch_run(loop), -ENFILE);
    bystander.calls = 0;
    loop.turns(3); // the first replaces the instance, the second tells it
    EXPECT_EQ(bystander.calls, 2);
    EXPECT_EQ(bystander.last, unsigned(DISPATCH_READ | DISPATCH_WRITE));
    close(duplicate);
}

// A child without exec takes the parent's loop apart; the parent's epoll instance, which they
// share, must not be changed by it.
TEST(Target, AChildFreesTheLoopAndItsParentGoesOn)
{
    Loop loop;
    Pair pair;
    Target target;
    Waker waker;
    ASSERT_EQ(dispatch_waker_add(loop, &waker), 0);
    ASSERT_EQ(dispatch_add(loop, &target, pair.ours, DISPATCH_READ), 0);
    loop.turns(1);
    pid_t child = fork();
    if (child == 0) {
        dispatch_remove(&target);
        dispatch_waker_remove(&waker);
        dispatch_free(loop);
        pair.close_ours();
        _exit(0);
    }
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    pair.say();
    dispatch_wake(&waker);
    loop.turns(1);
    EXPECT_EQ(target.calls, 1);
    EXPECT_EQ(waker.calls, 1);
}

// With epoll, watching may fail for want of memory. That must not make a loop deaf.
TEST(WatchingFails, WakersAreHeardAllTheSame)
{
    for (int failures : {1, 3}) {
        Loop loop;
        Waker waker;
        ASSERT_EQ(dispatch_waker_add(loop, &waker), 0);
        changes_to_fail = failures;
        loop.turns(failures + 1);
        EXPECT_EQ(changes_to_fail, std::string(dispatch_backend(loop)) == "epoll" ? 0 : failures);
        changes_to_fail = 0;
        dispatch_wake(&waker);
        loop.turns(2);
        EXPECT_EQ(waker.calls, 1);
        dispatch_waker_remove(&waker);
    }
}
