// Stands in front of libc's functions to count the system calls that a loop makes, and to give it a
// clock that only waiting moves. For one file of a test program.

#ifndef DISPATCH_SYSCALLS_H
#define DISPATCH_SYSCALLS_H

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <dlfcn.h>
#include <poll.h>
#include <sys/epoll.h>

// As in <liburing.h>, which not every build has.
struct io_uring;
struct io_uring_cqe;
struct __kernel_timespec {
    long long tv_sec, tv_nsec;
};

constexpr int MILLION = 1000000;

static int waits, changes, instances;
static int longest;                // timeout of a wait
static int instances_to_fail;      // so many of the next epoll_create1 calls ...
static int changes_to_fail;        // ... and epoll_ctl calls
static uint64_t virtual_now;       // 0: the real clock
static uint64_t wait_takes = 1000; // at least

struct VirtualClock {
    VirtualClock()
    {
        virtual_now = uint64_t(1) << 40;
    }
    VirtualClock(const VirtualClock &) = delete;
    ~VirtualClock()
    {
        virtual_now = 0;
    }
};

template <typename Function> static Function *real(Function *, const char *name)
{
    return reinterpret_cast<Function *>(dlsym(RTLD_NEXT, name));
}

template <typename Wait> static int counted_wait(int timeout, Wait wait)
{
    waits++;
    longest = timeout > longest ? timeout : longest;
    if (virtual_now == 0)
        return wait(timeout);
    virtual_now += wait_takes;
    int n = wait(timeout < 0 ? timeout : 0);
    if (n == 0 && timeout > 0)
        virtual_now += uint64_t(timeout) * 1000000;
    return n;
}

extern "C" {
int epoll_wait(int epfd, struct epoll_event *events, int count, int timeout)
{
    static auto *next = real(epoll_wait, "epoll_wait");
    return counted_wait(timeout, [&](int t) { return next(epfd, events, count, t); });
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
    static auto *next = real(poll, "poll");
    return counted_wait(timeout, [&](int t) { return next(fds, count, t); });
}

int io_uring_submit_and_wait_timeout(struct io_uring *ring, struct io_uring_cqe **cqe,
                                     unsigned count, struct __kernel_timespec *timeout,
                                     sigset_t *mask)
{
    static auto *next = real(io_uring_submit_and_wait_timeout, "io_uring_submit_and_wait_timeout");
    constexpr long long LONGEST = INT_MAX / 1000;
    int r = 0;
    counted_wait(
        timeout->tv_sec > LONGEST ? -1 : int(timeout->tv_sec * 1000 + timeout->tv_nsec / MILLION),
        [&](int t) {
            __kernel_timespec time = {t / 1000, t % 1000 * MILLION};
            r = next(ring, cqe, count, t < 0 ? timeout : &time, mask);
            return r == -ETIME ? 0 : 1;
        });
    return r;
}

int epoll_ctl(int epfd, int operation, int fd, struct epoll_event *event) noexcept
{
    static auto *next = real(epoll_ctl, "epoll_ctl");
    changes++;
    if (changes_to_fail > 0) {
        changes_to_fail--;
        errno = ENOMEM;
        return -1;
    }
    return next(epfd, operation, fd, event);
}

int epoll_create1(int flags) noexcept
{
    static auto *next = real(epoll_create1, "epoll_create1");
    instances++;
    if (instances_to_fail > 0) {
        instances_to_fail--;
        errno = ENFILE;
        return -1;
    }
    return next(flags);
}

int clock_gettime(clockid_t clock, struct timespec *now) noexcept
{
    static auto *next = real(clock_gettime, "clock_gettime");
    if (virtual_now == 0)
        return next(clock, now);
    now->tv_sec = time_t(virtual_now / 1000000000);
    now->tv_nsec = long(virtual_now % 1000000000);
    return 0;
}
}

#endif
