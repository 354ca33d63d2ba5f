/*
 * http_server: server connections.  Reads requests off tcpsocket streams,
 * hands them to a handler, and frames what the handler answers.
 *
 * A request and its response are an exchange.  A connection has one exchange
 * at a time; requests that were pipelined wait in its input.  The life of one:
 *
 *   handler->request                     the head is complete
 *   handler->body ... last piece         if it has a body, as it arrives
 *   http_respond                         once, whenever the handler likes
 *   http_send, http_flush ...            while not http_full()
 *   http_finish  or  http_abort          the exchange is over
 *
 * or  handler->abandoned at any point before the end: the client has left or
 * timed out, or sent a body that is broken, and the exchange is over.
 * After its end the handler does not use the connection any more, and the
 * connection does not call the handler for it.
 *
 * Every function here, but http_server_free(), may be called from within a
 * handler's callback and from any other callback of the loop.  None of them
 * calls the handler's `request`, `body` or `writable`, but for
 * http_receive_body(): these come from the loop.
 */
#ifndef ASYNWSGI_HTTP_SERVER_H
#define ASYNWSGI_HTTP_SERVER_H

#include <asynwsgi/dispatch.h>
#include <asynwsgi/http.h>
#include <asynwsgi/tcpsocket.h>

#ifdef __cplusplus
extern "C" {
#endif

struct http_connection;
struct http_server;

/* A head is parsed, or the coding of a chunked body: a phase of a thread that is measured. */
enum {
    HTTP_PHASE_PARSE = TCPSOCKET_PHASES,
    HTTP_PHASES
};

/* -- What answers requests ------------------------------------------------ */

struct http_handler {
    /*
     * A head is complete and its framing sound.  `request`, its message and
     * fields are valid during the call.  With a body of kind HTTP_BODY_NONE
     * (or sized 0) no body callback follows.
     */
    void (*request)(struct http_connection *connection, const struct http_request *request,
                    const struct http_framing *framing);
    /*
     * A piece of the body or of its trailer section; with `last`, the end of
     * both, perhaps with nothing of either.  What it points to is valid during
     * the call.
     */
    void (*body)(struct http_connection *connection, const struct http_piece *piece, bool last);
    /* The unsent output has fallen to the low-water mark: send more. */
    void (*writable)(struct http_connection *connection);
    /* The exchange ended without the handler's doing. */
    void (*abandoned)(struct http_connection *connection);
    /*
     * May be NULL.  More of the body can be received, and is unless this gives
     * false: then it is held, as by http_hold_body().
     */
    bool (*receives)(struct http_connection *connection);
};

/* Is told of every exchange, for a log.  Either may be NULL. */
struct http_observer {
    /*
     * As handler->request, before it; also for a request that is refused, which
     * the handler does not see.  NULL: the head could not be parsed, or is late.
     */
    void (*began)(struct http_connection *connection, const struct http_request *request);
    /* See http_connection_status() and the like.  Comes once for each `began`. */
    void (*ended)(struct http_connection *connection);
};

/* -- The server ----------------------------------------------------------- */

/*
 * Nanoseconds, 0: no limit; rates in bytes a second, 0: any.  No time counts in
 * which it is the handler that the client waits for.
 *
 * A client has `body` to send the next of a body.  With a rate, what it sends
 * gives it no more time than that many bytes take at the rate: so one that is
 * faster always has all of `body` before it, and one that is slower has used it
 * up in the end.  `write` is the same for a response that the client is to
 * take, but looked at only when the time is up, so it may take twice as long;
 * and as the client's system makes room for more in steps, of up to half its
 * receive buffer, a rate below a step in that time is as good as none.
 */
struct http_timeouts {
    uint64_t head; /* for a whole head, from its first byte or the accept */
    uint64_t body;
    uint64_t idle; /* between a response and the next request */
    uint64_t write;
    uint64_t drain; /* for what the client sends after the response: an unread body, or its end */
    uint32_t body_rate, write_rate;
};

extern const struct http_timeouts http_timeouts_default;

struct http_server_options {
    struct dispatch *loop;
    const struct http_handler *handler;
    const struct http_observer *observer; /* may be NULL */
    void *context;                        /* the handler's: http_connection_context() */
    void *observer_context;               /* http_connection_observer_context() */
    const char *name;                     /* value of the Server field; NULL: none is sent */
    struct http_limits limits;
    struct http_timeouts timeouts;
    /*
     * Bytes that connections may hold in all, 0: any.  When it is spent, idle
     * connections are closed, and nobody is accepted and no request begun until
     * an eighth of it is free again: `spent` is called both times, and may be NULL.
     */
    size_t memory;
    void (*spent)(void *context, bool spent);
    void *spent_context;
};

/*
 * The options are copied; what they point to stays the caller's.  -ENOMEM;
 * -EINVAL: limits.fields over HTTP_FIELDS_MAX, or a name that is no field value.
 */
int http_server_new(const struct http_server_options *options, struct http_server **server);

/*
 * Serve a listening descriptor (as of tcpsocket_listen()), which stays the
 * caller's.  -ENOTSOCK: it is no socket; or as for tcpsocket_listener_open().
 * One that does not listen is not told from one to which nobody connects.
 */
int http_server_listen(struct http_server *server, int descriptor);

/*
 * Take no more connections and requests: idle connections close now, the
 * others with their response.  `drained` is called once, from the loop, when
 * none is left; it may free the server.
 */
void http_server_drain(struct http_server *server, void (*drained)(void *context), void *context);

/*
 * Close everything, abandoning what is under way.  Not from within a callback
 * of the handler or observer.  NULL is harmless.
 */
void http_server_free(struct http_server *server);

/* Connections open at present. */
size_t http_server_connections(const struct http_server *server);

/*
 * Bytes held for them: unfinished heads, output that waits, what handlers say,
 * and the connections themselves.
 */
size_t http_server_memory(const struct http_server *server);

/* -- An exchange, from the handler's side --------------------------------- */

/*
 * The handler holds so many bytes for the exchange, which count as held until
 * it says otherwise or the exchange ends.  True: the memory there may be is
 * spent, and the handler should hold no more than it must.
 */
bool http_hold_memory(struct http_connection *connection, size_t bytes);

/* The handler's own pointer for the exchange at hand; NULL when it begins. */
void http_exchange_set(struct http_connection *connection, void *exchange);
void *http_exchange(const struct http_connection *connection);

/* The same for the observer. */
void http_record_set(struct http_connection *connection, void *record);
void *http_record(const struct http_connection *connection);

void *http_connection_context(const struct http_connection *connection);
void *http_connection_observer_context(const struct http_connection *connection);
const struct sockaddr *http_connection_peer(const struct http_connection *connection);
/* The address the client connected to, as the listening socket has it. */
const struct sockaddr *http_connection_local(const struct http_connection *connection);

/* Status sent (0: none yet), body bytes sent, and when the exchange began (dispatch_now()). */
unsigned http_connection_status(const struct http_connection *connection);
uint64_t http_connection_sent(const struct http_connection *connection);
uint64_t http_connection_began(const struct http_connection *connection);

/*
 * The handler waits for the body: a client that expects 100 (Continue) gets
 * it now.  Nothing is sent once a response has begun.
 */
void http_want_body(struct http_connection *connection);

/*
 * Deliver no body for now, leaving the client to TCP: from here on none is
 * received, and no time counts.  And go on with it.
 */
void http_hold_body(struct http_connection *connection);
void http_release_body(struct http_connection *connection);

/*
 * Go on with it, and receive what there is at once: not from within a callback of
 * the handler, whose `body` this may call.
 */
void http_receive_body(struct http_connection *connection);

/*
 * Have the end of the client's input count as its leaving, once no body is due
 * any more: the exchange is abandoned, by the loop.  It is off when an exchange
 * begins: a client that has shut its side may still read the answer.  On Linux it
 * is seen also behind a held body and other requests.  A connection that breaks is
 * abandoned in any case.
 */
void http_watch_client(struct http_connection *connection, bool on);

/*
 * Whether the client has shut its side or the connection is broken, as the kernel
 * knows at this moment: for a handler that keeps the loop from looking.
 */
bool http_client_gone(const struct http_connection *connection);

/*
 * Begin the response: its head goes out with the first of the body.  `length`
 * is that of the whole body where the handler knows it, or -1; a
 * Content-Length among the headers comes before it.  Framing is decided here:
 * no body for HEAD, 1xx, 204, 205 and 304; else by length, chunked (HTTP/1.1), or
 * by closing (HTTP/1.0).  Date and Server are added where they are missing,
 * and fields that are hop-by-hop left out.  -EINVAL: a Content-Length that is
 * no number, or several that differ; no response has begun.  -ENOMEM or the
 * error that broke the stream: the exchange is to be aborted.
 */
int http_respond(struct http_connection *connection, const struct http_response *response,
                 int64_t length);

/*
 * Send body bytes.  They are framed; a large piece goes to the kernel at once,
 * and what it does not take is copied.  Bytes beyond the Content-Length are
 * dropped and give -EMSGSIZE; bytes of a response without a body are dropped
 * silently.  Other errors as for http_respond().
 */
int http_send(struct http_connection *connection, const void *data, size_t length);

/*
 * The same, but of a large piece nothing is copied: `taken`, written where it
 * succeeds or gives -EMSGSIZE, tells how much is done with.  The response is full
 * where that is not all, and what is left is the next to be sent, in this way.
 */
int http_send_some(struct http_connection *connection, const void *data, size_t length,
                   size_t *taken);

/*
 * As http_send_some(), of `length` bytes of a file from `offset` on.  They go from
 * the file to the kernel, behind all that was sent before, 1 MiB in a call at
 * most; what the client does not take stays where it is, and http_full() is true
 * then.  Only a chunked body, or one of a file that the kernel can't send, is read
 * into memory, by and by.  -EIO: the file ends before all of this.
 */
int http_send_file(struct http_connection *connection, int file, uint64_t offset, size_t length,
                   size_t *taken);

/*
 * Hand what was sent so far to the kernel now.  Without it that happens when
 * the connection's own callback returns or the exchange ends, so that answers
 * to pipelined requests share one system call.
 */
void http_flush(struct http_connection *connection);

/*
 * Whether what is flushed may wait in the kernel for the client to acknowledge what
 * came before, and so go together with what follows: for much in small pieces.
 * Turning it off has the rest of it go.
 */
void http_gather(struct http_connection *connection, bool on);

/* Enough is unsent; wait for handler->writable before sending more. */
bool http_full(const struct http_connection *connection);

/* The response is complete.  One that is shorter than announced is an abort. */
void http_finish(struct http_connection *connection);

/*
 * End here, so that the client can tell the response is not complete.  What of
 * it was sent goes out before the connection closes.
 */
void http_abort(struct http_connection *connection);

/*
 * Answer with a status and a small text of its own and finish; an abort if a
 * response has begun.  A 503 asks the client to come again in a second.
 */
void http_fail(struct http_connection *connection, unsigned status);

/* The same, and close: what is left of the body is not worth reading. */
void http_refuse(struct http_connection *connection, unsigned status);

#ifdef __cplusplus
}
#endif
#endif
