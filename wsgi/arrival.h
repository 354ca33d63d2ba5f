/* A request as it arrived, kept for a thread that is to run it later. */
#ifndef WSGI_ARRIVAL_H
#define WSGI_ARRIVAL_H

#include <asynwsgi/http_server.h>
#include <netinet/in.h>

union wsgi_socket {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct wsgi_arrival {
    struct http_request head;
    union wsgi_socket local, peer; /* of another family than these two there is just that */
    struct http_field fields[];    /* ... and behind them the message */
};

/* A copy in one piece, for free(); NULL for want of memory. */
struct wsgi_arrival *wsgi_arrival_new(const struct http_connection *connection,
                                      const struct http_request *head);

#endif
