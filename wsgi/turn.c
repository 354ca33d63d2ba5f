/*
 * An iterable that always has more, and a client that always takes it, must not
 * keep the loop from everyone else: a response that was long enough at it waits
 * here for the loop's next turn.
 */
#include "request.h"

void wsgi_turn_wait(struct wsgi_request *request)
{
    struct wsgi *wsgi = request->wsgi;

    request->next = wsgi->waiting;
    request->link = &wsgi->waiting;
    if (request->next)
        request->next->link = &request->next;
    wsgi->waiting = request;
    dispatch_timer_set(&wsgi->turn, 0);
}

void wsgi_turn_leave(struct wsgi_request *request)
{
    if (!request->link)
        return;
    *request->link = request->next;
    if (request->next)
        request->next->link = request->link;
    request->link = NULL;
}

void wsgi_turn_fired(struct dispatch_timer *timer)
{
    struct wsgi *wsgi = (struct wsgi *)(void *)((char *)timer - offsetof(struct wsgi, turn));
    struct wsgi_request *first = wsgi->waiting;

    /* Those that wait again are put into a list of their own. */
    wsgi->waiting = NULL;
    if (first)
        first->link = &first;
    while (first)
        wsgi_response_continue(first);
}
