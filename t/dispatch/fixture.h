// What the tests of dispatch share: the header's objects with a std::function in each, descriptors
// that close themselves, and a loop that can be run for a given number of turns.

#ifndef DISPATCH_FIXTURE_H
#define DISPATCH_FIXTURE_H

#include "harness/harness.h"

#include <asynwsgi/dispatch.h>

#include <cerrno>
#include <fcntl.h>
#include <functional>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

constexpr uint64_t MS = 1000000;

// The callback may delete the object, so what is called is a copy.
template <typename Function, typename... Arguments> void call(Function on, Arguments... arguments)
{
    if (on)
        on(arguments...);
}

struct Target : dispatch_target {
    std::function<void(unsigned)> on;
    int calls = 0;
    unsigned last = 0;

    Target() : dispatch_target{}
    {
        ready = [](dispatch_target *target, unsigned events) {
            auto *self = static_cast<Target *>(target);
            self->calls++;
            self->last = events;
            call(self->on, events);
        };
    }
    Target(const Target &) = delete;
    ~Target()
    {
        dispatch_remove(this);
    }
};

struct Timer : dispatch_timer {
    std::function<void()> on;
    int calls = 0;

    Timer() : dispatch_timer{}
    {
        fired = [](dispatch_timer *timer) {
            auto *self = static_cast<Timer *>(timer);
            self->calls++;
            call(self->on);
        };
    }
    Timer(const Timer &) = delete;
    ~Timer()
    {
        dispatch_timer_remove(this);
    }
};

struct Waker : dispatch_waker {
    std::function<void()> on;
    int calls = 0;

    Waker() : dispatch_waker{}
    {
        woken = [](dispatch_waker *waker) {
            auto *self = static_cast<Waker *>(waker);
            self->calls++;
            call(self->on);
        };
    }
    Waker(const Waker &) = delete;
    ~Waker()
    {
        dispatch_waker_remove(this);
    }
};

struct Signal : dispatch_signal {
    std::function<void()> on;
    int calls = 0;

    Signal() : dispatch_signal{}
    {
        caught = [](dispatch_signal *signal) {
            auto *self = static_cast<Signal *>(signal);
            self->calls++;
            call(self->on);
        };
    }
    Signal(const Signal &) = delete;
    ~Signal()
    {
        dispatch_signal_remove(this);
    }
};

// Two connected sockets, nonblocking.
struct Pair {
    int ours = -1, peer = -1;

    Pair()
    {
        int fds[2];
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0) {
            ours = fds[0];
            peer = fds[1];
        }
    }
    Pair(const Pair &) = delete;
    ~Pair()
    {
        close_ours();
        close_peer();
    }
    void close_ours()
    {
        close_once(ours);
    }
    void close_peer()
    {
        close_once(peer);
    }
    void say()
    {
        EXPECT_EQ(write(peer, "x", 1), 1);
    }
    void hear()
    {
        char byte;
        EXPECT_EQ(read(ours, &byte, 1), 1);
    }

  private:
    static void close_once(int &fd)
    {
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
};

struct Loop {
    struct dispatch *loop = nullptr;

    Loop()
    {
        EXPECT_EQ(dispatch_new(test_backend(), &loop), 0);
    }
    Loop(const Loop &) = delete;
    ~Loop()
    {
        dispatch_free(loop);
    }
    operator dispatch *()
    {
        return loop;
    }

    // Runs so many turns, with no wait in them.
    void turns(int count)
    {
        Timer tick;
        ASSERT_EQ(dispatch_timer_add(loop, &tick), 0);
        tick.on = [&] {
            if (tick.calls == count)
                dispatch_stop(loop, 0);
            else
                dispatch_timer_set(&tick, 0);
        };
        dispatch_timer_set(&tick, 0);
        EXPECT_EQ(dispatch_run(loop), 0);
    }

    // Runs for that long.
    void run_for(uint64_t nanoseconds)
    {
        Timer end;
        ASSERT_EQ(dispatch_timer_add(loop, &end), 0);
        end.on = [&] { dispatch_stop(loop, 0); };
        dispatch_timer_set(&end, dispatch_now(loop) + nanoseconds);
        EXPECT_EQ(dispatch_run(loop), 0);
    }
};

#endif
