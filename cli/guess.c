/* What somebody who typed an unknown option may have meant. */
#include "options.h"

#include <string.h>

/* What other servers call it. */
static const struct {
    const char *theirs, *ours;
} habits[] = {
    {"keep-alive", "timeout-idle"},
    {"timeout-keep-alive", "timeout-idle"},
    {"host", "bind"},
    {"port", "bind"},
    {"app-dir", "chdir"},
    {"virtualenv", "venv"},
};

enum {
    LONGEST = 32,
    FAR = 3
};

/* Letters to add, drop or change to make one the other (Levenshtein). */
static size_t distance(const char *a, size_t a_length, const char *b)
{
    size_t b_length = strlen(b), row[LONGEST + 1];

    if (a_length > LONGEST || b_length > LONGEST)
        return FAR;
    for (size_t j = 0; j <= b_length; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            best = row[j] + 1 < best ? row[j] + 1 : best;
            row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
        }
    }
    return row[b_length];
}

static size_t nearness(const char *name, size_t length, const char *known)
{
    bool abbreviated = length > 2 && strncmp(known, name, length) == 0;

    return abbreviated ? 1 : distance(name, length, known);
}

const struct cli_option *cli_options_guess(const char *name, size_t length)
{
    const struct cli_option *nearest = NULL;
    size_t least = FAR;

    for (size_t i = 0; i < sizeof habits / sizeof *habits; i++)
        if (strlen(habits[i].theirs) == length && strncmp(habits[i].theirs, name, length) == 0) {
            name = habits[i].ours;
            length = strlen(name);
            break;
        }
    for (size_t i = 0; i < cli_options_count; i++) {
        size_t d = cli_options[i].name ? nearness(name, length, cli_options[i].name) : FAR;

        if (d < least) {
            least = d;
            nearest = &cli_options[i];
        }
    }
    return nearest;
}
