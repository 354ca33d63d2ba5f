/*
 * The supervisor: keeps a worker in every slot, and takes the signals.
 *
 *   SERVING -> DRAINING -> STOPPING -> KILLING, each with its signal to the
 *   workers and the time they are given; it ends when the last one is gone
 *
 * Callbacks only note what happened and have `turn` fire, which ends the run
 * of the loop; everything is then done by supervise().  So signals that came
 * together, an INT from the terminal and the worker's end it caused, have all
 * been noted before anything is made of them, and no fork happens in a callback.
 *
 * The loop's back end is poll: it has no kernel object that a forked worker
 * would share, so that a worker can undo all of it without harm.
 */
#include "supervisor.h"

#include "slot.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config.h"

enum phase {
    SERVING,
    DRAINING,
    STOPPING,
    KILLING
};

static const int phase_signal[] = {0, SIGTERM, SIGINT, SIGKILL};

/* What a worker that is told to stop at once may take for it. */
static const uint64_t stop_timeout = 1000000000;

static const int numbers[] = {SIGTERM, SIGINT,  SIGQUIT, SIGCHLD, SIGHUP,
                              SIGUSR1, SIGUSR2, SIGTTIN, SIGTTOU};
enum {
    SIGNALS = sizeof numbers / sizeof *numbers
};

struct supervisor;

struct supervisor_signal {
    struct dispatch_signal signal;
    struct supervisor *supervisor;
};

struct supervisor {
    struct server_setup *setup;
    const struct server_log *log;
    struct dispatch *loop;
    struct dispatch_timer turn;
    struct supervisor_signal signals[SIGNALS];
    struct server_slot *slots;
    unsigned slot_count;
    enum phase phase;
    uint64_t phase_ends;
    bool announced; /* all workers have booted once */
    enum server_status status;
};

/* -- Phases --------------------------------------------------------------- */

static void signal_workers(const struct supervisor *supervisor, int number)
{
    for (unsigned i = 0; i < supervisor->slot_count; i++)
        if (supervisor->slots[i].pid > 0)
            kill(supervisor->slots[i].pid, number);
}

/* Go on to that phase, unless it is there already. */
static void enter(struct supervisor *supervisor, enum phase phase)
{
    uint64_t now = dispatch_now(supervisor->loop);

    if (phase <= supervisor->phase)
        return;
    if (supervisor->phase == SERVING) {
        server_listeners_end(&supervisor->setup->listeners);
        server_listeners_close(&supervisor->setup->listeners);
    }
    supervisor->phase = phase;
    supervisor->phase_ends = DISPATCH_NEVER;
    if (phase == DRAINING)
        supervisor->phase_ends = now + supervisor->setup->options->graceful_timeout;
    else if (phase == STOPPING)
        supervisor->phase_ends = now + stop_timeout;
    signal_workers(supervisor, phase_signal[phase]);
}

/* At the start a worker that cannot boot is the end: the next ones would not do better. */
static void give_up(struct supervisor *supervisor, enum server_status status)
{
    supervisor->status = status;
    enter(supervisor, STOPPING);
}

/* -- Noting what happens -------------------------------------------------- */

static void turn_fired(struct dispatch_timer *timer)
{
    dispatch_stop(timer->loop, 0);
}

static void soon(struct supervisor *supervisor)
{
    dispatch_timer_set(&supervisor->turn, dispatch_now(supervisor->loop));
}

static void slot_changed(struct server_slot *slot)
{
    soon(slot->context);
}

static void caught_stop(struct supervisor *supervisor, int number)
{
    bool drain = number == SIGTERM && supervisor->phase == SERVING;

    server_log_print(supervisor->log, SERVER_LOG_INFO, "%s: %s",
                     number == SIGTERM  ? "SIGTERM"
                     : number == SIGINT ? "SIGINT"
                                        : "SIGQUIT",
                     drain ? "finishing the requests under way" : "stopping at once");
    enter(supervisor, drain ? DRAINING : STOPPING);
}

