// Wakers: from threads, from signal handlers, from callbacks.

#include "dispatch/fixture.h"

#include <atomic>
#include <csignal>
#include <thread>
#include <vector>

TEST(WakerTest, SeveralWakesAreOneCall)
{
    Loop loop;
    Waker waker, other;
    ASSERT_EQ(dispatch_waker_add(loop, &waker), 0);
    ASSERT_EQ(dispatch_waker_add(loop, &other), 0);
    loop.turns(1);
    EXPECT_EQ(waker.calls, 0);
    for (int i = 0; i < 10; i++)
        dispatch_wake(&waker);
    loop.turns(3);
    EXPECT_EQ(waker.calls, 1);
    EXPECT_EQ(other.calls, 0);
    dispatch_wake(&waker);
    dispatch_wake(&other);
    loop.turns(3);
    EXPECT_EQ(waker.calls, 2);
    EXPECT_EQ(other.calls, 1);
}

TEST(WakerTest, WokenInItsOwnCallback)
{
    Loop loop;
    Waker waker;
    ASSERT_EQ(dispatch_waker_add(loop, &waker), 0);
    uint64_t turn = 0;
    waker.on = [&] {
        EXPECT_GT(dispatch_now(loop), turn);
        turn = dispatch_now(loop);
        if (waker.calls < 5)
            dispatch_wake(&waker);
        else
            dispatch_stop(loop, 0);
    };
    dispatch_wake(&waker);
    dispatch_run(loop);
    EXPECT_EQ(waker.calls, 5);
}

TEST(WakerTest, RemovesOthersAndItself)
{
    Loop loop;
    Waker *wakers[5];
    int calls = 0;
    for (auto &waker : wakers) {
        waker = new Waker;
        ASSERT_EQ(dispatch_waker_add(loop, waker), 0);
    }
    for (auto &waker : wakers) {
        waker->on = [&] {
            calls++;
            for (auto &each : wakers)
                delete each;
        };
        dispatch_wake(waker);
    }
    loop.turns(2);
    EXPECT_EQ(calls, 1);
}

TEST(WakerTest, ARemovedOneIsNotCalled)
{
    Loop loop;
    Waker waker;
    ASSERT_EQ(dispatch_waker_add(loop, &waker), 0);
    dispatch_wake(&waker);
    dispatch_waker_remove(&waker);
    dispatch_waker_remove(&waker);
    loop.turns(2);
    EXPECT_EQ(waker.calls, 0);
    ASSERT_EQ(dispatch_waker_add(loop, &waker), 0);
    loop.turns(2);
    EXPECT_EQ(waker.calls, 0);
    dispatch_wake(&waker);
    loop.turns(2);
    EXPECT_EQ(waker.calls, 1);
}

TEST(WakerTest, AStopDoesNotLoseTheOthers)
{
    Loop loop;
    Waker wakers[3];
    for (auto &waker : wakers) {
        ASSERT_EQ(dispatch_waker_add(loop, &waker), 0);
        waker.on = [&] { dispatch_stop(loop, 1); };
        dispatch_wake(&waker);
    }
    for (int i = 0; i < 3; i++)
        EXPECT_EQ(dispatch_run(loop), 1);
    for (auto &waker : wakers)
        EXPECT_EQ(waker.calls, 1);
}

TEST(WakerTest, FromThreads)
{
    Loop loop;
    constexpr int THREADS = 4, WAKES = 5000;
    struct Work {
        Waker waker;
        std::atomic<int> made{0};
        int seen = 0;
    } work[THREADS];
    int total = 0;
    std::vector<std::thread> threads;
    for (auto &each : work) {
        ASSERT_EQ(dispatch_waker_add(loop, &each.waker), 0);
        each.waker.on = [&] {
            int made = each.made;
            total += made - each.seen;
            each.seen = made;
            if (total == THREADS * WAKES)
                dispatch_stop(loop, 0);
        };
    }
    for (auto &each : work)
        threads.emplace_back([&each] {
            for (int i = 0; i < WAKES; i++) {
                each.made++;
                dispatch_wake(&each.waker);
            }
        });
    EXPECT_EQ(dispatch_run(loop), 0); // ends only if no wake is lost
    for (auto &thread : threads)
        thread.join();
    EXPECT_EQ(total, THREADS * WAKES);
}

// A thread's plain writes before the wake are seen in the callback; for ThreadSanitizer.
TEST(WakerTest, PublishesWhatWasWrittenBefore)
{
    Loop loop;
    Waker waker;
    int plain = 0;
    ASSERT_EQ(dispatch_waker_add(loop, &waker), 0);
    waker.on = [&] { dispatch_stop(loop, plain); };
    std::thread thread([&] {
        plain = 42;
        dispatch_wake(&waker);
    });
    EXPECT_EQ(dispatch_run(loop), 42);
    thread.join();
}

static Waker *to_wake;

TEST(WakerTest, FromASignalHandlerKeepsErrno)
{
    Loop loop;
    Waker waker;
    ASSERT_EQ(dispatch_waker_add(loop, &waker), 0);
    waker.on = [&] { dispatch_stop(loop, 0); };
    to_wake = &waker;
    auto *former = std::signal(SIGUSR1, [](int) { dispatch_wake(to_wake); });
    errno = 12345;
    raise(SIGUSR1);
    EXPECT_EQ(errno, 12345);
    EXPECT_EQ(dispatch_run(loop), 0);
    EXPECT_EQ(waker.calls, 1);
    std::signal(SIGUSR1, former);
}

TEST(WakerTest, ADescriptorThatIsFullIsNoError)
{
    Loop loop;
    Waker waker;
    ASSERT_EQ(dispatch_waker_add(loop, &waker), 0);
    for (int i = 0; i < 20000; i++) { // 8 bytes each: more than a pipe holds
        dispatch_wake(&waker);
        dispatch_waker_remove(&waker);
        ASSERT_EQ(dispatch_waker_add(loop, &waker), 0);
    }
    dispatch_wake(&waker);
    loop.turns(1);
    EXPECT_EQ(waker.calls, 1);
    loop.turns(1000);
    EXPECT_EQ(waker.calls, 1);
}

TEST(WakerTest, NoDescriptorToBeHad)
{
    Loop loop;
    Waker waker;
    std::vector<int> all;
    for (int fd; (fd = dup(0)) >= 0;)
        all.push_back(fd);
    EXPECT_EQ(dispatch_waker_add(loop, &waker), -EMFILE);
    EXPECT_EQ(waker.loop, nullptr);
    struct dispatch *second = nullptr;
    if (test_backend() == std::string("epoll")) {
        EXPECT_EQ(dispatch_new(test_backend(), &second), -EMFILE);
    }
    for (int fd : all)
        close(fd);
    EXPECT_EQ(dispatch_waker_add(loop, &waker), 0);
}
