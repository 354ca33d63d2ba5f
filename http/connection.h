/*
 * connection.h: what the files of the server side share.
 *
 *   server.c      listeners, the list of connections, drain, the Date field
 *   connection.c  reading: from bytes to the handler's callbacks
 *   connection_timer.c  what a connection waits for, and for how long
 *   exchange.c    writing: from the handler's calls to bytes
 *   send_file.c   the same, of bytes that are in a file
 */
#ifndef HTTP_CONNECTION_H
#define HTTP_CONNECTION_H

#include "parsers.h"
#include "response_head.h"
#include "section.h"

#include <asynwsgi/http_server.h>

/*
 * What is read next.  An exchange is open in BODY and WAIT only.
 *
 *   IDLE ----> HEAD ----> BODY ----> WAIT ----> IDLE     a response on each way
 *                |          |                            back to IDLE
 *                |          +----> DISCARD ---> IDLE
 *                +--> WAIT
 *   any -----> LINGER --> CLOSED,  any --> CLOSED
 */
enum http_connection_state {
    STATE_IDLE,    /* the first byte of a head */
    STATE_HEAD,    /* the rest of it */
    STATE_BODY,    /* the body, for the handler */
    STATE_WAIT,    /* nothing, or the client's end: the request is complete, not the response */
    STATE_DISCARD, /* the body, for nobody: the response is complete */
    STATE_LINGER,  /* anything, for nobody, until the client has its answer and closes */
    STATE_CLOSED   /* nothing any more: freed as soon as no callback is running */
};

/* Bytes: a response that has so much unsent is full. */
enum {
    OUTPUT_HIGH = 49152,
    OUTPUT_LOW = 16384
};

/* What the timer stands for. */
enum http_connection_phase {
    PHASE_NONE,
    PHASE_IDLE,
    PHASE_HEAD,
    PHASE_BODY,
    PHASE_WRITE,
    PHASE_DRAIN,
    PHASE_KICK /* go on from the loop, in its next turn */
};

/* What there is to know of an exchange; an idle connection has none. */
struct http_exchange {
    struct http_exchange *next; /* while it waits for another connection */
    void *handlers, *observers; /* their own pointers */
    uint64_t began;
    uint64_t sent;       /* body bytes of the response */
    size_t memory;       /* that the handler holds */
    uint64_t chunk_left; /* of a chunk of the response that is sent in parts */
    union {
        uint64_t length;  /* of the body of a RESPONSE_SIZED */
        uint64_t dropped; /* in DISCARD */
    };
    union {
        struct http_chunked chunked; /* the request's body ... */
        uint64_t remaining;          /* ... or, of a sized one */
    };
};

struct http_connection {
    struct tcpsocket_stream stream;
    struct dispatch_timer timer;
    struct http_listener *listener;
    struct http_connection *next, **link; /* in the server's list */
    struct http_exchange *exchange;       /* NULL in IDLE and HEAD */
    union {
        struct http_head_parser parser; /* in IDLE, HEAD */
        uint64_t drains;                /* in DISCARD, LINGER: since when */
    };
    uint64_t until; /* PHASE_KICK: the deadline before it */
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } peer;            /* of a unix socket there is just the family */
    uint32_t progress; /* PHASE_BODY: bytes that came since the deadline was set;
                        * PHASE_WRITE: tcpsocket_stream_progress() then */
    uint16_t status;   /* of the response; 0: not begun */
    uint8_t state, phase;
    uint8_t section; /* place of the field section that is likely to come */

    unsigned framing : 2;   /* enum response_body of the response */
    unsigned kicked : 3;    /* PHASE_KICK: the phase before it */
    bool is_open : 1;       /* an exchange is under way */
    bool running : 1;       /* a callback is; it ends with http_connection_settle() */
    bool used : 1;          /* a request has come */
    bool chunked_body : 1;  /* of the request */
    bool held : 1;          /* by http_hold_body() */
    bool watched : 1;       /* by http_watch_client() */
    bool expects : 1;       /* 100 (Continue) before it sends its body */
    bool to_head : 1;       /* the method is HEAD */
    bool to_http_10 : 1;    /* the version is HTTP/1.0 */
    bool persistent : 1;    /* another request may follow */
    bool client_closes : 1; /* as it said itself, so it sends nothing more */
    bool moved : 1;         /* it came nearer to what the timer guards */
};

