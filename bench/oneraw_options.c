/* The options of oneraw. */
#include "oneraw.h"

#include "arguments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"

static int take_header(void *settings, const char *value)
{
    return recipe_header(&((struct oneraw_settings *)settings)->recipe, value);
}

/* The whole of a stream; NULL with errno. */
static char *read_all(FILE *file, size_t *length)
{
    size_t room = 65536, got = 0, n = 1;
    char *data = malloc(room), *more;

    while (data && n > 0) {
        n = fread(data + got, 1, room - got, file);
        got += n;
        if (got < room)
            continue;
        more = realloc(data, room *= 2);
        if (!more)
            free(data);
        data = more;
    }
    if (data && ferror(file)) {
        free(data);
        return NULL;
    }
    *length = got;
    return data;
}

static int read_file(struct oneraw_settings *settings, const char *name)
{
    bool is_standard = strcmp(name, "-") == 0;
    FILE *file = is_standard ? stdin : fopen(name, "rb");
    size_t length = 0;
    char *data = file ? read_all(file, &length) : NULL;
    int error = data ? 0 : -errno;

    if (file && !is_standard)
        fclose(file);
    if (error)
        return error;
    free(settings->data);
    settings->data = data;
    settings->recipe.request.content = data;
    settings->recipe.request.body_length = length;
    return 0;
}

static int take_data(void *argument, const char *value)
{
    struct oneraw_settings *settings = argument;

    settings->recipe.request.body = HTTP_BODY_SIZED;
    if (value[0] == '@')
        return read_file(settings, value + 1);
    settings->recipe.request.content = value;
    settings->recipe.request.body_length = strlen(value);
    return 0;
}

#define PLACE(member) .place = offsetof(struct oneraw_settings, member)

static const struct arguments_option options[] = {
    {.help = "Request"},
    {"method", "METHOD", .letter = 'm', .kind = ARGUMENTS_TEXT, PLACE(recipe.request.method),
     .help = "GET, or POST with a body, unless told otherwise"},
    {"request", "METHOD", .letter = 'X', .kind = ARGUMENTS_TEXT, PLACE(recipe.request.method),
     .help = "the same"},
    {"header", "LINE", .letter = 'H', .kind = ARGUMENTS_CALL, .take = take_header,
     .expected = "a header such as \"Accept: text/html\" that is not written anyway",
     .help = "\"NAME: VALUE\", or \"NAME:\" for none; may be repeated"},
    {"data", "DATA", .letter = 'd', .kind = ARGUMENTS_CALL, .take = take_data, .expected = "a body",
     .help = "the body, @FILE, or @- for standard input"},
    {"expect", .kind = ARGUMENTS_SWITCH, PLACE(recipe.request.expects_continue),
     .help = "wait up to a second for 100 (Continue) before the body"},
    {"location", .letter = 'L', .kind = ARGUMENTS_SWITCH, PLACE(follows),
     .help = "follow redirects, 10 at most"},

    {.help = "Connection"},
    {"unix-socket", "PATH", .kind = ARGUMENTS_TEXT, PLACE(unix_socket),
     .help = "connect to this socket, or @NAME, instead of the host"},
    {"connect-timeout", "TIME", .kind = ARGUMENTS_DURATION, PLACE(connect_timeout),
     .help = "to resolve the name and connect (default: none)"},
    {"max-time", "TIME", .kind = ARGUMENTS_DURATION, PLACE(max_time),
     .help = "for everything (default: none)"},

    {.help = "Output"},
    {"output", "FILE", .letter = 'o', .kind = ARGUMENTS_TEXT, PLACE(output),
     .help = "write the response there, not to standard output"},
    {"verbose", .letter = 'v', .kind = ARGUMENTS_SWITCH, PLACE(verbose),
     .help = "show what is sent (>) and received (<), and how long\n"
             "each phase took, on standard error"},
    {"help", .letter = 'h', .kind = ARGUMENTS_SWITCH, PLACE(help), .help = "print this, and exit"},
    ARGUMENTS_END,
};

void oneraw_options_help(FILE *output)
{
    fputs(
        "Usage: asynwsgi-httpclient oneraw [options] URL\n\n"
        "Send one request and show the response as it comes: its bytes, head and all, undecoded.\n",
        output);
    arguments_help(options, output);
    fputs("\nA TIME is written 90, 90s, 1m30s or 500ms.  The exit codes are those of curl.\n",
          output);
}

int oneraw_options_read(struct oneraw_settings *settings, char **argv)
{
    struct httpclient_request *request = &settings->recipe.request;
    int operands = arguments_read("asynwsgi-httpclient oneraw", options, settings, argv);

    if (operands < 0)
        return operands == -EINVAL   ? ONERAW_USAGE
               : operands == -ENOMEM ? ONERAW_MEMORY
                                     : ONERAW_READ;
    if (settings->help)
        return ONERAW_OK;
    if (operands != 1) {
        oneraw_complain("", operands == 0 ? "which URL? See --help" : "one URL, not more");
        return ONERAW_USAGE;
    }
    settings->url = argv[0];
    if (request->body == HTTP_BODY_NONE && request->expects_continue) {
        oneraw_complain("--expect", "there is no body (--data) to wait with");
        return ONERAW_USAGE;
    }
    if (recipe_default(&settings->recipe, "user-agent",
                       "User-Agent: asynwsgi-httpclient/" PACKAGE_VERSION) ||
        (request->body != HTTP_BODY_NONE &&
         recipe_default(&settings->recipe, "content-type",
                        "Content-Type: application/x-www-form-urlencoded")))
        return ONERAW_MEMORY;
    return ONERAW_OK;
}

void oneraw_options_fini(struct oneraw_settings *settings)
{
    recipe_fini(&settings->recipe);
    free(settings->data);
}
