/* What came of it, as a table and as JSON. */
#include "sclients.h"

#include <inttypes.h>
#include <string.h>

#define MILLISECONDS(nanoseconds) ((double)(nanoseconds) / 1e6)

static const double percentiles[] = {50, 75, 90, 99, 99.9, 99.99};

enum {
    PERCENTILES = sizeof percentiles / sizeof *percentiles,
    STATUSES = 1000
};

static uint64_t held_in_all(const struct sclients_report *report)
{
    uint64_t held = 0;

    for (int kind = 0; kind < SCLIENTS_KINDS; kind++)
        held += report->counts[kind]->held + report->counts[kind]->trying;
    return held;
}

static uint64_t sum_of(const uint64_t *counts, size_t n)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += counts[i];
    return sum;
}

/* -- The table ------------------------------------------------------------ */

static void print_kind(const struct sclients_report *report, int kind, FILE *output)
{
    const struct sclients_counts *c = report->counts[kind];
    char first[32] = "-", median[32] = "-";

    if (c->ended.count > 0) {
        snprintf(first, sizeof first, "%.1f", (double)histogram_percentile(&c->ended, 0) / 1000);
        snprintf(median, sizeof median, "%.1f", (double)histogram_percentile(&c->ended, 50) / 1000);
    }
    fprintf(output,
            "%-9s %8" PRIu64 " %9" PRIu64 " %9" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64
            " %7" PRIu64 " %7" PRIu64 " %7" PRIu64 " %7s %7s %7" PRIu32 "\n",
            sclients_kind_names[kind], report->settings->wishes[kind].count, c->attempted,
            c->connected, c->refused, c->given_up, c->timed_out, c->failed, c->reset, c->closed,
            first, median, c->held);
    if (kind == SCLIENTS_PENDING &&
        report->settings->wishes[kind].count <= report->limits->somaxconn)
        fprintf(output,
                "%9s net.core.somaxconn lets the server have %" PRIu64
                " waiting, more than these\n",
                "", report->limits->somaxconn);
    if (c->failed > 0)
        fprintf(output, "%9s the last failure: %s\n", "", strerror(-c->error));
}

static void print_statuses(const uint64_t *counts, FILE *output)
{
    const char *separator = "";

    for (unsigned status = 0; status < STATUSES; status++)
        if (counts[status] > 0) {
            fprintf(output, "%s%03u: %" PRIu64, separator, status, counts[status]);
            separator = ", ";
        }
}

static void print_kinds(const struct sclients_report *report, FILE *output)
{
    fprintf(output, "%-9s %8s %9s %9s %8s %8s %8s %7s %7s %7s %7s %7s %7s\n", "", "wanted",
            "attempted", "connected", "refused", "given up", "timed out", "failed", "reset",
            "closed", "first s", "med. s", "held");
    for (int kind = 0; kind < SCLIENTS_KINDS; kind++)
        if (report->settings->wishes[kind].count > 0)
            print_kind(report, kind, output);
    for (int kind = 0; kind < SCLIENTS_KINDS; kind++) {
        const struct sclients_counts *counts = report->counts[kind];

        if (sum_of(counts->answers, STATUSES) == 0)
            continue;
        fprintf(output, "%s was answered ", sclients_kind_names[kind]);
        print_statuses(counts->answers, output);
        fputc('\n', output);
    }
}

static void print_probe(const struct sclients_probe_counts *probe, FILE *output)
{
    fprintf(output, "\nprobe: %" PRIu64 " asked, %" PRIu64 " answered", probe->asked,
            probe->answered);
    if (probe->answered > 0) {
        fputs(" (", output);
        print_statuses(probe->statuses, output);
        fputc(')', output);
    }
    for (int i = 0; i < FAILURES; i++)
        if (probe->failures[i] > 0)
            fprintf(output, ", %s: %" PRIu64, failure_name((enum failure)i), probe->failures[i]);
    fputc('\n', output);
    if (probe->latency.count == 0)
        return;
    fputs("latency in ms:", output);
    for (int i = 0; i < PERCENTILES; i++)
        fprintf(output, " %g%%: %.3f", percentiles[i],
                MILLISECONDS(histogram_percentile(&probe->latency, percentiles[i])));
    fprintf(output, " max: %.3f\n", MILLISECONDS(probe->latency.max));
}

