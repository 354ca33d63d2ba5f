/*
 * A worker: its signals, its loop and the http_server with the application.
 *
 *   booting    a signal to stop ends it at once, without ceremony: importing
 *              the application may take long, and the loop is not running
 *   serving    TERM, or the supervisor's end, drains; INT and QUIT stop
 *   draining   no new requests; the last response ends it, or the supervisor
 *              does, or its own timer where that is gone
 */
#include "worker.h"

#include "access_log.h"
#include "targets.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct worker;

struct worker_signal {
    struct dispatch_signal signal;
    struct worker *worker;
};

struct worker {
    struct server_setup *setup;
    const struct server_options *options;
    const struct server_log *log;
    struct wsgi_options wsgi_options;
    char profile[PATH_MAX];
    struct wsgi *wsgi;
    struct dispatch *loop;
    struct server_access_log access_log;
    struct http_server *server;
    struct server_targets targets;
    struct worker_signal signals[3];
    struct dispatch_target lifeline;
    struct dispatch_timer patience; /* with the last responses */
    bool draining;
    unsigned undrained;   /* of http_server and targets */
    bool told;            /* that memory is spent */
    uint64_t quiet_until; /* of that */
};

static struct worker *worker_of(void *member, size_t offset)
{
    return (void *)((char *)member - offset);
}

/* -- The application and the plug-ins ------------------------------------- */

static void log_application(void *context, const char *line, size_t length)
{
    server_log_text(context, SERVER_LOG_ERROR, line, length);
}

/* The first worker's is the file that was named, FILE; that of the second FILE.2, and so on. */
static void name_profile(struct worker *worker, unsigned slot)
{
    const char *file = worker->options->wsgi.profile;

    if (!file || slot == 0)
        return;
    snprintf(worker->profile, sizeof worker->profile, "%s.%u", file, slot + 1);
    worker->wsgi_options.profile = worker->profile;
}

static enum server_status load(struct worker *worker, unsigned slot)
{
    int r;

    if (server_targets_load(&worker->targets, worker->options->targets, worker->log) < 0)
        return SERVER_BOOT_FAILED;
    worker->wsgi_options = worker->options->wsgi;
    worker->wsgi_options.multiprocess = worker->options->workers > 1;
    worker->wsgi_options.log = log_application;
    worker->wsgi_options.log_context = (void *)worker->log;
    name_profile(worker, slot);
    r = wsgi_new(&worker->wsgi_options, &worker->wsgi);
    if (r < 0) {
        server_log_print(worker->log, SERVER_LOG_CRITICAL, "Python cannot be started: %s",
                         strerror(-r));
        return SERVER_BOOT_FAILED;
    }
    r = wsgi_load(worker->wsgi);
    if (r < 0) {
        server_log_print(worker->log, SERVER_LOG_CRITICAL, "the application %s could not be loaded",
                         worker->wsgi_options.application);
        return SERVER_APPLICATION_FAILED;
    }
    return SERVER_OK;
}

/* -- Stopping ------------------------------------------------------------- */

static void stop(struct worker *worker)
{
    dispatch_stop(worker->loop, SERVER_OK);
}

static void drained(void *context)
{
    struct worker *worker = context;

    if (--worker->undrained == 0)
        stop(worker);
}

static void patience_ended(struct dispatch_timer *timer)
{
    struct worker *worker = worker_of(timer, offsetof(struct worker, patience));

    server_log_print(worker->log, SERVER_LOG_WARNING, "%zu connections were not done in time",
                     http_server_connections(worker->server));
    stop(worker);
}

static void drain(struct worker *worker)
{
    if (worker->draining)
        return;
    worker->draining = true;
    worker->undrained = 2;
    http_server_drain(worker->server, drained, worker);
    server_targets_drain(&worker->targets, drained, worker);
    server_listeners_close(&worker->setup->listeners);
}

/* Nothing is ever sent this way: the supervisor is gone, and nobody else will end us. */
static void lifeline_cut(struct dispatch_target *target, unsigned events)
{
    struct worker *worker = worker_of(target, offsetof(struct worker, lifeline));

    if (events & DISPATCH_ERROR && !(events & DISPATCH_HANGUP)) {
        /* There was no memory to watch it: once more. */
        dispatch_remove(target);
        (void)dispatch_add(worker->loop, target, target->fd, DISPATCH_READ); /* in its old slot */
        return;
    }
    server_log_print(worker->log, SERVER_LOG_WARNING, "the supervisor is gone; finishing");
    dispatch_remove(target);
    dispatch_timer_set(&worker->patience,
                       dispatch_now(worker->loop) + worker->options->graceful_timeout);
    drain(worker);
}

static void caught(struct dispatch_signal *signal)
{
    struct worker *worker = ((struct worker_signal *)(void *)signal)->worker;

    if (signal->number == SIGTERM)
        drain(worker);
    else
        stop(worker);
}

/* -- Booting -------------------------------------------------------------- */

static int add_signals(struct worker *worker)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGQUIT};
    int r = 0;

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers && r == 0; i++) {
        worker->signals[i].worker = worker;
        worker->signals[i].signal.caught = caught;
        r = dispatch_signal_add(worker->loop, &worker->signals[i].signal, numbers[i]);
    }
    return r;
}

static int listen_all(struct worker *worker, unsigned slot)
{
    const struct server_listeners *listeners = &worker->setup->listeners;
    int r = 0;

    for (size_t i = 0; i < listeners->count && r == 0; i++) {
        int descriptor = server_listener_descriptor(&listeners->items[i], slot);

        tcpsocket_listen_defer(descriptor);
        r = http_server_listen(worker->server, descriptor);
    }
    return r;
}

