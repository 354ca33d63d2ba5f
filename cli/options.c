/*
 * Reading the options.  Not getopt_long(3): its messages are its own, and it
 * takes abbreviations, which break when an option is added.
 */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* An option is seen on the command line, so the environment has no say. */
struct reading {
    struct cli_settings *settings;
    bool seen[64];
    char *explanation;
};

static const struct cli_option *find_name(const char *name, size_t length)
{
    for (size_t i = 0; i < cli_options_count; i++) {
        const char *known = cli_options[i].name;

        if (known && strlen(known) == length && strncmp(known, name, length) == 0)
            return &cli_options[i];
    }
    return NULL;
}

static const struct cli_option *find_letter(char letter)
{
    for (size_t i = 0; i < cli_options_count; i++)
        if (cli_options[i].letter == letter && letter)
            return &cli_options[i];
    return NULL;
}

/* -- Messages ------------------------------------------------------------- */

static int unknown(struct reading *reading, const char *argument)
{
    size_t length = strcspn(argument, "=");
    const struct cli_option *guess =
        argument[1] == '-' ? cli_options_guess(argument + 2, length - 2) : NULL;

    if (guess)
        snprintf(reading->explanation, CLI_EXPLANATION, "unknown option %.*s; is it --%s?",
                 (int)length, argument, guess->name);
    else
        snprintf(reading->explanation, CLI_EXPLANATION, "unknown option %.*s; see asynwsgi --help",
                 (int)length, argument);
    return -EINVAL;
}

static int refuse(struct reading *reading, const char *source, const char *problem)
{
    snprintf(reading->explanation, CLI_EXPLANATION, "%s %s", source, problem);
    return -EINVAL;
}

static int bad_value(struct reading *reading, const struct cli_option *option, const char *source,
                     const char *value)
{
    const struct cli_kind *kind = option->kind;
    int length = snprintf(reading->explanation, CLI_EXPLANATION, "%s: \"%.500s\" is not %s", source,
                          value, kind->expected);

    if (option->most > 0) {
        char least[UNITS_ROOM], most[UNITS_ROOM];

        kind->format(option->least, least);
        kind->format(option->most, most);
        snprintf(reading->explanation + length, (size_t)(CLI_EXPLANATION - length),
                 ", from %s to %s", least, most);
    }
    return -EINVAL;
}

/* `source` is where the value was found, "--workers" or "WEB_CONCURRENCY". */
static int take(struct reading *reading, const struct cli_option *option, const char *source,
                const char *value)
{
    int r = option->kind->read(option, value, reading->settings);

    return r == -EINVAL || r == -ERANGE ? bad_value(reading, option, source, value) : r;
}

/* -- The command line ----------------------------------------------------- */

/* The option in argv[*i], whose value is `joined` to it or the next argument. */
static int take_argument(struct reading *reading, const struct cli_option *option,
                         const char *joined, char *const *argv, int *i)
{
    char source[64];

    snprintf(source, sizeof source, "--%s", option->name);
    reading->seen[option - cli_options] = true;
    if (option->kind->is_switch)
        return joined ? refuse(reading, source, "takes no value")
                      : take(reading, option, source, "1");
    if (joined)
        return take(reading, option, source, joined);
    if (!argv[*i + 1])
        return refuse(reading, source, "needs a value");
    return take(reading, option, source, argv[++*i]);
}

static int read_argument(struct reading *reading, char *const *argv, int *i)
{
    const char *argument = argv[*i], *joined = NULL;
    const struct cli_option *option;

    if (argument[1] == '-') {
        size_t length = strcspn(argument, "=");

        option = find_name(argument + 2, length - 2);
        if (argument[length])
            joined = argument + length + 1;
    } else {
        option = find_letter(argument[1]);
        if (argument[2])
            joined = argument + 2;
    }
    return option ? take_argument(reading, option, joined, argv, i) : unknown(reading, argument);
}

static int read_operand(struct reading *reading, const char *operand)
{
    const char **application = &reading->settings->server.wsgi.application;

    if (*application) {
        snprintf(reading->explanation, CLI_EXPLANATION,
                 "one application is served: %s or %s, not both", *application, operand);
        return -EINVAL;
    }
    *application = operand;
    return 0;
}

static int read_command_line(struct reading *reading, int argc, char *const *argv)
{
    bool options = true;
    int r = 0;

    for (int i = 1; i < argc && r == 0; i++) {
        if (options && strcmp(argv[i], "--") == 0)
            options = false;
        else if (options && argv[i][0] == '-' && argv[i][1])
            r = read_argument(reading, argv, &i);
        else
            r = read_operand(reading, argv[i]);
    }
    return r;
}

/* -- The environment ------------------------------------------------------ */

static void variable_name(const struct cli_option *option, char name[64])
{
    snprintf(name, 64, "ASYNWSGI_%s", option->name);
    for (; *name; name++)
        *name = *name == '-' ? '_' : (char)toupper((unsigned char)*name);
}

/* Words, for an option that can be repeated. */
static int take_words(struct reading *reading, const struct cli_option *option, const char *source,
                      const char *text)
{
    static const char space[] = " \t\n";
    int r = 0;

    for (text += strspn(text, space); *text && r == 0; text += strspn(text, space)) {
        size_t length = strcspn(text, space);
        char *word = strndup(text, length);

        if (!word)
            return -ENOMEM;
        r = take(reading, option, source, word);
        free(word);
        text += length;
    }
    return r;
}

static int read_variable(struct reading *reading, const struct cli_option *option)
{
    char ours[64];
    const char *name = ours, *value;

    variable_name(option, ours);
    value = getenv(ours);
    if ((!value || !*value) && option->variable) {
        name = option->variable;
        value = getenv(name);
    }
    if (!value || !*value)
        return 0;
    return option->kind->is_list ? take_words(reading, option, name, value)
                                 : take(reading, option, name, value);
}

int cli_options_read(struct cli_settings *settings, int argc, char *const *argv,
                     char explanation[CLI_EXPLANATION])
{
    struct reading reading = {.settings = settings, .explanation = explanation};
    int r = read_command_line(&reading, argc, argv);

    for (size_t i = 0; i < cli_options_count && r == 0; i++)
        if (cli_options[i].name && !cli_options[i].local && !reading.seen[i])
            r = read_variable(&reading, &cli_options[i]);
    return r;
}
