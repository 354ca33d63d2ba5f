/* The command line of asynwsgi-sclients. */
#include "sclients.h"

#include "arguments.h"
#include "pace.h"
#include "sources.h"

#include <asynwsgi/units.h>
#include <errno.h>

#define SECOND UINT64_C(1000000000)
#define COUNT_MAX UINT64_C(1000000)

static int take_kind(struct sclients_settings *settings, enum sclients_kind kind, const char *value)
{
    uint64_t count;
    int error = units_count_parse(value, &count);

    if (error)
        return error;
    if (count > COUNT_MAX)
        return -ERANGE;
    settings->wishes[kind].count = count;
    settings->kind = kind;
    return 0;
}

static int take_pending(void *settings, const char *value)
{
    return take_kind(settings, SCLIENTS_PENDING, value);
}

static int take_silent(void *settings, const char *value)
{
    return take_kind(settings, SCLIENTS_SILENT, value);
}

static int take_idle(void *settings, const char *value)
{
    return take_kind(settings, SCLIENTS_IDLE, value);
}

static int take_head(void *settings, const char *value)
{
    return take_kind(settings, SCLIENTS_HEAD, value);
}

static int take_body(void *settings, const char *value)
{
    return take_kind(settings, SCLIENTS_BODY, value);
}

static int take_read(void *settings, const char *value)
{
    return take_kind(settings, SCLIENTS_READ, value);
}

/* Of the kind that was named last, or of all, which come first. */
static int take_every(void *place, const char *value)
{
    struct sclients_settings *settings = place;
    uint64_t every;
    int error = units_duration_parse(value, &every);

    if (!error && (every < SECOND / 1000 || every > PACE_INTERVAL_MAX))
        error = -ERANGE;
    for (int kind = 0; !error && kind < SCLIENTS_KINDS; kind++)
        if (settings->kind < 0 || settings->kind == kind)
            settings->wishes[kind].every = every;
    return error;
}

static int take_bytes(void *place, const char *value)
{
    struct sclients_settings *settings = place;
    uint64_t bytes;
    int error = units_size_parse(value, &bytes);

    if (!error && (bytes == 0 || bytes > SCLIENTS_BYTES_MAX))
        error = -ERANGE;
    for (int kind = 0; !error && kind < SCLIENTS_KINDS; kind++)
        if (settings->kind < 0 || settings->kind == kind)
            settings->wishes[kind].bytes = bytes;
    return error;
}

static int take_header(void *settings, const char *value)
{
    return recipe_header(&((struct sclients_settings *)settings)->recipe, value);
}

#define PLACE(member) .place = offsetof(struct sclients_settings, member)
#define COUNTED "a number such as 100 or 20k, up to 1,000,000"

