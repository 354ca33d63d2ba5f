/* Reading the command line, and the help: both from one table. */
#include "load_options.h"

#include <asynwsgi/units.h>
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "config.h"

#define SECOND UINT64_C(1000000000)
#define YEAR (31536000 * SECOND)

enum kind {
    KIND_SWITCH,
    KIND_TEXT,
    KIND_HEADER,
    KIND_COUNT,
    KIND_SIZE,
    KIND_TIME
};

#define PLACE(member) .place = offsetof(struct load_options, member)

static const struct entry {
    const char *name, *value; /* as the help calls it */
    enum kind kind;
    char letter;
    size_t place;
    uint64_t least, most, normal;
    const char *help;
} entries[] = {
    {"connections", "N", KIND_COUNT, 'c', PLACE(connections), 1, 1000000, 10,
     .help = "that are kept open"},
    {"duration", "TIME", KIND_TIME, 'd', PLACE(duration), 1, YEAR,
     .help = "of the run; 10s where there is no --requests, either"},
    {"requests", "N", KIND_COUNT, 'n', PLACE(requests), 1, INT64_MAX,
     .help = "after so many, the run ends, too"},
    {"rate", "N", KIND_COUNT, 'R', PLACE(rate), 1, SECOND,
     .help = "requests a second, in all (open loop); without it, each\n"
             "connection asks again when it has its answer"},
    {"warmup", "TIME", KIND_TIME, 0, PLACE(warmup), 0, YEAR,
     .help = "before the run, in no figure"},
    {"pipeline", "N", KIND_COUNT, 0, PLACE(pipeline), 1, 1024, 1,
     .help = "requests that a connection may have under way"},
    {"no-keepalive", NULL, KIND_SWITCH, 0, PLACE(no_keepalive),
     .help = "a new connection for each request"},
    {"timeout", "TIME", KIND_TIME, 0, PLACE(timeout), 1, YEAR, 10 * SECOND,
     .help = "for a connection to be made, and for an answer"},
    {"method", "NAME", KIND_TEXT, 'm', PLACE(method),
     .help = "of the requests (default: GET, or POST with a body)"},
    {"header", "'NAME: VALUE'", KIND_HEADER, 'H', .help = "may be repeated; Host overrides"},
    {"body", "TEXT", KIND_TEXT, 0, PLACE(body), .help = "of the requests"},
    {"body-file", "FILE", KIND_TEXT, 0, PLACE(body_file), .help = "that has it"},
    {"body-size", "SIZE", KIND_SIZE, 0, PLACE(body_size), 1, 1 << 30,
     .help = "of one that is made up"},
    {"synthesize-post", "N", KIND_COUNT, 0, PLACE(chunks), 1, INT64_MAX,
     .help = "chunks of a body that is made up anew for each request"},
    {"chunksz", "SIZE", KIND_SIZE, 0, PLACE(chunk_size), 1, 1 << 24, 4096,
     .help = "of each of these chunks"},
    {"check-digest", NULL, KIND_SWITCH, 0, PLACE(check_digest),
     .help = "answers to these have the SHA-256 of the body"},
    {"unix-socket", "PATH", KIND_TEXT, 0, PLACE(unix_socket),
     .help = "to connect to; or @NAME, an abstract one"},
    {"interval", "TIME", KIND_TIME, 0, PLACE(interval), 10000000, YEAR, SECOND,
     .help = "between two reports of the run"},
    {"with-parent", NULL, KIND_SWITCH, 0, PLACE(with_parent),
     .help = "end when the process that started this one does"},
    {"version", NULL, KIND_SWITCH, 0, PLACE(version), .help = "print the version, and exit"},
    {"help", NULL, KIND_SWITCH, 'h', PLACE(help), .help = "print this, and exit"},
};

enum {
    ENTRIES = sizeof entries / sizeof *entries,
    LONG_ONLY = 256 /* what getopt_long() gives for entry 0 by its name */
};

static void *place_of(struct load_options *options, const struct entry *entry)
{
    return (char *)options + entry->place;
}

/* -- Values --------------------------------------------------------------- */

static int parse_number(const struct entry *entry, const char *text, uint64_t *number)
{
    int r;

    if (entry->kind == KIND_COUNT)
        r = units_count_parse(text, number);
    else if (entry->kind == KIND_SIZE)
        r = units_size_parse(text, number);
    else
        r = units_duration_parse(text, number);
    return r < 0 || *number < entry->least || *number > entry->most ? -EINVAL : 0;
}

static void format_number(const struct entry *entry, uint64_t number, char text[UNITS_ROOM])
{
    if (entry->kind == KIND_SIZE)
        units_size_format(number, text);
    else if (entry->kind == KIND_TIME)
        units_duration_format(number, text);
    else
        units_number_format(number, text);
}

static int take_number(struct load_options *options, const struct entry *entry, const char *text,
                       char *explanation)
{
    static const char *const expected[] = {
        [KIND_COUNT] = "a number", [KIND_SIZE] = "a size", [KIND_TIME] = "a time"};
    char least[UNITS_ROOM], most[UNITS_ROOM];

    if (parse_number(entry, text, place_of(options, entry)) == 0)
        return 0;
    format_number(entry, entry->least, least);
    format_number(entry, entry->most, most);
    snprintf(explanation, LOAD_EXPLANATION, "--%s: \"%.200s\" is not %s from %s to %s", entry->name,
             text, expected[entry->kind], entry->least == 1 && entry->kind == KIND_TIME ? "1ms" : least,
             most);
    return -EINVAL;
}