/* A listening socket; it lasts as long as the server, and connections point to it. */
struct http_listener {
    struct tcpsocket_listener socket;
    struct tcpsocket_address address;
    struct http_server *server;
    struct http_listener *next;
};

struct http_server {
    struct http_server_options options;
    struct http_parsers parse;
    struct tcpsocket_pool *pool;
    struct http_listener *listeners;
    struct http_connection *connections;
    size_t connection_count;
    struct http_exchange *exchanges; /* that wait for another connection */
    size_t exchange_count;
    size_t handler_memory; /* that handlers hold */

    bool spent;    /* the memory there may be is */
    bool changing; /* `spent` is, connection by connection */
    bool draining;
    void (*drained)(void *context);
    void *drained_context;
    struct dispatch_timer drained_timer;

    struct response_stamp stamp;
    uint64_t stamp_until; /* dispatch_now() when the second it tells is over */

    struct http_request request; /* the one that is being handed out */
    struct http_sections sections;
    uint8_t last_section; /* that came */
};

/* -- server.c -- */

/* The Date and Server fields as of now. */
const struct response_stamp *http_server_stamp(struct http_server *server);

/* A new connection, all zero but for its place in the server's list, or NULL; and free it. */
struct http_connection *http_server_add(struct http_server *server);
void http_server_remove(struct http_server *server, struct http_connection *connection);

/* Give the connection an exchange, all zero; false for want of memory.  And take it away. */
bool http_server_give_exchange(struct http_connection *connection);
void http_server_take_exchange(struct http_connection *connection);

/* See whether the memory there may be is spent.  It may end any idle connection. */
void http_server_watch_memory(struct http_server *server);

/* -- connection.c -- */

/* Those of every connection's stream. */
extern const struct tcpsocket_stream_events http_connection_events;

/* Serve an accepted descriptor, or close it for want of memory. */
void http_connection_open(struct http_listener *listener, int descriptor,
                          const struct sockaddr *peer, socklen_t length);

/* Have the client, and our kernel, forget what is on its way when the connection closes. */
void http_connection_reset(const struct http_connection *connection);

/*
 * Read and answer on, as far as possible, and settle.  Last in every callback of
 * the loop; does nothing within one.
 */
void http_connection_run(struct http_connection *connection);

/* The server's memory is spent, or no longer: server->spent has changed. */
void http_connection_spent(struct http_connection *connection);

/* The exchange and its body are done with: on to the next. */
void http_connection_be_idle(struct http_connection *connection);

/* The request is broken in its body: abandon it, and answer why if there is no answer yet. */
void http_connection_break_off(struct http_connection *connection, unsigned status,
                               const char *why);

/* The client is gone: abandon what is under way, and close. */
void http_connection_lost(struct http_connection *connection);

/*
 * Put what was done into effect: output goes out, reading and the timer follow
 * the state, and a CLOSED connection is freed.  Last in every call from outside;
 * does nothing within a callback, which does it at its end.
 */
void http_connection_settle(struct http_connection *connection);

/* -- connection_timer.c -- */

void http_connection_expired(struct dispatch_timer *timer);

/* Set the timer for the state. */
void http_connection_watch(struct http_connection *connection);

/* Run in the loop's next turn, without any time-out moved. */
void http_connection_kick(struct http_connection *connection);

/* -- exchange.c -- */

/*
 * `request` is NULL for a head that could not be parsed.  False: there is no
 * memory for it, and the connection is CLOSED.
 */
bool http_exchange_begin(struct http_connection *connection, const struct http_request *request);

/* Tell the handler that it is over, if it is open, and be CLOSED. */
void http_exchange_abandon(struct http_connection *connection);

/*
 * How many of the next bytes of a body go out: what lies beyond the Content-Length
 * is left out, and nothing is sent where there is no body.
 */
size_t http_exchange_allowed(const struct http_connection *connection, size_t length);

/* The answer of this side to a faulty or late request, after which it closes. */
void http_exchange_refuse(struct http_connection *connection, unsigned status, const char *why);

/* -- short cuts -- */

static inline struct http_server *http_connection_server(const struct http_connection *connection)
{
    return connection->listener->server;
}

static inline const struct http_handler *
http_connection_handler(const struct http_connection *connection)
{
    return connection->listener->server->options.handler;
}

#endif
