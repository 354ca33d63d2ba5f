/* What the options say: struct server_options in the making. */
#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H

#include <asynwsgi/server.h>
#include <stdbool.h>
#include <stddef.h>

/* Texts of others, with NULL after the last. */
struct cli_list {
    char **items;
    size_t count;
};

/* Adds a copy of `length` characters.  -ENOMEM. */
int cli_list_add(struct cli_list *list, const char *text, size_t length);
void cli_list_clear(struct cli_list *list);

struct cli_settings {
    struct server_options server; /* but for what is in the lists */
    struct cli_list binds, python_path, variables, streaming, targets;
    const char *folder;
    bool check, help, version;
};

/* The defaults. */
void cli_settings_init(struct cli_settings *settings);
void cli_settings_fini(struct cli_settings *settings);

/* Room for a line that says what is wrong. */
enum {
    CLI_EXPLANATION = 1024
};

/*
 * Make the process and the server options what the settings say: the folder,
 * the environment, the addresses.  -EINVAL with an explanation; -ENOMEM.
 */
int cli_settings_apply(struct cli_settings *settings, char explanation[CLI_EXPLANATION]);

#endif
