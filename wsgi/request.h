/* An exchange, from the application's side. */
#ifndef WSGI_REQUEST_H
#define WSGI_REQUEST_H

#include "arrival.h"
#include "head.h"
#include "pool.h"
#include "spool.h"
#include "state.h"
#include "wait.h"
#include "window.h"

#include <asynwsgi/http_server.h>
#include <stdbool.h>
#include <stddef.h>

enum wsgi_stage {
    WSGI_STAGE_ARRIVING,
    WSGI_STAGE_QUEUED,
    WSGI_STAGE_RUNNING,
    WSGI_STAGE_SUSPENDED
};

/*
 * Its life: the body arrives, unless it is to be streamed; the application is
 * called; what it returned is iterated over; the exchange ends and close() is
 * called; the object waits in wsgi->free for another request.
 */
struct wsgi_request {
    struct wsgi *wsgi;
    struct http_connection *connection; /* under the loop's lock; NULL: the exchange is over */
    bool over;                          /* for the application, too: under the GIL */
    struct wsgi_request *next, **link;  /* in wsgi->free or, `link` set, in a queue */

    /* With a pool: see pool.h. */
    enum wsgi_stage stage;
    bool is_fresh;
    uint64_t expires;             /* when it has waited too long for a thread */
    struct wsgi_arrival *arrival; /* of which the environ is yet to be made */
    pthread_cond_t *sleeper;      /* of the thread that runs it and sleeps; or NULL */

    struct wsgi_environ environ; /* until the application has returned */
    PyObject *method, *target;   /* str, to name the request in the log */
    PyObject *line;              /* str: of wsgi.errors, not ended yet; or NULL */
    bool is_head;
    bool is_chunked;
    struct wsgi_spool body;     /* the whole of it, or ... */
    struct wsgi_window *window; /* ... of a body that is streamed, what is not taken yet */
    unsigned char *trailer;     /* its field lines */
    size_t trailer_length;
    struct wsgi_wait *wait; /* NULL: it never waited */
    PyObject *context;      /* contextvars.Context */

    /* What the application is given; kept for the next request if it drops them. */
    PyObject *input, *start_response, *write;

    struct wsgi_head head;
    bool responded; /* the head was handed to http_server */
    bool cut;       /* it was longer than its Content-Length */
    bool full;      /* the client has enough to take for now */
    int error;      /* of the stream; nothing can be sent any more */

    PyObject *iterable;  /* what the application returned */
    PyObject *iterator;  /* of it; NULL for a list or tuple, of which ... */
    Py_ssize_t position; /* ... this item is the next */
    PyObject *item;      /* bytes being sent ... */
    size_t sent;         /* ... and how many of them are */

    PyObject *file;      /* what is sent instead of items; NULL: nothing ... */
    uint64_t place, end; /* ... from here to there */
};

/*
 * Around all Python code that is run for the request: it has the request's
 * context, and is what wsgi_request_current() tells.  -1 with an exception.
 */
int wsgi_request_enter(struct wsgi_request *request);
void wsgi_request_leave(struct wsgi_request *request);

/* The request that this thread runs; NULL with RuntimeError when there is none. */
struct wsgi_request *wsgi_request_current(void);

/* That one even if its exchange is over, or NULL. */
struct wsgi_request *wsgi_request_running(void);

/* Whether this thread may write for it; else it is another's turn. */
bool wsgi_request_is_here(const struct wsgi_request *request);

/* Whether a wait is begun, and not over; under the loop's lock. */
static inline bool wsgi_request_waits(const struct wsgi_request *request)
{
    return request->wait && request->wait->begun;
}

/* Run it, in a thread of the pool, as far as it goes; it is not to be used afterwards. */
void wsgi_request_run(struct wsgi_request *request);

/* Whether the exchange ended while the application was at it, as far as can be told without the
 * lock. */
static inline bool wsgi_request_is_gone(const struct wsgi_request *request)
{
    return !__atomic_load_n(&request->connection, __ATOMIC_RELAXED);
}

/* Its connection, which ends the exchange; under the loop's lock. */
struct http_connection *wsgi_request_let_go(struct wsgi_request *request);

/* Back to wsgi->free with one that no thread has seen; under the loop's lock. */
void wsgi_request_recycle(struct wsgi_request *request);

/* The exchange ended by its response, or by a failure of `where` with an exception at hand. */
void wsgi_request_finish(struct wsgi_request *request);
void wsgi_request_fail(struct wsgi_request *request, const char *where);

