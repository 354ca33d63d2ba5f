// Signals: caught as calls, and given back.

#include "dispatch/fixture.h"

#include <atomic>
#include <csignal>
#include <sys/wait.h>
#include <thread>

static void (*handler_of(int number))(int)
{
    struct sigaction action;
    sigaction(number, nullptr, &action);
    return action.sa_handler;
}

TEST(SignalTest, IsCaughtAndGivenBack)
{
    Loop loop;
    Signal signal;
    std::signal(SIGUSR1, SIG_IGN);
    ASSERT_EQ(dispatch_signal_add(loop, &signal, SIGUSR1), 0);
    EXPECT_EQ(signal.number, SIGUSR1);
    EXPECT_NE(handler_of(SIGUSR1), SIG_IGN);
    raise(SIGUSR1);
    raise(SIGUSR1);
    EXPECT_EQ(signal.calls, 0);
    loop.turns(2);
    EXPECT_EQ(signal.calls, 1);
    raise(SIGUSR1);
    loop.turns(2);
    EXPECT_EQ(signal.calls, 2);
    raise(SIGUSR1);
    dispatch_signal_remove(&signal);
    EXPECT_EQ(signal.number, 0);
    EXPECT_EQ(handler_of(SIGUSR1), SIG_IGN);
    dispatch_signal_remove(&signal);
    loop.turns(2);
    EXPECT_EQ(signal.calls, 2);
    std::signal(SIGUSR1, SIG_DFL);
}

TEST(SignalTest, EndsAWait)
{
    Loop loop;
    Signal signal;
    signal.on = [&] { dispatch_stop(loop, 9); };
    ASSERT_EQ(dispatch_signal_add(loop, &signal, SIGALRM), 0);
    ualarm(10000, 0);
    EXPECT_EQ(dispatch_run(loop), 9);
}

TEST(SignalTest, OneOwnerInTheProcess)
{
    Loop first, second;
    Signal owner, late, other;
    ASSERT_EQ(dispatch_signal_add(first, &owner, SIGUSR2), 0);
    EXPECT_EQ(dispatch_signal_add(second, &late, SIGUSR2), -EBUSY);
    EXPECT_EQ(dispatch_signal_add(first, &late, SIGUSR2), -EBUSY);
    EXPECT_EQ(late.number, 0);
    EXPECT_EQ(dispatch_signal_add(second, &other, SIGUSR1), 0);
    raise(SIGUSR2);
    raise(SIGUSR1);
    first.turns(2);
    second.turns(2);
    EXPECT_EQ(owner.calls, 1);
    EXPECT_EQ(other.calls, 1);
    dispatch_signal_remove(&owner);
    ASSERT_EQ(dispatch_signal_add(second, &late, SIGUSR2), 0);
    raise(SIGUSR2);
    second.turns(2);
    EXPECT_EQ(late.calls, 1);
    EXPECT_EQ(owner.calls, 1);
}

TEST(SignalTest, AddRefuses)
{
    Loop loop;
    Signal signal;
    for (int number : {-1, 0, 65, 1000, SIGKILL, SIGKILL, SIGSTOP}) {
        EXPECT_EQ(dispatch_signal_add(loop, &signal, number), -EINVAL) << number;
        EXPECT_EQ(signal.number, 0);
        EXPECT_EQ(signal.waker.loop, nullptr);
    }
    EXPECT_EQ(dispatch_signal_add(loop, &signal, SIGRTMIN), 0);
}

TEST(SignalTest, EndsItselfInItsCallback)
{
    Loop loop;
    auto *signal = new Signal;
    int calls = 0;
    signal->on = [&] {
        calls++;
        delete signal;
    };
    ASSERT_EQ(dispatch_signal_add(loop, signal, SIGUSR1), 0);
    raise(SIGUSR1);
    loop.turns(2);
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(handler_of(SIGUSR1), SIG_DFL);
}

TEST(SignalTest, RestartsSystemCalls)
{
    Loop loop;
    Signal signal;
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    ASSERT_EQ(dispatch_signal_add(loop, &signal, SIGALRM), 0);
    std::thread writer([&] {
        usleep(30000);
        EXPECT_EQ(write(ends[1], "x", 1), 1);
    });
    ualarm(5000, 0);
    char byte;
    EXPECT_EQ(read(ends[0], &byte, 1), 1);
    writer.join();
    loop.turns(2);
    EXPECT_EQ(signal.calls, 1);
    close(ends[0]);
    close(ends[1]);
}

TEST(SignalTest, AChildFindsTheDefaultAfterExec)
{
    Loop loop;
    Signal signal;
    ASSERT_EQ(dispatch_signal_add(loop, &signal, SIGUSR1), 0);
    pid_t child = fork();
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", "kill -USR1 $$; exit 3", static_cast<char *>(nullptr));
        _exit(4);
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(WTERMSIG(status), SIGUSR1);
    loop.turns(2);
    EXPECT_EQ(signal.calls, 0);
}

// Removed and freed over and over while other threads are in the handler.
TEST(SignalTest, IsRemovedWhileThreadsAreHit)
{
    Loop loop;
    std::signal(SIGUSR1, SIG_IGN);
    std::atomic<bool> done{false};
    std::thread thread([&] {
        while (!done)
            pthread_kill(pthread_self(), SIGUSR1);
    });
    for (int i = 0; i < 300; i++) {
        auto *signal = new Signal;
        signal->on = [&] { dispatch_stop(loop, 0); };
        ASSERT_EQ(dispatch_signal_add(loop, signal, SIGUSR1), 0);
        EXPECT_EQ(dispatch_run(loop), 0);
        delete signal;
    }
    done = true;
    thread.join();
    std::signal(SIGUSR1, SIG_DFL);
}
