/* The settings, from defaults to something the server can run with. */
#include "settings.h"

#include <asynwsgi/dispatch.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int cli_list_add(struct cli_list *list, const char *text, size_t length)
{
    char **items = realloc(list->items, (list->count + 2) * sizeof *items);

    if (!items)
        return -ENOMEM;
    list->items = items;
    items[list->count] = strndup(text, length);
    if (!items[list->count])
        return -ENOMEM;
    items[++list->count] = NULL;
    return 0;
}

void cli_list_clear(struct cli_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct cli_list){0};
}

void cli_settings_init(struct cli_settings *settings)
{
    *settings = (struct cli_settings){
        .server =
            {
                .workers = 1,
                .backlog = 2048,
                .log_level = SERVER_LOG_INFO,
                .graceful_timeout = 30000000000,
                .limits = http_limits_default,
                .timeouts = http_timeouts_default,
                .memory_budget = 1 << 30,
                .wsgi = {.body_memory = 1 << 20,
                         .input_window = 65536,
                         .threads = 1,
                         .queue = 1024,
                         .queue_timeout = 30000000000},
            },
    };
}

void cli_settings_fini(struct cli_settings *settings)
{
    cli_list_clear(&settings->binds);
    cli_list_clear(&settings->python_path);
    cli_list_clear(&settings->variables);
    cli_list_clear(&settings->streaming);
    cli_list_clear(&settings->targets);
}

/* Where nothing is said: the port that the surroundings give us, or ours. */
static int default_bind(struct cli_list *binds)
{
    const char *port = getenv("PORT");
    char address[64];

    snprintf(address, sizeof address, "%s:%s", port && *port ? "0.0.0.0" : "127.0.0.1",
             port && *port ? port : "8000");
    return cli_list_add(binds, address, strlen(address));
}

static int set_variables(const struct cli_list *variables)
{
    int r = 0;

    for (size_t i = 0; i < variables->count && r == 0; i++) {
        char *equals = strchr(variables->items[i], '=');

        *equals = '\0';
        r = setenv(variables->items[i], equals + 1, 1) < 0 ? -errno : 0;
        *equals = '=';
    }
    return r;
}

static int check_virtual_env(const char *folder, char explanation[CLI_EXPLANATION])
{
    char reason[WSGI_EXPLANATION];

    if (!folder || wsgi_virtual_env_check(folder, reason) == 0)
        return 0;
    snprintf(explanation, CLI_EXPLANATION, "%s", reason);
    return -EINVAL;
}

static int check_profile(const char *file, char explanation[CLI_EXPLANATION])
{
    char reason[WSGI_EXPLANATION];

    if (!file || wsgi_profile_check(file, reason) == 0)
        return 0;
    snprintf(explanation, CLI_EXPLANATION, "--profile: %s", reason);
    return -EINVAL;
}

/* Not every kernel that could lets everybody. */
static int check_backend(const char *backend, char explanation[CLI_EXPLANATION])
{
    struct dispatch *loop;
    int r = dispatch_new(backend, &loop);

    if (r < 0) {
        snprintf(explanation, CLI_EXPLANATION, "--backend: this system does not let us use %s: %s",
                 backend, strerror(-r));
        return -EINVAL;
    }
    dispatch_free(loop);
    return 0;
}

int cli_settings_apply(struct cli_settings *settings, char explanation[CLI_EXPLANATION])
{
    struct server_options *server = &settings->server;
    const char *application = server->wsgi.application;
    int r;

    if (!application || application[0] == '\0' || application[0] == ':') {
        snprintf(explanation, CLI_EXPLANATION,
                 "which application? Name its module, as in: asynwsgi hello:application");
        return -EINVAL;
    }
    if (settings->folder && chdir(settings->folder) < 0) {
        snprintf(explanation, CLI_EXPLANATION, "cannot enter the folder %s: %s", settings->folder,
                 strerror(errno));
        return -EINVAL;
    }
    if (server->memory_budget > 0 && server->memory_budget / 4 < server->limits.head) {
        snprintf(explanation, CLI_EXPLANATION,
                 "--memory-budget: at least four times --limit-request-head, or 0 for none");
        return -EINVAL;
    }
    r = check_virtual_env(server->wsgi.virtual_env, explanation);
    if (r == 0)
        r = check_profile(server->wsgi.profile, explanation);
    if (r == 0 && server->backend)
        r = check_backend(server->backend, explanation);
    if (r == 0 && settings->binds.count == 0)
        r = default_bind(&settings->binds);
    if (r == 0)
        r = set_variables(&settings->variables);
    server->binds = (const char *const *)settings->binds.items;
    server->wsgi.python_path = (const char *const *)settings->python_path.items;
    server->targets = (const char *const *)settings->targets.items;
    server->wsgi.streaming = (const char *const *)settings->streaming.items;
    return r;
}
