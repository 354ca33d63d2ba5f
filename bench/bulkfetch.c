/*
 * bulkfetch: from the list to fetches, and what becomes of each.
 *
 * Whatever ends a fetch only puts it in its next place; bulkfetch_pump() goes on from there, last
 * in every callback, so nothing here calls itself.
 */
#include "bulkfetch.h"

#include "httpclient_commands.h"
#include "machine.h"
#include "target.h"

#include <asynwsgi/units.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Nanoseconds. */
#define BACK_OFF UINT64_C(100000000)
#define BACK_OFF_MAX (UINT64_C(10) * 1000000000)
#define RETRY_AFTER_MAX (UINT64_C(60) * 1000000000)
#define TICK UINT64_C(200000000)

void fetch_append(struct fetch_queue *queue, struct fetch *fetch)
{
    fetch->next = NULL;
    if (queue->first)
        queue->last->next = fetch;
    else
        queue->first = fetch;
    queue->last = fetch;
}

/* What cannot go on: the first reason counts. */
static void stop(struct bulkfetch *bulk, int status, const char *what, int error)
{
    if (bulk->status == BULKFETCH_OK)
        bulkfetch_complain(bulk, what, strerror(-error));
    if (bulk->status == BULKFETCH_OK)
        bulk->status = status;
    dispatch_stop(bulk->loop, 0);
}

/* -- Files ---------------------------------------------------------------- */

static void close_file(struct fetch *fetch, bool whole)
{
    struct bulkfetch *bulk = fetch->bulk;

    if (fetch->file < 0)
        return;
    if (close(fetch->file) < 0) {
        stop(bulk, BULKFETCH_WRITE, fetch->name, -errno);
        whole = false;
    }
    fetch->file = -1;
    if (!whole)
        folder_remove(&bulk->folder, fetch->name);
}

static void create_file(struct fetch *fetch)
{
    struct bulkfetch *bulk = fetch->bulk;
    struct httpclient_url url;

    httpclient_url_parse(fetch->text, strlen(fetch->text), &url);
    folder_name(&url, fetch->name);
    fetch->file = folder_create(&bulk->folder, fetch->name);
    if (fetch->file < 0)
        stop(bulk, BULKFETCH_WRITE, fetch->name, fetch->file);
}

static void body(struct httpclient_exchange *x, const struct http_piece *piece)
{
    struct fetch *fetch = (struct fetch *)x;
    const unsigned char *data = piece->data;
    size_t length = piece->length;

    while (length > 0 && fetch->file >= 0) {
        ssize_t written = write(fetch->file, data, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0) {
            stop(fetch->bulk, BULKFETCH_WRITE, fetch->name, -errno);
            close_file(fetch, false);
            return;
        }
        data += written;
        length -= (size_t)written;
    }
}

/* -- What becomes of a fetch ---------------------------------------------- */

static void release(struct fetch *fetch)
{
    struct bulkfetch *bulk = fetch->bulk;

    host_leave(fetch->host);
    fetch->host = NULL;
    fetch->next = bulk->free;
    bulk->free = fetch;
    bulk->active--;
    bulk->counts.done++;
}

void fetch_fail(struct fetch *fetch, enum failure failure, const char *why)
{
    struct bulkfetch *bulk = fetch->bulk;

    bulk->counts.failures[failure]++;
    if (!bulk->settings.quiet)
        bulkfetch_complain(bulk, fetch->text, why);
    release(fetch);
}

/* A connection that was kept may have been ended by the server meanwhile (RFC 9112, 9.3.1). */
static bool was_late(const struct httpclient_exchange *x, enum failure failure,
                     const struct link *link)
{
    return failure == FAILURE_ABORTED || (link->completed > 0 && !x->late &&
                                          (failure == FAILURE_EMPTY || failure == FAILURE_SEND));
}

static bool may_retry(const struct fetch *fetch, enum failure failure)
{
    const struct httpclient_exchange *x = &fetch->exchange;

    if (fetch->attempts >= fetch->bulk->settings.retries)
        return false;
    if (failure)
        return failure != FAILURE_PROTOCOL && httpclient_may_retry(x);
    return x->status == 503 && fetch->message.is_idempotent;
}

static void back_off(struct fetch *fetch)
{
    uint64_t pause = BACK_OFF << (fetch->attempts < 7 ? fetch->attempts : 7);

    if (pause > BACK_OFF_MAX)
        pause = BACK_OFF_MAX;
    if (pause < fetch->retry_after)
        pause = fetch->retry_after;
    fetch->attempts++;
    fetch->bulk->counts.retries++;
    dispatch_timer_set(&fetch->timer, dispatch_clock() + pause);
}