static int take_header(struct load_options *options, const char *text, char *explanation)
{
    const char *problem = NULL;

    if (!strchr(text, ':') || *text == ':')
        problem = "is not 'NAME: VALUE'";
    else if (options->header_count == LOAD_HEADERS)
        problem = "is one too many";
    if (problem) {
        snprintf(explanation, LOAD_EXPLANATION, "--header: \"%.200s\" %s", text, problem);
        return -EINVAL;
    }
    options->headers[options->header_count++] = text;
    return 0;
}

static int take(struct load_options *options, const struct entry *entry, const char *text,
                char *explanation)
{
    switch (entry->kind) {
    case KIND_SWITCH:
        *(bool *)place_of(options, entry) = true;
        return 0;
    case KIND_TEXT:
        *(const char **)place_of(options, entry) = text;
        return 0;
    case KIND_HEADER:
        return take_header(options, text, explanation);
    default:
        return take_number(options, entry, text, explanation);
    }
}

/* -- The whole ------------------------------------------------------------ */

static const struct entry *find_letter(int letter)
{
    for (size_t i = 0; i < ENTRIES; i++)
        if (entries[i].letter == letter)
            return &entries[i];
    return NULL;
}

/* What getopt_long() wants to know; a letter with a value has a colon behind it. */
static void describe(struct option names[ENTRIES + 1], char letters[2 * ENTRIES + 2])
{
    *letters++ = ':'; /* tell a value that is missing from an option that is unknown */
    for (int i = 0; i < ENTRIES; i++) {
        bool has_value = entries[i].kind != KIND_SWITCH;

        names[i] = (struct option){.name = entries[i].name,
                                   .has_arg = has_value ? required_argument : no_argument,
                                   .val = LONG_ONLY + i};
        if (entries[i].letter)
            *letters++ = entries[i].letter;
        if (entries[i].letter && has_value)
            *letters++ = ':';
    }
    names[ENTRIES] = (struct option){0};
    *letters = '\0';
}

static int read_arguments(struct load_options *options, int argc, char *const *argv,
                          char *explanation)
{
    struct option names[ENTRIES + 1];
    char letters[2 * ENTRIES + 2];
    int found, r = 0;

    describe(names, letters);
    opterr = 0;
    optind = 0; /* from the start, again */
    while (r == 0 && (found = getopt_long(argc, argv, letters, names, NULL)) != -1) {
        if (found == '?' || found == ':') {
            snprintf(explanation, LOAD_EXPLANATION, "%.200s %s; see asynwsgi-load --help",
                     argv[optind - 1], found == ':' ? "needs a value" : "is not an option");
            r = -EINVAL;
        } else {
            r = take(options,
                     found >= LONG_ONLY ? &entries[found - LONG_ONLY] : find_letter(found),
                     optarg, explanation);
        }
    }
    options->urls = argv + optind;
    options->url_count = r < 0 ? 0 : (size_t)(argc - optind);
    return r;
}

/* What is wrong with the options as a whole, or NULL. */
static const char *find_problem(const struct load_options *options)
{
    int bodies = (options->body != NULL) + (options->body_file != NULL) +
                 (options->body_size > 0) + (options->chunks > 0);

    if (options->url_count == 0)
        return "which URL? see asynwsgi-load --help";
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

int load_options_read(struct load_options *options, int argc, char *const *argv,
                      char explanation[LOAD_EXPLANATION])
{
    const char *problem;
    int r;

    *options = (struct load_options){0};
    for (size_t i = 0; i < ENTRIES; i++)
        if (entries[i].normal > 0)
            *(uint64_t *)place_of(options, &entries[i]) = entries[i].normal;
    r = read_arguments(options, argc, argv, explanation);
    if (r < 0 || options->help || options->version)
        return r;
    problem = find_problem(options);
    if (problem) {
        snprintf(explanation, LOAD_EXPLANATION, "%s", problem);
        return -EINVAL;
    }
    if (!options->method)
        options->method = options->body || options->body_file || options->body_size > 0 ||
                                  options->chunks > 0
                              ? "POST"
                              : "GET";
    if (options->duration == 0 && options->requests == 0)
        options->duration = 10 * SECOND;
    return 0;
}

/* -- The help ------------------------------------------------------------- */

enum {
    COLUMN = 35
};

static void print_entry(FILE *output, const struct entry *entry)
{
    const char *line = entry->help;
    char normal[UNITS_ROOM];
    int used = entry->letter ? fprintf(output, "  -%c, --%s", entry->letter, entry->name)
                             : fprintf(output, "      --%s", entry->name);

    if (entry->value)
        used += fprintf(output, " %s", entry->value);
    fprintf(output, "%*s", used < COLUMN ? COLUMN - used : 1, "");
    for (size_t length; (length = strcspn(line, "\n")), line[length]; line += length + 1)
        fprintf(output, "%.*s\n%*s", (int)length, line, COLUMN, "");
    fputs(line, output);
    if (entry->normal > 0) {
        format_number(entry, entry->normal, normal);
        fprintf(output, " (default: %s)", normal);
    }
    fputc('\n', output);
}

void load_options_help(FILE *output)
{
    fputs("Usage: asynwsgi-load [options] URL...\n\n"
          "Ask an HTTP server over many connections, and write how long it takes to answer, a\n"
          "JSON object a line.  Several URLs, of one host, are asked for in turn.\n\n",
          output);
    for (size_t i = 0; i < ENTRIES; i++)
        print_entry(output, &entries[i]);
    fputs("\nA number N may end in k, M or G; a TIME is written 90, 90s, 1m30s or 500ms, a SIZE 8190,\n"
          "64k or 10m.\n"
          "Exit status: 0 done, 2 usage, 1 no connection could be made, or anything else.\n",
          output);
}