/* Log a line that names the request. */
void wsgi_request_warn(const struct wsgi_request *request, const char *what);

/* Free what wsgi->free holds. */
void wsgi_requests_free(struct wsgi *wsgi);

/* -- environ.c ------------------------------------------------------------ */

/* What all requests have in common: a dict to copy.  -1 with an exception; fini is due either way.
 */
int wsgi_environ_init(struct wsgi *wsgi);
void wsgi_environ_fini(struct wsgi *wsgi);

/* Make request->environ, ->input, ->method and ->target.  -1 with an exception. */
int wsgi_environ_make(struct wsgi_request *request, const struct http_request *head,
                      const struct sockaddr *local, const struct sockaddr *peer);

/*
 * The application has returned.  If it has left the environ as it was, and kept neither
 * that nor the input, both may serve another request.
 */
void wsgi_environ_leave(struct wsgi_request *request);

/* -- response.c ----------------------------------------------------------- */

/* Its items are there, need no iterator, and there is no close() to look for. */
static inline bool wsgi_response_is_plain(PyObject *iterable)
{
    return PyList_CheckExact(iterable) || PyTuple_CheckExact(iterable);
}

/* What the application returned (a reference that is taken over).  -1 with an exception. */
int wsgi_response_begin(struct wsgi_request *request, PyObject *iterable);

/* Send it, as far as may be; and go on with it, by wsgi_resume() only. */
void wsgi_response_continue(struct wsgi_request *request);

/* Hand over the head; `length` as for http_respond().  -1 with an exception. */
int wsgi_response_head(struct wsgi_request *request, int64_t length);

/*
 * Send bytes: all of them, or as http_send_some() where `taken` is not NULL.
 * -1 with an exception.
 */
int wsgi_response_send(struct wsgi_request *request, const char *data, size_t length,
                       size_t *taken);

/* The body handed out is shorter than the Content-Length: `sent` bytes. */
bool wsgi_response_is_short(const struct wsgi_request *request, uint64_t sent);

/* The stream is broken, as an exception for the application: -1. */
int wsgi_response_broken(struct wsgi_request *request, int error);

/* -- send_file.c: a file, without its bytes coming through Python ---------- */

/* Find the types of files.  -1 with an exception; fini is due either way. */
int wsgi_send_file_init(struct wsgi *wsgi);
void wsgi_send_file_fini(struct wsgi *wsgi);

/* See whether request->iterable is a file that can be sent so: then set request->file. */
void wsgi_send_file_begin(struct wsgi_request *request);

/* Send some of it.  -1 with an exception. */
int wsgi_send_file_step(struct wsgi_request *request);

/* -- pieces.c: a body that is streamed ------------------------------------ */

/* Have the client send on. */
void wsgi_pieces_ask(struct wsgi_request *request);

/* Whether there is what the request waits for. */
bool wsgi_pieces_suffice(const struct wsgi_request *request);

/*
 * See to it that so many bytes are there, or all, if the body has them and the
 * window holds them.  -1 with an exception: BlockingIOError where that would have
 * to wait, which is registered then.  A thread of the pool waits.
 */
int wsgi_pieces_need(struct wsgi_request *request, size_t wanted);
int wsgi_pieces_need_all(struct wsgi_request *request);

/* What iterating gives next.  NULL at the end, or with an exception. */
PyObject *wsgi_pieces_next(struct wsgi_input *input);

/* A list of (name, value), or None before the body's end. */
PyObject *wsgi_pieces_trailers(const struct wsgi_request *request);

/* -- turn.c: responses that could go on, but let others have a turn first -- */

/*
 * What a response waited for is over: go on with it, at once if nobody has to wait for
 * that, or in a thread.  Under the loop's lock.
 */
void wsgi_resume(struct wsgi_request *request);

/* Whether more of a streamed body may be received now; if not, it is in the response's turn. */
bool wsgi_turn_receives(struct wsgi_request *request);

/* Have the response continued in a turn of the loop; and not any more. */
void wsgi_turn_wait(struct wsgi_request *request);
void wsgi_turn_leave(struct wsgi_request *request);

/* Whether a response that began to run then is to let others have their turn. */
bool wsgi_turn_is_over(uint64_t began);

/* For wsgi->turn. */
void wsgi_turn_fired(struct dispatch_timer *timer);

#endif