static void expired(struct dispatch_timer *timer)
{
    struct fetch *fetch = (void *)((char *)timer - offsetof(struct fetch, timer));

    fetch_append(&fetch->bulk->waiting, fetch);
    bulkfetch_pump(fetch->bulk, NULL);
}

static void answered(struct fetch *fetch)
{
    struct bulkfetch_counts *counts = &fetch->bulk->counts;
    unsigned status = fetch->exchange.status;
    char why[32];

    counts->statuses[status]++;
    if (status / 100 == 2) {
        counts->good++;
    } else if (!fetch->bulk->settings.quiet) {
        snprintf(why, sizeof why, "status %u", status);
        bulkfetch_complain(fetch->bulk, fetch->text, why);
    }
    release(fetch);
}

static void settle(struct fetch *fetch, struct link *link)
{
    const struct httpclient_exchange *x = &fetch->exchange;
    struct bulkfetch_counts *counts = &fetch->bulk->counts;
    enum failure failure = failure_of(x);

    close_file(fetch, failure == FAILURE_NONE);
    counts->bytes += x->received;
    if (failure && was_late(x, failure, link) && httpclient_may_retry(x)) {
        counts->repeats++;
        fetch_append(&fetch->bulk->waiting, fetch);
    } else if (may_retry(fetch, failure)) {
        back_off(fetch);
    } else if (failure) {
        fetch_fail(fetch, failure, failure_text(x));
    } else {
        answered(fetch);
    }
}

static void done(struct httpclient_exchange *x)
{
    struct fetch *fetch = (struct fetch *)x;
    struct link *link = fetch->link;

    fetch->link = NULL;
    link->load--;
    settle(fetch, link);
    link->completed++;
    bulkfetch_pump(fetch->bulk, link);
}

/* Retry-After: seconds (RFC 9110, 10.2.3); a date is as good as none. */
static uint64_t retry_after(const struct http_response_head *head)
{
    char text[16];
    uint64_t seconds = 0;

    for (uint32_t i = 0; i < head->field_count; i++) {
        const struct http_field *field = &head->fields[i];

        if (field->name.length != strlen("retry-after") || field->value.length >= sizeof text ||
            strncasecmp((const char *)head->message + field->name.start, "retry-after",
                        field->name.length) != 0)
            continue;
        memcpy(text, head->message + field->value.start, field->value.length);
        text[field->value.length] = '\0';
        if (units_number_parse(text, &seconds) == 0)
            return seconds < RETRY_AFTER_MAX / 1000000000 ? seconds * 1000000000 : RETRY_AFTER_MAX;
    }
    return 0;
}

static void response(struct httpclient_exchange *x, const struct http_response_head *head,
                     const struct http_framing *framing)
{
    struct fetch *fetch = (struct fetch *)x;

    (void)framing;
    if (head->status == 503)
        fetch->retry_after = retry_after(head);
    else if (head->status / 100 == 2 && fetch->bulk->folder.fd >= 0)
        create_file(fetch);
}

static const struct httpclient_handler handler = {.response = response, .done = done};
static const struct httpclient_handler saving_handler = {
    .response = response, .body = body, .done = done};

/* -- From the list to fetches --------------------------------------------- */

/* The URL, a NUL, and the head of its request; or why not. */
static const char *write_text(struct fetch *fetch, const char *text, size_t length,
                              struct httpclient_url *url)
{
    const struct recipe *recipe = &fetch->bulk->settings.recipe;
    size_t room = length + 1;
    char *grown;
    int error = httpclient_url_parse(text, length, url);

    if (!error)
        room += recipe_room(recipe, url);
    if (room > fetch->room) {
        grown = realloc(fetch->text, room);
        if (!grown)
            return strerror(ENOMEM);
        fetch->text = grown;
        fetch->room = room;
    }
    memcpy(fetch->text, text, length);
    fetch->text[length] = '\0';
    if (!error)
        error = httpclient_url_parse(fetch->text, length, url);
    if (error)
        return target_error_text(error);
    return recipe_write(recipe, url, fetch->text + length + 1, room - length - 1, &fetch->message)
               ? "with these options it is no request"
               : NULL;
}

