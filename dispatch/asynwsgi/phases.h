/*
 * phases: where the time of a thread goes.
 *
 * A thread that is measured is in one phase at a time, and its time counts as
 * that phase's; so the times of all phases add up to the whole.  The layers
 * above number theirs on from these.  Whoever enters a phase goes back to the
 * one before it when that is over, so one may lie within another.
 */
#ifndef ASYNWSGI_PHASES_H
#define ASYNWSGI_PHASES_H

#include <asynwsgi/dispatch.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    DISPATCH_PHASE_OTHER, /* none of the others; it begins with this */
    DISPATCH_PHASE_WAIT,  /* there is nothing to do */
    DISPATCH_PHASE_LOCK,  /* taking what was let go of for a wait: dispatch_around_wait() */
    DISPATCH_PHASES       /* the first of the layer above */
};

/* More than all layers have. */
#define DISPATCH_PHASES_MOST 8

/* The caller's, all zero at first.  Its members are for the functions below. */
struct dispatch_phases {
    uint64_t version; /* odd while the others change */
    uint64_t since, phase;
    uint64_t spent[DISPATCH_PHASES_MOST]; /* nanoseconds */
};

/*
 * Measure the calling thread, as if it had done nothing else since `since`, a time of
 * dispatch_clock().  NULL: no more, which is due before the structure goes.
 */
void dispatch_phases_begin(struct dispatch_phases *phases, uint64_t since);

/* The calling thread enters a phase; gives the one before.  Nothing, if it isn't measured. */
unsigned dispatch_phase(unsigned phase);

/* Nanoseconds spent in each phase until now; gives their sum.  By any thread. */
uint64_t dispatch_phases_read(const struct dispatch_phases *phases,
                              uint64_t spent[DISPATCH_PHASES_MOST]);

/*
 * Have the waits of a loop be phases of the thread that runs it.  What the layers
 * above make for such a loop enters their phases; without one they don't look.
 */
void dispatch_measure(struct dispatch *loop);
bool dispatch_is_measured(const struct dispatch *loop);

#ifdef __cplusplus
}
#endif
#endif
