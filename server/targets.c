/*
 * The plug-ins of a worker.
 *
 *   loaded -> started -> [draining -> drained ->] stopped
 *
 * None is ever unloaded: a thread, or a function registered for the exit, may be in it.
 */
#include "targets.h"

#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static_assert((int)ASYNWSGI_TARGET_DEBUG == (int)SERVER_LOG_DEBUG &&
                  (int)ASYNWSGI_TARGET_INFO == (int)SERVER_LOG_INFO &&
                  (int)ASYNWSGI_TARGET_WARNING == (int)SERVER_LOG_WARNING &&
                  (int)ASYNWSGI_TARGET_ERROR == (int)SERVER_LOG_ERROR &&
                  (int)ASYNWSGI_TARGET_CRITICAL == (int)SERVER_LOG_CRITICAL,
              "their numbers are the log's");

/* Room for what is wrong with one. */
enum {
    PROBLEM = 512
};

struct server_target {
    struct asynwsgi_target_worker worker;
    struct server_targets *targets;
    const char *option;
    int file_length; /* of it, the arguments' colon not included */
    const struct asynwsgi_target *plugin;
    void *state;
    bool draining;
};

/* -- Loading -------------------------------------------------------------- */

static int refuse(const struct server_target *target, const char *problem)
{
    server_log_print(target->targets->log, SERVER_LOG_CRITICAL, "the plug-in %.*s %s",
                     target->file_length, target->option, problem);
    return -EINVAL;
}

/* Has dlopen() take the file for a path, and not search its folders for it. */
static int path_of(const struct server_target *target, char path[PATH_MAX])
{
    const char *file = target->option;
    bool has_folder = memchr(file, '/', (size_t)target->file_length);
    int n = snprintf(path, PATH_MAX, "%s%.*s", has_folder ? "" : "./", target->file_length, file);

    return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int check(struct server_target *target, void *handle)
{
    char problem[PROBLEM];

    target->plugin = dlsym(handle, "asynwsgi_target");
    if (!target->plugin)
        return refuse(target,
                      "is none: it does not define asynwsgi_target, see asynwsgi-target(7)");
    if (target->plugin->version == ASYNWSGI_TARGET_VERSION)
        return target->plugin->start && target->plugin->stop
                   ? 0
                   : refuse(target, "has no start or no stop in its asynwsgi_target");
    snprintf(problem, sizeof problem,
             "is of version %u, but this server's is %u: build it with this server's headers",
             target->plugin->version, ASYNWSGI_TARGET_VERSION);
    return refuse(target, problem);
}

/* What dlopen() says, which names the file again if it is the plug-in's own. */
static int refuse_object(const struct server_target *target, const char *path)
{
    const char *error = dlerror();
    size_t length = strlen(path);
    char problem[PROBLEM];

    if (strncmp(error, path, length) == 0 && strncmp(error + length, ": ", 2) == 0)
        error += length + 2;
    snprintf(problem, sizeof problem, "cannot be loaded as a shared object: %s", error);
    return refuse(target, problem);
}

static int load(struct server_target *target)
{
    char path[PATH_MAX];
    void *handle;

    if (path_of(target, path) < 0)
        return refuse(target, "cannot be loaded: its path is too long");
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    return handle ? check(target, handle) : refuse_object(target, path);
}

static void write_line(const struct asynwsgi_target_worker *worker,
                       enum asynwsgi_target_level level, const char *line)
{
    const struct server_target *target = (const void *)worker; /* its first member */
    bool is_known = (unsigned)level <= SERVER_LOG_CRITICAL;

    server_log_text(target->targets->log,
                    is_known ? (enum server_log_level)level : SERVER_LOG_CRITICAL, line,
                    strlen(line));
}

static size_t count_of(const char *const *options)
{
    size_t count = 0;

    while (options && options[count])
        count++;
    return count;
}

int server_targets_load(struct server_targets *targets, const char *const *options,
                        const struct server_log *log)
{
    size_t count = count_of(options);
    int r = 0;

    targets->log = log;
    if (count == 0)
        return 0;
    targets->items = calloc(count, sizeof *targets->items);
    if (!targets->items) {
        server_log_print(log, SERVER_LOG_CRITICAL, "plug-ins: %s", strerror(ENOMEM));
        return -ENOMEM;
    }
    for (; targets->count < count && r == 0; targets->count++) {
        struct server_target *target = &targets->items[targets->count];
        const char *option = options[targets->count];
        size_t length = strcspn(option, ":");

        target->targets = targets;
        target->option = option;
        target->file_length = (int)length;
        target->worker.arguments = option + length + (option[length] == ':');
        target->worker.log = write_line;
        r = load(target);
    }
    return r;
}

/* -- Starting ------------------------------------------------------------- */

static int start(struct server_target *target)
{
    char explanation[ASYNWSGI_TARGET_EXPLANATION] = "";
    int r = target->plugin->start(&target->worker, &target->state, explanation);

    explanation[sizeof explanation - 1] = '\0';
    if (r > 0)
        r = -r; /* its sign was forgotten; there is nothing to stop */
    if (r < 0)
        server_log_print(target->targets->log, SERVER_LOG_CRITICAL,
                         "the plug-in %.*s does not start: %s%s%s", target->file_length,
                         target->option, explanation, *explanation ? ": " : "", strerror(-r));
    return r;
}

int server_targets_start(struct server_targets *targets, struct dispatch *loop, unsigned number,
                         unsigned count)
{
    for (; targets->started < targets->count; targets->started++) {
        struct server_target *target = &targets->items[targets->started];
        int r;

        target->worker.loop = loop;
        target->worker.number = number;
        target->worker.count = count;
        r = start(target);
        if (r < 0)
            return r;
    }
    return 0;
}

/* -- Stopping ------------------------------------------------------------- */

static void one_drained(struct server_targets *targets)
{
    if (--targets->draining == 0)
        targets->drained(targets->context);
}

static void plugin_drained(void *context)
{
    struct server_target *target = context;

    if (!target->draining)
        return;
    target->draining = false;
    one_drained(target->targets);
}

void server_targets_drain(struct server_targets *targets, void (*drained)(void *context),
                          void *context)
{
    targets->drained = drained;
    targets->context = context;
    targets->draining = 1; /* this function itself: nothing has drained before all were told */
    for (size_t i = 0; i < targets->started; i++) {
        struct server_target *target = &targets->items[i];

        if (!target->plugin->drain)
            continue;
        target->draining = true;
        targets->draining++;
        target->plugin->drain(target->state, plugin_drained, target);
    }
    one_drained(targets);
}

void server_targets_stop(struct server_targets *targets)
{
    while (targets->started > 0) {
        struct server_target *target = &targets->items[--targets->started];

        if (target->draining)
            server_log_print(targets->log, SERVER_LOG_WARNING,
                             "the plug-in %.*s has not finished in time", target->file_length,
                             target->option);
        target->draining = false; /* it comes too late from here on */
        target->plugin->stop(target->state);
    }
    free(targets->items);
    *targets = (struct server_targets){0};
}