static void start(struct fetch *fetch, const char *text, size_t length)
{
    struct bulkfetch *bulk = fetch->bulk;
    struct httpclient_url url;
    const char *problem = write_text(fetch, text, length, &url);

    fetch->attempts = fetch->retry_after = 0;
    if (!problem && !(fetch->host = host_use(bulk, &url)))
        problem = "not enough memory";
    if (problem)
        fetch_fail(fetch, FAILURE_URL, problem);
    else if (fetch->host->resolving)
        fetch_append(&fetch->host->pending, fetch);
    else if (fetch->host->error)
        fetch_fail(fetch, FAILURE_RESOLVE, target_error_text(fetch->host->error));
    else
        fetch_append(&bulk->waiting, fetch);
}

/* One more of the list; whether there may be another now. */
static bool take_next(struct bulkfetch *bulk)
{
    struct fetch *fetch = bulk->free;
    const char *text = NULL;
    size_t length = 0;
    int found = list_next(&bulk->list, &text, &length);

    switch (found) {
    case LIST_URL:
        bulk->free = fetch->next;
        bulk->active++;
        start(fetch, text, length);
        return true;
    case LIST_LONG:
        bulk->counts.failures[FAILURE_URL]++;
        bulk->counts.done++;
        bulkfetch_complain(bulk, "a line of the list", "too long");
        return true;
    case LIST_LATER:
        found = dispatch_add(bulk->loop, &bulk->input, bulk->list.fd, DISPATCH_READ);
        if (!found)
            return false;
        /* fall through */
    default:
        bulk->list_ended = true;
        if (found < 0)
            stop(bulk, BULKFETCH_READ, bulk->settings.input, found);
        return false;
    }
}

void bulkfetch_pump(struct bulkfetch *bulk, struct link *link)
{
    bool more = true;

    while (more && bulk->status == BULKFETCH_OK) {
        while (bulk->waiting.first) {
            struct fetch *next = bulk->waiting.first->next;

            if (!link_place(bulk->waiting.first, link))
                break;
            bulk->waiting.first = next;
        }
        more = bulk->free && !bulk->list_ended && !bulk->input.loop && take_next(bulk);
    }
    if (bulk->active == 0 && bulk->list_ended)
        dispatch_stop(bulk->loop, 0);
}

static void input_ready(struct dispatch_target *target, unsigned events)
{
    struct bulkfetch *bulk = (void *)((char *)target - offsetof(struct bulkfetch, input));

    (void)events;
    dispatch_remove(target);
    bulkfetch_pump(bulk, NULL);
}

/* -- The command ---------------------------------------------------------- */

static void interrupt(struct bulkfetch *bulk)
{
    bulk->interrupted = true;
    dispatch_stop(bulk->loop, 0);
}

static void interrupted(struct dispatch_signal *s)
{
    interrupt((void *)((char *)s - offsetof(struct bulkfetch, interrupt)));
}

static void terminated(struct dispatch_signal *s)
{
    interrupt((void *)((char *)s - offsetof(struct bulkfetch, terminate)));
}

static void ticked(struct dispatch_timer *timer)
{
    struct bulkfetch *bulk = (void *)((char *)timer - offsetof(struct bulkfetch, tick));

    bulkfetch_show_progress(bulk);
    dispatch_timer_set(timer, dispatch_now(bulk->loop) + TICK);
}

static void fetch_init(struct fetch *fetch, struct bulkfetch *bulk)
{
    fetch->bulk = bulk;
    fetch->exchange.message = &fetch->message;
    fetch->exchange.handler = bulk->settings.folder ? &saving_handler : &handler;
    fetch->timer.fired = expired;
    fetch->file = -1;
    fetch->next = bulk->free;
    bulk->free = fetch;
}

static int prepare_fetches(struct bulkfetch *bulk)
{
    size_t links = (size_t)bulk->settings.connections;
    size_t fetches = links * (size_t)bulk->settings.depth;
    int error = 0;

    bulk->links = calloc(links, sizeof *bulk->links);
    bulk->fetches = bulk->links ? calloc(fetches, sizeof *bulk->fetches) : NULL;
    if (!bulk->fetches)
        return -ENOMEM;
    for (size_t i = 0; i < links; i++)
        link_init(&bulk->links[i], bulk);
    for (size_t i = fetches; i-- > 0;)
        fetch_init(&bulk->fetches[i], bulk);
    for (size_t i = 0; i < fetches && !error; i++)
        error = dispatch_timer_add(bulk->loop, &bulk->fetches[i].timer);
    return error;
}

