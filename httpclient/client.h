/*
 * client.h: what the files of a connection share.
 *
 *   client.c      what the connections of a loop share
 *   connection.c  being made, and its end
 *   receive.c     from bytes to the handlers' callbacks
 *   send.c        from exchanges to bytes
 *   timer.c       what a connection waits for, and for how long
 */
#ifndef HTTPCLIENT_CLIENT_H
#define HTTPCLIENT_CLIENT_H

#include <asynwsgi/httpclient.h>

/* Of a connection. */
enum {
    STATE_CLOSED, /* the caller's */
    STATE_CONNECTING,
    STATE_OPEN,
    STATE_ENDING /* the exchanges are being told */
};

/* What is read next, for the first exchange. */
enum {
    READ_HEAD,
    READ_SIZED,
    READ_CHUNKED,
    READ_CLOSED
};

struct httpclient {
    struct httpclient_options options;
    struct tcpsocket_pool *pool;
    struct http_field *fields; /* of the head that is being handed out */
    size_t connections;
};

/* -- connection.c -- */

/*
 * The connection ends: its exchanges are told, and then the caller.  Whoever has called
 * must not use it any more.
 */
void httpclient_connection_end(struct httpclient_connection *c, int error);

/* The same, where the first exchange is to blame, or to suffer. */
void httpclient_connection_fail(struct httpclient_connection *c, int error, enum http_fault fault,
                                enum httpclient_timeout late);

/* The same, where the connection itself was lost; 0: the server closed it. */
void httpclient_connection_lost(struct httpclient_connection *c, int error);

/* Close the descriptor, and leave the loop. */
void httpclient_connection_drop(struct httpclient_connection *c);

/* -- receive.c -- */

extern const struct tcpsocket_stream_events httpclient_events;

/*
 * Read and send as far as possible, with the callbacks that this takes.  Last in every
 * callback of the loop.
 */
void httpclient_run(struct httpclient_connection *c);

/* -- send.c -- */

/*
 * Begin what exchanges may begin, and send what there is.  Generated bodies go on only
 * while the connection is running; otherwise the loop is asked to.
 */
void httpclient_send(struct httpclient_connection *c);

/* Nothing more of the request is wanted, and so nothing else can follow. */
void httpclient_send_stop(struct httpclient_connection *c);

/* -- timer.c -- */

void httpclient_expired(struct dispatch_timer *timer);

/* Set the timer for the state. */
void httpclient_watch(struct httpclient_connection *c);

/* Run in the loop's next turn. */
void httpclient_kick(struct httpclient_connection *c);

#endif
