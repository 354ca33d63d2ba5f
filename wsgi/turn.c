/*
 * Responses that could go on, but let others have a turn first: an iterable that
 * always has more, and a client that always takes it or sends, must not keep
 * the loop from everyone else.
 *
 * Together they get a share of each turn of the loop, in the order in which they
 * came: so a new request waits for a share at most, however many of them there are.
 */
#include "request.h"

/* Nanoseconds of a turn. */
static const uint64_t share = 200000;

/* What is left of the share of this turn of the loop. */
static uint64_t left(struct wsgi *wsgi)
{
    uint64_t now = dispatch_now(wsgi->loop);

    if (wsgi->turn_began != now) {
        wsgi->turn_began = now;
        wsgi->turn_spent = 0;
    }
    return wsgi->turn_spent < share ? share - wsgi->turn_spent : 0;
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
    request->next = NULL;
    request->link = wsgi->waiting_end;
    *wsgi->waiting_end = request;
    wsgi->waiting_end = &request->next;
    dispatch_timer_set(&wsgi->turn, 0);
}

void wsgi_turn_leave(struct wsgi_request *request)
{
    if (!request->link)
        return;
    *request->link = request->next;
    if (request->next)
        request->next->link = request->link;
    else
        request->wsgi->waiting_end = request->link;
    request->link = NULL;
}

static void go_on(struct wsgi_request *request)
{
    struct wsgi *wsgi = request->wsgi;
    uint64_t began = dispatch_clock();

    wsgi_response_continue(request);
    wsgi->turn_spent += dispatch_clock() - began;
}

void wsgi_resume(struct wsgi_request *request)
{
    if (request->wsgi->waiting || left(request->wsgi) == 0)
        wsgi_turn_wait(request);
    else
        go_on(request);
}

void wsgi_turn_fired(struct dispatch_timer *timer)
{
    struct wsgi *wsgi = (struct wsgi *)(void *)((char *)timer - offsetof(struct wsgi, turn));

    while (wsgi->waiting && left(wsgi) > 0) {
        struct wsgi_request *request = wsgi->waiting;

        wsgi_turn_leave(request);
        go_on(request);
    }
    if (wsgi->waiting)
        dispatch_timer_set(&wsgi->turn, 0);
}
