/*
 * httpclient: client connections as dispatch targets.  Names are resolved,
 * connections made, requests written and responses read, by RFC 9110 and
 * RFC 9112.  No TLS.
 *
 * Three objects, embedded in the caller's own and all zero at first:
 *
 *   struct httpclient_message      a request as bytes, ready to be sent, also again
 *   struct httpclient_connection   to one server
 *   struct httpclient_exchange     a message sent over a connection, and its response
 *
 * The life of an exchange:
 *
 *   httpclient_queue, httpclient_flush
 *   handler->produce ...             if its body is generated
 *   handler->interim ...             1xx responses
 *   handler->response                the head of the response is complete
 *   handler->body ...                as it arrives
 *   handler->done                    once, whatever happened
 *
 * Callbacks come from the loop, never from within a function of this header, and
 * may call any of them, for any object, their own included, but httpclient_free().
 * Nothing follows automatically: redirects, retries and cookies are the caller's.
 *
 * A loop belongs to one thread, and so does all that is made for it.  Functions
 * that return int give 0 or a negative errno value.  Times are those of dispatch,
 * nanoseconds of CLOCK_MONOTONIC.
 */
#ifndef ASYNWSGI_HTTPCLIENT_H
#define ASYNWSGI_HTTPCLIENT_H

#include <asynwsgi/dispatch.h>
#include <asynwsgi/http.h>
#include <asynwsgi/tcpsocket.h>

