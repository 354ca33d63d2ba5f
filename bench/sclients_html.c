/*
 * What came of it, as one page that needs no other: two plots over the seconds.
 *
 * A plot is PLOT_WIDTH by PLOT_HEIGHT, in the units of SVG, whose y grows downward.
 */
#include "sclients.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum {
    LEFT = 70, /* of the margins */
    RIGHT = 20,
    TOP = 30,
    BOTTOM = 34,
    PLOT_WIDTH = 900,
    PLOT_HEIGHT = 260,
    STEPS = 4 /* of the scale */
};

struct series {
    const char *name, *colour;
    double (*value)(const struct sclients_second *second); /* NAN: none */
};

struct plot {
    const char *title, *unit;
    const struct series *series;
    size_t count;
};

static double median(const struct sclients_second *second)
{
    return second->probe.answered > 0 ? (double)second->probe.median / 1e6 : NAN;
}

static double p99(const struct sclients_second *second)
{
    return second->probe.answered > 0 ? (double)second->probe.p99 / 1e6 : NAN;
}

static double most(const struct sclients_second *second)
{
    return second->probe.answered > 0 ? (double)second->probe.max / 1e6 : NAN;
}

static double held(const struct sclients_second *second)
{
    return (double)second->held;
}

static double pending(const struct sclients_second *second)
{
    return (double)second->trying;
}

static double refused(const struct sclients_second *second)
{
    return (double)second->refused;
}

static double ended(const struct sclients_second *second)
{
    return (double)(second->closed + second->reset);
}

static double unanswered(const struct sclients_second *second)
{
    return (double)second->probe.failed;
}

static double waiting(const struct sclients_second *second)
{
    return (double)second->probe.waiting;
}

static const struct series latencies[] = {
    {"max", "#c0392b", most}, {"p99", "#e08e0b", p99}, {"median", "#2060a0", median}};
static const struct series numbers[] = {{"held", "#2060a0", held},
                                        {"pending", "#7d3c98", pending},
                                        {"refused", "#e08e0b", refused},
                                        {"closed or reset", "#c0392b", ended}};
static const struct series silence[] = {{"waiting", "#7d3c98", waiting},
                                        {"failed", "#c0392b", unanswered}};

static const struct plot plots[] = {
    {"How long a request takes", "ms", latencies, sizeof latencies / sizeof *latencies},
    {"Requests without an answer", "", silence, sizeof silence / sizeof *silence},
    {"Connections: held and pending, refused and ended in each second", "", numbers,
     sizeof numbers / sizeof *numbers},
};

/* 1, 2 or 5 times a power of ten, that `value` is not over. */
static double round_up(double value)
{
    static const double digits[] = {1, 2, 5};
    double power = 1e-6;

    while (value > digits[2] * power)
        power *= 10;
    for (size_t i = 0; i < 2; i++)
        if (value <= digits[i] * power)
            return digits[i] * power;
    return digits[2] * power;
}

static double top_of(const struct plot *plot, const struct sclients_report *report)
{
    double top = 0;

    for (size_t s = 0; s < plot->count; s++)
        for (size_t i = 0; i < report->second_count; i++)
            if (plot->series[s].value(&report->seconds[i]) > top) /* NAN is not */
                top = plot->series[s].value(&report->seconds[i]);
    return top > 0 ? round_up(top) : 1;
}

static double x_of(const struct sclients_report *report, double at)
{
    return LEFT + at / report->elapsed * PLOT_WIDTH;
}

static double y_of(double value, double top)
{
    return TOP + (1 - value / top) * PLOT_HEIGHT;
}

static void draw_scales(const struct plot *plot, const struct sclients_report *report, double top,
                        FILE *output)
{
    for (int i = 0; i <= STEPS; i++) {
        double share = (double)i / STEPS, y = y_of(share, 1);

        fprintf(output,
                "<path d=\"M%d %.1fH%d\" stroke=\"#ddd\"/><text x=\"%d\" y=\"%.1f\" "
                "text-anchor=\"end\">%g %s</text>\n",
                LEFT, y, LEFT + PLOT_WIDTH, LEFT - 6, y + 4, share * top, plot->unit);
        fprintf(output, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.3g s</text>\n",
                LEFT + share * PLOT_WIDTH, TOP + PLOT_HEIGHT + 20, share * report->elapsed);
    }
}

/* A line through its values, with a dot for each; where there is none it is broken. */
static void draw_series(const struct series *series, const struct sclients_report *report,
                        double top, FILE *output)
{
    char letter = 'M';

    fprintf(output,
            "<path fill=\"none\" stroke-width=\"2\" stroke-linejoin=\"round\" "
            "stroke-linecap=\"round\" stroke=\"%s\" d=\"",
            series->colour);
    for (size_t i = 0; i < report->second_count; i++) {
        double value = series->value(&report->seconds[i]);

        if (isnan(value)) {
            letter = 'M';
            continue;
        }
        fprintf(output, "%c%.1f %.1f", letter, x_of(report, report->seconds[i].at),
                y_of(value, top));
        if (letter == 'M') /* a point of its own shows, too */
            fputs("h0", output);
        letter = 'L';
    }
    fputs("\"/>\n", output);
}

static void draw(const struct plot *plot, const struct sclients_report *report, FILE *output)
{
    double top = top_of(plot, report);
    int x = LEFT + PLOT_WIDTH;

    fprintf(
        output,
        "<h2>%s</h2>\n<svg viewBox=\"0 0 %d %d\" font-size=\"13\" font-family=\"sans-serif\">\n",
        plot->title, LEFT + PLOT_WIDTH + RIGHT, TOP + PLOT_HEIGHT + BOTTOM);
    draw_scales(plot, report, top, output);
    for (size_t s = plot->count; s-- > 0;) {
        fprintf(output, "<text x=\"%d\" y=\"18\" text-anchor=\"end\" fill=\"%s\">%s</text>\n", x,
                plot->series[s].colour, plot->series[s].name);
        x -= 120;
    }
    for (size_t s = 0; s < plot->count; s++)
        draw_series(&plot->series[s], report, top, output);
    fputs("</svg>\n", output);
}

static void escape(const char *text, FILE *output)
{
    for (; *text; text++)
        if (*text == '<' || *text == '>' || *text == '&' || *text == '"')
            fprintf(output, "&#%d;", *text);
        else
            fputc(*text, output);
}

static void write_summary(const struct sclients_report *report, FILE *output)
{
    char *text = NULL;
    size_t length;
    FILE *memory = open_memstream(&text, &length);

    if (!memory)
        return;
    sclients_report_summary(report, memory);
    if (fclose(memory) == 0) {
        fputs("<pre>", output);
        escape(text, output);
        fputs("</pre>\n", output);
    }
    free(text);
}

void sclients_report_html(const struct sclients_report *report, FILE *output)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>asynwsgi-sclients ",
          output);
    escape(report->settings->url, output);
    fputs(
        "</title>\n<style>body{font-family:sans-serif;max-width:62em;margin:2em auto;padding:0 1em}"
        "pre{overflow-x:auto;background:#f4f4f4;padding:1em;font-size:12px}svg{width:100%}"
        "h2{font-size:1.1em}</style>\n<h1>asynwsgi-sclients</h1>\n",
        output);
    write_summary(report, output);
    for (size_t i = report->probe ? 0 : 2; i < sizeof plots / sizeof *plots; i++)
        draw(&plots[i], report, output);
    fputs("</html>\n", output);
}
