/*
 * Connections, and what they ask for when.
 *
 * A slot is free, or its exchange is under way.  A connection with a free slot for which
 * nothing is due waits in a queue, and the one that has waited longest gets the next
 * request.  When none waits, requests that are due wait for the first slot that becomes
 * free: they are sent late, and none is dropped.
 *
 * A connection that fails is made anew: at once if it had an answer, and otherwise
 * after a pause that doubles each time.
 */
#include "load.h"

#include <errno.h>
#include <stdlib.h>

#define PAUSE_LEAST UINT64_C(10000000) /* ns */
#define PAUSE_DOUBLINGS 7              /* up to 1.28 s */
#define HOPELESS 8                     /* failures in a row */

static bool is_open_loop(const struct load *load)
{
    return load->options->rate > 0;
}

/* -- What is due ---------------------------------------------------------- */

static bool take_due(struct load *load, uint64_t now, struct load_slot *slot)
{
    struct schedule *schedule = &load->schedule;

    if (load->phase == LOAD_ENDING)
        return false;
    if (!is_open_loop(load)) {
        slot->counted = load->phase == LOAD_MEASURING;
        if (slot->counted && load->options->requests > 0 && load->asked == load->options->requests)
            return false;
        load->asked += slot->counted;
        return true;
    }
    if (load->returned_count > 0) {
        slot->due = load->returned[--load->returned_count];
    } else {
        if (schedule->next == schedule->count)
            return false;
        slot->due = schedule_due(schedule, schedule->next);
        if (slot->due > now)
            return false;
        schedule->next++;
    }
    slot->counted = slot->due >= load->begun;
    return true;
}

/* It was not sent. */
static void give_back(struct load *load, const struct load_slot *slot)
{
    if (is_open_loop(load))
        load->returned[load->returned_count++] = slot->due;
    else
        load->asked -= slot->counted;
}

/* -- Waiting for what is due ---------------------------------------------- */

static void wait(struct load_connection *c, uint64_t now)
{
    struct load *load = c->load;

    if (c->link)
        return;
    c->waiting_since = now;
    c->next = NULL;
    c->link = load->waiting_end;
    *load->waiting_end = c;
    load->waiting_end = &c->next;
}

static void wait_no_more(struct load_connection *c)
{
    if (!c->link)
        return;
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    else
        c->load->waiting_end = c->link;
    c->link = NULL;
}

/* Whether a connection was waiting when that was due, and could have sent it at once. */
static bool is_awaited(const struct load *load, uint64_t due)
{
    const struct load_connection *c = load->waiting;

    return c && c->waiting_since <= due &&
           (c->connection.connected > 0 || load->options->no_keepalive);
}

static void set_alarm(struct load *load)
{
    const struct schedule *schedule = &load->schedule;

    if (load->waiting && schedule->next < schedule->count && load->phase != LOAD_ENDING)
        alarm_set(&load->alarm, schedule_due(schedule, schedule->next));
}

/* -- Asking --------------------------------------------------------------- */

static void fail(struct load_connection *c, int error);

static int open_connection(struct load_connection *c)
{
    struct load *load = c->load;

    c->is_noted = c->is_answered = false;
    return httpclient_connection_open(&c->connection, load->client, load->target.addresses,
                                      load->target.count);
}

/* Send what the slot, the first that is free, has taken. */
static void ask(struct load_connection *c)
{
    struct load *load = c->load;
    struct load_messages *messages = &load->messages;
    struct load_slot *slot = c->free;
    int error = load->options->no_keepalive ? open_connection(c) : 0;

    if (error) {
        give_back(load, slot);
        fail(c, error);
        return;
    }
    slot->exchange.message = &messages->all[messages->next];
    if (httpclient_queue(&c->connection, &slot->exchange) < 0) {
        give_back(load, slot); /* `closed` will be called, after what is under way */
        return;
    }
    if (++messages->next == messages->count)
        messages->next = 0;
    if (slot->upload)
        load_upload_begin(&load->uploads, slot->upload);
    c->free = slot->next;
    load->under_way++;
}

/* Take what is due, or wait for it.  Within a callback of the connection it goes out afterwards. */
static void ask_all(struct load_connection *c, uint64_t now)
{
    struct load *load = c->load;

    while (c->free && take_due(load, now, c->free)) {
        const struct load_slot *slot = c->free;

        c->free->on_time = is_open_loop(load) && is_awaited(load, slot->due);
        ask(c);
        if (c->free == slot)
            return;
    }
    if (c->free) {
        wait(c, now);
        set_alarm(load);
    } else {
        wait_no_more(c);
    }
}

/* Something is due, or may be. */
static void serve_waiting(struct load *load, uint64_t now)
{
    struct load_connection *c;

    while ((c = load->waiting) && take_due(load, now, c->free)) {
        struct load_slot *slot = c->free;
        uint64_t since = c->waiting_since;

        slot->on_time = is_awaited(load, slot->due);
        wait_no_more(c);
        ask(c);
        httpclient_flush(&c->connection);
        if (c->free && c->free != slot && c->connection.first)
            wait(c, since);
    }
    set_alarm(load);
}

