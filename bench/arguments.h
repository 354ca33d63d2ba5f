/*
 * The arguments of the load programs: a table of options, which is the help, too.
 *
 * An option is "--name VALUE", "--name=VALUE", "-n VALUE" or "-nVALUE"; everything
 * behind "--" and whatever does not begin with "-", or is that alone, is an operand.
 */
#ifndef BENCH_ARGUMENTS_H
#define BENCH_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum arguments_kind {
    ARGUMENTS_SWITCH,   /* bool */
    ARGUMENTS_COUNT,    /* uint64_t: "20k" */
    ARGUMENTS_DURATION, /* uint64_t, nanoseconds: "90", "500ms" */
    ARGUMENTS_SIZE,     /* uint64_t, bytes: "64k" */
    ARGUMENTS_TEXT,     /* const char *, within argv */
    ARGUMENTS_CALL      /* `take` sees to it */
};

struct arguments_option {
    const char *name;  /* NULL: `help` is a heading */
    const char *value; /* what stands for it in the help; NULL of a switch */
    const char *help;  /* its lines begin in one column */
    char letter;       /* 0: none */
    enum arguments_kind kind;
    size_t place;         /* in the settings */
    uint64_t least, most; /* of a number; most 0: any */
    /* Of ARGUMENTS_CALL.  -EINVAL and -ERANGE: the value is not `expected`; other errors as they
     * are. */
    int (*take)(void *settings, const char *value);
    const char *expected; /* "a header such as ..." */
};

#define ARGUMENTS_END \
    {                 \
        .help = NULL  \
    }

/*
 * Read argv[1] and those behind it into the settings.  Gives the number of operands, which
 * are then argv[0] and those behind it; or, having said on standard error what is wrong
 * in one line that begins with `command`, -EINVAL, or what `take` gave.  `options` ends
 * with ARGUMENTS_END.
 */
int arguments_read(const char *command, const struct arguments_option *options, void *settings,
                   char **argv);

/* The lines of the help, one or more to an option. */
void arguments_help(const struct arguments_option *options, FILE *output);

#endif