static int prepare(struct bulkfetch *bulk)
{
    const struct bulkfetch_settings *settings = &bulk->settings;
    struct httpclient_options options = {.limits = http_limits_default,
                                         .timeouts = httpclient_timeouts_default,
                                         .depth = (uint32_t)settings->depth};
    int error = dispatch_new(getenv("ASYNWSGI_BACKEND"), &bulk->loop);

    if (error)
        return error;
    options.loop = bulk->loop;
    options.limits.body = 0;
    options.timeouts.connect = settings->connect_timeout;
    options.timeouts.exchange = settings->max_time;
    bulk->interrupt.caught = interrupted;
    bulk->terminate.caught = terminated;
    bulk->tick.fired = ticked;
    bulk->input.ready = input_ready;
    bulk->shows_progress = !settings->quiet && isatty(STDERR_FILENO);
    if ((error = httpclient_new(&options, &bulk->client)) ||
        (error = dispatch_timer_add(bulk->loop, &bulk->tick)) ||
        (error = dispatch_signal_add(bulk->loop, &bulk->interrupt, SIGINT)) ||
        (error = dispatch_signal_add(bulk->loop, &bulk->terminate, SIGTERM)))
        return error;
    return prepare_fetches(bulk);
}

/* What the options name. */
static int open_files(struct bulkfetch *bulk)
{
    const struct bulkfetch_settings *settings = &bulk->settings;
    int error = list_open(&bulk->list, settings->urls, settings->url_count, settings->input);

    if (error) {
        stop(bulk, BULKFETCH_READ, settings->input, error);
        return error;
    }
    if (settings->folder && (error = folder_open(&bulk->folder, settings->folder)))
        stop(bulk, BULKFETCH_WRITE, settings->folder, error);
    return error;
}

/* Of those on a connection, one fetch has a file open. */
static uint64_t descriptors_needed(const struct bulkfetch_settings *settings)
{
    return settings->folder ? 2 * settings->connections : settings->connections;
}

static int run(struct bulkfetch *bulk)
{
    int error;

    if (machine_require("asynwsgi-httpclient bulkfetch", descriptors_needed(&bulk->settings)) < 0)
        return BULKFETCH_USAGE;
    error = prepare(bulk);
    if (error) {
        bulkfetch_complain(NULL, "", strerror(-error));
        return error == -ENOMEM ? BULKFETCH_MEMORY : BULKFETCH_USAGE;
    }
    if (open_files(bulk))
        return bulk->status;
    bulk->started = dispatch_clock();
    if (bulk->shows_progress)
        dispatch_timer_set(&bulk->tick, 0);
    bulkfetch_pump(bulk, NULL);
    error = dispatch_run(bulk->loop);
    bulk->ended = dispatch_clock();
    if (error)
        stop(bulk, BULKFETCH_USAGE, "", error);
    error = bulkfetch_report(bulk);
    if (error)
        stop(bulk, BULKFETCH_WRITE, bulk->settings.json ? bulk->settings.json : "summary", error);
    if (bulk->status == BULKFETCH_OK &&
        (bulk->interrupted || bulk->counts.good < bulk->counts.done))
        return BULKFETCH_SOME;
    return bulk->status;
}

static void finish(struct bulkfetch *bulk)
{
    size_t links = (size_t)bulk->settings.connections;

    for (size_t i = 0; bulk->links && i < links; i++)
        httpclient_connection_close(&bulk->links[i].connection);
    for (size_t i = 0; bulk->fetches && i < links * bulk->settings.depth; i++) {
        close_file(&bulk->fetches[i], false);
        dispatch_timer_remove(&bulk->fetches[i].timer);
        free(bulk->fetches[i].text);
    }
    hosts_free(bulk);
    free(bulk->links);
    free(bulk->fetches);
    dispatch_remove(&bulk->input);
    dispatch_timer_remove(&bulk->tick);
    dispatch_signal_remove(&bulk->interrupt);
    dispatch_signal_remove(&bulk->terminate);
    httpclient_free(bulk->client);
    dispatch_free(bulk->loop);
    list_close(&bulk->list);
    folder_close(&bulk->folder);
}

int bulkfetch_main(char **argv)
{
    struct bulkfetch *bulk = calloc(1, sizeof *bulk);
    int status = BULKFETCH_MEMORY;

    if (!bulk) {
        bulkfetch_complain(NULL, "", strerror(ENOMEM));
        return status;
    }
    bulk->folder.fd = bulk->list.fd = -1;
    status = bulkfetch_options_read(&bulk->settings, argv);
    if (status == BULKFETCH_OK && bulk->settings.help) {
        bulkfetch_options_help(stdout);
        status = fflush(stdout) == 0 ? BULKFETCH_OK : BULKFETCH_WRITE;
    } else if (status == BULKFETCH_OK) {
        status = run(bulk);
        finish(bulk);
    }
    recipe_fini(&bulk->settings.recipe);
    free(bulk);
    return status;
}
