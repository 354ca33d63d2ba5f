/* Reading arguments.  Not getopt_long(3): its messages are its own, and it takes abbreviations. */
#include "arguments.h"

#include <asynwsgi/units.h>

#include <errno.h>
#include <string.h>

enum {
    COLUMN = 31
};

struct reading {
    const char *command;
    const struct arguments_option *options;
    char *settings;
};

static bool is_last(const struct arguments_option *option)
{
    return !option->name && !option->help;
}

static int complain(const struct reading *reading, const char *argument, const char *problem)
{
    fprintf(stderr, "%s: %s %s\n", reading->command, argument, problem);
    return -EINVAL;
}

static const char *expected(const struct arguments_option *option)
{
    switch (option->kind) {
    case ARGUMENTS_COUNT:
        return "a number such as 100 or 20k";
    case ARGUMENTS_DURATION:
        return "a time such as 90, 1m30s or 500ms";
    case ARGUMENTS_SIZE:
        return "a size such as 8190, 64k or 10m";
    default:
        return option->expected;
    }
}

static int bad_value(const struct reading *reading, const struct arguments_option *option,
                     const char *value)
{
    char least[UNITS_ROOM], most[UNITS_ROOM];

    fprintf(stderr, "%s: --%s: \"%s\" is not %s", reading->command, option->name, value,
            expected(option));
    if (option->most > 0) {
        void (*format)(uint64_t, char *) =
            option->kind == ARGUMENTS_DURATION ? units_duration_format : units_number_format;

        format(option->least, least);
        format(option->most, most);
        fprintf(stderr, ", from %s to %s", least, most);
    }
    fputc('\n', stderr);
    return -EINVAL;
}

static int read_number(const struct arguments_option *option, const char *value, void *place)
{
    uint64_t number;
    int error;

    if (option->kind == ARGUMENTS_COUNT)
        error = units_count_parse(value, &number);
    else if (option->kind == ARGUMENTS_DURATION)
        error = units_duration_parse(value, &number);
    else
        error = units_size_parse(value, &number);
    if (!error && (number < option->least || (option->most > 0 && number > option->most)))
        error = -ERANGE;
    if (!error)
        memcpy(place, &number, sizeof number);
    return error;
}

static int take(const struct reading *reading, const struct arguments_option *option,
                const char *value)
{
    static const bool on = true;
    void *place = reading->settings + option->place;
    int error = 0;

    if (option->kind == ARGUMENTS_SWITCH)
        memcpy(place, &on, sizeof on);
    else if (option->kind == ARGUMENTS_TEXT)
        memcpy(place, &value, sizeof value);
    else if (option->kind == ARGUMENTS_CALL)
        error = option->take(reading->settings, value);
    else
        error = read_number(option, value, place);
    if (error == -EINVAL || error == -ERANGE)
        return bad_value(reading, option, value);
    if (error)
        fprintf(stderr, "%s: --%s: %s: %s\n", reading->command, option->name, value,
                strerror(-error));
    return error;
}

static const struct arguments_option *find(const struct reading *reading, const char *argument)
{
    const struct arguments_option *option = reading->options;
    size_t length = strcspn(argument + 2, "=");

    for (; !is_last(option); option++) {
        if (!option->name)
            continue;
        if (argument[1] != '-'
                ? option->letter == argument[1]
                : strlen(option->name) == length && memcmp(option->name, argument + 2, length) == 0)
            return option;
    }
    return NULL;
}

/* The option at *argv, which is moved to the last argument that belongs to it. */
static int read_option(const struct reading *reading, char ***argv)
{
    const char *argument = **argv, *joined = NULL;
    const struct arguments_option *option = find(reading, argument);

    if (!option)
        return complain(reading, argument, "is no option; see --help");
    if (argument[1] != '-')
        joined = argument[2] ? argument + 2 : NULL;
    else if (strchr(argument, '='))
        joined = strchr(argument, '=') + 1;
    if (option->kind == ARGUMENTS_SWITCH)
        return joined ? complain(reading, argument, "takes no value") : take(reading, option, NULL);
    if (joined)
        return take(reading, option, joined);
    if (!(*argv)[1])
        return complain(reading, argument, "needs a value");
    return take(reading, option, *++*argv);
}

int arguments_read(const char *command, const struct arguments_option *options, void *settings,
                   char **argv)
{
    const struct reading reading = {command, options, settings};
    char **operands = argv;
    bool only_operands = false;
    int operand_count = 0, error;

    if (!*argv)
        return 0;
    while (*++argv) {
        if (only_operands || **argv != '-' || !(*argv)[1]) {
            operands[operand_count++] = *argv;
        } else if (strcmp(*argv, "--") == 0) {
            only_operands = true;
        } else {
            error = read_option(&reading, &argv);
            if (error)
                return error;
        }
    }
    return operand_count;
}

static void print_name(const struct arguments_option *option, FILE *output)
{
    int used = option->letter ? fprintf(output, "  -%c, --%s", option->letter, option->name)
                              : fprintf(output, "      --%s", option->name);

    if (option->value)
        used += fprintf(output, " %s", option->value);
    fprintf(output, "%*s", used < COLUMN ? COLUMN - used : 1, "");
}

void arguments_help(const struct arguments_option *options, FILE *output)
{
    for (; !is_last(options); options++) {
        const char *line = options->help;

        if (!options->name) {
            fprintf(output, "\n%s:\n", line);
            continue;
        }
        print_name(options, output);
        for (size_t length; (length = strcspn(line, "\n")), line[length]; line += length + 1)
            fprintf(output, "%.*s\n%*s", (int)length, line, COLUMN, "");
        fprintf(output, "%s\n", line);
    }
}