static void rang(struct alarm *alarm)
{
    struct load *load = (struct load *)((char *)alarm - offsetof(struct load, alarm));

    serve_waiting(load, dispatch_now(load->loop));
}

/* -- What comes of it ----------------------------------------------------- */

/* Count it as made, if it is and was not counted. */
static void note(struct load_connection *c)
{
    struct load *load = c->load;

    if (c->is_noted || c->connection.connected == 0)
        return;
    c->is_noted = load->is_connected = true;
    load->figures.connections_opened +=
        load->phase >= LOAD_MEASURING && c->connection.connected >= load->begun;
}

/* When the request was sent.  With a connection for each, making that is part of it. */
static uint64_t sent_at(const struct load *load, const struct load_slot *slot)
{
    const struct httpclient_times *times = &slot->exchange.times;

    return load->options->no_keepalive || times->begun == 0 ? times->queued : times->begun;
}

static void record(struct load *load, const struct load_slot *slot, uint64_t end)
{
    struct load_figures *figures = &load->figures;
    uint64_t sent = sent_at(load, slot);

    if (!is_open_loop(load)) {
        histogram_record(&figures->recent, end - sent);
        return;
    }
    histogram_record(&figures->recent, end - slot->due);
    histogram_record(&figures->uncorrected, end - sent);
    if (slot->on_time)
        histogram_record(&figures->late, sent - slot->due);
}

static void count(struct load *load, struct load_slot *slot)
{
    const struct httpclient_exchange *x = &slot->exchange;
    struct load_figures *figures = &load->figures;

    load->finished++;
    if (x->error == 0) {
        figures->counts.requests++;
        figures->counts.status += x->status >= 400;
        figures->statuses[x->status]++;
        figures->bytes_out += x->message->head_length + load->messages.body_sent;
        if (slot->upload && slot->upload->digest && x->status / 100 == 2 &&
            !load_upload_matches(slot->upload)) {
            figures->mismatches++;
            figures->counts.read++;
        }
        record(load, slot, x->times.end);
    } else if (x->error == -ETIMEDOUT) {
        figures->counts.timeout++;
        record(load, slot, x->times.end);
    } else {
        figures->counts.read++;
    }
}

static void done(struct httpclient_exchange *exchange)
{
    struct load_slot *slot = (struct load_slot *)exchange;
    struct load_connection *c = slot->owner;
    struct load *load = c->load;

    load->under_way--;
    slot->next = c->free;
    c->free = slot;
    note(c);
    if (exchange->progress == HTTPCLIENT_QUEUED)
        give_back(load, slot);
    else if (slot->counted)
        count(load, slot);
    if (exchange->error == 0) {
        load->figures.in_time += load->phase == LOAD_MEASURING;
        c->is_answered = true;
        c->failures = 0;
        if (!load->options->no_keepalive) /* where it is `closed` that goes on */
            ask_all(c, exchange->times.end);
    }
    load_settle(load);
}

static void produce(struct httpclient_exchange *exchange)
{
    const struct load_slot *slot = (const struct load_slot *)exchange;

    load_upload_produce(&slot->owner->load->uploads, slot->upload, exchange);
}

static void body(struct httpclient_exchange *exchange, const struct http_piece *piece)
{
    load_upload_answer(((struct load_slot *)exchange)->upload, piece->data, piece->length);
}

static const struct httpclient_handler plain_handler = {.done = done};
static const struct httpclient_handler upload_handler = {
    .body = body, .produce = produce, .done = done};

static void tap(struct httpclient_connection *connection, const unsigned char *bytes, size_t length)
{
    struct load *load = ((struct load_connection *)connection)->load;

    (void)bytes;
    if (load->phase >= LOAD_MEASURING)
        load->figures.counts.bytes_in += length;
}

/* -- The life of a connection --------------------------------------------- */

static void go_on(struct load_connection *c)
{
    struct load *load = c->load;
    int error = 0;

    if (load->phase == LOAD_ENDING)
        return;
    if (!load->options->no_keepalive)
        error = open_connection(c);
    if (error) {
        fail(c, error);
        return;
    }
    ask_all(c, dispatch_now(load->loop));
    httpclient_flush(&c->connection);
}

static void pause_is_over(struct dispatch_timer *timer)
{
    go_on((void *)((char *)timer - offsetof(struct load_connection, timer)));
}

static bool have_all_failed(const struct load *load, uint32_t times)
{
    for (uint64_t i = 0; i < load->options->connections; i++)
        if (load->connections[i].failures < times)
            return false;
    return true;
}

