/* The help. */
#include "options.h"

#include <string.h>

enum {
    COLUMN = 39
};

/* "  -b, --bind ADDRESS", and spaces up to the column. */
static void print_name(FILE *output, const struct cli_option *option)
{
    int used = option->letter ? fprintf(output, "  -%c, --%s", option->letter, option->name)
                              : fprintf(output, "      --%s", option->name);

    if (option->value)
        used += fprintf(output, " %s", option->value);
    fprintf(output, "%*s", used < COLUMN ? COLUMN - used : 1, "");
}

static void print_option(FILE *output, const struct cli_option *option,
                         const struct cli_settings *defaults)
{
    const char *line = option->help;
    char number[UNITS_ROOM];

    print_name(output, option);
    for (size_t length; (length = strcspn(line, "\n")), line[length]; line += length + 1)
        fprintf(output, "%.*s\n%*s", (int)length, line, COLUMN, "");
    fputs(line, output);
    if (option->kind->format) {
        option->kind->format(cli_option_number(option, defaults), number);
        fprintf(output, " (default: %s)", number);
    }
    fputc('\n', output);
}

void cli_options_help(FILE *output)
{
    struct cli_settings defaults;

    cli_settings_init(&defaults);
    fputs("Usage: asynwsgi [options] MODULE[:OBJECT]\n\n"
          "Serve the WSGI application OBJECT of a Python module (\"application\" or \"app\" where\n"
          "none is named) over HTTP/1.1.  MODULE:FACTORY() calls a factory.\n",
          output);
    for (size_t i = 0; i < cli_options_count; i++) {
        if (cli_options[i].name)
            print_option(output, &cli_options[i], &defaults);
        else
            fprintf(output, "\n%s:\n", cli_options[i].help);
    }
    fputs("\nA TIME is written 90, 90s, 1m30s, 500ms or 250us, a SIZE 8190, 64k or 10m; 0 is none "
          "for a\n"
          "time-out, a rate, --limit-request-body and --memory-budget.  Each option is also an\n"
          "environment variable, --log-level being ASYNWSGI_LOG_LEVEL; the command line comes\n"
          "first.\n"
          "Exit status: 0 stopped by a signal, 2 usage, 3 a worker could not boot, 4 the\n"
          "application could not be loaded, 1 anything else.\n",
          output);
}
