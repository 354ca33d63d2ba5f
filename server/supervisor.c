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

#include "backoff.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config.h"

enum phase { SERVING, DRAINING, STOPPING, KILLING };

static const int phase_signal[] = {0, SIGTERM, SIGINT, SIGKILL};

/* What a worker that is told to stop at once may take for it. */
static const uint64_t stop_timeout = 1000000000;

static const int numbers[] = {SIGTERM, SIGINT,  SIGQUIT, SIGCHLD, SIGHUP,
                              SIGUSR1, SIGUSR2, SIGTTIN, SIGTTOU, SIGWINCH};
enum { SIGNALS = sizeof numbers / sizeof *numbers };

struct supervisor;

struct supervisor_signal {
    struct dispatch_signal signal;
    struct supervisor *supervisor;
};

/* A place for a worker. */
struct slot {
    struct supervisor *supervisor;
    pid_t pid;                       /* 0: there is none */
    struct dispatch_target lifeline; /* fd -1: not open */
    bool booted;
    uint64_t booted_at;
    uint64_t pause; /* before the last start; see server_backoff() */
    uint64_t due;   /* when the next worker is to be started */
};

struct supervisor {
    struct server_setup *setup;
    const struct server_log *log;
    struct dispatch *loop;
    struct dispatch_timer turn;
    struct supervisor_signal signals[SIGNALS];
    struct slot *slots;
    unsigned slot_count;
    enum phase phase;
    uint64_t phase_ends;
    bool announced; /* all workers have booted once */
    enum server_status status;
};

/* -- Noting what happens -------------------------------------------------- */

static void turn_fired(struct dispatch_timer *timer)
{
    dispatch_stop(timer->loop, 0);
}

static void soon(struct supervisor *supervisor)
{
    dispatch_timer_set(&supervisor->turn, dispatch_now(supervisor->loop));
}

static void close_lifeline(struct slot *slot)
{
    dispatch_remove(&slot->lifeline);
    if (slot->lifeline.fd >= 0)
        close(slot->lifeline.fd);
    slot->lifeline.fd = -1;
}

static void lifeline_ready(struct dispatch_target *target, unsigned events)
{
    struct slot *slot = (void *)((char *)target - offsetof(struct slot, lifeline));
    char byte;

    (void)events;
    if (recv(target->fd, &byte, 1, MSG_DONTWAIT) == 1) {
        slot->booted = true;
        slot->booted_at = dispatch_now(target->loop);
    } else {
        dispatch_remove(target); /* it has ended, which SIGCHLD tells */
    }
    soon(slot->supervisor);
}

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
    supervisor->phase_ends = phase == DRAINING   ? now + supervisor->setup->options->graceful_timeout
                             : phase == STOPPING ? now + stop_timeout
                                                 : DISPATCH_NEVER;
    signal_workers(supervisor, phase_signal[phase]);
}

static void caught(struct dispatch_signal *signal)
{
    struct supervisor *supervisor = ((struct supervisor_signal *)(void *)signal)->supervisor;

    switch (signal->number) {
    case SIGCHLD:
        break;
    case SIGTERM:
        server_log(supervisor->log, SERVER_LOG_INFO,
                   supervisor->phase == SERVING ? "SIGTERM: finishing the requests under way"
                                                : "SIGTERM again: stopping at once");
        enter(supervisor, supervisor->phase == SERVING ? DRAINING : STOPPING);
        break;
    case SIGINT:
    case SIGQUIT:
        server_log(supervisor->log, SERVER_LOG_INFO, "%s: stopping at once",
                   signal->number == SIGINT ? "SIGINT" : "SIGQUIT");
        enter(supervisor, STOPPING);
        break;
    default:
        server_log(supervisor->log, SERVER_LOG_WARNING, "signal %d (%s) has no meaning here",
                   signal->number, strsignal(signal->number));
        return;
    }
    soon(supervisor);
}

/* -- Starting workers ----------------------------------------------------- */

static void release(struct supervisor *supervisor)
{
    for (size_t i = 0; i < SIGNALS; i++)
        dispatch_signal_remove(&supervisor->signals[i].signal);
    dispatch_timer_remove(&supervisor->turn);
    for (unsigned i = 0; i < supervisor->slot_count; i++)
        close_lifeline(&supervisor->slots[i]);
    dispatch_free(supervisor->loop);
    free(supervisor->slots);
}

