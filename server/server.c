/* The server: logs and sockets are opened, then the supervisor has them. */
#include <asynwsgi/server.h>

#include "supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static enum server_status open_log(const struct server_log *log, const char *file, int standard,
                                   int *fd)
{
    int r = server_log_open(file, standard, fd);

    if (r == 0)
        return SERVER_OK;
    server_log_print(log, SERVER_LOG_CRITICAL, "cannot open the log file %s: %s", file,
                     strerror(-r));
    return SERVER_FAILED;
}

/* Until all is open, what is wrong goes to standard error. */
static enum server_status open_setup(struct server_setup *setup)
{
    const struct server_options *options = setup->options;
    int error_fd = STDERR_FILENO;
    enum server_status status = SERVER_OK;

    if (options->access_log)
        status = open_log(&setup->log, options->access_log, STDOUT_FILENO, &setup->access_fd);
    if (status == SERVER_OK && options->error_log)
        status = open_log(&setup->log, options->error_log, STDERR_FILENO, &error_fd);
    if (status == SERVER_OK)
        status = server_listeners_open(&setup->listeners, options, &setup->log);
    setup->log.fd = error_fd;
    return status;
}

static void close_setup(struct server_setup *setup)
{
    server_listeners_end(&setup->listeners);
    server_listeners_close(&setup->listeners);
    server_log_close(setup->access_fd);
    server_log_close(setup->log.fd);
}

/* A mask that hides SIGTERM can be inherited; a log's reader may go away before us. */
static void prepare_signals(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    sigemptyset(&ignore.sa_mask);
    sigaction(SIGPIPE, &ignore, NULL);
}

int server_run(const struct server_options *options)
{
    struct server_setup setup = {
        .options = options,
        .log = {.fd = STDERR_FILENO, .level = options->log_level},
        .access_fd = -1,
    };
    enum server_status status = open_setup(&setup);

    if (status == SERVER_OK) {
        prepare_signals();
        status = server_supervise(&setup);
    }
    close_setup(&setup);
    return (int)status;
}

/* Added to the status of a process that came to the end of its check: an application may exit. */
enum {
    CHECKED = 200
};

/* What it found, by its status as of waitpid(2). */
static int judge(const struct server_log *log, int status)
{
    char end[64];

    if (WIFEXITED(status) && WEXITSTATUS(status) >= CHECKED &&
        WEXITSTATUS(status) <= CHECKED + SERVER_APPLICATION_FAILED)
        return WEXITSTATUS(status) - CHECKED;
    server_describe_end(status, end);
    server_log_print(log, SERVER_LOG_CRITICAL,
                     "the process that loads plug-ins and application %s before it had", end);
    return SERVER_BOOT_FAILED;
}

int server_check(const struct server_options *options)
{
    const struct server_log log = {.fd = STDERR_FILENO, .level = options->log_level};
    enum server_status status = server_listeners_check(options->binds, &log);
    int result;
    pid_t pid;

    if (status != SERVER_OK)
        return (int)status;
    pid = fork();
    if (pid == 0)
        exit(CHECKED + (int)server_worker_try(options, &log));
    if (pid < 0) {
        server_log_print(&log, SERVER_LOG_CRITICAL, "cannot start a process: %s", strerror(errno));
        return SERVER_FAILED;
    }
    while (waitpid(pid, &result, 0) < 0 && errno == EINTR)
        continue;
    return judge(&log, result);
}
