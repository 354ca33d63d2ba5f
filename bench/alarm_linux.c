/*
 * Exact alarms, by timerfd_create(2).
 *
 * To set a timer of the kernel makes its descriptor unreadable again, so that an alarm
 * which rings and is set anew is one system call.
 */
#define _GNU_SOURCE
#include "alarm_linux.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

static void settle(const struct alarm *alarm)
{
    struct itimerspec when = {.it_value = {0}};

    if (alarm->time != DISPATCH_NEVER) {
        when.it_value.tv_sec = (time_t)(alarm->time / 1000000000);
        when.it_value.tv_nsec = (long)(alarm->time % 1000000000);
    }
    timerfd_settime(alarm->target.fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void ready(struct dispatch_target *target, unsigned events)
{
    struct alarm *alarm = (struct alarm *)target;

    (void)events;
    alarm->time = DISPATCH_NEVER;
    alarm->rang(alarm);
    if (alarm->time == DISPATCH_NEVER && target->loop)
        settle(alarm);
}

int alarm_open(struct alarm *alarm, struct dispatch *loop)
{
    int error, descriptor = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

    if (descriptor < 0)
        return -errno;
    alarm->target.ready = ready;
    alarm->time = DISPATCH_NEVER;
    error = dispatch_add(loop, &alarm->target, descriptor, DISPATCH_READ);
    if (error)
        close(descriptor);
    return error;
}

void alarm_set(struct alarm *alarm, uint64_t time)
{
    if (time == alarm->time)
        return;
    alarm->time = time;
    settle(alarm);
}

void alarm_close(struct alarm *alarm)
{
    if (!alarm->target.loop)
        return;
    dispatch_remove(&alarm->target);
    close(alarm->target.fd);
}
