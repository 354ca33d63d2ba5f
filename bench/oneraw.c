/*
 * oneraw: one request, and its response as it comes.
 *
 *   ask --> resolved --> (connected) --> answered --> ended
 *    ^                                                  |
 *    +-------------- a redirect that is followed -------+
 *
 * What is written to the output is what the tap of the connection is shown.
 */
#include "oneraw.h"

#include "failure.h"
#include "httpclient_commands.h"
#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct oneraw {
    struct oneraw_settings settings;
    struct dispatch *loop;
    struct httpclient *client;
    struct httpclient_resolve resolve;
    struct httpclient_connection connection;
    struct httpclient_exchange exchange;
    struct httpclient_message message;
    struct dispatch_timer timer; /* for all that --connect-timeout and --max-time are about */
    struct tcpsocket_address addresses[HTTPCLIENT_ADDRESSES];
    struct oneraw_times times;
    char *url, *next; /* allocated: what is asked for, and where that redirects to */
    enum httpclient_redirect redirect;
    unsigned redirects;
    unsigned char *head;
    int output, status;
};

static struct oneraw *of(struct httpclient_exchange *exchange)
{
    return (void *)((char *)exchange - offsetof(struct oneraw, exchange));
}

/* The end; the first reason counts. */
static void stop(struct oneraw *o, int status)
{
    if (o->status == ONERAW_OK)
        o->status = status;
    dispatch_stop(o->loop, 0);
}

static void fail(struct oneraw *o, int status, const char *what, const char *why)
{
    if (o->status == ONERAW_OK)
        oneraw_complain(what, why);
    stop(o, status);
}

/* -- The response --------------------------------------------------------- */

static void tapped(struct httpclient_connection *connection, const unsigned char *bytes,
                   size_t length)
{
    struct oneraw *o = (void *)((char *)connection - offsetof(struct oneraw, connection));

    while (length > 0 && o->status != ONERAW_WRITE) {
        ssize_t written = write(o->output, bytes, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0) {
            fail(o, ONERAW_WRITE, o->settings.output ? o->settings.output : "standard output",
                 strerror(errno));
            return;
        }
        bytes += written;
        length -= (size_t)written;
    }
}

static void interim(struct httpclient_exchange *x, const struct http_response_head *head)
{
    if (of(x)->settings.verbose)
        oneraw_show_lines("< ", head->message, head->length);
}

static const char *method_of(const struct oneraw *o)
{
    const struct httpclient_request *request = &o->settings.recipe.request;

    return request->method ? request->method : request->body == HTTP_BODY_NONE ? "GET" : "POST";
}

static void response(struct httpclient_exchange *x, const struct http_response_head *head,
                     const struct http_framing *framing)
{
    struct oneraw *o = of(x);

    (void)framing;
    interim(x, head);
    o->redirect = httpclient_redirect(head->status, method_of(o), strlen(method_of(o)));
    if (o->settings.follows && o->redirect != HTTPCLIENT_STAY)
        o->next = oneraw_redirect_find(head, o->url);
}

static void body(struct httpclient_exchange *x, const struct http_piece *piece)
{
    if (of(x)->settings.verbose)
        oneraw_show_lines("< ", piece->trailer, piece->trailer_length);
}

static int status_of(enum failure failure)
{
    static const int statuses[FAILURES] = {
        [FAILURE_NONE] = ONERAW_OK,         [FAILURE_URL] = ONERAW_URL,
        [FAILURE_RESOLVE] = ONERAW_RESOLVE, [FAILURE_CONNECT] = ONERAW_CONNECT,
        [FAILURE_TIMEOUT] = ONERAW_TIMEOUT, [FAILURE_SEND] = ONERAW_SEND,
        [FAILURE_EMPTY] = ONERAW_EMPTY,     [FAILURE_RECEIVE] = ONERAW_RECEIVE,
        [FAILURE_PARTIAL] = ONERAW_PARTIAL, [FAILURE_PROTOCOL] = ONERAW_REPLY,
        [FAILURE_CODING] = ONERAW_RECEIVE,  [FAILURE_ABORTED] = ONERAW_RECEIVE,
    };

    return statuses[failure];
}