static void print_second(const struct sclients_second *second, FILE *output)
{
    const struct sclients_moment *probe = &second->probe;

    fprintf(output,
            "%6.1f %8" PRIu64 " %8" PRIu64 " %9" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64
            " | %8" PRIu64,
            second->at, second->held, second->trying, second->connected, second->refused,
            second->reset, second->closed, probe->answered);
    if (probe->answered > 0)
        fprintf(output, " %9.3f %9.3f %9.3f", MILLISECONDS(probe->median), MILLISECONDS(probe->p99),
                MILLISECONDS(probe->max));
    else
        fprintf(output, " %9s %9s %9s", "-", "-", "-");
    fprintf(output, " %7" PRIu64 " %7" PRIu64 "\n", probe->failed, probe->waiting);
}

void sclients_report_summary(const struct sclients_report *report, FILE *output)
{
    uint64_t held = held_in_all(report);

    fprintf(output, "%s for %.1f s: %" PRIu64 " connections", report->settings->url,
            report->elapsed, report->share);
    if (report->share < report->asked)
        fprintf(output, " of %" PRIu64, report->asked);
    fprintf(output, " from %" PRIu64 " local address%s\n", report->sources,
            report->sources == 1 ? "" : "es");
    if (held >= 1000 && report->memory > 0) /* fewer do not make up for what there is but once */
        fprintf(output,
                "%" PRIu64 " bytes of memory of its own for each of the %" PRIu64 " at the end\n",
                report->memory / held, held);
    if (report->limit) {
        fputs("limited: ", output);
        machine_explain(report->limits, report->limit, report->asked, report->reserve, output);
        fputc('\n', output);
    }
    fputc('\n', output);
    print_kinds(report, output);
    if (report->probe)
        print_probe(report->probe, output);
}

void sclients_report_table(const struct sclients_report *report, FILE *output)
{
    sclients_report_summary(report, output);
    fprintf(output, "\n%6s %8s %8s %9s %8s %8s %8s | %8s %9s %9s %9s %7s %7s\n", "s", "held",
            "pending", "connected", "refused", "reset", "closed", "answered", "median ms", "p99 ms",
            "max ms", "failed", "waiting");
    for (size_t i = 0; i < report->second_count; i++)
        print_second(&report->seconds[i], output);
}

/* -- JSON (RFC 8259) ------------------------------------------------------ */

static void key(const char *name, const char *separator, FILE *output)
{
    fprintf(output, "%s\"%s\": ", separator, name);
}

static void number(const char *name, uint64_t value, const char *separator, FILE *output)
{
    key(name, separator, output);
    fprintf(output, "%" PRIu64, value);
}

static void real(const char *name, double value, const char *separator, FILE *output)
{
    key(name, separator, output);
    fprintf(output, "%.6g", value);
}

static void text(const char *name, const char *value, const char *separator, FILE *output)
{
    key(name, separator, output);
    if (!value) {
        fputs("null", output);
        return;
    }
    fputc('"', output);
    for (const unsigned char *p = (const unsigned char *)value; *p; p++)
        if (*p < 0x20 || *p == '"' || *p == '\\')
            fprintf(output, "\\u%04x", *p);
        else
            fputc(*p, output);
    fputc('"', output);
}

static void statuses(const char *name, const uint64_t *counts, FILE *output)
{
    const char *separator = "";
    char status[8];

    key(name, ", ", output);
    fputc('{', output);
    for (unsigned i = 0; i < STATUSES; i++)
        if (counts[i] > 0) {
            snprintf(status, sizeof status, "%u", i);
            number(status, counts[i], separator, output);
            separator = ", ";
        }
    fputc('}', output);
}

static void kind_json(const struct sclients_report *report, int kind, FILE *output)
{
    const struct sclients_counts *c = report->counts[kind];
    const struct sclients_wish *wish = &report->settings->wishes[kind];

    number("wanted", wish->count, "{", output);
    number("bytes", wish->bytes, ", ", output);
    real("every_s", (double)wish->every / 1e9, ", ", output);
    number("attempted", c->attempted, ", ", output);
    number("connected", c->connected, ", ", output);
    number("refused", c->refused, ", ", output);
    number("given_up", c->given_up, ", ", output);
    number("timed_out", c->timed_out, ", ", output);
    number("failed", c->failed, ", ", output);
    number("reset", c->reset, ", ", output);
    number("closed", c->closed, ", ", output);
    number("held", c->held, ", ", output);
    number("most_held", c->most_held, ", ", output);
    number("pending", c->trying, ", ", output);
    number("moved_bytes", c->bytes, ", ", output);
    if (c->ended.count > 0) {
        number("first_ended_ms", histogram_percentile(&c->ended, 0), ", ", output);
        number("median_ended_ms", histogram_percentile(&c->ended, 50), ", ", output);
    }
    statuses("answers", c->answers, output);
    fputc('}', output);
}