/* Try again later. */
static void retreat(struct load_connection *c)
{
    struct load *load = c->load;
    uint32_t doublings = c->failures < PAUSE_DOUBLINGS ? c->failures : PAUSE_DOUBLINGS;

    c->failures++;
    dispatch_timer_set(&c->timer, dispatch_now(load->loop) + (PAUSE_LEAST << doublings));
    if (!load->is_connected && c->failures == 1 && have_all_failed(load, 1))
        dispatch_stop(load->loop, 0);
    if (load->options->duration == 0 && c->failures == HOPELESS && have_all_failed(load, HOPELESS))
        load_end(load);
}

/* The connection could not be made. */
static void fail(struct load_connection *c, int error)
{
    struct load *load = c->load;

    load->error = error;
    load->figures.counts.connect += load->phase == LOAD_MEASURING;
    wait_no_more(c);
    retreat(c);
}

static void closed(struct httpclient_connection *connection, int error)
{
    struct load_connection *c = (struct load_connection *)connection;
    struct load *load = c->load;

    note(c);
    wait_no_more(c);
    if (connection->connected == 0)
        fail(c, error);
    else if (c->is_answered)
        go_on(c);
    else
        retreat(c);
    serve_waiting(load, dispatch_now(load->loop));
    load_settle(load);
}

/* -- All of them ---------------------------------------------------------- */

static int init_connection(struct load *load, struct load_connection *c, size_t index)
{
    size_t depth = (size_t)load->options->pipeline;

    c->load = load;
    c->connection.closed = closed;
    c->connection.tap = tap;
    c->timer.fired = pause_is_over;
    for (size_t i = 0; i < depth; i++) {
        struct load_slot *slot = &load->slots[index * depth + i];

        slot->owner = c;
        slot->exchange.handler = &plain_handler;
        if (load->uploads.count > 0) {
            slot->upload = &load->uploads.all[index * depth + i];
            slot->exchange.handler = &upload_handler;
        }
        slot->next = c->free;
        c->free = slot;
    }
    return dispatch_timer_add(load->loop, &c->timer);
}

int load_client_init(struct load *load)
{
    const struct load_options *options = load->options;
    size_t connections = (size_t)options->connections;
    size_t exchanges = connections * (size_t)options->pipeline;
    struct httpclient_options how = {
        .loop = load->loop,
        .limits = http_limits_default,
        .timeouts = {.connect = options->timeout, .exchange = options->timeout},
        .depth = (uint32_t)options->pipeline,
    };
    int error;

    how.limits.body = 0;
    load->waiting_end = &load->waiting;
    load->connections = calloc(connections, sizeof *load->connections);
    load->slots = calloc(exchanges, sizeof *load->slots);
    load->returned = calloc(exchanges, sizeof *load->returned);
    if (!load->connections || !load->slots || !load->returned)
        return -ENOMEM;
    error = load_uploads_init(&load->uploads, options, exchanges);
    if (!error)
        error = httpclient_new(&how, &load->client);
    for (size_t i = 0; !error && i < connections; i++)
        error = init_connection(load, &load->connections[i], i);
    load->alarm.rang = rang;
    return error ? error : alarm_open(&load->alarm, load->loop);
}

void load_client_start(struct load *load)
{
    for (size_t i = 0; i < load->options->connections; i++)
        go_on(&load->connections[i]);
}

/* -- The end -------------------------------------------------------------- */

/* What is not answered counts with the time that has passed since it was due. */
static void abandon(struct load *load, uint64_t since)
{
    load->figures.unfinished++;
    histogram_record(&load->figures.recent, load->ended > since ? load->ended - since : 0);
}

static void abandon_slot(struct load *load, const struct load_slot *slot)
{
    uint64_t sent = sent_at(load, slot);

    if (!slot->exchange.connection || !slot->counted)
        return;
    abandon(load, is_open_loop(load) ? slot->due : sent);
    if (is_open_loop(load) && slot->exchange.progress != HTTPCLIENT_QUEUED)
        histogram_record(&load->figures.uncorrected, load->ended > sent ? load->ended - sent : 0);
}

void load_client_abandon(struct load *load)
{
    struct schedule *schedule = &load->schedule;

    for (size_t i = 0; i < load->options->connections; i++)
        note(&load->connections[i]);
    for (size_t i = 0; i < load->options->connections * load->options->pipeline; i++)
        abandon_slot(load, &load->slots[i]);
    for (size_t i = 0; i < load->returned_count; i++)
        if (load->returned[i] >= load->begun)
            abandon(load, load->returned[i]);
    for (; schedule->next < schedule->count; schedule->next++) {
        uint64_t due = schedule_due(schedule, schedule->next);

        if (due >= load->ended)
            break;
        if (due >= load->begun)
            abandon(load, due);
    }
}

void load_client_fini(struct load *load)
{
    alarm_close(&load->alarm);
    for (size_t i = 0; load->connections && i < load->options->connections; i++) {
        httpclient_connection_close(&load->connections[i].connection);
        dispatch_timer_remove(&load->connections[i].timer);
    }
    httpclient_free(load->client);
    load_uploads_fini(&load->uploads);
    free(load->connections);
    free(load->slots);
    free(load->returned);
}