static void ask(struct oneraw *o);

static void follow(struct oneraw *o)
{
    if (o->redirects++ == ONERAW_REDIRECTS_MAX) {
        fail(o, ONERAW_REDIRECTS, o->url, "redirects once too often");
        return;
    }
    oneraw_redirect_take(&o->settings.recipe, o->redirect, o->url, o->next);
    free(o->url);
    o->url = o->next;
    o->next = NULL;
    httpclient_connection_close(&o->connection);
    ask(o);
}

static void done(struct httpclient_exchange *x)
{
    struct oneraw *o = of(x);
    enum failure failure = failure_of(x);

    o->times.connected = o->connection.connected;
    o->times.exchange = x->times;
    if (o->settings.verbose)
        oneraw_show_times(&o->times);
    if (failure)
        fail(o, status_of(failure), o->url, failure_text(x));
    else if (o->next && o->status == ONERAW_OK)
        follow(o);
    else
        stop(o, ONERAW_OK);
}

static const struct httpclient_handler handler = {
    .response = response, .interim = interim, .body = body, .done = done};

static void closed(struct httpclient_connection *connection, int error)
{
    struct oneraw *o = (void *)((char *)connection - offsetof(struct oneraw, connection));

    if (error == -EPROTO && o->status == ONERAW_OK)
        oneraw_complain(o->url, "there is something behind the response");
}

/* -- The request ---------------------------------------------------------- */

static void show_request(const struct oneraw *o)
{
    char text[TCPSOCKET_ADDRESS_TEXT];

    tcpsocket_address_format(&o->addresses[0].socket.any, o->addresses[0].length, text);
    fprintf(stderr, "* connecting to %s, to send:\n", text);
    oneraw_show_lines("> ", o->message.head, o->message.head_length);
    if (o->message.body_length > 0)
        fprintf(stderr, "* and a body of %llu bytes\n", (unsigned long long)o->message.body_length);
}

static void connect_to(struct oneraw *o, const struct tcpsocket_address *addresses, size_t count)
{
    int error;

    o->times.resolved = dispatch_clock();
    memcpy(o->addresses, addresses, count * sizeof *addresses);
    if (o->settings.verbose)
        show_request(o);
    error = httpclient_connection_open(&o->connection, o->client, o->addresses, count);
    if (!error)
        error = httpclient_queue(&o->connection, &o->exchange);
    if (error)
        fail(o, ONERAW_CONNECT, o->url, strerror(-error));
    else
        httpclient_flush(&o->connection);
}

static void resolved(struct httpclient_resolve *resolve, int error,
                     const struct tcpsocket_address *addresses, size_t count)
{
    struct oneraw *o = (void *)((char *)resolve - offsetof(struct oneraw, resolve));

    if (error)
        fail(o, ONERAW_RESOLVE, o->url, target_error_text(error));
    else
        connect_to(o, addresses, count);
}

static int write_message(struct oneraw *o, const struct httpclient_url *url)
{
    size_t room = recipe_room(&o->settings.recipe, url);
    unsigned char *head = realloc(o->head, room);

    if (!head)
        return -ENOMEM;
    o->head = head;
    return recipe_write(&o->settings.recipe, url, head, room, &o->message);
}

static void find(struct oneraw *o, const struct httpclient_url *url)
{
    struct tcpsocket_address address;
    int error;

    if (o->settings.unix_socket) {
        error = target_unix(o->settings.unix_socket, &address);
        if (!error)
            connect_to(o, &address, 1);
    } else {
        error =
            httpclient_resolve_start(&o->resolve, o->loop, url->host, url->host_length, url->port);
    }
    if (error)
        fail(o, o->settings.unix_socket ? ONERAW_CONNECT : ONERAW_RESOLVE, o->url,
             target_error_text(error));
}

