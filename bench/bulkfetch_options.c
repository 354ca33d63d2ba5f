/* The options of bulkfetch. */
#include "bulkfetch.h"

#include "arguments.h"

#include <errno.h>
#include <string.h>

#include "config.h"

static int take_header(void *settings, const char *value)
{
    return recipe_header(&((struct bulkfetch_settings *)settings)->recipe, value);
}

#define PLACE(member) .place = offsetof(struct bulkfetch_settings, member)

static const struct arguments_option options[] = {
    {.help = "What"},
    {"input", "FILE", .letter = 'i', .kind = ARGUMENTS_TEXT, PLACE(input),
     .help = "URLs, one a line; -: standard input"},
    {"method", "METHOD", .letter = 'm', .kind = ARGUMENTS_TEXT, PLACE(recipe.request.method),
     .help = "instead of GET"},
    {"header", "LINE", .letter = 'H', .kind = ARGUMENTS_CALL, .take = take_header,
     .expected = "a header such as \"Accept: text/html\" that is not written anyway",
     .help = "\"NAME: VALUE\"; may be repeated"},

    {.help = "How"},
    {"connections", "N", .letter = 'c', .kind = ARGUMENTS_COUNT, PLACE(connections), 1, 10000,
     .help = "at once, to all hosts (default: 16)"},
    {"pipeline", "N", .kind = ARGUMENTS_COUNT, PLACE(depth), 1, 100,
     .help = "requests that may wait on a connection (default: 1)"},
    {"retries", "N", .kind = ARGUMENTS_COUNT, PLACE(retries), 0, 100,
     .help = "of what failed and may be tried again (default: 0)"},
    {"unix-socket", "PATH", .kind = ARGUMENTS_TEXT, PLACE(unix_socket),
     .help = "connect to this socket, or @NAME, instead of the hosts"},
    {"connect-timeout", "TIME", .kind = ARGUMENTS_DURATION, PLACE(connect_timeout),
     .help = "for each address (default: 10s)"},
    {"max-time", "TIME", .kind = ARGUMENTS_DURATION, PLACE(max_time), .help = "for each request"},

    {.help = "Output"},
    {"output-dir", "DIR", .letter = 'O', .kind = ARGUMENTS_TEXT, PLACE(folder),
     .help = "write files there, named after the URLs' paths"},
    {"json", "FILE", .kind = ARGUMENTS_TEXT, PLACE(json),
     .help = "write the summary there, too; -: instead of it"},
    {"quiet", .letter = 'q', .kind = ARGUMENTS_SWITCH, PLACE(quiet),
     .help = "no progress, no line for each failure, no summary"},
    {"help", .letter = 'h', .kind = ARGUMENTS_SWITCH, PLACE(help), .help = "print this, and exit"},
    ARGUMENTS_END,
};

void bulkfetch_options_help(FILE *output)
{
    fputs("Usage: asynwsgi-httpclient bulkfetch [options] [URL...]\n\n"
          "Fetch many URLs over connections that are kept.  Redirects are not followed.\n",
          output);
    arguments_help(options, output);
    fputs("\nA TIME is written 90, 90s, 1m30s or 500ms; N 100 or 20k.\n"
          "Exit status: 0 all were fetched with a 2xx, 1 some were not, 2 usage, 23 files could\n"
          "not be written, 26 the list could not be read, 27 no memory.\n",
          output);
}

/* The operand "-" is standard input, too. */
static size_t take_operands(struct bulkfetch_settings *settings, char **operands, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++)
        if (strcmp(operands[i], "-") == 0)
            settings->input = operands[i];
        else
            operands[kept++] = operands[i];
    return kept;
}

int bulkfetch_options_read(struct bulkfetch_settings *settings, char **argv)
{
    int operands;

    settings->connections = 16;
    settings->depth = 1;
    settings->connect_timeout = httpclient_timeouts_default.connect;
    operands = arguments_read("asynwsgi-httpclient bulkfetch", options, settings, argv);
    if (operands < 0)
        return operands == -EINVAL ? BULKFETCH_USAGE : BULKFETCH_MEMORY;
    settings->urls = argv;
    settings->url_count = take_operands(settings, argv, (size_t)operands);
    if (!settings->help && settings->url_count == 0 && !settings->input) {
        bulkfetch_complain(NULL, "", "which URLs? See --help");
        return BULKFETCH_USAGE;
    }
    return recipe_default(&settings->recipe, "user-agent",
                          "User-Agent: asynwsgi-httpclient/" PACKAGE_VERSION)
               ? BULKFETCH_MEMORY
               : BULKFETCH_OK;
}
