/*
 * Phases.
 *
 * The thread that is measured writes, and any may read: what it reads between two
 * equal and even versions belongs together.
 */
#include "loop.h"

#include <asynwsgi/phases.h>
#include <stddef.h>

static _Thread_local struct dispatch_phases *measured;

static uint64_t get(const uint64_t *place)
{
    return __atomic_load_n(place, __ATOMIC_SEQ_CST);
}

static void set(uint64_t *place, uint64_t value)
{
    __atomic_store_n(place, value, __ATOMIC_SEQ_CST);
}

void dispatch_phases_begin(struct dispatch_phases *phases, uint64_t since)
{
    measured = phases;
    if (phases)
        phases->since = since;
}

unsigned dispatch_phase(unsigned phase)
{
    struct dispatch_phases *phases = measured;
    uint64_t now, before;

    if (!phases)
        return 0;
    now = dispatch_clock();
    before = phases->phase;
    set(&phases->version, phases->version + 1);
    set(&phases->spent[before], phases->spent[before] + now - phases->since);
    set(&phases->since, now);
    set(&phases->phase, phase);
    set(&phases->version, phases->version + 1);
    return (unsigned)before;
}

uint64_t dispatch_phases_read(const struct dispatch_phases *phases,
                              uint64_t spent[DISPATCH_PHASES_MOST])
{
    uint64_t version, since, phase, sum = 0;

    do {
        version = get(&phases->version);
        since = get(&phases->since);
        phase = get(&phases->phase);
        for (size_t i = 0; i < DISPATCH_PHASES_MOST; i++)
            spent[i] = get(&phases->spent[i]);
    } while (version % 2 != 0 || version != get(&phases->version));
    spent[phase] += dispatch_clock() - since;
    for (size_t i = 0; i < DISPATCH_PHASES_MOST; i++)
        sum += spent[i];
    return sum;
}

/* -- The waits of a loop -------------------------------------------------- */

static void before_wait(void *context)
{
    const struct dispatch *loop = context;

    if (loop->let_go.before)
        loop->let_go.before(loop->let_go.context);
    dispatch_phase(DISPATCH_PHASE_WAIT);
}

static void after_wait(void *context)
{
    const struct dispatch *loop = context;

    dispatch_phase(DISPATCH_PHASE_LOCK);
    if (loop->let_go.after)
        loop->let_go.after(loop->let_go.context);
    dispatch_phase(DISPATCH_PHASE_OTHER);
}

void dispatch_measure(struct dispatch *loop)
{
    if (loop->measured)
        return;
    loop->let_go = loop->around;
    loop->around = (struct around_wait){before_wait, after_wait, loop};
    loop->measured = true;
}

bool dispatch_is_measured(const struct dispatch *loop)
{
    return loop->measured;
}
