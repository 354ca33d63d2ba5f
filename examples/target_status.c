/*
 * A plug-in that answers HTTP on a port of its own: how the worker is, as JSON.
 *
 *   cc -shared -fPIC -o status.so $(pkg-config --cflags asynwsgi-target) target_status.c
 *   asynwsgi --workers 2 --target ./status.so:127.0.0.1:7001 hello
 *   curl http://127.0.0.1:7001/
 *
 * All workers share the port; a connection is one worker's.
 */
#include <asynwsgi/http_server.h>
#include <asynwsgi/target.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct status {
    const struct asynwsgi_target_worker *worker;
    struct http_server *server;
    int descriptor; /* that listens; -1: none */
    uint64_t began;
};

static int write_body(const struct status *status, char *body, size_t size)
{
    uint64_t now = dispatch_now(status->worker->loop);

    return snprintf(body, size,
                    "{\"pid\": %ld, \"worker\": %u, \"workers\": %u, \"time\": %llu, "
                    "\"uptime\": %.3f, \"connections\": %zu}\n",
                    (long)getpid(), status->worker->number, status->worker->count,
                    (unsigned long long)now, (double)(now - status->began) / 1e9,
                    http_server_connections(status->server));
}

static void answer(struct http_connection *connection)
{
    static const struct http_header type = {.name = (const unsigned char *)"Content-Type",
                                            .name_length = 12,
                                            .value = (const unsigned char *)"application/json",
                                            .value_length = 16};
    static const struct http_response response = {.status = 200,
                                                  .status_text = (const unsigned char *)"200 OK",
                                                  .status_length = 6,
                                                  .header_count = 1,
                                                  .headers = &type};
    char body[256];
    int length = write_body(http_connection_context(connection), body, sizeof body);

    if (http_respond(connection, &response, length) < 0 ||
        http_send(connection, body, (size_t)length) < 0)
        http_abort(connection);
    else
        http_finish(connection);
}

static int is(const struct http_request *request, struct http_span span, const char *text)
{
    return span.length == strlen(text) &&
           memcmp(request->message + span.start, text, span.length) == 0;
}

static void request_came(struct http_connection *connection, const struct http_request *request,
                         const struct http_framing *framing)
{
    (void)framing;
    if (!request->is_head && !is(request, request->method, "GET"))
        http_fail(connection, 501);
    else if (!is(request, request->path, "/"))
        http_fail(connection, 404);
    else
        answer(connection);
}

/* Every exchange ends in request_came(), so that none of these comes. */

static void body_came(struct http_connection *connection, const struct http_piece *piece, bool last)
{
    (void)connection;
    (void)piece;
    (void)last;
}

static void nothing(struct http_connection *connection)
{
    (void)connection;
}

static void stop_listening(struct status *status)
{
    if (status->descriptor >= 0)
        close(status->descriptor);
    status->descriptor = -1;
}

static void drain(void *state, void (*drained)(void *context), void *context)
{
    struct status *status = state;

    http_server_drain(status->server, drained, context);
    stop_listening(status);
}

static void stop(void *state)
{
    struct status *status = state;

    http_server_free(status->server);
    stop_listening(status);
    free(status);
}

static int serve(struct status *status, char explanation[ASYNWSGI_TARGET_EXPLANATION])
{
    const char *text = status->worker->arguments;
    struct tcpsocket_address address;
    int r = tcpsocket_address_parse(text, &address);

    if (r < 0)
        snprintf(explanation, ASYNWSGI_TARGET_EXPLANATION,
                 "\"%.100s\" is no address such as 127.0.0.1:7001", text);
    else if ((r = tcpsocket_listen(&address, 128, true, &status->descriptor)) < 0)
        snprintf(explanation, ASYNWSGI_TARGET_EXPLANATION, "cannot listen at %.100s", text);
    return r < 0 ? r : http_server_listen(status->server, status->descriptor);
}

static int start(const struct asynwsgi_target_worker *worker, void **state,
                 char explanation[ASYNWSGI_TARGET_EXPLANATION])
{
    static const struct http_handler handler = {
        .request = request_came, .body = body_came, .writable = nothing, .abandoned = nothing};
    struct status *status = calloc(1, sizeof *status);
    struct http_server_options options = {.loop = worker->loop,
                                          .handler = &handler,
                                          .context = status,
                                          .limits = http_limits_default,
                                          .timeouts = http_timeouts_default};
    int r;

    if (!status)
        return -ENOMEM;
    status->worker = worker;
    status->descriptor = -1;
    status->began = dispatch_now(worker->loop);
    if ((r = http_server_new(&options, &status->server)) < 0 ||
        (r = serve(status, explanation)) < 0) {
        stop(status);
        return r;
    }
    *state = status;
    return 0;
}

const struct asynwsgi_target asynwsgi_target = {
    .version = ASYNWSGI_TARGET_VERSION, .start = start, .drain = drain, .stop = stop};
