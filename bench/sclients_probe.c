/*
 * The probe: an ordinary client.  A request is due at each instant of a steady rate, and
 * its time counts from then, so that a server that stalls is seen to stall for all who
 * would have come meanwhile.  Each has a connection of its own, or all share one.
 */
#include "sclients.h"

#include "pace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)

/* Room for a request; as many may be under way as are due until the first is late. */
struct shot {
    struct httpclient_exchange exchange;
    struct httpclient_connection connection; /* its own */
    struct sclients_probe *probe;
    uint64_t due;
    struct shot *next; /* of the spare ones */
};

struct sclients_probe {
    struct dispatch *loop;
    struct httpclient *client;
    const struct target *target;
    const struct httpclient_message *message;
    struct dispatch_timer timer;
    struct httpclient_connection kept; /* that all share */
    bool keeps, is_open;
    uint64_t rate, start, warm_up;
    struct shot *shots, *spare;
    size_t room; /* of shots */
    struct sclients_probe_counts counts;
    uint64_t answered, failed; /* up to the last moment */
    struct histogram second;   /* since then */
};

static void close_kept(struct httpclient_connection *connection, int error)
{
    struct sclients_probe *probe =
        (void *)((char *)connection - offsetof(struct sclients_probe, kept));

    (void)error; /* its exchanges have been told */
    probe->is_open = false;
}

static void close_own(struct httpclient_connection *connection, int error)
{
    (void)connection, (void)error; /* its exchange has been told, and closed it */
}

static void fail(struct shot *shot, enum failure failure)
{
    struct sclients_probe *probe = shot->probe;

    probe->counts.failures[failure]++;
    shot->next = probe->spare;
    probe->spare = shot;
}

static void done(struct httpclient_exchange *exchange)
{
    struct shot *shot = (void *)((char *)exchange - offsetof(struct shot, exchange));
    struct sclients_probe *probe = shot->probe;
    uint64_t taken = exchange->times.end - shot->due;

    if (!probe->keeps)
        httpclient_connection_close(&shot->connection);
    if (exchange->error) {
        fail(shot, failure_of(exchange));
        return;
    }
    probe->counts.answered++;
    probe->counts.statuses[exchange->status % 1000]++;
    histogram_record(&probe->second, taken);
    if (shot->due - probe->start >= probe->warm_up)
        histogram_record(&probe->counts.latency, taken);
    shot->next = probe->spare;
    probe->spare = shot;
}

static const struct httpclient_handler handler = {.done = done};

static void ask(struct sclients_probe *probe, uint64_t due)
{
    struct shot *shot = probe->spare;
    struct httpclient_connection *connection = probe->keeps ? &probe->kept : &shot->connection;
    int error = 0;

    probe->spare = shot->next;
    shot->due = due;
    memset(&shot->exchange, 0, sizeof shot->exchange);
    shot->exchange.handler = &handler;
    shot->exchange.message = probe->message;
    if (!probe->keeps || !probe->is_open)
        error = httpclient_connection_open(connection, probe->client, probe->target->addresses,
                                           probe->target->count);
    if (error == 0) {
        probe->is_open = probe->keeps;
        error = httpclient_queue(connection, &shot->exchange);
    }
    if (error == 0)
        httpclient_flush(connection);
    else
        fail(shot, FAILURE_CONNECT);
}

/* Those for which there is no room are late already: the server has been silent for as long. */
static void fire(struct dispatch_timer *timer)
{
    struct sclients_probe *probe = (void *)((char *)timer - offsetof(struct sclients_probe, timer));
    uint64_t due = pace_due(dispatch_now(probe->loop) - probe->start, probe->rate, SECOND);

    while (probe->counts.asked < due) {
        probe->counts.asked++;
        if (probe->spare)
            ask(probe, probe->start + pace_when(probe->counts.asked, probe->rate, SECOND));
        else
            probe->counts.failures[FAILURE_TIMEOUT]++;
    }
    dispatch_timer_set(timer, probe->start + pace_when(due + 1, probe->rate, SECOND));
}

int sclients_probe_new(struct dispatch *loop, const struct sclients_settings *settings,
                       const struct target *target, const struct httpclient_message *message,
                       struct sclients_probe **made)
{
    const struct httpclient_options options = {
        .loop = loop,
        .limits = http_limits_default,
        .timeouts = {.exchange = settings->probe_timeout},
    };
    struct sclients_probe *probe = calloc(1, sizeof *probe);
    int error = -ENOMEM;

    if (!probe)
        return -ENOMEM;
    probe->loop = loop;
    probe->target = target;
    probe->message = message;
    probe->keeps = settings->probe_kept;
    probe->rate = settings->probe_rate;
    probe->warm_up = settings->warm_up;
    probe->kept.closed = close_kept;
    probe->timer.fired = fire;
    probe->room = (size_t)pace_due(settings->probe_timeout, probe->rate, SECOND) + 1;
    probe->shots = calloc(probe->room, sizeof *probe->shots);
    if (!probe->shots || (error = httpclient_new(&options, &probe->client)) < 0 ||
        (error = dispatch_timer_add(loop, &probe->timer)) < 0) {
        sclients_probe_free(probe);
        return error;
    }
    for (size_t i = probe->room; i-- > 0;) {
        probe->shots[i].probe = probe;
        probe->shots[i].connection.closed = close_own;
        probe->shots[i].next = probe->spare;
        probe->spare = &probe->shots[i];
    }
    *made = probe;
    return 0;
}

void sclients_probe_start(struct sclients_probe *probe)
{
    probe->start = dispatch_now(probe->loop);
    fire(&probe->timer);
}

void sclients_probe_moment(struct sclients_probe *probe, struct sclients_moment *moment)
{
    const struct sclients_probe_counts *counts = &probe->counts;
    uint64_t failed = 0;

    for (int i = 0; i < FAILURES; i++)
        failed += counts->failures[i];
    *moment = (struct sclients_moment){
        .answered = counts->answered - probe->answered,
        .failed = failed - probe->failed,
        .waiting = counts->asked - counts->answered - failed,
        .median = histogram_percentile(&probe->second, 50),
        .p99 = histogram_percentile(&probe->second, 99),
        .max = probe->second.max,
    };
    probe->answered = counts->answered;
    probe->failed = failed;
    memset(&probe->second, 0, sizeof probe->second);
}

const struct sclients_probe_counts *sclients_probe_counts(const struct sclients_probe *probe)
{
    return &probe->counts;
}

void sclients_probe_free(struct sclients_probe *probe)
{
    if (!probe)
        return;
    for (size_t i = 0; probe->shots && i < probe->room; i++)
        httpclient_connection_close(&probe->shots[i].connection);
    httpclient_connection_close(&probe->kept);
    dispatch_timer_remove(&probe->timer);
    httpclient_free(probe->client);
    free(probe->shots);
    free(probe);
}