/* What the new process does. */
static _Noreturn void be_worker(struct supervisor *supervisor, unsigned index, int lifeline)
{
    struct server_setup *setup = supervisor->setup;

    release(supervisor);
    exit((int)server_worker_run(setup, index, lifeline));
}

static int open_lifeline(int ends[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        return -errno;
    for (int i = 0; i < 2; i++)
        fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    return 0;
}

/* Signals are held back, for none of ours may be handled in the child by what it inherited. */
static pid_t fork_worker(struct supervisor *supervisor, unsigned index, const int ends[2])
{
    sigset_t all, former;
    pid_t pid;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &former);
    pid = fork();
    if (pid == 0) {
        close(ends[0]);
        be_worker(supervisor, index, ends[1]);
    }
    sigprocmask(SIG_SETMASK, &former, NULL);
    return pid < 0 ? -errno : pid;
}

static int start(struct supervisor *supervisor, unsigned index)
{
    struct slot *slot = &supervisor->slots[index];
    int ends[2];
    int r = open_lifeline(ends);

    if (r < 0)
        return r;
    r = fork_worker(supervisor, index, ends);
    close(ends[1]);
    if (r < 0) {
        close(ends[0]);
        return r;
    }
    slot->pid = r;
    slot->booted = false;
    slot->lifeline.ready = lifeline_ready;
    r = dispatch_add(supervisor->loop, &slot->lifeline, ends[0], DISPATCH_READ);
    if (r < 0) {
        close(ends[0]);
        kill(slot->pid, SIGKILL);
    }
    return r;
}

/* -- Seeing to them ------------------------------------------------------- */

