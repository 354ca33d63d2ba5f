/*
 * The access log of a worker.
 *
 * Every exchange under way has a record with what is known of its line.
 * Records are used again, and grow as needed, so in the steady state nothing
 * is allocated.  An exchange for which there was no memory has no line.
 */
#include "access_log.h"

#include "log.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct server_access_record {
    struct server_access_record *next;
    size_t before, after; /* lengths of the two parts in `text` */
    size_t capacity;
    char text[];
};

enum {
    RECORD = 512
};

static void flush(struct server_access_log *log)
{
    server_log_write(log->fd, log->buffer, log->length);
    log->length = 0;
}

static void turn_ended(struct dispatch_timer *timer)
{
    char *start = (char *)timer - offsetof(struct server_access_log, flush);
    struct server_access_log *log = (void *)start;

    flush(log);
}

int server_access_log_init(struct server_access_log *log, struct dispatch *loop, int fd)
{
    *log = (struct server_access_log){.fd = fd, .date_second = -1, .flush.fired = turn_ended};
    return dispatch_timer_add(loop, &log->flush);
}

void server_access_log_fini(struct server_access_log *log)
{
    flush(log);
    dispatch_timer_remove(&log->flush);
    while (log->unused) {
        struct server_access_record *record = log->unused;

        log->unused = record->next;
        free(record);
    }
}

static const char *date_now(struct server_access_log *log)
{
    int64_t now = time(NULL);

    if (now != log->date_second)
        server_access_date(now, log->date);
    log->date_second = now;
    return log->date;
}

/* A record that has room for so much text, or NULL. */
static struct server_access_record *take(struct server_access_log *log, size_t length)
{
    struct server_access_record *record = log->unused;
    size_t capacity = length > RECORD ? length : RECORD;

    if (record)
        log->unused = record->next;
    if (record && record->capacity >= length)
        return record;
    free(record);
    record = malloc(sizeof *record + capacity);
    if (record)
        record->capacity = capacity;
    return record;
}

static void began(struct http_connection *connection, const struct http_request *request)
{
    struct server_access_log *log = http_connection_observer_context(connection);
    char text[SERVER_ACCESS_LINE];
    size_t before =
        server_access_line_before(text, http_connection_peer(connection), date_now(log), request);
    size_t after = server_access_line_after(text + before, request);
    struct server_access_record *record = take(log, before + after);

    if (record) {
        record->before = before;
        record->after = after;
        memcpy(record->text, text, before + after);
    }
    http_record_set(connection, record);
}

static void ended(struct http_connection *connection)
{
    struct server_access_log *log = http_connection_observer_context(connection);
    struct server_access_record *record = http_record(connection);
    char line[SERVER_ACCESS_LINE];
    size_t length;

    if (!record)
        return;
    memcpy(line, record->text, record->before);
    length = record->before;
    length += server_access_line_result(line + length, http_connection_status(connection),
                                        http_connection_sent(connection));
    memcpy(line + length, record->text + record->before, record->after);
    length += record->after;
    record->next = log->unused;
    log->unused = record;

    if (length > sizeof log->buffer - log->length)
        flush(log);
    if (log->length == 0)
        dispatch_timer_set(&log->flush, dispatch_now(log->flush.loop));
    memcpy(log->buffer + log->length, line, length);
    log->length += length;
}

const struct http_observer server_access_observer = {.began = began, .ended = ended};