static void probe_json(const struct sclients_report *report, FILE *output)
{
    const struct sclients_probe_counts *probe = report->probe;
    const char *separator = "{";
    char name[16];

    key("probe", ",\n ", output);
    if (!probe) {
        fputs("null", output);
        return;
    }
    number("asked", probe->asked, "{", output);
    number("answered", probe->answered, ", ", output);
    statuses("statuses", probe->statuses, output);
    key("failures", ", ", output);
    for (int i = FAILURE_NONE + 1; i < FAILURES; i++, separator = ", ")
        number(failure_name((enum failure)i), probe->failures[i], separator, output);
    key("latency_ms", "}, ", output);
    real("max", MILLISECONDS(probe->latency.max), "{", output);
    for (int i = 0; i < PERCENTILES; i++) {
        snprintf(name, sizeof name, "%g", percentiles[i]);
        real(name, MILLISECONDS(histogram_percentile(&probe->latency, percentiles[i])), ", ",
             output);
    }
    fputs("}}", output);
}

static void second_json(const struct sclients_second *second, FILE *output)
{
    const struct sclients_moment *probe = &second->probe;

    real("at", second->at, "  {", output);
    number("held", second->held, ", ", output);
    number("pending", second->trying, ", ", output);
    number("connected", second->connected, ", ", output);
    number("refused", second->refused, ", ", output);
    number("reset", second->reset, ", ", output);
    number("closed", second->closed, ", ", output);
    number("answered", probe->answered, ", ", output);
    number("failed", probe->failed, ", ", output);
    number("waiting", probe->waiting, ", ", output);
    real("median_ms", MILLISECONDS(probe->median), ", ", output);
    real("p99_ms", MILLISECONDS(probe->p99), ", ", output);
    real("max_ms", MILLISECONDS(probe->max), ", ", output);
    fputc('}', output);
}

static void settings_json(const struct sclients_settings *settings, FILE *output)
{
    key("parameters", ",\n ", output);
    text("probe_url", settings->probe_url ? settings->probe_url : settings->url, "{", output);
    text("unix_socket", settings->unix_socket, ", ", output);
    real("duration_s", (double)settings->duration / 1e9, ", ", output);
    real("warm_up_s", (double)settings->warm_up / 1e9, ", ", output);
    number("rate", settings->rate, ", ", output);
    number("sources", settings->sources, ", ", output);
    number("length", settings->length, ", ", output);
    number("probe_rate", settings->probe_rate, ", ", output);
    real("probe_timeout_s", (double)settings->probe_timeout / 1e9, ", ", output);
    fprintf(output, ", \"probe_kept\": %s}", settings->probe_kept ? "true" : "false");
}

void sclients_report_json(const struct sclients_report *report, FILE *output)
{
    const char *separator = "{";
    uint64_t held = held_in_all(report);

    text("url", report->settings->url, "{", output);
    real("elapsed_s", report->elapsed, ",\n ", output);
    settings_json(report->settings, output);
    number("wanted", report->asked, ",\n ", output);
    number("allowed", report->share, ",\n ", output);
    text("limit", report->limit ? machine_limit_name(report->limit) : NULL, ",\n ", output);
    number("descriptors", report->limits->descriptors, ",\n ", output);
    number("ports", report->limits->ports, ", ", output);
    number("nr_open", report->limits->nr_open, ", ", output);
    number("somaxconn", report->limits->somaxconn, ", ", output);
    number("memory_bytes", report->memory, ",\n ", output);
    number("memory_bytes_each", held > 0 ? report->memory / held : 0, ",\n ", output);
    key("kinds", ",\n ", output);
    for (int kind = 0; kind < SCLIENTS_KINDS; kind++, separator = ",\n  ") {
        key(sclients_kind_names[kind], separator, output);
        kind_json(report, kind, output);
    }
    fputc('}', output);
    probe_json(report, output);
    key("seconds", ",\n ", output);
    fputs("[\n", output);
    for (size_t i = 0; i < report->second_count; i++) {
        second_json(&report->seconds[i], output);
        fputs(i + 1 < report->second_count ? ",\n" : "]}\n", output);
    }
}
