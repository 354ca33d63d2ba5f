/* The command line of asynwsgi-load. */
#include "load_options.h"

#include "arguments.h"

#include <errno.h>

#include "config.h"

#define SECOND UINT64_C(1000000000)
#define MILLISECOND UINT64_C(1000000)
#define YEAR (31536000 * SECOND)

#define PLACE(member) .place = offsetof(struct load_options, member)

static int take_header(void *settings, const char *value)
{
    return recipe_header(&((struct load_options *)settings)->recipe, value);
}

static const struct arguments_option table[] = {
    {.help = "Load"},
    {"connections", "N", "that are kept open (default: 10)", 'c', ARGUMENTS_COUNT,
     PLACE(connections), 1, 1000000},
    {"duration", "TIME", "of the run; 10s where --requests is not given, either", 'd',
     ARGUMENTS_DURATION, PLACE(duration), MILLISECOND, YEAR},
    {"requests", "N", "the run ends after so many, too", 'n', ARGUMENTS_COUNT, PLACE(requests), 1,
     INT64_MAX},
    {"rate", "N",
     "requests a second, in all (open loop); without it, each\n"
     "connection asks again when it has its answer",
     'R', ARGUMENTS_COUNT, PLACE(rate), 1, 10000000},
    {"warmup", "TIME", "before the run, which is in no figure", .kind = ARGUMENTS_DURATION,
     PLACE(warmup), 0, YEAR},
    {"pipeline", "N", "requests under way on a connection (default: 1)", .kind = ARGUMENTS_COUNT,
     PLACE(pipeline), 1, 1024},
    {"no-keepalive", .help = "a new connection for each request", PLACE(no_keepalive)},
    {"timeout", "TIME", "to connect, and to have an answer (default: 10s)",
     .kind = ARGUMENTS_DURATION, PLACE(timeout), MILLISECOND, YEAR},
    {"unix-socket", "PATH", "to connect to; @NAME: an abstract one", .kind = ARGUMENTS_TEXT,
     PLACE(unix_socket)},

    {.help = "Requests"},
    {"method", "NAME", "GET, or POST with a body, unless given", 'm', ARGUMENTS_TEXT,
     PLACE(recipe.request.method)},
    {"header", "\"NAME: VALUE\"", "may be repeated; Host overrides", 'H', ARGUMENTS_CALL,
     .take = take_header, .expected = "a header that may be set, such as \"Accept: text/html\""},
    {"body", "TEXT", "to be sent with each", .kind = ARGUMENTS_TEXT, PLACE(body)},
    {"body-file", "FILE", "that has it", .kind = ARGUMENTS_TEXT, PLACE(body_file)},
    {"body-size", "SIZE", "of one that is made up", .kind = ARGUMENTS_SIZE, PLACE(body_size), 1,
     1 << 30},
    {"synthesize-post", "N", "chunks of one that is made up for each anew", .kind = ARGUMENTS_COUNT,
     PLACE(chunks), 1, INT32_MAX},
    {"chunksz", "SIZE", "of each of these chunks (default: 16k)", .kind = ARGUMENTS_SIZE,
     PLACE(chunk_size), 1, 1 << 24},
    {"check-digest", .help = "answers to these have the SHA-256 of the body", PLACE(check_digest)},

    {.help = "Output"},
    {"interval", "TIME", "between two reports (default: 1s)", .kind = ARGUMENTS_DURATION,
     PLACE(interval), 10 * MILLISECOND, YEAR},
    {"with-parent", .help = "end when the process that started this one does", PLACE(with_parent)},
    {"version", .help = "print the version, and exit", PLACE(version)},
    {"help", .help = "print this, and exit", .letter = 'h', PLACE(help)},
    ARGUMENTS_END,
};

static bool has_body(const struct load_options *options)
{
    return options->body || options->body_file || options->body_size > 0 || options->chunks > 0;
}

/* What is wrong with the options as a whole, or NULL. */
static const char *find_problem(const struct load_options *options)
{
    int bodies = (options->body != NULL) + (options->body_file != NULL) + (options->body_size > 0) +
                 (options->chunks > 0);

    if (options->url_count == 0)
        return "which URL? see --help";
    if (bodies > 1)
        return "--body, --body-file, --body-size and --synthesize-post exclude each other";
    if (options->check_digest && options->chunks == 0)
        return "--check-digest is for --synthesize-post";
    if (options->no_keepalive && options->pipeline > 1)
        return "--no-keepalive leaves nothing to --pipeline";
#ifndef HAVE_LIBCRYPTO
    if (options->check_digest)
        return "--check-digest needs libcrypto, and this was built without it";
#endif
    return NULL;
}

int load_options_read(struct load_options *options, char **argv)
{
    const char *problem;
    int operands;

    *options = (struct load_options){
        .chunk_size = 16384,
        .connections = 10,
        .pipeline = 1,
        .timeout = 10 * SECOND,
        .interval = SECOND,
    };
    operands = arguments_read("asynwsgi-load", table, options, argv);
    if (operands < 0)
        return operands;
    if (options->help || options->version)
        return 0;
    options->urls = argv;
    options->url_count = (size_t)operands;
    problem = find_problem(options);
    if (problem) {
        fprintf(stderr, "asynwsgi-load: %s\n", problem);
        return -EINVAL;
    }
    if (!options->recipe.request.method)
        options->recipe.request.method = has_body(options) ? "POST" : "GET";
    options->recipe.request.closes = options->no_keepalive;
    if (options->duration == 0 && options->requests == 0)
        options->duration = 10 * SECOND;
    return 0;
}

void load_options_fini(struct load_options *options)
{
    recipe_fini(&options->recipe);
}

void load_options_help(FILE *output)
{
    fputs("Usage: asynwsgi-load [options] URL...\n\n"
          "Ask an HTTP server over many connections, and write how long it takes to answer, a\n"
          "JSON object a line.  Several URLs, of one host, are asked for in turn.\n",
          output);
    arguments_help(table, output);
    fputs("\nA number N may end in k, M or G; a TIME is written 90, 90s, 1m30s or 500ms, a SIZE "
          "8190,\n"
          "64k or 10m.\n"
          "Exit status: 0 done, 2 usage, 1 no connection could be made, or anything else.\n",
          output);
}
