/*
 * A plug-in that listens on a port of its own, and sends back what it is sent:
 *
 *   cc -shared -fPIC -o echo.so $(pkg-config --cflags asynwsgi-target) target_echo.c
 *   asynwsgi --workers 2 --target ./echo.so:127.0.0.1:7000 hello
 *
 * All workers share the port; the kernel chooses one for each connection.  A client that
 * does not read is not read from.
 */
#include <asynwsgi/target.h>
#include <asynwsgi/tcpsocket.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct echo {
    const struct asynwsgi_target_worker *worker;
    struct tcpsocket_listener listener;
    struct tcpsocket_pool *pool;
    int descriptor; /* that listens; -1: none */
    struct client *clients;
    void (*drained)(void *context); /* NULL: nobody waits for the last to leave */
    void *context;
};

struct client {
    struct tcpsocket_stream stream; /* first, so that its address is the client's */
    struct echo *echo;
    struct client *next, **link;
};

static void leave(struct client *client)
{
    struct echo *echo = client->echo;

    tcpsocket_stream_close(&client->stream);
    *client->link = client->next;
    if (client->next)
        client->next->link = client->link;
    free(client);
    if (!echo->clients && echo->drained)
        echo->drained(echo->context);
}

static void send_back(struct tcpsocket_stream *stream)
{
    struct client *client = (struct client *)(void *)stream;
    size_t length;
    const unsigned char *data = tcpsocket_stream_peek(stream, &length);

    if (tcpsocket_stream_send(stream, data, length) < 0) {
        leave(client);
        return;
    }
    tcpsocket_stream_consume(stream, length);
    if (tcpsocket_stream_ended(stream)) {
        if (tcpsocket_stream_unsent(stream) == 0)
            leave(client);
    } else if (tcpsocket_stream_full(stream)) {
        tcpsocket_stream_pause(stream);
    }
}

static void drained(struct tcpsocket_stream *stream)
{
    if (!tcpsocket_stream_ended(stream))
        tcpsocket_stream_resume(stream);
    else if (tcpsocket_stream_unsent(stream) == 0)
        leave((struct client *)(void *)stream);
}

static void failed(struct tcpsocket_stream *stream, int error)
{
    (void)error;
    leave((struct client *)(void *)stream);
}

static void accepted(struct tcpsocket_listener *listener, int descriptor,
                     const struct sockaddr *peer, socklen_t length)
{
    struct echo *echo = (struct echo *)(void *)((char *)listener - offsetof(struct echo, listener));
    struct client *client = calloc(1, sizeof *client);

    (void)peer;
    (void)length;
    if (!client || tcpsocket_stream_open(&client->stream, echo->pool, descriptor) < 0) {
        free(client);
        close(descriptor);
        return;
    }
    client->echo = echo;
    client->next = echo->clients;
    client->link = &echo->clients;
    if (client->next)
        client->next->link = &client->next;
    echo->clients = client;
}

static void stop_listening(struct echo *echo)
{
    tcpsocket_listener_close(&echo->listener);
    if (echo->descriptor >= 0)
        close(echo->descriptor);
    echo->descriptor = -1;
}

/* Who is connected may stay until the server's time is up. */
static void drain(void *state, void (*all_left)(void *context), void *context)
{
    struct echo *echo = state;

    stop_listening(echo);
    echo->drained = all_left;
    echo->context = context;
    if (!echo->clients)
        all_left(context);
}

static void stop(void *state)
{
    struct echo *echo = state;

    stop_listening(echo);
    echo->drained = NULL;
    while (echo->clients)
        leave(echo->clients);
    tcpsocket_pool_free(echo->pool);
    free(echo);
}

/* With port 0 the kernel chooses one. */
static void tell_address(const struct echo *echo)
{
    struct tcpsocket_address address = {.length = sizeof address.socket};
    char line[TCPSOCKET_ADDRESS_TEXT + 16] = "echo at ";

    if (getsockname(echo->descriptor, &address.socket.any, &address.length) < 0)
        return;
    tcpsocket_address_format(&address.socket.any, address.length, line + strlen(line));
    echo->worker->log(echo->worker, ASYNWSGI_TARGET_INFO, line);
}

static int listen_at(struct echo *echo, char explanation[ASYNWSGI_TARGET_EXPLANATION])
{
    const char *text = echo->worker->arguments;
    struct tcpsocket_address address;
    int r = tcpsocket_address_parse(text, &address);

    if (r < 0)
        snprintf(explanation, ASYNWSGI_TARGET_EXPLANATION,
                 "\"%.100s\" is no address such as 127.0.0.1:7000", text);
    else if ((r = tcpsocket_listen(&address, 128, true, &echo->descriptor)) < 0)
        snprintf(explanation, ASYNWSGI_TARGET_EXPLANATION, "cannot listen at %.100s", text);
    if (r < 0)
        return r;
    echo->listener.accepted = accepted;
    return tcpsocket_listener_open(&echo->listener, echo->worker->loop, echo->descriptor);
}

static int start(const struct asynwsgi_target_worker *worker, void **state,
                 char explanation[ASYNWSGI_TARGET_EXPLANATION])
{
    static const struct tcpsocket_limits limits = {
        .input = 16384, .output_high = 65536, .output_low = 16384, .output_max = 1 << 20};
    static const struct tcpsocket_stream_events events = {
        .input = send_back, .drained = drained, .failed = failed};
    struct echo *echo = calloc(1, sizeof *echo);
    int r;

    if (!echo)
        return -ENOMEM;
    echo->worker = worker;
    echo->descriptor = -1;
    if ((r = tcpsocket_pool_new(worker->loop, &limits, &events, &echo->pool)) < 0 ||
        (r = listen_at(echo, explanation)) < 0) {
        stop(echo);
        return r;
    }
    tell_address(echo);
    *state = echo;
    return 0;
}

const struct asynwsgi_target asynwsgi_target = {
    .version = ASYNWSGI_TARGET_VERSION, .start = start, .drain = drain, .stop = stop};
