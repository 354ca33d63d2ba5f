/*
 * The server: listeners, the connections there are, drain, and the Date field.
 *
 * A connection is allocated when it is accepted and in `connections` until it
 * is closed.  What an exchange needs it has only as long as there is one.
 */
#include "connection.h"
#include "put.h"

#include <assert.h>
#include <asynwsgi/phases.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const uint64_t second = 1000000000;

enum {
    SPARE_EXCHANGES = 64 /* at most, that wait for another connection */
};

const struct http_timeouts http_timeouts_default = {
    .head = 30 * second,
    .body = 60 * second,
    .idle = 75 * second,
    .write = 60 * second,
    .drain = 30 * second,
    .body_rate = 240,
    .write_rate = 240,
};

/* -- Date and Server ------------------------------------------------------ */

/* "Date: " ... "\r\n" "Server: " name "\r\n"; the date is filled in when it is needed. */
static int make_stamp(struct response_stamp *stamp, const char *name)
{
    size_t length = name == NULL ? 0 : strlen(name);
    unsigned char *at;

    if (name != NULL && !http_field_value_valid((const unsigned char *)name, length))
        return -EINVAL;
    stamp->text = malloc(sizeof("Date: \r\nServer: \r\n") + HTTP_DATE + length);
    if (stamp->text == NULL)
        return -ENOMEM;
    at = put(stamp->text, LITERAL("Date: ")) + HTTP_DATE;
    at = put(at, LITERAL("\r\n"));
    stamp->date_length = (size_t)(at - stamp->text);
    if (name != NULL) {
        at = put(at, LITERAL("Server: "));
        at = put(at, name, length);
        at = put(at, LITERAL("\r\n"));
    }
    stamp->server_length = (size_t)(at - stamp->text) - stamp->date_length;
    return 0;
}

const struct response_stamp *http_server_stamp(struct http_server *server)
{
    uint64_t now = dispatch_now(server->options.loop);

    if (now >= server->stamp_until) {
        char *date = (char *)server->stamp.text + sizeof("Date: ") - 1;
        struct timespec wall;

        clock_gettime(CLOCK_REALTIME, &wall);
        http_date_format(wall.tv_sec, date);
        server->stamp_until = now + second - (uint64_t)wall.tv_nsec;
    }
    return &server->stamp;
}

/* -- The server ----------------------------------------------------------- */

/*
 * Input must hold a whole head.  Output is handed to the kernel by http_send()
 * from output_high on, before the buffer that all streams share is full.  A
 * handler may send a piece of any size, so there is no other limit to it.
 */
static struct tcpsocket_limits pool_limits(const struct http_limits *limits)
{
    uint32_t input = 65536;

    if (limits->head > input / 2)
        input = limits->head < UINT32_MAX / 2 ? 2 * limits->head : UINT32_MAX;
    return (struct tcpsocket_limits){.input = input,
                                     .output_high = OUTPUT_HIGH,
                                     .output_low = OUTPUT_LOW,
                                     .output_max = UINT32_MAX};
}

static void drained(struct dispatch_timer *timer);

int http_server_new(const struct http_server_options *options, struct http_server **result)
{
    struct tcpsocket_limits limits = pool_limits(&options->limits);
    struct http_server *server;
    int error;

    if (options->limits.fields > HTTP_FIELDS_MAX)
        return -EINVAL;
    server = calloc(1, sizeof(*server));
    if (server == NULL)
        return -ENOMEM;
    server->options = *options;
    server->parse = http_parsers_choose(dispatch_is_measured(options->loop));
    server->drained_timer.fired = drained;
    error = -ENOMEM;
    server->request.fields = calloc(options->limits.fields + 1, sizeof(struct http_field));
    if (server->request.fields == NULL)
        goto fail;
    error = make_stamp(&server->stamp, options->name);
    if (error != 0)
        goto fail_fields;
    error = tcpsocket_pool_new(options->loop, &limits, &http_connection_events, &server->pool);
    if (error != 0)
        goto fail_stamp;
    error = dispatch_timer_add(options->loop, &server->drained_timer);
    if (error != 0)
        goto fail_pool;
    *result = server;
    return 0;

fail_pool:
    tcpsocket_pool_free(server->pool);
fail_stamp:
    free(server->stamp.text);
fail_fields:
    free(server->request.fields);
fail:
    free(server);
    return error;
}

static void accepted(struct tcpsocket_listener *socket, int descriptor, const struct sockaddr *peer,
                     socklen_t length)
{
    http_connection_open((struct http_listener *)socket, descriptor, peer, length);
}

int http_server_listen(struct http_server *server, int descriptor)
{
    static_assert(offsetof(struct http_listener, socket) == 0, "accepted() casts");
    struct http_listener *listener = calloc(1, sizeof(*listener));
    int error;

    if (listener == NULL)
        return -ENOMEM;
    listener->server = server;
    listener->socket.accepted = accepted;
    listener->address.length = sizeof(listener->address.socket);
    if (getsockname(descriptor, &listener->address.socket.any, &listener->address.length) < 0)
        error = -errno;
    else
        error = tcpsocket_listener_open(&listener->socket, server->options.loop, descriptor);
    if (error != 0) {
        free(listener);
        return error;
    }
    listener->next = server->listeners;
    server->listeners = listener;
    return 0;
}