static void describe(int status, char text[64])
{
    if (WIFSIGNALED(status))
        snprintf(text, 64, "was killed by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(text, 64, "exited with status %d", WEXITSTATUS(status));
}

/* At the start a worker that cannot boot is the end: the next ones would not do better. */
static void give_up(struct supervisor *supervisor, int status)
{
    supervisor->status = WIFEXITED(status) && WEXITSTATUS(status) == SERVER_APPLICATION_FAILED
                             ? SERVER_APPLICATION_FAILED
                             : SERVER_BOOT_FAILED;
    enter(supervisor, STOPPING);
}

static void schedule(struct slot *slot)
{
    uint64_t now = dispatch_now(slot->supervisor->loop);

    slot->pause = server_backoff(slot->pause, slot->booted ? now - slot->booted_at : 0);
    slot->due = now + slot->pause;
}

static void bury(struct slot *slot, int status)
{
    struct supervisor *supervisor = slot->supervisor;
    pid_t pid = slot->pid;
    char death[64];

    slot->pid = 0;
    if (slot->lifeline.loop && !slot->booted)
        lifeline_ready(&slot->lifeline, DISPATCH_READ);
    close_lifeline(slot);
    if (supervisor->phase != SERVING)
        return;
    describe(status, death);
    if (!supervisor->announced && !slot->booted) {
        server_log(supervisor->log, SERVER_LOG_CRITICAL, "worker %ld %s before it was ready",
                   (long)pid, death);
        give_up(supervisor, status);
        return;
    }
    schedule(slot);
    server_log(supervisor->log, SERVER_LOG_ERROR, "worker %ld %s; another follows in %.1f s",
               (long)pid, death, (double)slot->pause / 1e9);
}

/* Only our own: a process that an application left behind is not ours to reap. */
static void reap(struct supervisor *supervisor)
{
    for (unsigned i = 0; i < supervisor->slot_count; i++) {
        struct slot *slot = &supervisor->slots[i];
        int status;

        if (slot->pid > 0 && waitpid(slot->pid, &status, WNOHANG) == slot->pid)
            bury(slot, status);
    }
}

static void start_due(struct supervisor *supervisor)
{
    for (unsigned i = 0; i < supervisor->slot_count && supervisor->phase == SERVING; i++) {
        struct slot *slot = &supervisor->slots[i];

        if (slot->pid > 0 || slot->due > dispatch_now(supervisor->loop))
            continue;
        int r = start(supervisor, i);

        if (r < 0) {
            server_log(supervisor->log, SERVER_LOG_CRITICAL, "cannot start a worker: %s",
                       strerror(-r));
            schedule(slot);
            if (!supervisor->announced)
                give_up(supervisor, 0);
        }
    }
}

static void announce(struct supervisor *supervisor)
{
    const struct server_listeners *listeners = &supervisor->setup->listeners;

    for (unsigned i = 0; i < supervisor->slot_count; i++)
        if (supervisor->slots[i].pid == 0 || !supervisor->slots[i].booted)
            return;
    supervisor->announced = true;
    for (size_t i = 0; i < listeners->count; i++) {
        char url[SERVER_URL];

        server_listener_url(&listeners->items[i], url);
        server_log(supervisor->log, SERVER_LOG_INFO, "Listening at: %s", url);
    }
    if (isatty(STDIN_FILENO) && isatty(supervisor->log->fd))
        server_log(supervisor->log, SERVER_LOG_INFO, "Press Ctrl+C to quit");
}

static bool has_workers(const struct supervisor *supervisor)
{
    for (unsigned i = 0; i < supervisor->slot_count; i++)
        if (supervisor->slots[i].pid > 0)
            return true;
    return false;
}

/* When there is something to do next of our own accord. */
static uint64_t next_turn(const struct supervisor *supervisor)
{
    uint64_t next = supervisor->phase_ends;

    for (unsigned i = 0; i < supervisor->slot_count && supervisor->phase == SERVING; i++) {
        const struct slot *slot = &supervisor->slots[i];

        if (slot->pid == 0 && slot->due < next)
            next = slot->due;
    }
    return next;
}

static void supervise(struct supervisor *supervisor)
{
    for (;;) {
        reap(supervisor);
        start_due(supervisor);
        if (supervisor->phase == SERVING && !supervisor->announced)
            announce(supervisor);
        if (supervisor->phase != SERVING && !has_workers(supervisor))
            return;
        if (dispatch_now(supervisor->loop) >= supervisor->phase_ends) {
            server_log(supervisor->log, SERVER_LOG_WARNING, "workers are not done in time: %s",
                       supervisor->phase == DRAINING ? "stopping them" : "killing them");
            enter(supervisor, supervisor->phase + 1);
        }
        dispatch_timer_set(&supervisor->turn, next_turn(supervisor));
        int r = dispatch_run(supervisor->loop);

        if (r < 0) {
            server_log(supervisor->log, SERVER_LOG_CRITICAL, "the loop failed: %s", strerror(-r));
            supervisor->status = SERVER_FAILED;
            signal_workers(supervisor, SIGKILL);
            return;
        }
    }
}

static int prepare(struct supervisor *supervisor)
{
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
    supervisor->slots = calloc(supervisor->setup->options->workers, sizeof *supervisor->slots);
    if (!supervisor->slots)
        return -ENOMEM;
    supervisor->slot_count = supervisor->setup->options->workers;
    for (unsigned i = 0; i < supervisor->slot_count; i++) {
        supervisor->slots[i].supervisor = supervisor;
        supervisor->slots[i].lifeline.fd = -1;
    }
    return 0;
}

enum server_status server_supervise(struct server_setup *setup)
{
    struct supervisor supervisor = {.setup = setup,
                                    .log = &setup->log,
                                    .phase_ends = DISPATCH_NEVER};
    int r = prepare(&supervisor);

    if (r < 0) {
        server_log(supervisor.log, SERVER_LOG_CRITICAL, "cannot start: %s", strerror(-r));
        supervisor.status = SERVER_FAILED;
    } else {
        server_log(supervisor.log, SERVER_LOG_INFO, "asynwsgi %s (Python %s), %u worker%s",
                   PACKAGE_VERSION, wsgi_python_version, supervisor.slot_count,
                   supervisor.slot_count == 1 ? "" : "s");
        supervise(&supervisor);
        if (supervisor.status == SERVER_OK)
            server_log(supervisor.log, SERVER_LOG_INFO, "stopped");
    }
    release(&supervisor);
    return supervisor.status;
}
