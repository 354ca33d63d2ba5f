/* What bulkfetch tells: progress on a terminal, failures, the summary, JSON. */
#include "bulkfetch.h"

#include "json.h"
#include "standard.h"

#include <asynwsgi/dispatch.h>

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

enum {
    BAR = 30
};

void bulkfetch_complain(const struct bulkfetch *bulk, const char *what, const char *why)
{
    fprintf(stderr,
            "%sasynwsgi-httpclient bulkfetch: ", bulk && bulk->shows_progress ? "\r\033[K" : "");
    standard_print(what, strlen(what), stderr);
    fprintf(stderr, "%s%s\n", *what ? ": " : "", why);
}

/* "12.3 MB" */
static const char *bytes_text(double bytes, char text[32])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    size_t unit = 0;

    while (bytes >= 1000 && unit < sizeof units / sizeof *units - 1) {
        bytes /= 1000;
        unit++;
    }
    snprintf(text, 32, "%.*f %s", unit > 0, bytes, units[unit]);
    return text;
}

/* How much of the list is done, 0 to 1; negative: nobody knows. */
static double fraction(const struct bulkfetch *bulk)
{
    const struct list *list = &bulk->list;
    size_t urls = bulk->settings.url_count;

    if (bulk->settings.input && (list->size == 0 || urls > 0))
        return -1;
    if (list->size > 0)
        return (double)(list->taken - (list->end - list->start)) / (double)list->size;
    return (double)bulk->counts.done / (double)urls;
}

void bulkfetch_show_progress(const struct bulkfetch *bulk)
{
    const struct bulkfetch_counts *counts = &bulk->counts;
    double seconds = (double)(dispatch_clock() - bulk->started) / 1e9, part = fraction(bulk);
    int full = part < 0 ? 0 : (int)(part * BAR);
    char rate[32];

    fputs("\r\033[K", stderr);
    if (part >= 0)
        fprintf(stderr, "[%.*s%*s] %3d%% ", full, "##############################", BAR - full, "",
                (int)(part * 100));
    fprintf(stderr, "%llu done, %.0f/s, %s/s, %llu failed", (unsigned long long)counts->done,
            (double)counts->done / (seconds + 1e-9),
            bytes_text((double)counts->bytes / (seconds + 1e-9), rate),
            (unsigned long long)(counts->done - counts->good));
    fflush(stderr);
}

/* What all of it took. */
struct cost {
    double seconds, user, system;
};

static struct cost cost_of(const struct bulkfetch *bulk)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (struct cost){
        .seconds = (double)(bulk->ended - bulk->started) / 1e9,
        .user = (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6,
        .system = (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6,
    };
}

static void print_summary(const struct bulkfetch *bulk, const struct cost *cost)
{
    const struct bulkfetch_counts *counts = &bulk->counts;
    char total[32], rate[32];

    printf("%s%llu fetched, %llu failed in %.3f s: %.0f/s, %s, %s/s\n",
           bulk->interrupted ? "interrupted: " : "", (unsigned long long)counts->good,
           (unsigned long long)(counts->done - counts->good), cost->seconds,
           (double)counts->done / cost->seconds, bytes_text((double)counts->bytes, total),
           bytes_text((double)counts->bytes / cost->seconds, rate));
    printf("%llu connections, %llu retries, %.3f s of CPU time: %.0f/s\n",
           (unsigned long long)counts->opened, (unsigned long long)counts->retries,
           cost->user + cost->system, (double)counts->done / (cost->user + cost->system));
    for (size_t i = 0; i < sizeof counts->statuses / sizeof *counts->statuses; i++)
        if (counts->statuses[i] > 0)
            printf("status %zu: %llu\n", i, (unsigned long long)counts->statuses[i]);
    for (int i = 0; i < FAILURES; i++)
        if (counts->failures[i] > 0)
            printf("error %s: %llu\n", failure_name((enum failure)i),
                   (unsigned long long)counts->failures[i]);
}

static int write_json(const struct bulkfetch *bulk, const struct cost *cost, FILE *output)
{
    const struct bulkfetch_counts *counts = &bulk->counts;
    struct json json = {.output = output};

    json_object_begin(&json, NULL);
    json_integer(&json, "done", counts->done);
    json_integer(&json, "fetched", counts->good);
    json_integer(&json, "failed", counts->done - counts->good);
    json_integer(&json, "bytes", counts->bytes);
    json_integer(&json, "retries", counts->retries);
    json_integer(&json, "repeats", counts->repeats);
    json_integer(&json, "connections", counts->opened);
    json_truth(&json, "interrupted", bulk->interrupted);
    json_real(&json, "seconds", cost->seconds);
    json_real(&json, "cpu_user", cost->user);
    json_real(&json, "cpu_system", cost->system);
    json_counts(&json, "statuses", counts->statuses,
                sizeof counts->statuses / sizeof *counts->statuses);
    json_object_begin(&json, "errors");
    for (int i = 0; i < FAILURES; i++)
        if (counts->failures[i] > 0)
            json_integer(&json, failure_name((enum failure)i), counts->failures[i]);
    json_object_end(&json);
    json_object_end(&json);
    return json_line_end(&json);
}

static int write_file(const struct bulkfetch *bulk, const struct cost *cost)
{
    FILE *output = fopen(bulk->settings.json, "w");
    int error;

    if (!output)
        return -errno;
    error = write_json(bulk, cost, output);
    return fclose(output) != 0 && !error ? -errno : error;
}

int bulkfetch_report(struct bulkfetch *bulk)
{
    const struct cost cost = cost_of(bulk);
    const char *json = bulk->settings.json;
    bool only_json = json && strcmp(json, "-") == 0;

    if (bulk->shows_progress) {
        bulkfetch_show_progress(bulk);
        fputc('\n', stderr);
        bulk->shows_progress = false;
    }
    if (only_json)
        return write_json(bulk, &cost, stdout);
    if (!bulk->settings.quiet)
        print_summary(bulk, &cost);
    if (fflush(stdout) != 0)
        return -errno;
    return json ? write_file(bulk, &cost) : 0;
}
