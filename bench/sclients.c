/* The asynwsgi-sclients command. */
#include "sclients.h"

#include "sources.h"
#include "standard.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"

#define SECOND UINT64_C(1000000000)

struct run {
    struct sclients_settings settings;
    struct dispatch *loop;
    struct target target, probe_target;
    struct sclients_messages messages;
    struct httpclient_message probe_message;
    void *heads[3]; /* of these */
    struct machine limits;
    struct sclients_hold *hold;
    struct sclients_probe *probe; /* NULL: none */
    struct dispatch_timer timer;  /* of the seconds */
    struct dispatch_signal interrupt, terminate;
    uint64_t start, recorded;                /* recorded: the end of the last second */
    struct sclients_second *seconds, before; /* before: sums up to the last */
    size_t second_count;
    struct sclients_report report;
};

static int complain(const char *about, const char *problem)
{
    fprintf(stderr, "asynwsgi-sclients: %s: %s\n", about, problem);
    return -EINVAL;
}

/* -- What is to be connected to ------------------------------------------- */

/* Nobody else is to suffer by mistake. */
static int allow(const struct run *run, const char *url, const struct target *target)
{
    if (run->settings.allow_remote)
        return 0;
    for (size_t i = 0; i < target->count; i++)
        if (!sources_is_loopback(&target->addresses[i]))
            return complain(url, "not an address of this machine's loopback; see --allow-remote");
    return 0;
}

static int find(struct run *run, const char *url, struct target *target)
{
    int error = target_find(run->loop, url, run->settings.unix_socket, target);

    return error ? complain(url, target_error_text(error)) : allow(run, url, target);
}

/* Of several addresses ("localhost") one that does not refuse at once. */
static const struct tcpsocket_address *choose(const struct target *target)
{
    for (size_t i = 0; i + 1 < target->count; i++) {
        int fd = sclients_connect(&target->addresses[i], false, NULL);

        if (fd >= 0) {
            close(fd);
            return &target->addresses[i];
        }
    }
    return &target->addresses[target->count - 1];
}

static int write_message(struct run *run, const struct recipe *recipe, const struct target *target,
                         void **head, struct httpclient_message *message)
{
    size_t room = recipe_room(recipe, &target->url);
    int error;

    *head = malloc(room);
    if (!*head)
        return -ENOMEM;
    error = recipe_write(recipe, &target->url, *head, room, message);
    return error ? complain(run->settings.url, "no request can be made of it") : 0;
}

static int write_messages(struct run *run)
{
    const struct recipe *recipe = &run->settings.recipe;
    struct recipe post = *recipe, closing = *recipe;
    int error;

    post.request.method = "POST";
    post.request.body = HTTP_BODY_SIZED;
    post.request.body_length = run->settings.length;
    closing.request.closes = !run->settings.probe_kept;
    error = write_message(run, recipe, &run->target, &run->heads[0], &run->messages.get);
    if (!error)
        error = write_message(run, &post, &run->target, &run->heads[1], &run->messages.post);
    if (!error)
        error =
            write_message(run, &closing, &run->probe_target, &run->heads[2], &run->probe_message);
    return error;
}

/* -- What this machine allows --------------------------------------------- */

/* What is over is taken from each kind by its share. */
static void shrink(struct sclients_settings *settings, uint64_t asked, uint64_t allowed)
{
    for (int kind = 0; kind < SCLIENTS_KINDS; kind++)
        settings->wishes[kind].count = settings->wishes[kind].count * allowed / asked;
}

static int fit(struct run *run, const struct tcpsocket_address *server)
{
    struct sclients_settings *settings = &run->settings;
    struct sclients_report *report = &run->report;
    bool has_ports = server->socket.any.sa_family != AF_UNIX;

    report->reserve =
        MACHINE_RESERVE + settings->probe_rate * (settings->probe_timeout / SECOND + 1);
    for (int kind = 0; kind < SCLIENTS_KINDS; kind++)
        report->asked += settings->wishes[kind].count;
    machine_raise(report->asked + report->reserve, &run->limits);
    if (settings->sources == 0)
        settings->sources = sources_needed(server, report->asked, run->limits.ports);
    else if (settings->sources > sources_needed(server, UINT64_MAX, 1))
        return complain("--sources", "there are others for a server at 127.0.0.0/8 only");
    report->share = machine_fit(&run->limits, report->asked, has_ports ? settings->sources : 0,
                                report->reserve, &report->limit);
    if (report->share == report->asked)
        return 0;
    fprintf(stderr, "asynwsgi-sclients: %" PRIu64 " connections of %" PRIu64 ": ", report->share,
            report->asked);
    machine_explain(&run->limits, report->limit, report->asked, report->reserve, stderr);
    fputc('\n', stderr);
    shrink(settings, report->asked, report->share);
    return 0;
}

