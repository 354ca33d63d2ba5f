// Everything at random, from inside callbacks too, beside a model that knows who may be called and
// who must be, while other threads wake the loop. Objects are freed at once, so a late callback is
// also found by AddressSanitizer.
//
// ASYNWSGI_TEST_SEED and ASYNWSGI_TEST_OPERATIONS change the run.

#include "dispatch/fixture.h"
#include "dispatch/syscalls.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <map>
#include <memory>
#include <poll.h>
#include <random>
#include <thread>
#include <vector>

static unsigned long environment(const char *name, unsigned long otherwise)
{
    const char *value = std::getenv(name);
    return value ? std::strtoul(value, nullptr, 10) : otherwise;
}

class Torture : public testing::Test {
  protected:
    struct Watched;
    struct Deadline;
    struct Flag;
    struct Other;

    static constexpr size_t TARGETS = 48, TIMERS = 48, WAKERS = 6, THREADS = 2;

    VirtualClock clock;
    Loop loop;
    unsigned long seed = environment("ASYNWSGI_TEST_SEED", 1);
    unsigned long left = environment("ASYNWSGI_TEST_OPERATIONS", 400000);
    std::mt19937 random{unsigned(seed)};
    bool stopping = false; // dispatch_stop was called: no callback before the next run
    bool settling = false; // callbacks only count
    unsigned long called = 0, reused = 0, errors = 0;
    int closed = -1; // a target's descriptor that was closed behind the loop's back

    std::map<int, Watched *> targets; // by descriptor
    std::vector<Deadline *> timers;
    std::vector<Flag *> wakers;
    std::vector<int> peers; // the other ends of the targets' sockets, and of those gone
    std::vector<int> spare; // open descriptors without a target: duplicates, and ends never closed
    std::vector<std::unique_ptr<Other>> others;

    size_t below(size_t n)
    {
        return random() % n;
    }

    struct Watched : dispatch_target {
        Torture *torture;
        uint64_t added_at;
        int calls = 0;
    };
    struct Deadline : dispatch_timer {
        Torture *torture;
        uint64_t due = DISPATCH_NEVER, set_at = 0;
    };
    struct Flag : dispatch_waker {
        Torture *torture;
        bool raised = false;
    };

    // A thread that wakes the loop all the time, and counts how often before it does.
    struct Other {
        Waker waker;
        std::atomic<unsigned long> made{0};
        std::atomic<bool> ended{false};
        unsigned long seen = 0;
        std::thread thread;

        explicit Other(dispatch *loop)
        {
            EXPECT_EQ(dispatch_waker_add(loop, &waker), 0);
            waker.on = [this] { seen = made; };
            thread = std::thread([this] {
                while (!ended) {
                    made++;
                    dispatch_wake(&waker);
                    std::this_thread::sleep_for(std::chrono::microseconds(50));
                }
            });
        }
        void end()
        {
            ended = true;
            if (thread.joinable())
                thread.join();
        }
        ~Other()
        {
            end();
        }
    };

    // Callbacks: is this one due?

    static void ready(dispatch_target *target, unsigned events)
    {
        auto *self = static_cast<Watched *>(target);
        Torture *torture = self->torture;
        auto found = torture->targets.find(self->fd);
        ASSERT_TRUE(found != torture->targets.end() && found->second == self);
        ASSERT_LT(self->added_at, dispatch_now(torture->loop)); // this batch has none of its own
        if (self->fd == torture->closed) {
            torture->errors += (events & DISPATCH_ERROR) != 0;
            return;
        }
        ASSERT_NE(events, 0u);
        ASSERT_EQ(events & ~(self->wanted | DISPATCH_HANGUP | DISPATCH_ERROR), 0u);
        ASSERT_EQ(events & DISPATCH_ERROR, 0u);
        self->calls++;
        torture->in_callback();
    }

    static void fired(dispatch_timer *timer)
    {
        auto *self = static_cast<Deadline *>(timer);
        Torture *torture = self->torture;
        ASSERT_TRUE(contains(torture->timers, self));
        ASSERT_LE(self->due, dispatch_now(torture->loop));
        ASSERT_LT(self->set_at, dispatch_now(torture->loop));
        self->due = DISPATCH_NEVER;
        torture->in_callback();
    }

    static void woken(dispatch_waker *waker)
    {
        auto *self = static_cast<Flag *>(waker);
        Torture *torture = self->torture;
        ASSERT_TRUE(contains(torture->wakers, self));
        ASSERT_TRUE(self->raised);
        self->raised = false;
        torture->in_callback();
    }