static const struct arguments_option options[] = {
    {.help = "Connections to make and hold"},
    {"pending", "N", "attempts at a time; what gets connected makes\nroom for the next",
     .kind = ARGUMENTS_CALL, .take = take_pending, .expected = COUNTED},
    {"silent", "N", "connected, and not a byte sent", .kind = ARGUMENTS_CALL, .take = take_silent,
     .expected = COUNTED},
    {"idle", "N", "kept after one request", .kind = ARGUMENTS_CALL, .take = take_idle,
     .expected = COUNTED},
    {"slow-head", "N", "that send a head without end", .kind = ARGUMENTS_CALL, .take = take_head,
     .expected = COUNTED},
    {"slow-body", "N", "that send a body slowly", .kind = ARGUMENTS_CALL, .take = take_body,
     .expected = COUNTED},
    {"slow-read", "N", "that read the response slowly", .kind = ARGUMENTS_CALL, .take = take_read,
     .expected = COUNTED},
    {"every", "TIME",
     "of the option before it, or of all before the first:\nbytes are moved so often (default: "
     "1s); "
     "a pending\nattempt is given up when it is as old",
     .kind = ARGUMENTS_CALL, .take = take_every, .expected = "a time from 1ms to 1h"},
    {"bytes", "SIZE", "in the same way: so many at once (default: 1)", .kind = ARGUMENTS_CALL,
     .take = take_bytes, .expected = "a size from 1 to 64k"},
    {"length", "SIZE", "that a slow body is said to have (default: 1000000)",
     .kind = ARGUMENTS_SIZE, PLACE(length), .least = 1, .most = UINT32_MAX},
    {"header", "LINE", "added to all requests, \"NAME: VALUE\"; may be repeated", .letter = 'H',
     .kind = ARGUMENTS_CALL, .take = take_header, .expected = "a header, \"NAME: VALUE\""},
    {"unix-socket", "PATH", "connect to this, or to @NAME, in place of the host",
     .kind = ARGUMENTS_TEXT, PLACE(unix_socket)},

    {.help = "How"},
    {"duration", "TIME", "how long (default: 10s)", .letter = 'd', .kind = ARGUMENTS_DURATION,
     PLACE(duration), .least = SECOND / 1000, .most = SECOND * 3600 * 24 * 30},
    {"rate", "N", "attempts a second; 0: as many as go (default: 10k)", .kind = ARGUMENTS_COUNT,
     PLACE(rate), .most = COUNT_MAX},
    {"reconnect", "N",
     "attempts that may take the place of connections that\nended or failed, in all "
     "(default: any number)",
     .kind = ARGUMENTS_COUNT, PLACE(reconnect)},
    {"sources", "N",
     "local addresses to come from, 127.0.0.1 and those\nbehind it "
     "(default: as many as it takes)",
     .kind = ARGUMENTS_COUNT, PLACE(sources), .least = 1, .most = SOURCES_MAX},
    {"allow-remote", NULL, "let the server be another machine than this one",
     .kind = ARGUMENTS_SWITCH, PLACE(allow_remote)},

    {.help = "The probe"},
    {"probe", "URL", "what it asks for (default: the same)", .kind = ARGUMENTS_TEXT,
     PLACE(probe_url)},
    {"probe-rate", "N", "requests a second; 0: no probe (default: 10)", .kind = ARGUMENTS_COUNT,
     PLACE(probe_rate), .most = 10000},
    {"probe-timeout", "TIME", "after which one has failed (default: 5s)",
     .kind = ARGUMENTS_DURATION, PLACE(probe_timeout), .least = SECOND / 1000, .most = 60 * SECOND},
    {"probe-kept", NULL, "over one connection, not one each", .kind = ARGUMENTS_SWITCH,
     PLACE(probe_kept)},
    {"warm-up", "TIME", "at the start, that the percentiles leave out", .kind = ARGUMENTS_DURATION,
     PLACE(warm_up)},

    {.help = "What comes of it"},
    {"json", "FILE", "write it there, too; -: to standard output, alone", .kind = ARGUMENTS_TEXT,
     PLACE(json)},
    {"html", "FILE", "write a page with plots", .kind = ARGUMENTS_TEXT, PLACE(html)},
    {"version", NULL, "print the version", .kind = ARGUMENTS_SWITCH, PLACE(version)},
    {"help", NULL, "print this", .letter = 'h', .kind = ARGUMENTS_SWITCH, PLACE(help)},
    ARGUMENTS_END,
};

int sclients_options_read(struct sclients_settings *settings, char **argv)
{
    int operands;

    *settings = (struct sclients_settings){
        .kind = -1,
        .duration = 10 * SECOND,
        .rate = 10000,
        .reconnect = SCLIENTS_ANY,
        .length = 1000000,
        .probe_rate = 10,
        .probe_timeout = 5 * SECOND,
    };
    for (int kind = 0; kind < SCLIENTS_KINDS; kind++)
        settings->wishes[kind] = (struct sclients_wish){.bytes = 1, .every = SECOND};
    operands = arguments_read("asynwsgi-sclients", options, settings, argv);
    if (operands < 0)
        return operands;
    if (settings->help || settings->version)
        return 0;
    if (operands != 1) {
        fprintf(stderr, "asynwsgi-sclients: one URL, please; see --help\n");
        return -EINVAL;
    }
    settings->url = argv[0];
    return 0;
}

void sclients_options_help(FILE *output)
{
    fputs("Usage: asynwsgi-sclients [options] URL\n\n"
          "Make and hold pending, idle and slow connections against a server, and report how\n"
          "long an ordinary request takes meanwhile.\n",
          output);
    arguments_help(options, output);
    fputs(
        "\nA TIME is written 90, 90s, 1m30s or 500ms, a SIZE 8190, 64k or 10m, N 100, 20k or 1m.\n"
        "Exit status: 0 done, 2 usage, 3 this machine allowed fewer connections than were asked\n"
        "for, 4 nothing could be connected, 1 anything else.\n",
        output);
}