/* -- While it goes on ----------------------------------------------------- */

static void count_second(struct run *run, struct sclients_second *second)
{
    struct sclients_second sum = {0};

    for (int kind = 0; kind < SCLIENTS_KINDS; kind++) {
        const struct sclients_counts *counts = run->report.counts[kind];

        sum.held += counts->held;
        sum.trying += counts->trying;
        sum.connected += counts->connected;
        sum.refused += counts->refused;
        sum.closed += counts->closed;
        sum.reset += counts->reset;
    }
    *second = sum;
    second->at = (double)(dispatch_now(run->loop) - run->start) / (double)SECOND;
    second->connected -= run->before.connected;
    second->refused -= run->before.refused;
    second->closed -= run->before.closed;
    second->reset -= run->before.reset;
    run->before = sum;
    if (run->probe)
        sclients_probe_moment(run->probe, &second->probe);
}

static void show_progress(const struct sclients_second *second)
{
    fprintf(stderr,
            "\r%.0f s: %" PRIu64 " held, %" PRIu64 " pending, %" PRIu64 " refused, %" PRIu64
            " closed; probe: %" PRIu64 " answered, %.3f ms, at most %.3f ms\033[K",
            second->at, second->held, second->trying, second->refused,
            second->closed + second->reset, second->probe.answered,
            (double)second->probe.median / 1e6, (double)second->probe.max / 1e6);
}

static void record_second(struct run *run)
{
    size_t room = run->second_count;
    struct sclients_second *more;

    if ((room & (room - 1)) == 0) { /* a power of two is full */
        more = realloc(run->seconds, (room ? room * 2 : 1) * sizeof *more);
        if (!more) {
            dispatch_stop(run->loop, SCLIENTS_FAILED);
            return;
        }
        run->seconds = more;
    }
    count_second(run, &run->seconds[run->second_count]);
    if (isatty(STDERR_FILENO))
        show_progress(&run->seconds[run->second_count]);
    run->second_count++;
    run->recorded = dispatch_now(run->loop);
}

static void pass_second(struct dispatch_timer *timer)
{
    struct run *run = (void *)((char *)timer - offsetof(struct run, timer));
    uint64_t end = run->start + run->settings.duration;
    uint64_t next = run->start + (run->second_count + 2) * SECOND;

    record_second(run);
    if (dispatch_now(run->loop) >= end)
        dispatch_stop(run->loop, SCLIENTS_OK);
    dispatch_timer_set(timer, next < end ? next : end);
}

static void caught(struct dispatch_signal *signal)
{
    dispatch_stop(signal->waker.loop, SCLIENTS_OK);
}

/* -- The report ----------------------------------------------------------- */