    void in_callback()
    {
        called++;
        ASSERT_FALSE(stopping);
        if (settling)
            return;
        for (size_t n = below(4); n > 0; n--)
            operate();
    }

    template <typename T> static bool contains(const std::vector<T *> &all, T *one)
    {
        return std::find(all.begin(), all.end(), one) != all.end();
    }

    template <typename T> T take(std::vector<T> &all)
    {
        size_t i = below(all.size());
        T one = all[i];
        all[i] = all.back();
        all.pop_back();
        return one;
    }

    // Operations.

    void watch(int fd)
    {
        auto *target = new Watched{};
        target->ready = ready;
        target->torture = this;
        target->added_at = dispatch_now(loop);
        ASSERT_EQ(dispatch_add(loop, target, fd, unsigned(below(4))), 0);
        targets[fd] = target;
    }

    int new_socket()
    {
        int fds[2];
        EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
        peers.push_back(fds[1]);
        return fds[0];
    }

    // Some target's descriptor, which has no target any more.
    int unwatch()
    {
        auto found = std::next(targets.begin(), long(below(targets.size())));
        int fd = found->first;
        dispatch_remove(found->second);
        delete found->second;
        targets.erase(found);
        return fd;
    }

    // A new socket by the number of one that is closed by that.
    void reopen(int fd)
    {
        int fresh = new_socket();
        ASSERT_EQ(dup3(fresh, fd, O_CLOEXEC), fd);
        close(fresh);
        watch(fd);
        reused++;
    }

    void on_target()
    {
        switch (below(8)) {
        case 0:
            close(unwatch());
            return;
        case 1:
            reopen(unwatch());
            return;
        case 2: { // a duplicate outlives it
            int fd = unwatch();
            spare.push_back(dup(fd));
            if (below(2))
                reopen(fd);
            else
                close(fd);
            return;
        }
        case 3: // not closed
            spare.push_back(unwatch());
            return;
        case 4: // handed on
            watch(unwatch());
            return;
        default: {
            auto found = std::next(targets.begin(), long(below(targets.size())));
            dispatch_want(found->second, unsigned(below(4)));
            return;
        }
        }
    }

    void on_descriptors()
    {
        char bytes[64] = {};
        while (peers.size() > 2 * TARGETS)
            close(take(peers));
        if (spare.size() > 10 || (!spare.empty() && below(8) == 0)) {
            int fd = take(spare);
            if (targets.size() < TARGETS && below(2))
                watch(fd);
            else
                close(fd);
        } else if (!peers.empty() && below(16) == 0) {
            close(take(peers)); // a hang-up
        } else if (!peers.empty()) {
            if (write(peers[below(peers.size())], bytes, 1) < 0) {
                ASSERT_TRUE(errno == EPIPE || errno == EAGAIN);
            }
        }
        if (!targets.empty() && below(2)) {
            int fd = std::next(targets.begin(), long(below(targets.size())))->first;
            if (read(fd, bytes, sizeof bytes) < 0) {
                ASSERT_TRUE(errno == EAGAIN || errno == ECONNRESET);
            }
        }
    }

    void on_timer()
    {
        if (timers.size() < TIMERS && below(4) == 0) {
            auto *timer = new Deadline{};
            timer->fired = fired;
            timer->torture = this;
            ASSERT_EQ(dispatch_timer_add(loop, timer), 0);
            timers.push_back(timer);
        } else if (!timers.empty() && below(6) == 0) {
            Deadline *timer = take(timers);
            dispatch_timer_remove(timer);
            delete timer;
        } else if (!timers.empty()) {
            Deadline *timer = timers[below(timers.size())];
            uint64_t now = dispatch_now(loop);
            uint64_t choices[] = {
                0, now, now + below(10000), now + below(200000), now + 1000 * MS, DISPATCH_NEVER};
            dispatch_timer_set(timer, choices[below(6)]);
            timer->due = timer->deadline;
            timer->set_at = now;
            ASSERT_GT(timer->due, now);
        }
    }

    void on_waker()
    {
        if (wakers.size() < WAKERS && below(4) == 0) {
            auto *waker = new Flag{};
            waker->woken = woken;
            waker->torture = this;
            ASSERT_EQ(dispatch_waker_add(loop, waker), 0);
            wakers.push_back(waker);
        } else if (!wakers.empty() && below(8) == 0) {
            Flag *waker = take(wakers);
            dispatch_waker_remove(waker);
            delete waker;
        } else if (!wakers.empty()) {
            Flag *waker = wakers[below(wakers.size())];
            waker->raised = true;
            dispatch_wake(waker);
        }
    }