/* Deadlines count from the start, whatever redirects there are. */
static uint64_t deadline(const struct oneraw *o)
{
    const struct oneraw_settings *settings = &o->settings;
    uint64_t patience = settings->max_time;

    if (settings->connect_timeout && o->connection.connected == 0 &&
        (patience == 0 || settings->connect_timeout < patience))
        patience = settings->connect_timeout;
    return patience ? o->times.started + patience : DISPATCH_NEVER;
}

static void expired(struct dispatch_timer *timer)
{
    struct oneraw *o = (void *)((char *)timer - offsetof(struct oneraw, timer));

    if (deadline(o) > dispatch_now(o->loop))
        dispatch_timer_set(timer, deadline(o));
    else
        fail(o, ONERAW_TIMEOUT, o->url,
             o->connection.connected ? "not complete in time" : "no connection in time");
}

static void ask(struct oneraw *o)
{
    struct httpclient_url url;
    int error = httpclient_url_parse(o->url, strlen(o->url), &url);

    if (error) {
        fail(o, error == -EPROTONOSUPPORT ? ONERAW_SCHEME : ONERAW_URL, o->url,
             target_error_text(error));
        return;
    }
    error = write_message(o, &url);
    if (error)
        fail(o, error == -ENOMEM ? ONERAW_MEMORY : ONERAW_USAGE, o->url,
             error == -ENOMEM ? strerror(ENOMEM) : "with these options it is no request");
    else
        find(o, &url);
}

/* -- The command ---------------------------------------------------------- */

static int open_output(const char *name)
{
    return !name || strcmp(name, "-") == 0
               ? dup(STDOUT_FILENO)
               : open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
}

static int prepare(struct oneraw *o)
{
    struct httpclient_options options = {.limits = http_limits_default};
    const char *backend = getenv("ASYNWSGI_BACKEND");
    int error = dispatch_new(backend, &o->loop);

    if (error)
        return error;
    options.loop = o->loop;
    options.limits.body = 0;
    options.timeouts.expect = httpclient_timeouts_default.expect;
    error = httpclient_new(&options, &o->client);
    if (error)
        return error;
    o->url = strdup(o->settings.url);
    if (!o->url)
        return -ENOMEM;
    o->timer.fired = expired;
    o->resolve.done = resolved;
    o->connection.closed = closed;
    o->connection.tap = tapped;
    o->exchange.handler = &handler;
    o->exchange.message = &o->message;
    return dispatch_timer_add(o->loop, &o->timer);
}

static int run(struct oneraw *o)
{
    int error = prepare(o);

    if (!error) {
        o->times.started = dispatch_clock();
        dispatch_timer_set(&o->timer, deadline(o));
        ask(o);
        error = dispatch_run(o->loop);
    }
    if (error) {
        oneraw_complain("", strerror(-error));
        return error == -ENOMEM ? ONERAW_MEMORY : ONERAW_USAGE;
    }
    return o->status;
}

static void finish(struct oneraw *o)
{
    httpclient_connection_close(&o->connection);
    httpclient_resolve_cancel(&o->resolve);
    httpclient_free(o->client);
    dispatch_timer_remove(&o->timer);
    dispatch_free(o->loop);
    free(o->url);
    free(o->next);
    free(o->head);
}

int oneraw_main(char **argv)
{
    struct oneraw o = {.status = ONERAW_OK};
    int status = oneraw_options_read(&o.settings, argv);

    if (status == ONERAW_OK && o.settings.help) {
        oneraw_options_help(stdout);
        status = fflush(stdout) == 0 ? ONERAW_OK : ONERAW_WRITE;
    } else if (status == ONERAW_OK) {
        o.output = open_output(o.settings.output);
        if (o.output < 0) {
            oneraw_complain(o.settings.output, strerror(errno));
            status = ONERAW_WRITE;
        } else {
            status = run(&o);
            finish(&o);
            if (close(o.output) < 0 && status == ONERAW_OK) {
                oneraw_complain(o.settings.output, strerror(errno));
                status = ONERAW_WRITE;
            }
        }
    }
    oneraw_options_fini(&o.settings);
    return status;
}