static bool is_standard(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

static int write_file(const char *path, const struct sclients_report *report,
                      void (*write_report)(const struct sclients_report *, FILE *))
{
    FILE *file = is_standard(path) ? stdout : fopen(path, "we");
    int error = 0;

    if (!file)
        return complain(path, strerror(errno));
    write_report(report, file);
    if (ferror(file) || (file == stdout ? fflush(file) : fclose(file)) != 0)
        error = complain(path, strerror(errno));
    return error;
}

static bool had_connection(const struct sclients_report *report)
{
    uint64_t connected = report->probe ? report->probe->answered : 0;

    for (int kind = 0; kind < SCLIENTS_KINDS; kind++)
        connected += report->counts[kind]->connected;
    return connected > 0;
}

static int report_all(struct run *run)
{
    struct sclients_report *report = &run->report;
    const struct sclients_settings *settings = &run->settings;
    bool alone = is_standard(settings->json) || is_standard(settings->html);
    int error = 0;

    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    if (!alone)
        error = write_file("-", report, sclients_report_table);
    if (settings->json && write_file(settings->json, report, sclients_report_json) < 0)
        error = -EIO;
    if (settings->html && write_file(settings->html, report, sclients_report_html) < 0)
        error = -EIO;
    if (error)
        return SCLIENTS_FAILED;
    if (!had_connection(report))
        return SCLIENTS_UNCONNECTED;
    return report->limit ? SCLIENTS_LIMITED : SCLIENTS_OK;
}

/* -- All of it ------------------------------------------------------------ */

static int prepare(struct run *run)
{
    struct sclients_settings *settings = &run->settings;
    int error = dispatch_new(NULL, &run->loop);

    if (!error)
        error = find(run, settings->url, &run->target);
    if (!error)
        error = find(run, settings->probe_url ? settings->probe_url : settings->url,
                     &run->probe_target);
    if (!error)
        error = write_messages(run);
    if (error)
        return error;

    const struct tcpsocket_address *server = choose(&run->target);

    error = fit(run, server);
    if (!error && settings->probe_rate > 0)
        error = sclients_probe_new(run->loop, settings, &run->probe_target, &run->probe_message,
                                   &run->probe);
    run->report.memory = sclients_private_memory();
    if (!error)
        error = sclients_hold_new(run->loop, settings, server, &run->messages, &run->hold);
    run->timer.fired = pass_second;
    run->interrupt.caught = run->terminate.caught = caught;
    if (!error)
        error = dispatch_timer_add(run->loop, &run->timer);
    if (!error)
        error = dispatch_signal_add(run->loop, &run->interrupt, SIGINT);
    if (!error)
        error = dispatch_signal_add(run->loop, &run->terminate, SIGTERM);
    return error;
}

static int go(struct run *run)
{
    struct sclients_report *report = &run->report;
    uint64_t now;
    int status;

    report->settings = &run->settings;
    report->limits = &run->limits;
    report->sources = run->settings.sources;
    for (int kind = 0; kind < SCLIENTS_KINDS; kind++)
        report->counts[kind] = sclients_hold_counts(run->hold, (enum sclients_kind)kind);
    report->probe = run->probe ? sclients_probe_counts(run->probe) : NULL;

    dispatch_update(run->loop);
    run->start = dispatch_now(run->loop);
    sclients_hold_start(run->hold);
    if (run->probe)
        sclients_probe_start(run->probe);
    dispatch_timer_set(&run->timer,
                       run->start +
                           (run->settings.duration < SECOND ? run->settings.duration : SECOND));
    status = dispatch_run(run->loop);
    if (status != SCLIENTS_OK)
        return SCLIENTS_FAILED;
    if (dispatch_now(run->loop) > run->recorded) /* it was interrupted */
        record_second(run);
    now = sclients_private_memory();
    report->memory = now > report->memory ? now - report->memory : 0;
    report->elapsed = (double)(dispatch_now(run->loop) - run->start) / (double)SECOND;
    report->seconds = run->seconds;
    report->second_count = run->second_count;
    if (!report->limit)
        report->limit = sclients_hold_limit(run->hold);
    return report_all(run);
}

static void clean_up(struct run *run)
{
    sclients_hold_free(run->hold);
    sclients_probe_free(run->probe);
    dispatch_signal_remove(&run->interrupt);
    dispatch_signal_remove(&run->terminate);
    dispatch_timer_remove(&run->timer);
    dispatch_free(run->loop);
    for (size_t i = 0; i < sizeof run->heads / sizeof *run->heads; i++)
        free(run->heads[i]);
    free(run->seconds);
    recipe_fini(&run->settings.recipe);
}

static int print(bool help)
{
    if (help)
        sclients_options_help(stdout);
    else
        printf("asynwsgi-sclients %s\n", PACKAGE_VERSION);
    return fflush(stdout) == 0 ? SCLIENTS_OK : SCLIENTS_FAILED;
}

int main(int argc, char **argv)
{
    static struct run run; /* all zero */
    int error, status;

    (void)argc;
    standard_open();
    error = sclients_options_read(&run.settings, argv);
    if (error == 0 && (run.settings.help || run.settings.version))
        status = print(run.settings.help);
    else if (error < 0 || (error = prepare(&run)) < 0)
        status = error == -EINVAL ? SCLIENTS_USAGE : SCLIENTS_FAILED;
    else
        status = go(&run);
    if (error < 0 && error != -EINVAL)
        fprintf(stderr, "asynwsgi-sclients: %s\n", strerror(-error));
    clean_up(&run);
    return status;
}
