/* What oneraw tells on standard error. */
#include "oneraw.h"

#include "standard.h"

#include <string.h>

void oneraw_complain(const char *what, const char *why)
{
    fprintf(stderr, "asynwsgi-httpclient oneraw: %s%s%s\n", what, *what ? ": " : "", why);
}

void oneraw_show_lines(const char *mark, const unsigned char *text, size_t length)
{
    while (length > 0) {
        const unsigned char *end = memchr(text, '\n', length);
        size_t line = end ? (size_t)(end - text) + 1 : length;
        size_t shown = line;

        if (end)
            shown -= line > 1 && text[line - 2] == '\r' ? 2 : 1;
        fputs(mark, stderr);
        standard_print(text, shown, stderr);
        fputc('\n', stderr);
        text += line;
        length -= line;
    }
}

/* Of what did not happen nothing is said. */
void oneraw_show_times(const struct oneraw_times *times)
{
    const struct {
        const char *name;
        uint64_t at;
    } phases[] = {
        {"resolve", times->resolved},   {"connect", times->connected},
        {"send", times->exchange.sent}, {"first byte", times->exchange.first},
        {"head", times->exchange.head}, {"end", times->exchange.end},
    };
    uint64_t last = times->started;

    fputs("* milliseconds  phase   total\n", stderr);
    for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) {
        if (phases[i].at == 0)
            continue;
        /* A response may begin before the request is sent. */
        fprintf(stderr, "* %-10s %9.3f %9.3f\n", phases[i].name,
                phases[i].at > last ? (double)(phases[i].at - last) / 1e6 : 0.0,
                (double)(phases[i].at - times->started) / 1e6);
        if (phases[i].at > last)
            last = phases[i].at;
    }
}
