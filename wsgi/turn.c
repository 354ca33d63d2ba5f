/*
 * Responses that could go on, but let others have a turn first: an iterable that
 * always has more, and a client that always takes it or sends, must not keep
 * the loop from everyone else.
 *
 * Together they get a share of each turn of the loop, in the order in which they
 * came: so a new request waits for a share at most, however many of them there are.
 * Of those that stream a body, its next part is not even received before: what is
 * received waits for nobody.
 */
#include "queue.h"
#include "request.h"

/* Nanoseconds of a turn. */
static const uint64_t share = 100000;

/* Whether something is left of the share of this turn of the loop. */
static bool is_left(struct wsgi *wsgi)
{
    uint64_t now = dispatch_now(wsgi->loop);

    if (wsgi->turn_began != now) {
        wsgi->turn_began = now;
        wsgi->turn_spent = 0;
    }
    return wsgi->turn_spent < share;
}

bool wsgi_turn_is_over(uint64_t began)
{
    return dispatch_clock() - began >= share;
}

void wsgi_turn_wait(struct wsgi_request *request)
{
    struct wsgi *wsgi = request->wsgi;

    if (request->link)
        return;
    wsgi_queue_put(&wsgi->waiting, request);
    dispatch_timer_set(&wsgi->turn, 0);
}

void wsgi_turn_leave(struct wsgi_request *request)
{
    if (request->link)
        wsgi_queue_remove(&request->wsgi->waiting, request);
}

static void go_on(struct wsgi_request *request)
{
    struct wsgi *wsgi = request->wsgi;
    uint64_t began = dispatch_clock();

    wsgi->going_on = request;
    if (wsgi_request_waits(request))
        http_receive_body(request->connection);
    else
        wsgi_response_continue(request);
    wsgi->going_on = NULL;
    wsgi->turn_spent += dispatch_clock() - began;
}

/* Whether the response need not wait for its turn. */
static bool is_its_turn(const struct wsgi_request *request)
{
    return !request->wsgi->waiting.first && is_left(request->wsgi);
}

void wsgi_resume(struct wsgi_request *request)
{
    const struct wsgi *wsgi = request->wsgi;

    if (wsgi->pool)
        wsgi_pool_resume(request);
    else if (request == wsgi->going_on)
        wsgi_response_continue(request);
    else if (is_its_turn(request))
        go_on(request);
    else
        wsgi_turn_wait(request);
}

bool wsgi_turn_receives(struct wsgi_request *request)
{
    if (request == request->wsgi->going_on || is_its_turn(request))
        return true;
    wsgi_turn_wait(request);
    return false;
}

void wsgi_turn_fired(struct dispatch_timer *timer)
{
    struct wsgi *wsgi = (struct wsgi *)(void *)((char *)timer - offsetof(struct wsgi, turn));

    while (wsgi->waiting.first && is_left(wsgi)) {
        struct wsgi_request *request = wsgi->waiting.first;

        wsgi_turn_leave(request);
        go_on(request);
    }
    if (wsgi->waiting.first)
        dispatch_timer_set(&wsgi->turn, 0);
}
