/*
 * A run.
 *
 *   RESOLVING --> WARMING --> MEASURING --> ENDING
 *
 * WARMING is left out where there is no warm-up.  In ENDING nothing more is sent, and
 * the run is over when all that is under way is; a signal does not wait for it.
 */
#include "load.h"

#include "parent_linux.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum {
    STATUS_DONE,
    STATUS_FAILED,
    STATUS_USAGE
};

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
        load->begun = load->ended;
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

/* -- Addresses ------------------------------------------------------------ */

static void resolved(struct httpclient_resolve *resolve, int error,
                     const struct tcpsocket_address *addresses, size_t count)
{
    struct load *load = (struct load *)((char *)resolve - offsetof(struct load, resolve));

    if (error) {
        load->error = error;
        dispatch_stop(load->loop, 0);
        return;
    }
    memcpy(load->addresses, addresses, count * sizeof *addresses);
    load->address_count = count;
    start(load);
}

static int find_addresses(struct load *load)
{
    const struct httpclient_url *url = &load->messages.url;
    char text[TCPSOCKET_ADDRESS_TEXT];
    int error;

    if (!load->options->unix_socket) {
        load->resolve.done = resolved;
        return httpclient_resolve_start(&load->resolve, load->loop, url->host, url->host_length,
                                        url->port);
    }
    snprintf(text, sizeof text, "unix:%s", load->options->unix_socket);
    error = tcpsocket_address_parse(text, &load->addresses[0]);
    if (error)
        return error;
    load->address_count = 1;
    start(load);
    return 0;
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
    httpclient_resolve_cancel(&load->resolve);
    load_client_fini(load);
    dispatch_timer_remove(&load->phase_timer);
    dispatch_timer_remove(&load->interval_timer);
    for (size_t i = 0; i < 2; i++)
        dispatch_signal_remove(&load->signals[i]);
    dispatch_free(load->loop);
}

static void complain(const struct load *load, int error)
{
    const char *unix_socket = load->options->unix_socket;
    const struct httpclient_url *url = &load->messages.url;

    fprintf(stderr, "asynwsgi-load: cannot connect to %.*s: %s\n",
            unix_socket ? (int)strlen(unix_socket) : (int)url->authority_length,
            unix_socket ? unix_socket : url->authority,
            error == -ENOENT && !unix_socket ? "the name has no address" : strerror(-error));
}

/* A descriptor for each connection, as far as the system lets us. */
static void raise_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* What the run has come to. */
static int conclude(struct load *load, int error)
{
    load_end(load);
    load_client_abandon(load);
    if (!error && !load->is_connected)
        error = load->error ? load->error : -ETIMEDOUT;
    if (error) {
        complain(load, error);
        return STATUS_FAILED;
    }
    if (load_report_interval(load, load->ended) < 0 || load_report_end(load) < 0) {
        fprintf(stderr, "asynwsgi-load: standard output: %s\n", strerror(errno));
        return STATUS_FAILED;
    }
    return STATUS_DONE;
}

static int run(struct load *load)
{
    int error = prepare(load);

    if (!error)
        error = find_addresses(load);
    if (!error)
        error = dispatch_run(load->loop);
    return conclude(load, error);
}

int load_run(const struct load_options *options)
{
    struct load *load = calloc(1, sizeof *load);
    char explanation[LOAD_EXPLANATION] = "out of memory";
    int status = STATUS_FAILED, error;

    if (options->with_parent && parent_die_with() < 0)
        goto out;
    if (!load)
        goto complain;
    load->options = options;
    error = load_messages_init(&load->messages, options, explanation);
    if (error) {
        status = error == -EINVAL ? STATUS_USAGE : STATUS_FAILED;
        goto complain;
    }
    raise_limit();
    status = run(load);
    take_apart(load);
    load_messages_fini(&load->messages);
    goto out;

complain:
    fprintf(stderr, "asynwsgi-load: %s\n", explanation);
    if (load)
        load_messages_fini(&load->messages);
out:
    free(load);
    return status;
}