static void close_listeners(struct http_server *server)
{
    for (struct http_listener *listener = server->listeners; listener; listener = listener->next)
        tcpsocket_listener_close(&listener->socket);
}

void http_server_free(struct http_server *server)
{
    if (server == NULL)
        return;
    close_listeners(server);
    while (server->connections != NULL) {
        assert(!server->connections->running);
        http_connection_lost(server->connections);
    }
    while (server->listeners != NULL) {
        struct http_listener *listener = server->listeners;

        server->listeners = listener->next;
        free(listener);
    }
    while (server->exchanges != NULL) {
        struct http_exchange *exchange = server->exchanges;

        server->exchanges = exchange->next;
        free(exchange);
    }
    dispatch_timer_remove(&server->drained_timer);
    tcpsocket_pool_free(server->pool);
    free(server->stamp.text);
    free(server->request.fields);
    http_sections_fini(&server->sections);
    free(server);
}

/* -- Connections ---------------------------------------------------------- */

struct http_connection *http_server_add(struct http_server *server)
{
    struct http_connection *connection = calloc(1, sizeof(*connection));

    if (connection == NULL)
        return NULL;
    connection->next = server->connections;
    connection->link = &server->connections;
    if (connection->next != NULL)
        connection->next->link = &connection->next;
    server->connections = connection;
    server->connection_count++;
    return connection;
}

void http_server_remove(struct http_server *server, struct http_connection *connection)
{
    *connection->link = connection->next;
    if (connection->next != NULL)
        connection->next->link = connection->link;
    server->connection_count--;
    if (server->draining && server->connection_count == 0)
        dispatch_timer_set(&server->drained_timer, 0);
    free(connection);
}

bool http_server_give_exchange(struct http_connection *c)
{
    struct http_server *server = http_connection_server(c);
    struct http_exchange *exchange = server->exchanges;

    if (exchange != NULL) {
        server->exchanges = exchange->next;
        server->exchange_count--;
    } else {
        exchange = malloc(sizeof(*exchange));
        if (exchange == NULL)
            return false;
    }
    memset(exchange, 0, offsetof(struct http_exchange, chunked)); /* that is set with the framing */
    c->exchange = exchange;
    return true;
}

void http_server_take_exchange(struct http_connection *c)
{
    struct http_server *server = http_connection_server(c);
    struct http_exchange *exchange = c->exchange;

    if (exchange == NULL)
        return;
    c->exchange = NULL;
    if (server->exchange_count == SPARE_EXCHANGES) {
        free(exchange);
        return;
    }
    exchange->next = server->exchanges;
    server->exchanges = exchange;
    server->exchange_count++;
}

size_t http_server_connections(const struct http_server *server)
{
    return server->connection_count;
}

/* -- Memory --------------------------------------------------------------- */

bool http_hold_memory(struct http_connection *c, size_t bytes)
{
    struct http_server *server = http_connection_server(c);

    server->handler_memory += bytes - c->exchange->memory;
    c->exchange->memory = bytes;
    return server->spent;
}

size_t http_server_memory(const struct http_server *server)
{
    return tcpsocket_pool_held(server->pool) + server->handler_memory +
           server->connection_count * sizeof(struct http_connection);
}

static void set_spent(struct http_server *server, bool spent)
{
    struct http_connection *next;

    server->spent = spent;
    server->changing = true;
    if (server->options.spent != NULL)
        server->options.spent(server->options.spent_context, spent);
    for (struct http_listener *listener = server->listeners; listener; listener = listener->next)
        if (spent)
            tcpsocket_listener_pause(&listener->socket);
        else
            tcpsocket_listener_resume(&listener->socket);
    for (struct http_connection *c = server->connections; c != NULL; c = next) {
        next = c->next;
        http_connection_spent(c);
    }
    server->changing = false;
}

void http_server_watch_memory(struct http_server *server)
{
    size_t most = server->options.memory;

    if (most == 0 || server->changing)
        return;
    if (!server->spent && http_server_memory(server) > most)
        set_spent(server, true);
    if (server->spent && http_server_memory(server) <= most - most / 8)
        set_spent(server, false);
}

/* -- Drain ---------------------------------------------------------------- */

static void drained(struct dispatch_timer *timer)
{
    struct http_server *server =
        (void *)((char *)timer - offsetof(struct http_server, drained_timer));

    /* Last, since it may free the server. */
    server->drained(server->drained_context);
}

void http_server_drain(struct http_server *server, void (*callback)(void *context), void *context)
{
    server->draining = true;
    server->drained = callback;
    server->drained_context = context;
    close_listeners(server);
    for (struct http_connection *c = server->connections; c != NULL; c = c->next)
        if (c->state == STATE_IDLE)
            http_connection_kick(c);
    if (server->connection_count == 0)
        dispatch_timer_set(&server->drained_timer, 0);
}