    void operate()
    {
        if (left == 0)
            return;
        left--;
        switch (below(12)) {
        case 0:
        case 1:
            if (targets.size() < TARGETS)
                watch(new_socket());
            break;
        case 2:
        case 3:
        case 4:
            if (!targets.empty())
                on_target();
            break;
        case 5:
        case 6:
            on_descriptors();
            break;
        case 7:
        case 8:
            on_waker();
            break;
        case 9:
            if (below(20) == 0 && !stopping) {
                stopping = true;
                dispatch_stop(loop, 1);
            }
            break;
        default:
            on_timer();
            break;
        }
    }

    // Runs a turn, or less when there is a stop.
    void turn()
    {
        Timer tick;
        ASSERT_EQ(dispatch_timer_add(loop, &tick), 0);
        tick.on = [this] {
            stopping = true;
            dispatch_stop(loop, 0);
        };
        dispatch_timer_set(&tick, 0);
        uint64_t deadline = tick.deadline;
        ASSERT_GE(dispatch_run(loop), 0);
        stopping = false;
        if (tick.calls > 0) {
            for (Deadline *timer : timers)
                ASSERT_GE(timer->due, deadline); // the others have fired before the tick
        }
    }

    // A target whose descriptor is closed hears of that once at most, and surely if the kernel is
    // told something of it; whether or not, the others go on.
    void close_behind_its_back()
    {
        if (targets.empty())
            return;
        auto found = std::next(targets.begin(), long(below(targets.size())));
        bool told = below(2);
        settling = true;
        turn(); // what has changed is told
        closed = found->first;
        errors = 0;
        close(closed);
        if (told)
            dispatch_want(found->second, found->second->wanted ^ DISPATCH_READ);
        for (int i = 0; i < 4; i++)
            turn();
        ASSERT_LE(errors, 1u);
        ASSERT_TRUE(errors == 1 || !told);
        dispatch_remove(found->second);
        delete found->second;
        targets.erase(found);
        closed = -1;
        settling = false;
    }

    // With no operations: in each turn just those are called that poll(2) says are ready, leftovers
    // are dealt with, and no wake is outstanding.
    void settle()
    {
        settling = true;
        for (int i = 0; i < 3; i++)
            turn();
        for (Flag *waker : wakers)
            ASSERT_FALSE(waker->raised);
        for (auto &[fd, target] : targets)
            target->calls = 0;
        turn();
        for (auto &[fd, target] : targets) {
            pollfd p = {fd,
                        short((target->wanted & DISPATCH_READ ? POLLIN : 0) |
                              (target->wanted & DISPATCH_WRITE ? POLLOUT : 0)),
                        0};
            ASSERT_EQ(poll(&p, 1, 0), target->calls);
        }
        settling = false;
    }

    void TearDown() override
    {
        others.clear();
        while (!targets.empty())
            close(unwatch());
        for (Deadline *timer : timers) {
            dispatch_timer_remove(timer);
            delete timer;
        }
        for (Flag *waker : wakers) {
            dispatch_waker_remove(waker);
            delete waker;
        }
        for (int fd : peers)
            close(fd);
        for (int fd : spare)
            close(fd);
    }
};

TEST_F(Torture, AgreesWithAModel)
{
    SCOPED_TRACE("ASYNWSGI_TEST_SEED=" + std::to_string(seed));
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < THREADS; i++)
        others.push_back(std::make_unique<Other>(loop));
    for (int turns = 0; left > 0 && !HasFatalFailure(); turns++) {
        for (size_t n = below(20); n > 0; n--)
            operate();
        if (stopping) { // between runs: ends the next before it begins
            ASSERT_EQ(dispatch_run(loop), 1);
            stopping = false;
        }
        turn();
        if (turns % 50 == 0)
            settle();
        if (turns % 50 == 25)
            close_behind_its_back();
    }
    for (auto &other : others)
        other->end();
    turn();
    turn();
    for (auto &other : others)
        EXPECT_EQ(other->seen, other->made);
    printf("seed %lu: %lu callbacks, %lu numbers reused\n", seed, called, reused);
    EXPECT_GT(called, 0u);
    EXPECT_GT(reused, 0u);
}
