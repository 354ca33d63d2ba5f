/* Figures to lines of JSON, see asynwsgi-load(1). */
#include "load.h"

#include "json.h"

static double seconds(uint64_t nanoseconds)
{
    return (double)nanoseconds / 1e9;
}

static void write_errors(struct json *json, const struct load_counts *now,
                         const struct load_counts *before)
{
    json_object_begin(json, "errors");
    json_integer(json, "connect", now->connect - before->connect);
    json_integer(json, "read", now->read - before->read);
    json_integer(json, "timeout", now->timeout - before->timeout);
    json_integer(json, "status", now->status - before->status);
    json_object_end(json);
}

int load_report_interval(struct load *load, uint64_t now)
{
    struct load_figures *figures = &load->figures;
    struct json json = {.output = stdout};

    json_object_begin(&json, NULL);
    json_text(&json, "event", "interval");
    json_real(&json, "from", seconds(load->interval_end - load->begun));
    json_real(&json, "to", seconds(now - load->begun));
    json_integer(&json, "requests", figures->counts.requests - figures->reported.requests);
    json_integer(&json, "bytes", figures->counts.bytes_in - figures->reported.bytes_in);
    write_errors(&json, &figures->counts, &figures->reported);
    json_integer(&json, "p50", histogram_percentile(&figures->recent, 50));
    json_integer(&json, "p99", histogram_percentile(&figures->recent, 99));
    json_integer(&json, "max", figures->recent.max);
    json_object_end(&json);
    figures->reported = figures->counts;
    histogram_add(&figures->all, &figures->recent);
    figures->recent = (struct histogram){0};
    load->interval_end = now;
    return json_line_end(&json);
}

/* -- The end -------------------------------------------------------------- */

static void write_headers(struct json *json, const struct recipe *recipe)
{
    json_array_begin(json, "headers");
    /* Each is an argument of its own, which begins with its name. */
    for (size_t i = 0; i < recipe->request.header_count; i++)
        json_text(json, NULL, (const char *)recipe->headers[i].name);
    json_array_end(json);
}

static void write_parameters(struct json *json, const struct load *load)
{
    const struct load_options *options = load->options;

    json_object_begin(json, "parameters");
    json_array_begin(json, "urls");
    for (size_t i = 0; i < options->url_count; i++)
        json_text(json, NULL, options->urls[i]);
    json_array_end(json);
    json_text(json, "method", options->recipe.request.method);
    write_headers(json, &options->recipe);
    if (options->recipe.request.authority)
        json_text(json, "host", options->recipe.request.authority);
    json_integer(json, "connections", options->connections);
    if (options->duration > 0)
        json_real(json, "duration", seconds(options->duration));
    if (options->requests > 0)
        json_integer(json, "requests", options->requests);
    if (options->rate > 0)
        json_integer(json, "rate", options->rate);
    json_real(json, "warmup", seconds(options->warmup));
    json_integer(json, "pipeline", options->pipeline);
    json_truth(json, "keepalive", !options->no_keepalive);
    json_real(json, "timeout", seconds(options->timeout));
    json_real(json, "interval", seconds(options->interval));
    if (options->chunks > 0) {
        json_integer(json, "synthesize-post", options->chunks);
        json_integer(json, "chunksz", options->chunk_size);
        json_truth(json, "check-digest", options->check_digest);
    } else {
        json_integer(json, "body-size", load->messages.body_sent);
    }
    if (options->unix_socket)
        json_text(json, "unix-socket", options->unix_socket);
    json_object_end(json);
}

static void write_percentiles(struct json *json, const char *key, const struct histogram *histogram)
{
    static const struct {
        const char *name;
        double percentile;
    } wanted[] = {{"p50", 50}, {"p75", 75},     {"p90", 90},
                  {"p99", 99}, {"p99.9", 99.9}, {"p99.99", 99.99}};

    json_object_begin(json, key);
    json_integer(json, "mean", histogram->count ? histogram->sum / histogram->count : 0);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        json_integer(json, wanted[i].name, histogram_percentile(histogram, wanted[i].percentile));
    json_integer(json, "max", histogram->max);
    json_object_end(json);
}

static void write_histogram(struct json *json, const char *key, const struct histogram *histogram)
{
    json_array_begin(json, key);
    for (size_t i = 0; i < HISTOGRAM_SLOTS; i++) {
        if (histogram->slots[i] == 0)
            continue;
        json_array_begin(json, NULL);
        json_integer(json, NULL, histogram_slot_value(i));
        json_integer(json, NULL, histogram->slots[i]);
        json_array_end(json);
    }
    json_array_end(json);
}

static void write_latencies(struct json *json, const struct load *load)
{
    const struct load_figures *figures = &load->figures;
    bool open = load->options->rate > 0;

    if (open)
        write_percentiles(json, "late", &figures->late);
    write_percentiles(json, "latency", &figures->all);
    if (open)
        write_percentiles(json, "uncorrected", &figures->uncorrected);
    write_histogram(json, "histogram", &figures->all);
    if (open)
        write_histogram(json, "uncorrected_histogram", &figures->uncorrected);
}

int load_report_end(struct load *load)
{
    const struct load_figures *figures = &load->figures;
    static const struct load_counts none;
    double taken = seconds(load->ended - load->begun), cpu = seconds(load->cpu);
    struct json json = {.output = stdout};

    json_object_begin(&json, NULL);
    json_text(&json, "event", "end");
    write_parameters(&json, load);
    json_truth(&json, "interrupted", load->signal != 0);
    json_real(&json, "seconds", taken);
    json_integer(&json, "requests", figures->counts.requests);
    json_integer(&json, "in_time", figures->in_time);
    json_integer(&json, "bytes_in", figures->counts.bytes_in);
    json_integer(&json, "bytes_out", figures->bytes_out);
    write_errors(&json, &figures->counts, &none);
    json_integer(&json, "unfinished", figures->unfinished);
    if (load->options->check_digest)
        json_integer(&json, "mismatches", figures->mismatches);
    json_counts(&json, "statuses", figures->statuses, LOAD_STATUSES);
    json_integer(&json, "connections_opened", figures->connections_opened);
    json_real(&json, "cpu_seconds", cpu);
    json_real(&json, "busy", taken > 0 ? cpu / taken : 0);
    write_latencies(&json, load);
    json_object_end(&json);
    return json_line_end(&json);
}
