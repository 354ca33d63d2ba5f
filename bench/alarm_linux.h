/*
 * An alarm that is exact to some microseconds, where a timer of dispatch is to the
 * millisecond.
 */
#ifndef BENCH_ALARM_LINUX_H
#define BENCH_ALARM_LINUX_H

#include <asynwsgi/dispatch.h>

/* All zero at first, but for `rang`, which the caller sets. */
struct alarm {
    struct dispatch_target target;
    void (*rang)(struct alarm *alarm);
    uint64_t time;
};

/* 0, -EMFILE, -ENFILE, -ENOMEM. */
int alarm_open(struct alarm *alarm, struct dispatch *loop);

/* Have `rang` called once, from the loop, at that time; DISPATCH_NEVER: not at all. */
void alarm_set(struct alarm *alarm, uint64_t time);

/* Harmless on one that is not open. */
void alarm_close(struct alarm *alarm);

#endif
