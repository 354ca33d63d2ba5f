/*
 * The options of the command: one table, from which the command line is read,
 * the environment, and the help made.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "settings.h"

#include <asynwsgi/units.h>
#include <stdint.h>
#include <stdio.h>

struct cli_option {
    const char *name;  /* NULL: `help` is a heading */
    const char *value; /* what the help calls it */
    const char *help;
    const struct cli_kind *kind;
    size_t place, width;  /* of its member of struct cli_settings */
    uint64_t least, most; /* of a number */
    const char *variable; /* that others know it by, in the environment */
    char letter;          /* or 0 */
    bool local;           /* ASYNWSGI_<OPTION> has no meaning */
};

/* What values look like. */
struct cli_kind {
    /* 0, -EINVAL, -ERANGE or -ENOMEM. */
    int (*read)(const struct cli_option *option, const char *text, struct cli_settings *settings);
    void (*format)(uint64_t number, char text[UNITS_ROOM]); /* NULL: not held as a number */
    const char *expected;
    bool is_switch; /* takes no value on the command line */
    bool is_list;   /* may be repeated */
};

extern const struct cli_kind cli_kind_text, cli_kind_switch, cli_kind_number, cli_kind_workers,
    cli_kind_size, cli_kind_duration, cli_kind_level, cli_kind_backend, cli_kind_list,
    cli_kind_paths, cli_kind_prefixes, cli_kind_targets, cli_kind_variables;

/* The value of an option that is held as a number. */
uint64_t cli_option_number(const struct cli_option *option, const struct cli_settings *settings);

extern const struct cli_option cli_options[];
extern const size_t cli_options_count;

/*
 * Read the command line, and from the environment what it does not say.
 * -EINVAL with an explanation; -ENOMEM.
 */
int cli_options_read(struct cli_settings *settings, int argc, char *const *argv,
                     char explanation[CLI_EXPLANATION]);

void cli_options_help(FILE *output);

/* The option that was probably meant, or NULL. */
const struct cli_option *cli_options_guess(const char *name, size_t length);

#endif