#ifdef __cplusplus
extern "C" {
#endif

/* -- URLs (RFC 3986) ------------------------------------------------------ */

/*
 * A URL of the scheme http, taken apart.  The pointers are into its text, none is
 * NUL-terminated.
 */
struct httpclient_url {
    const char *host; /* a name or an address; of an IPv6 literal without the brackets */
    size_t host_length;
    const char *authority; /* host and port as written, for Host (RFC 9110, 7.2) */
    size_t authority_length;
    const char *target; /* path and query; may be empty, or begin with "?": see below */
    size_t target_length;
    uint16_t port; /* 80 where none is written */
};

/*
 * Take a URL apart; a fragment is left out.  -EPROTONOSUPPORT: https, or another
 * scheme; -EINVAL: not a URL, without a host, with a user name in it (RFC 9110,
 * 4.2.4), or with a byte that is to be percent-encoded; -ERANGE: a port that is 0 or
 * over 65535.
 */
int httpclient_url_parse(const char *text, size_t length, struct httpclient_url *url);

/*
 * Resolve a reference (that of a Location field, say) against the URL it was found
 * at (RFC 3986, 5.2).  Writes the URL it stands for and gives its length.  A
 * reference without a fragment has that of the base (RFC 9110, 10.2.2).  -EINVAL:
 * base is no absolute URL; -ENOBUFS: `room` is too small: base_length +
 * reference_length + 2 always is enough.
 */
int httpclient_url_resolve(const char *base, size_t base_length, const char *reference,
                           size_t reference_length, char *output, size_t room, size_t *length);

enum httpclient_redirect {
    HTTPCLIENT_STAY,        /* no redirect that could be followed */
    HTTPCLIENT_AGAIN,       /* the same method and body, to the place that Location names */
    HTTPCLIENT_AGAIN_AS_GET /* GET, without the body */
};

/*
 * What a response of that status asks for (RFC 9110, 15.4): a POST becomes a GET at
 * 301 and 302, and all but HEAD at 303.  Whether there is a Location, and whether
 * it is wise, is for the caller to see.
 */
enum httpclient_redirect httpclient_redirect(unsigned status, const char *method,
                                             size_t method_length);

/* -- Addresses ------------------------------------------------------------ */

#define HTTPCLIENT_ADDRESSES 16

/* A name being resolved.  The caller sets `done`. */
struct httpclient_resolve {
    /*
     * `addresses` are valid during the call, HTTPCLIENT_ADDRESSES of them at most.
     * `error`: -ENOENT: the name has no address; -EAGAIN: no name server answers;
     * -ENOMEM, or another of the system's.
     */
    void (*done)(struct httpclient_resolve *resolve, int error,
                 const struct tcpsocket_address *addresses, size_t count);
    struct dispatch_waker waker;
    struct httpclient_resolve_job *job; /* NULL while nothing is under way */
};

/*
 * Find the addresses of a host, in the order in which they are to be tried.  A name
 * is looked up by getaddrinfo(3) in a thread of its own, an address as it is.
 * `done` is called from the loop, never from within this call.  -EINVAL: a name that
 * is empty, longer than 253 characters or has a NUL; -ENOMEM, -EMFILE, -ENFILE;
 * -EAGAIN: no thread.
 */
int httpclient_resolve_start(struct httpclient_resolve *resolve, struct dispatch *loop,
                             const char *host, size_t host_length, uint16_t port);

/* Give up; `done` will not be called.  Harmless when nothing is under way. */
void httpclient_resolve_cancel(struct httpclient_resolve *resolve);

/* -- Messages ------------------------------------------------------------- */

/*
 * A request as it goes out.  It stays the caller's, and unchanged while an exchange
 * has it; any number may.  httpclient_request_write() or httpclient_message_read()
 * fill it in, or the caller does by hand, to send what no client should.
 */
struct httpclient_message {
    const unsigned char *head; /* and whatever is to be sent right behind it */
    size_t head_length;
    /*
     * The body that follows that.  HTTP_BODY_SIZED: body_length bytes, which lie at
     * `content`, or where that is NULL come from handler->produce, as those of
     * HTTP_BODY_CHUNKED do.
     */
    enum http_body body;
    uint64_t body_length;
    const void *content;
    bool is_head;          /* the method is HEAD, whose responses have no body */
    bool is_connect;       /* CONNECT, where a 2xx ends HTTP */
    bool is_idempotent;    /* RFC 9110, 9.2.2: may be sent again, and pipelined behind */
    bool expects_continue; /* wait for 100 (Continue) before the body */
    bool closes;           /* no other exchange can follow on the connection */
};

/* What is to be asked for. */
struct httpclient_request {
    const char *method; /* NUL-terminated; "GET" */
    /* In one of the forms of RFC 9112, 3.2; an empty one, or one that begins with "?", gets a "/".
     */
    const char *target;
    size_t target_length;
    const char *authority; /* for Host, which must not be among the headers; may be empty */
    size_t authority_length;
    const struct http_header *headers;
    size_t header_count;
    /*
     * The body: none, one of body_length bytes, or chunked.  Content-Length or
     * Transfer-Encoding is written for it, and is not to be among the headers.
     */
    enum http_body body;
    uint64_t body_length;
    const void *content;   /* of a sized one; NULL: it is generated */
    bool expects_continue; /* with a body only */
    bool closes;           /* say "Connection: close" */
};

/*
 * Write the head of a request into `room` bytes at `buffer`, and fill in the message,
 * which points to it.  It is read as a server would read it, so nothing goes out that
 * http_request_parse() and http_request_frame() would not take.  -EINVAL: they would
 * not; -ENOBUFS: the room is too small.
 */
int httpclient_request_write(const struct httpclient_request *request, void *buffer, size_t room,
                             struct httpclient_message *message);

/*
 * Fill in a message from bytes that begin with a head.  What stands behind that is
 * its whole body, or nothing, and then `content` is NULL.  Faults: those of the
 * functions above; HTTP_INCOMPLETE: no whole head, or not the whole of a sized body,
 * or there is more; a chunked body must not stand there.
 */
enum http_fault httpclient_message_read(const void *bytes, size_t length,
                                        struct httpclient_message *message);

/* -- The client ----------------------------------------------------------- */

/* Nanoseconds, 0: no limit.  No time counts in which it is the caller that is waited for. */
struct httpclient_timeouts {
    uint64_t connect; /* to each of the addresses */
    uint64_t send;    /* until the server takes more of a request */
    uint64_t
        expect;    /* for 100 (Continue); then the body is sent without it; 0: none is waited for */
    uint64_t head; /* from the whole request, or the response before, to a whole head */
    uint64_t body; /* to more of a body */
    uint64_t exchange; /* from httpclient_queue() to the end */
    uint64_t idle;     /* without an exchange: then the connection is closed */
};

extern const struct httpclient_timeouts httpclient_timeouts_default;

struct httpclient_options {
    struct dispatch *loop;
    struct http_limits limits; /* of responses */
    struct httpclient_timeouts timeouts;
    /*
     * Exchanges of a connection that may wait for their responses; 0 and 1: no
     * pipelining.  Behind a method that is not idempotent none is sent before its
     * response is complete (RFC 9112, 9.3.2).
     */
    uint32_t depth;
};

/* What the connections of a loop share: buffers, limits, time-outs. */
struct httpclient;

/* The options are copied.  -ENOMEM; -EINVAL: limits.fields over HTTP_FIELDS_MAX. */
int httpclient_new(const struct httpclient_options *options, struct httpclient **client);

/* Every connection must be closed.  NULL is harmless. */
void httpclient_free(struct httpclient *client);

/* Bytes of buffers that connections hold at present. */
size_t httpclient_memory(const struct httpclient *client);

/* -- Exchanges ------------------------------------------------------------ */

struct httpclient_exchange;

/* All but `done` may be NULL. */
struct httpclient_handler {
    /*
     * A final response, whose status is 200 or more, or 101.  What is pointed to is
     * valid during the call.
     */
    void (*response)(struct httpclient_exchange *exchange,
                     const struct http_response_head *response, const struct http_framing *framing);
    /* A response of the class 1xx, which another follows (RFC 9110, 15.2). */
    void (*interim)(struct httpclient_exchange *exchange,
                    const struct http_response_head *response);
    /* Content or trailer fields; valid during the call. */
    void (*body)(struct httpclient_exchange *exchange, const struct http_piece *piece);
    /*
     * There is room for more of a generated body: httpclient_produce() some, or later.
     * Comes again when there is room again and something was produced since.
     */
    void (*produce)(struct httpclient_exchange *exchange);
    /* It is over, see exchange->error, and the caller's again. */
    void (*done)(struct httpclient_exchange *exchange);
};

/* How far an exchange came. */
enum httpclient_progress {
    HTTPCLIENT_QUEUED,   /* nothing of it was sent */
    HTTPCLIENT_SENT,     /* in whole or in part; there is no final response */
    HTTPCLIENT_ANSWERED, /* the head of the final response is there */
    HTTPCLIENT_COMPLETE  /* the whole of the response */
};

/* Which time was up. */
enum httpclient_timeout {
    HTTPCLIENT_IN_TIME,
    HTTPCLIENT_LATE_CONNECT,
    HTTPCLIENT_LATE_SEND,
    HTTPCLIENT_LATE_HEAD,
    HTTPCLIENT_LATE_BODY,
    HTTPCLIENT_LATE_EXCHANGE
};

/* When things happened; 0: they have not.  For connecting see struct httpclient_connection. */
struct httpclient_times {
    uint64_t queued;
    uint64_t begun; /* its first byte was given to the kernel */
    uint64_t sent;  /* its last */
    uint64_t first; /* something of its response came */
    uint64_t head;  /* the head of the final response was there */
    uint64_t end;
};

/* The caller sets `handler` and `message`, and may read the rest up to `times`. */
struct httpclient_exchange {
    const struct httpclient_handler *handler;
    const struct httpclient_message *message;
    struct httpclient_connection *connection; /* NULL while not queued */
    /*
     * 0, or of a connection that failed to be made, its error;
     * -ETIMEDOUT: see `late`;
     * -ECONNRESET: the server closed before the response was complete;
     * -EPROTO: the response is not one, or beyond a limit: see `fault`;
     * -ECONNABORTED: the connection ended before it was the turn of this one;
     * or another error of the connection.
     */
    int error;
    enum http_fault fault;
    enum httpclient_timeout late;
    enum httpclient_progress progress;
    unsigned status;   /* of the final response; 0: none came */
    uint64_t received; /* bytes of content */
    uint64_t produced; /* of the request's */
    struct httpclient_times times;
    struct httpclient_exchange *next; /* ours */
};

/*
 * Whether an exchange that failed may be tried again without asking whom it concerns:
 * when nothing of it was sent, or its method is idempotent and there was no answer
 * (RFC 9110, 9.2.2; RFC 9112, 9.3.1).
 */
bool httpclient_may_retry(const struct httpclient_exchange *exchange);

/*
 * Put an exchange behind the others of the connection.  Within a callback of that
 * connection it goes out when the callback has returned; elsewhere the caller calls
 * httpclient_flush() before returning to the loop.  All that may be pipelined by then
 * goes out in one system call.  -ESHUTDOWN: the connection takes no more, and
 * `closed` will be called, or was.
 */
int httpclient_queue(struct httpclient_connection *connection,
                     struct httpclient_exchange *exchange);
void httpclient_flush(struct httpclient_connection *connection);

/*
 * Send bytes of a generated body, framed as it needs: from `produce` until the body is
 * ended, at any time.  What the kernel does not take is copied, so stop while
 * httpclient_full(), and end a chunked body.  A sized one ends by itself.  Does
 * nothing once the response has made the rest unwanted.  -EMSGSIZE: more than
 * body_length, none of it is sent; -ENOMEM, or the error that broke the connection,
 * of which `done` will tell.
 */
int httpclient_produce(struct httpclient_exchange *exchange, const void *data, size_t length);
int httpclient_produce_end(struct httpclient_exchange *exchange);
bool httpclient_full(const struct httpclient_exchange *exchange);

/* -- Connections ---------------------------------------------------------- */

/*
 * The caller sets `closed`, and `tap` or NULL, and may read the times; the rest is ours.
 */
struct httpclient_connection {
    /*
     * It is over, all its exchanges are done, and it may be opened again or its memory
     * freed.  0: in good order, by either side; else why, as in struct
     * httpclient_exchange.  -EPROTO: there may have been input that nobody asked for
     * (RFC 9112, 9.2).
     */
    void (*closed)(struct httpclient_connection *connection, int error);
    /*
     * Is shown all bytes received, as they are read, or at the end of the connection what
     * was not.  Must not close the connection.
     */
    void (*tap)(struct httpclient_connection *connection, const unsigned char *bytes,
                size_t length);
    uint64_t opened, connected; /* when; 0: not yet */

    struct httpclient *client;
    union {
        struct tcpsocket_connect connect; /* until it is connected */
        struct tcpsocket_stream stream;
    };
    struct dispatch_timer timer;
    const struct tcpsocket_address *addresses; /* still to be tried */
    size_t address_count;
    struct httpclient_exchange *first, *last; /* in the order of their queueing */
    struct httpclient_exchange *unsent;       /* the first that has not begun */
    struct httpclient_exchange *leaving;      /* the first whose `sent` is not told */
    struct httpclient_exchange *sending;      /* the one whose body is being sent */
    bool *gone;                               /* while a callback may be running: tell it here */
    uint64_t clock;                           /* the time by which it acts */
    uint64_t since;                           /* of the last progress */
    union {
        struct http_head_parser parser;
        struct http_chunked chunked;
        uint64_t remaining;
    };
    uint32_t flying;        /* exchanges that have begun */
    uint32_t taken;         /* tcpsocket_stream_progress() */
    int failure;            /* of writing; the loop is to see to it */
    uint8_t state, reading; /* reading: what of a response is expected */
    bool running : 1, kicked : 1, held : 1;
    bool persistent : 1; /* as far as the server has said */
    bool closing : 1;    /* the last exchange that has begun is the last of all */
    bool pipelines : 1;  /* others may be sent behind it */
    bool waiting : 1;    /* `sending` does, for 100 (Continue) */
    bool stalled : 1;    /* or for its handler to produce more */
    bool switched : 1;   /* what comes now is not HTTP */
    bool stray : 1;      /* there was input that nobody asked for */
};

/*
 * Open a connection, by the first of `count` addresses (1 or more) that can be
 * connected to, each tried when the one before has failed.  They stay the caller's,
 * and in place until `connected` is set or `closed` called.  Exchanges may be queued at once.
 * -EBUSY: it is open; -ENOMEM, -EMFILE, -ENFILE, or that no address can be tried.
 */
int httpclient_connection_open(struct httpclient_connection *connection, struct httpclient *client,
                               const struct tcpsocket_address *addresses, size_t count);

/*
 * Close at once.  No callback comes after it, of its exchanges neither, which are the
 * caller's again.  Harmless when not open.
 */
void httpclient_connection_close(struct httpclient_connection *connection);

/*
 * Deliver no more for now, leaving the server to TCP; and go on with it.  For the
 * exchange whose response is being read.
 */
void httpclient_hold(struct httpclient_connection *connection);
void httpclient_release(struct httpclient_connection *connection);

/*
 * Within handler->response, of 101 or of a 2xx to CONNECT: take the connection over
 * for what follows HTTP.  What was received behind the head is copied to `rest`.  The
 * exchange and the connection are over, without `done` or `closed`.  -ENOBUFS: it is
 * more than `room`; -EINVAL: not such a response; -EMFILE.  Otherwise such a connection is
 * closed when the callback returns.
 */
int httpclient_connection_take(struct httpclient_connection *connection, void *rest, size_t room,
                               size_t *length, int *descriptor);

#ifdef __cplusplus
}
#endif
#endif
