/* Requests in a row, each in one at most. */
#ifndef WSGI_QUEUE_H
#define WSGI_QUEUE_H

#include "request.h"

static inline void wsgi_queue_init(struct wsgi_queue *queue)
{
    queue->first = NULL;
    queue->end = &queue->first;
    queue->count = 0;
}

static inline void wsgi_queue_put(struct wsgi_queue *queue, struct wsgi_request *request)
{
    request->next = NULL;
    request->link = queue->end;
    *queue->end = request;
    queue->end = &request->next;
    queue->count++;
}

static inline void wsgi_queue_remove(struct wsgi_queue *queue, struct wsgi_request *request)
{
    *request->link = request->next;
    if (request->next)
        request->next->link = request->link;
    else
        queue->end = request->link;
    request->link = NULL;
    queue->count--;
}

#endif
