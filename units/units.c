/* Numbers, durations and sizes. */
#include <asynwsgi/units.h>

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct unit {
    const char *name;
    uint64_t value;
};

/* From large to small. */
static const struct unit time_units[] = {
    {"h", 3600000000000}, {"m", 60000000000}, {"s", 1000000000}, {"ms", 1000000}, {"us", 1000}};
static const struct unit size_units[] = {{"g", 1 << 30}, {"m", 1 << 20}, {"k", 1 << 10}};
static const struct unit count_units[] = {{"g", 1000000000}, {"m", 1000000}, {"k", 1000}};

enum {
    TIME_UNITS = sizeof time_units / sizeof *time_units
};
enum {
    SIZE_UNITS = sizeof size_units / sizeof *size_units
};

/* Digits; moves `text` past them. */
static int take_number(const char **text, uint64_t *number)
{
    const char *start = *text;
    uint64_t n = 0;

    for (; **text >= '0' && **text <= '9'; (*text)++) {
        uint64_t digit = (uint64_t)(**text - '0');

        if (n > (UINT64_MAX - digit) / 10)
            return -ERANGE;
        n = n * 10 + digit;
    }
    if (*text == start)
        return -EINVAL;
    *number = n;
    return 0;
}

static int multiply(uint64_t number, uint64_t unit, uint64_t *product)
{
    if (number > UINT64_MAX / unit)
        return -ERANGE;
    *product = number * unit;
    return 0;
}

int units_number_parse(const char *text, uint64_t *number)
{
    uint64_t n;
    int r = take_number(&text, &n);

    if (r < 0)
        return r;
    if (*text)
        return -EINVAL;
    *number = n;
    return 0;
}

/* The unit at hand, which is the whole run of letters; index `from` or later. */
static size_t find_time_unit(const char *text, size_t from, size_t *length)
{
    size_t i = from;

    *length = strcspn(text, "0123456789");
    while (i < TIME_UNITS && (strlen(time_units[i].name) != *length ||
                              strncmp(text, time_units[i].name, *length) != 0))
        i++;
    return i;
}

int units_duration_parse(const char *text, uint64_t *nanoseconds)
{
    uint64_t total = 0, part;
    size_t next = 0, length;

    if (units_number_parse(text, &part) == 0)
        return multiply(part, 1000000000, nanoseconds);
    do {
        int r = take_number(&text, &part);

        if (r < 0)
            return r;
        size_t i = find_time_unit(text, next, &length);

        if (i == TIME_UNITS)
            return -EINVAL;
        r = multiply(part, time_units[i].value, &part);
        if (r < 0)
            return r;
        if (part > UINT64_MAX - total)
            return -ERANGE;
        total += part;
        text += length;
        next = i + 1;
    } while (*text);
    *nanoseconds = total;
    return 0;
}

/* A number, and at most one of the SIZE_UNITS letters. */
static int parse_scaled(const char *text, const struct unit *units, uint64_t *value)
{
    uint64_t number;
    int r = take_number(&text, &number);

    if (r < 0)
        return r;
    if (!*text) {
        *value = number;
        return 0;
    }
    for (size_t i = 0; i < SIZE_UNITS; i++)
        if ((*text | ' ') == *units[i].name && !text[1])
            return multiply(number, units[i].value, value);
    return -EINVAL;
}

int units_count_parse(const char *text, uint64_t *count)
{
    return parse_scaled(text, count_units, count);
}

int units_size_parse(const char *text, uint64_t *bytes)
{
    return parse_scaled(text, size_units, bytes);
}

void units_number_format(uint64_t number, char text[UNITS_ROOM])
{
    snprintf(text, UNITS_ROOM, "%llu", (unsigned long long)number);
}

void units_duration_format(uint64_t nanoseconds, char text[UNITS_ROOM])
{
    int length = 0;

    for (size_t i = 0; i < TIME_UNITS; i++) {
        uint64_t count = nanoseconds / time_units[i].value;

        nanoseconds %= time_units[i].value;
        if (count > 0)
            length += snprintf(text + length, (size_t)(UNITS_ROOM - length), "%llu%s",
                               (unsigned long long)count, time_units[i].name);
    }
    if (length == 0)
        snprintf(text, UNITS_ROOM, "0");
}

void units_size_format(uint64_t bytes, char text[UNITS_ROOM])
{
    size_t i = 0;

    while (i < SIZE_UNITS && (bytes == 0 || bytes % size_units[i].value != 0))
        i++;
    units_number_format(i < SIZE_UNITS ? bytes / size_units[i].value : bytes, text);
    if (i < SIZE_UNITS)
        snprintf(text + strlen(text), 2, "%s", size_units[i].name);
}
