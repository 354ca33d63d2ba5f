// Counts the system calls that a loop makes, and stops its clock, by standing in front of libc's
// functions. For one file of a test program.

#ifndef DISPATCH_SYSCALLS_H
#define DISPATCH_SYSCALLS_H

#include <cerrno>
#include <ctime>
#include <dlfcn.h>
#include <poll.h>
#include <sys/epoll.h>

static int waits, changes, instances;
static int longest;           // timeout of a wait
static int instances_to_fail; // so many of the next epoll_create1 calls
static const timespec *stopped_clock;

template <typename Function> static Function *real(Function *, const char *name)
{
    return reinterpret_cast<Function *>(dlsym(RTLD_NEXT, name));
}

extern "C" {
int epoll_wait(int epfd, struct epoll_event *events, int count, int timeout)
{
    static auto *next = real(epoll_wait, "epoll_wait");
    waits++;
    longest = timeout > longest ? timeout : longest;
    return next(epfd, events, count, timeout);
}

int epoll_ctl(int epfd, int operation, int fd, struct epoll_event *event) noexcept
{
    static auto *next = real(epoll_ctl, "epoll_ctl");
    changes++;
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
    if (!stopped_clock)
        return next(clock, now);
    *now = *stopped_clock;
    return 0;
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
    static auto *next = real(poll, "poll");
    waits++;
    longest = timeout > longest ? timeout : longest;
    return next(fds, count, timeout);
}
}

#endif