/* A server at its limit may come and go over it often: a line a second says enough. */
static void memory_spent(void *context, bool spent)
{
    struct worker *worker = context;
    uint64_t now = dispatch_now(worker->loop);

    if (spent) {
        worker->told = now >= worker->quiet_until;
        if (worker->told)
            worker->quiet_until = now + 1000000000;
    }
    if (!worker->told)
        return;
    server_log_print(worker->log, SERVER_LOG_WARNING,
                     spent ? "the memory for connections is spent (memory-budget): "
                             "accepting no more for now"
                           : "there is memory for connections again");
}

static int start_server(struct worker *worker)
{
    int access_fd = worker->setup->access_fd;
    struct http_server_options options = {
        .loop = worker->loop,
        .handler = &wsgi_handler,
        .context = worker->wsgi,
        .observer = access_fd >= 0 ? &server_access_observer : NULL,
        .observer_context = &worker->access_log,
        .name = "asynwsgi",
        .limits = worker->options->limits,
        .timeouts = worker->options->timeouts,
        .memory = worker->options->memory_budget,
        .spent = memory_spent,
        .spent_context = worker,
    };
    int r = server_access_log_init(&worker->access_log, worker->loop, access_fd);

    return r < 0 ? r : http_server_new(&options, &worker->server);
}

static int boot(struct worker *worker, unsigned slot, int lifeline)
{
    int r = dispatch_new(worker->options->backend, &worker->loop);

    if (r < 0)
        return r;
    if ((r = wsgi_attach(worker->wsgi, worker->loop)) < 0 || (r = start_server(worker)) < 0 ||
        (r = listen_all(worker, slot)) < 0 || (r = add_signals(worker)) < 0)
        return r;
    worker->patience.fired = patience_ended;
    if ((r = dispatch_timer_add(worker->loop, &worker->patience)) < 0)
        return r;
    worker->lifeline.ready = lifeline_cut;
    return dispatch_add(worker->loop, &worker->lifeline, lifeline, DISPATCH_READ);
}

/* Threads of the application cannot be ended, and Python cannot end without them. */
static void stop_threads(struct worker *worker, enum server_status status)
{
    if (!worker->wsgi || wsgi_attach(worker->wsgi, NULL) == 0)
        return;
    server_log_print(worker->log, SERVER_LOG_WARNING,
                     "threads do not come back from the application; ending without them");
    _exit((int)status);
}

/* The signals come last: from then on one would end us before the rest is done. */
static void shut(struct worker *worker, enum server_status status)
{
    dispatch_remove(&worker->lifeline);
    dispatch_timer_remove(&worker->patience);
    server_targets_stop(&worker->targets);
    http_server_free(worker->server);
    if (worker->access_log.flush.loop)
        server_access_log_fini(&worker->access_log);
    stop_threads(worker, status);
    wsgi_free(worker->wsgi);
    for (size_t i = 0; i < sizeof worker->signals / sizeof *worker->signals; i++)
        dispatch_signal_remove(&worker->signals[i].signal);
    dispatch_free(worker->loop);
}

static enum server_status serve(struct worker *worker, unsigned slot, int lifeline)
{
    int r = boot(worker, slot, lifeline);

    if (r < 0) {
        server_log_print(worker->log, SERVER_LOG_CRITICAL, "the worker cannot serve: %s",
                         strerror(-r));
        return SERVER_BOOT_FAILED;
    }
    if (server_targets_start(&worker->targets, worker->loop, slot, worker->options->workers) < 0)
        return SERVER_BOOT_FAILED;
    server_log_print(worker->log, SERVER_LOG_INFO, "worker ready");
    send(lifeline, "", 1, MSG_NOSIGNAL); /* where it fails, the lifeline is cut */
    r = dispatch_run(worker->loop);
    if (r < 0) {
        server_log_print(worker->log, SERVER_LOG_CRITICAL, "the loop failed: %s", strerror(-r));
        return SERVER_FAILED;
    }
    return SERVER_OK;
}

static void leave(int number)
{
    (void)number;
    _exit(SERVER_OK);
}

/* A handler, since what is ignored stays so in the programs that the application starts. */
static void ignore(int number)
{
    (void)number;
}

static void handle(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};

    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

static void reset_signals(void)
{
    static const int leaving[] = {SIGTERM, SIGINT, SIGQUIT};
    static const int ignored[] = {SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE};
    static const int usual[] = {SIGCHLD, SIGWINCH, SIGTTIN, SIGTTOU, SIGALRM};
    sigset_t none;

    for (size_t i = 0; i < sizeof leaving / sizeof *leaving; i++)
        handle(leaving[i], leave);
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        handle(ignored[i], ignore);
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        handle(usual[i], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

enum server_status server_worker_run(struct server_setup *setup, unsigned slot, int lifeline)
{
    struct worker worker = {.setup = setup, .options = setup->options, .log = &setup->log};
    enum server_status status;

    reset_signals();
    server_listeners_keep(&setup->listeners, slot);
    status = load(&worker, slot);
    if (status == SERVER_OK)
        status = serve(&worker, slot, lifeline);
    shut(&worker, status);
    server_listeners_close(&setup->listeners);
    return status;
}

enum server_status server_worker_try(const struct server_options *options,
                                     const struct server_log *log)
{
    struct worker worker = {.options = options, .log = log};
    enum server_status status;

    status = load(&worker, 0);
    server_targets_stop(&worker.targets);
    wsgi_free(worker.wsgi);
    return status;
}