static void caught(struct dispatch_signal *signal)
{
    struct supervisor *supervisor = ((struct supervisor_signal *)(void *)signal)->supervisor;

    switch (signal->number) {
    case SIGTERM:
    case SIGINT:
    case SIGQUIT:
        caught_stop(supervisor, signal->number);
        break;
    case SIGCHLD:
        break;
    default:
        server_log_print(supervisor->log, SERVER_LOG_WARNING, "signal %d (%s) has no meaning here",
                         signal->number, strsignal(signal->number));
        return;
    }
    soon(supervisor);
}

/* -- Workers that end ----------------------------------------------------- */

void server_describe_end(int status, char text[64])
{
    if (WIFSIGNALED(status))
        snprintf(text, 64, "was killed by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(text, 64, "exited with status %d", WEXITSTATUS(status));
}

static void worker_ended(struct supervisor *supervisor, const struct server_slot *slot, pid_t pid,
                         int status)
{
    char death[64];

    if (supervisor->phase != SERVING)
        return;
    server_describe_end(status, death);
    if (slot->booted || supervisor->announced) {
        server_log_print(supervisor->log, SERVER_LOG_ERROR,
                         "worker %ld %s; another follows in %.1f s", (long)pid, death,
                         (double)slot->pause / 1e9);
        return;
    }
    server_log_print(supervisor->log, SERVER_LOG_CRITICAL, "worker %ld %s before it was ready",
                     (long)pid, death);
    give_up(supervisor, WIFEXITED(status) && WEXITSTATUS(status) == SERVER_APPLICATION_FAILED
                            ? SERVER_APPLICATION_FAILED
                            : SERVER_BOOT_FAILED);
}

/* Only our own: a process that an application left behind is not ours to reap. */
static void reap(struct supervisor *supervisor)
{
    uint64_t now = dispatch_now(supervisor->loop);

    for (unsigned i = 0; i < supervisor->slot_count; i++) {
        pid_t pid = supervisor->slots[i].pid;
        int status;

        if (server_slot_reap(&supervisor->slots[i], now, &status))
            worker_ended(supervisor, &supervisor->slots[i], pid, status);
    }
}

static bool has_workers(const struct supervisor *supervisor)
{
    for (unsigned i = 0; i < supervisor->slot_count; i++)
        if (supervisor->slots[i].pid > 0)
            return true;
    return false;
}

/* -- Starting workers ----------------------------------------------------- */

static void release(struct supervisor *supervisor)
{
    for (size_t i = 0; i < SIGNALS; i++)
        dispatch_signal_remove(&supervisor->signals[i].signal);
    dispatch_timer_remove(&supervisor->turn);
    for (unsigned i = 0; i < supervisor->slot_count; i++)
        server_slot_close(&supervisor->slots[i]);
    dispatch_free(supervisor->loop);
    free(supervisor->slots);
}

/* In the new process. */
static _Noreturn void be_worker(struct supervisor *supervisor, unsigned index, int lifeline)
{
    struct server_setup *setup = supervisor->setup;

    release(supervisor);
    exit((int)server_worker_run(setup, index, lifeline));
}

static void start(struct supervisor *supervisor, unsigned index)
{
    struct server_slot *slot = &supervisor->slots[index];
    int lifeline;
    int r = server_slot_start(slot, supervisor->loop, &lifeline);

    if (r == 0)
        be_worker(supervisor, index, lifeline);
    if (r > 0)
        return;
    server_log_print(supervisor->log, SERVER_LOG_CRITICAL, "cannot start a worker: %s",
                     strerror(-r));
    server_slot_delay(slot, dispatch_now(supervisor->loop));
    if (!supervisor->announced)
        give_up(supervisor, SERVER_BOOT_FAILED);
}

static void start_due(struct supervisor *supervisor)
{
    for (unsigned i = 0; i < supervisor->slot_count && supervisor->phase == SERVING; i++)
        if (supervisor->slots[i].pid == 0 &&
            supervisor->slots[i].due <= dispatch_now(supervisor->loop))
            start(supervisor, i);
}

static bool all_booted(const struct supervisor *supervisor)
{
    for (unsigned i = 0; i < supervisor->slot_count; i++)
        if (supervisor->slots[i].pid == 0 || !supervisor->slots[i].booted)
            return false;
    return true;
}

static void announce(struct supervisor *supervisor)
{
    const struct server_listeners *listeners = &supervisor->setup->listeners;

    supervisor->announced = true;
    for (size_t i = 0; i < listeners->count; i++) {
        char url[SERVER_URL];

        server_listener_url(&listeners->items[i], url);
        server_log_print(supervisor->log, SERVER_LOG_INFO, "Listening at: %s", url);
    }
    if (isatty(STDIN_FILENO) && isatty(supervisor->log->fd))
        server_log_print(supervisor->log, SERVER_LOG_INFO, "Press Ctrl+C to quit");
}

/* -- Its life ------------------------------------------------------------- */

/* When there is something to do next of our own accord. */
static uint64_t next_turn(const struct supervisor *supervisor)
{
    uint64_t next = supervisor->phase_ends;

    for (unsigned i = 0; i < supervisor->slot_count && supervisor->phase == SERVING; i++)
        if (supervisor->slots[i].pid == 0 && supervisor->slots[i].due < next)
            next = supervisor->slots[i].due;
    return next;
}

static void hurry(struct supervisor *supervisor)
{
    bool draining = supervisor->phase == DRAINING;

    server_log_print(supervisor->log, SERVER_LOG_WARNING, "workers are not done in time: %s them",
                     draining ? "stopping" : "killing");
    enter(supervisor, draining ? STOPPING : KILLING);
}

/* Until there is no worker any more; a negative errno value if the loop failed. */
static int supervise(struct supervisor *supervisor)
{
    int r = 0;

    while (r >= 0) {
        reap(supervisor);
        start_due(supervisor);
        if (supervisor->phase != SERVING && !has_workers(supervisor))
            break;
        if (!supervisor->announced && all_booted(supervisor))
            announce(supervisor);
        if (dispatch_now(supervisor->loop) >= supervisor->phase_ends)
            hurry(supervisor);
        dispatch_timer_set(&supervisor->turn, next_turn(supervisor));
        r = dispatch_run(supervisor->loop);
    }
    signal_workers(supervisor, SIGKILL); /* where the loop failed */
    return r;
}

static int prepare(struct supervisor *supervisor)
{
    unsigned workers = supervisor->setup->options->workers;
    int r = dispatch_new("poll", &supervisor->loop);

    if (r < 0)
        return r;
    supervisor->turn.fired = turn_fired;
    r = dispatch_timer_add(supervisor->loop, &supervisor->turn);
    for (size_t i = 0; i < SIGNALS && r == 0; i++) {
        supervisor->signals[i].supervisor = supervisor;
        supervisor->signals[i].signal.caught = caught;
        r = dispatch_signal_add(supervisor->loop, &supervisor->signals[i].signal, numbers[i]);
    }
    if (r < 0)
        return r;
    supervisor->slots = calloc(workers, sizeof *supervisor->slots);
    if (!supervisor->slots)
        return -ENOMEM;
    for (; supervisor->slot_count < workers; supervisor->slot_count++)
        server_slot_init(&supervisor->slots[supervisor->slot_count], slot_changed, supervisor);
    return 0;
}

enum server_status server_supervise(struct server_setup *setup)
{
    struct supervisor supervisor = {
        .setup = setup, .log = &setup->log, .phase_ends = DISPATCH_NEVER};
    int r = prepare(&supervisor);

    if (r == 0) {
        server_log_print(supervisor.log, SERVER_LOG_INFO, "asynwsgi %s (Python %s), %u worker%s",
                         PACKAGE_VERSION, wsgi_python_version, supervisor.slot_count,
                         supervisor.slot_count == 1 ? "" : "s");
        r = supervise(&supervisor);
    }
    if (r < 0) {
        server_log_print(supervisor.log, SERVER_LOG_CRITICAL, "cannot go on: %s", strerror(-r));
        supervisor.status = SERVER_FAILED;
    } else if (supervisor.status == SERVER_OK) {
        server_log_print(supervisor.log, SERVER_LOG_INFO, "stopped");
    }
    release(&supervisor);
    return supervisor.status;
}
