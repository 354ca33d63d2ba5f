/* What came of it, as a table and as JSON. */
#include "sclients.h"

#include "json.h"

#include <inttypes.h>
#include <string.h>

#define MILLISECONDS(nanoseconds) ((double)(nanoseconds) / 1e6)
#define SECONDS(nanoseconds) ((double)(nanoseconds) / 1e9)

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

/* -- JSON ----------------------------------------------------------------- */

static void write_kind(struct json *json, const struct sclients_report *report, int kind)
{
    const struct sclients_counts *c = report->counts[kind];
    const struct sclients_wish *wish = &report->settings->wishes[kind];

    json_object_begin(json, sclients_kind_names[kind]);
    json_integer(json, "wanted", wish->count);
    json_integer(json, "bytes", wish->bytes);
    json_real(json, "every_s", SECONDS(wish->every));
    json_integer(json, "attempted", c->attempted);
    json_integer(json, "connected", c->connected);
    json_integer(json, "refused", c->refused);
    json_integer(json, "given_up", c->given_up);
    json_integer(json, "timed_out", c->timed_out);
    json_integer(json, "failed", c->failed);
    json_integer(json, "reset", c->reset);
    json_integer(json, "closed", c->closed);
    json_integer(json, "held", c->held);
    json_integer(json, "most_held", c->most_held);
    json_integer(json, "pending", c->trying);
    json_integer(json, "moved_bytes", c->bytes);
    if (c->ended.count > 0) {
        json_integer(json, "first_ended_ms", histogram_percentile(&c->ended, 0));
        json_integer(json, "median_ended_ms", histogram_percentile(&c->ended, 50));
    }
    json_counts(json, "answers", c->answers, STATUSES);
    json_object_end(json);
}

static void write_probe(struct json *json, const struct sclients_probe_counts *probe)
{
    char name[16];

    if (!probe) {
        json_text(json, "probe", NULL);
        return;
    }
    json_object_begin(json, "probe");
    json_integer(json, "asked", probe->asked);
    json_integer(json, "answered", probe->answered);
    json_counts(json, "statuses", probe->statuses, STATUSES);
    json_object_begin(json, "failures");
    for (int i = FAILURE_NONE + 1; i < FAILURES; i++)
        json_integer(json, failure_name((enum failure)i), probe->failures[i]);
    json_object_end(json);
    json_object_begin(json, "latency_ms");
    json_real(json, "max", MILLISECONDS(probe->latency.max));
    for (int i = 0; i < PERCENTILES; i++) {
        snprintf(name, sizeof name, "%g", percentiles[i]);
        json_real(json, name, MILLISECONDS(histogram_percentile(&probe->latency, percentiles[i])));
    }
    json_object_end(json);
    json_object_end(json);
}

static void write_second(struct json *json, const struct sclients_second *second)
{
    const struct sclients_moment *probe = &second->probe;

    json_object_begin(json, NULL);
    json_real(json, "at", second->at);
    json_integer(json, "held", second->held);
    json_integer(json, "pending", second->trying);
    json_integer(json, "connected", second->connected);
    json_integer(json, "refused", second->refused);
    json_integer(json, "reset", second->reset);
    json_integer(json, "closed", second->closed);
    json_integer(json, "answered", probe->answered);
    json_integer(json, "failed", probe->failed);
    json_integer(json, "waiting", probe->waiting);
    json_real(json, "median_ms", MILLISECONDS(probe->median));
    json_real(json, "p99_ms", MILLISECONDS(probe->p99));
    json_real(json, "max_ms", MILLISECONDS(probe->max));
    json_object_end(json);
}

static void write_settings(struct json *json, const struct sclients_settings *settings)
{
    json_object_begin(json, "parameters");
    json_text(json, "probe_url", settings->probe_url ? settings->probe_url : settings->url);
    json_text(json, "unix_socket", settings->unix_socket);
    json_real(json, "duration_s", SECONDS(settings->duration));
    json_real(json, "warm_up_s", SECONDS(settings->warm_up));
    json_integer(json, "rate", settings->rate);
    json_integer(json, "sources", settings->sources);
    json_integer(json, "length", settings->length);
    json_integer(json, "probe_rate", settings->probe_rate);
    json_real(json, "probe_timeout_s", SECONDS(settings->probe_timeout));
    json_truth(json, "probe_kept", settings->probe_kept);
    json_object_end(json);
}

void sclients_report_json(const struct sclients_report *report, FILE *output)
{
    struct json json = {.output = output};
    uint64_t held = held_in_all(report);

    json_object_begin(&json, NULL);
    json_text(&json, "url", report->settings->url);
    json_real(&json, "elapsed_s", report->elapsed);
    write_settings(&json, report->settings);
    json_integer(&json, "wanted", report->asked);
    json_integer(&json, "allowed", report->share);
    json_text(&json, "limit", report->limit ? machine_limit_name(report->limit) : NULL);
    json_integer(&json, "descriptors", report->limits->descriptors);
    json_integer(&json, "ports", report->limits->ports);
    json_integer(&json, "nr_open", report->limits->nr_open);
    json_integer(&json, "somaxconn", report->limits->somaxconn);
    json_integer(&json, "memory_bytes", report->memory);
    json_integer(&json, "memory_bytes_each", held > 0 ? report->memory / held : 0);
    json_object_begin(&json, "kinds");
    for (int kind = 0; kind < SCLIENTS_KINDS; kind++)
        write_kind(&json, report, kind);
    json_object_end(&json);
    write_probe(&json, report->probe);
    json_array_begin(&json, "seconds");
    for (size_t i = 0; i < report->second_count; i++)
        write_second(&json, &report->seconds[i]);
    json_array_end(&json);
    json_object_end(&json);
    (void)json_line_end(&json); /* what was lost, the caller sees at its output */
}
