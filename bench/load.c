/*
 * A run.
 *
 *   PREPARING --> WARMING --> MEASURING --> ENDING
 *
 * WARMING is left out where there is no warm-up.  In ENDING nothing more is sent, and
 * the run is over when all that is under way is; a signal does not wait for it.
 */
#include "load.h"

#include "machine.h"
#include "parent_linux.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static uint64_t cpu_time(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000 +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

/* -- Phases --------------------------------------------------------------- */

void load_end(struct load *load)
{
    if (load->phase == LOAD_ENDING)
        return;
    load->ended = dispatch_clock();
    if (load->phase < LOAD_MEASURING) {
        load->begun = load->interval_end = load->ended;
        load->cpu = cpu_time();
    }
    load->cpu = cpu_time() - load->cpu;
    load->phase = LOAD_ENDING;
    dispatch_timer_set(&load->phase_timer, DISPATCH_NEVER);
    dispatch_timer_set(&load->interval_timer, DISPATCH_NEVER);
    load_settle(load);
}

void load_settle(struct load *load)
{
    uint64_t wanted = load->options->requests;

    if (load->phase == LOAD_ENDING && load->under_way == 0)
        dispatch_stop(load->loop, 0);
    else if (load->phase == LOAD_MEASURING && wanted > 0 && load->finished == wanted)
        load_end(load);
}

static void measure(struct load *load, uint64_t now)
{
    const struct load_options *options = load->options;

    /* The schedule has its own opinion of when that is. */
    if (options->rate == 0)
        load->begun = now;
    load->interval_end = load->begun;
    load->phase = LOAD_MEASURING;
    load->cpu = cpu_time();
    dispatch_timer_set(&load->phase_timer,
                       options->duration ? load->begun + options->duration : DISPATCH_NEVER);
    dispatch_timer_set(&load->interval_timer, load->begun + options->interval);
}

static void phase_is_over(struct dispatch_timer *timer)
{
    struct load *load = (struct load *)((char *)timer - offsetof(struct load, phase_timer));

    if (load->phase == LOAD_WARMING)
        measure(load, dispatch_clock());
    else
        load_end(load);
}

static void interval_is_over(struct dispatch_timer *timer)
{
    struct load *load = (struct load *)((char *)timer - offsetof(struct load, interval_timer));
    uint64_t interval = load->options->interval, now = dispatch_now(load->loop);

    if (load_report_interval(load, now) < 0)
        dispatch_stop(load->loop, 0);
    dispatch_timer_set(timer, load->begun + ((now - load->begun) / interval + 1) * interval);
}

static void caught(struct dispatch_signal *signal)
{
    struct load *load = signal->number == SIGINT
                            ? (struct load *)((char *)signal - offsetof(struct load, signals[0]))
                            : (struct load *)((char *)signal - offsetof(struct load, signals[1]));

    load->signal = signal->number;
    dispatch_signal_remove(signal);
    load_end(load);
    dispatch_stop(load->loop, 0);
}

/* All that is due in the run, and those of its warm-up. */
static void plan(struct load *load, uint64_t now)
{
    const struct load_options *options = load->options;
    struct schedule *schedule = &load->schedule;
    uint64_t before;

    load->begun = now + options->warmup;
    if (options->rate == 0)
        return;
    *schedule = (struct schedule){.start = now, .rate = options->rate, .count = UINT64_MAX};
    before = schedule_before(schedule, load->begun);
    if (options->duration > 0)
        schedule->count = schedule_before(schedule, load->begun + options->duration);
    if (options->requests > 0 && options->requests < schedule->count - before)
        schedule->count = before + options->requests;
}

static void start(struct load *load)
{
    uint64_t now = dispatch_clock();

    plan(load, now);
    if (load->options->warmup > 0) {
        load->phase = LOAD_WARMING;
        dispatch_timer_set(&load->phase_timer, load->begun);
    } else {
        measure(load, now);
    }
    load_client_start(load);
}

/* -- The whole ------------------------------------------------------------ */

static int prepare(struct load *load)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    int error = dispatch_new(NULL, &load->loop);

    for (size_t i = 0; !error && i < 2; i++) {
        load->signals[i].caught = caught;
        error = dispatch_signal_add(load->loop, &load->signals[i], numbers[i]);
    }
    load->phase_timer.fired = phase_is_over;
    load->interval_timer.fired = interval_is_over;
    if (!error)
        error = dispatch_timer_add(load->loop, &load->phase_timer);
    if (!error)
        error = dispatch_timer_add(load->loop, &load->interval_timer);
    return error ? error : load_client_init(load);
}

static void take_apart(struct load *load)
{
    if (!load->loop)
        return;
    load_client_fini(load);
    dispatch_timer_remove(&load->phase_timer);
    dispatch_timer_remove(&load->interval_timer);
    for (size_t i = 0; i < 2; i++)
        dispatch_signal_remove(&load->signals[i]);
    dispatch_free(load->loop);
}

/* The requests, and where they go; gives the exit status. */
static int find_target(struct load *load)
{
    const struct load_options *options = load->options;
    int error = target_find(load->loop, options->urls[0], options->unix_socket, &load->target);

    if (error) {
        fprintf(stderr, "asynwsgi-load: %s: %s\n", options->urls[0], target_error_text(error));
        return error == -EPROTONOSUPPORT || error == -EINVAL || error == -ERANGE ? LOAD_USAGE
                                                                                 : LOAD_FAILED;
    }
    error = load_messages_init(&load->messages, options, &load->target.url);
    return error == -EINVAL ? LOAD_USAGE : error ? LOAD_FAILED : LOAD_DONE;
}

/* No connection was made. */
static int complain(const struct load *load)
{
    const struct httpclient_url *url = &load->target.url;
    const char *unix_socket = load->options->unix_socket;
    const char *where = unix_socket ? unix_socket : url->authority;
    int length = (int)(unix_socket ? strlen(unix_socket) : url->authority_length);

    fprintf(stderr, "asynwsgi-load: cannot connect to %.*s: %s\n", length, where,
            load->error ? strerror(-load->error) : "the run ended before there was an answer");
    return LOAD_FAILED;
}

static int conclude(struct load *load)
{
    load_end(load);
    load_client_abandon(load);
    if (!load->is_connected)
        return complain(load);
    if (load_report_interval(load, dispatch_clock()) < 0 || load_report_end(load) < 0) {
        fprintf(stderr, "asynwsgi-load: standard output: %s\n", strerror(errno));
        return LOAD_FAILED;
    }
    return LOAD_DONE;
}

static int run(struct load *load)
{
    int status, error = prepare(load);

    if (error) {
        fprintf(stderr, "asynwsgi-load: %s\n", strerror(-error));
        return LOAD_FAILED;
    }
    status = find_target(load);
    if (status != LOAD_DONE)
        return status;
    if (load->phase != LOAD_ENDING) { /* no signal came meanwhile */
        start(load);
        dispatch_run(load->loop);
    }
    status = conclude(load);
    return load->signal ? LOAD_SIGNAL + load->signal : status;
}

int load_run(const struct load_options *options)
{
    struct load *load = calloc(1, sizeof *load);
    int status = LOAD_FAILED;

    if (!load || (options->with_parent && parent_die_with() < 0) ||
        machine_require("asynwsgi-load", options->connections) < 0)
        goto out;
    load->options = options;
    status = run(load);
    take_apart(load);
    load_messages_fini(&load->messages);
out:
    free(load);
    return status;
}
