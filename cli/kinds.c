/* The kinds of values that options have. */
#include "options.h"

#include <asynwsgi/dispatch.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "config.h"

static void *place_of(const struct cli_option *option, struct cli_settings *settings)
{
    return (char *)settings + option->place;
}

/* -- Texts ---------------------------------------------------------------- */

static int read_text(const struct cli_option *option, const char *text,
                     struct cli_settings *settings)
{
    const char **place = place_of(option, settings);

    *place = text;
    return *text ? 0 : -EINVAL;
}

static int read_backend(const struct cli_option *option, const char *text,
                        struct cli_settings *settings)
{
    for (size_t i = 0; dispatch_backends[i]; i++)
        if (strcmp(text, dispatch_backends[i]) == 0)
            return read_text(option, text, settings);
    return -EINVAL;
}

static int read_switch(const struct cli_option *option, const char *text,
                       struct cli_settings *settings)
{
    static const char *const words[] = {"0", "1", "no", "yes", "false", "true", "off", "on"};
    bool *place = place_of(option, settings);

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(text, words[i]) == 0) {
            *place = i % 2 == 1;
            return 0;
        }
    return -EINVAL;
}

static int read_level(const struct cli_option *option, const char *text,
                      struct cli_settings *settings)
{
    enum server_log_level *place = place_of(option, settings);

    for (unsigned i = 0; server_log_levels[i]; i++)
        if (strcmp(text, server_log_levels[i]) == 0) {
            *place = (enum server_log_level)i;
            return 0;
        }
    return -EINVAL;
}

static void format_level(uint64_t number, char text[UNITS_ROOM])
{
    snprintf(text, UNITS_ROOM, "%s", server_log_levels[number]);
}

/* -- Numbers, in members of 4 or 8 bytes ---------------------------------- */

static int store(const struct cli_option *option, uint64_t number, struct cli_settings *settings)
{
    uint32_t narrow = (uint32_t)number;

    if (option->most > 0 && (number < option->least || number > option->most))
        return -ERANGE;
    if (option->width == sizeof narrow)
        memcpy(place_of(option, settings), &narrow, sizeof narrow);
    else
        memcpy(place_of(option, settings), &number, sizeof number);
    return 0;
}

uint64_t cli_option_number(const struct cli_option *option, const struct cli_settings *settings)
{
    const char *place = (const char *)settings + option->place;
    uint32_t narrow;
    uint64_t number;

    if (option->width == sizeof narrow) {
        memcpy(&narrow, place, sizeof narrow);
        return narrow;
    }
    memcpy(&number, place, sizeof number);
    return number;
}

static int read_by(int (*parse)(const char *text, uint64_t *number),
                   const struct cli_option *option, const char *text, struct cli_settings *settings)
{
    uint64_t number;
    int r = parse(text, &number);

    return r < 0 ? r : store(option, number, settings);
}

static int read_number(const struct cli_option *option, const char *text,
                       struct cli_settings *settings)
{
    return read_by(units_number_parse, option, text, settings);
}

static int read_size(const struct cli_option *option, const char *text,
                     struct cli_settings *settings)
{
    return read_by(units_size_parse, option, text, settings);
}

static int read_duration(const struct cli_option *option, const char *text,
                         struct cli_settings *settings)
{
    return read_by(units_duration_parse, option, text, settings);
}

/* "auto": the CPUs this process may use. */
static int read_workers(const struct cli_option *option, const char *text,
                        struct cli_settings *settings)
{
    long count = 1;

    if (strcmp(text, "auto") != 0)
        return read_number(option, text, settings);
    count = sysconf(_SC_NPROCESSORS_ONLN);
    count = count < 1 ? 1 : count > (long)option->most ? (long)option->most : count;
    return store(option, (uint64_t)count, settings);
}

/* -- Lists ---------------------------------------------------------------- */

static int read_list(const struct cli_option *option, const char *text,
                     struct cli_settings *settings)
{
    return *text ? cli_list_add(place_of(option, settings), text, strlen(text)) : -EINVAL;
}

static int read_paths(const struct cli_option *option, const char *text,
                      struct cli_settings *settings)
{
    int r = 0;

    while (r == 0 && *text) {
        size_t length = strcspn(text, ":");

        if (length > 0)
            r = cli_list_add(place_of(option, settings), text, length);
        text += length + (text[length] == ':');
    }
    return r;
}

static int read_prefix(const struct cli_option *option, const char *text,
                       struct cli_settings *settings)
{
    return text[0] == '/' ? read_list(option, text, settings) : -EINVAL;
}

static int read_target(const struct cli_option *option, const char *text,
                       struct cli_settings *settings)
{
    return text[0] != ':' ? read_list(option, text, settings) : -EINVAL;
}

static int read_variable(const struct cli_option *option, const char *text,
                         struct cli_settings *settings)
{
    size_t name = strcspn(text, "=");

    return name > 0 && text[name] ? read_list(option, text, settings) : -EINVAL;
}

/* -- The kinds ------------------------------------------------------------ */

#ifdef HAVE_LIBURING
#define BACKENDS "epoll, io_uring or poll"
#else
#define BACKENDS "epoll or poll"
#endif

const struct cli_kind cli_kind_text = {.read = read_text, .expected = "a name"};
const struct cli_kind cli_kind_backend = {.read = read_backend, .expected = BACKENDS};
const struct cli_kind cli_kind_switch = {
    .read = read_switch, .expected = "1 or 0", .is_switch = true};
const struct cli_kind cli_kind_level = {.read = read_level,
                                        .format = format_level,
                                        .expected = "debug, info, warning, error or critical"};
const struct cli_kind cli_kind_number = {
    .read = read_number, .format = units_number_format, .expected = "a number"};
const struct cli_kind cli_kind_workers = {
    .read = read_workers, .format = units_number_format, .expected = "\"auto\" or a number"};
const struct cli_kind cli_kind_size = {
    .read = read_size, .format = units_size_format, .expected = "a size such as 8190, 64k or 10m"};
const struct cli_kind cli_kind_duration = {.read = read_duration,
                                           .format = units_duration_format,
                                           .expected = "a duration such as 90, 1m30s or 500ms"};
const struct cli_kind cli_kind_list = {
    .read = read_list, .expected = "an address", .is_list = true};
const struct cli_kind cli_kind_paths = {.read = read_paths, .expected = "folders", .is_list = true};
const struct cli_kind cli_kind_prefixes = {
    .read = read_prefix, .expected = "a path such as /upload", .is_list = true};
const struct cli_kind cli_kind_targets = {
    .read = read_target, .expected = "a file such as ./tick.so, or FILE:ARGS", .is_list = true};
const struct cli_kind cli_kind_variables = {
    .read = read_variable, .expected = "NAME=VALUE", .is_list = true};
