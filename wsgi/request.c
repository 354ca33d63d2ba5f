/*
 * The handler of http_server: an exchange from its head to the application's
 * close().
 *
 * `connection` is let go of before anything that ends the exchange, and
 * close() is called after that, so whatever Python code runs then finds the
 * exchange over.
 *
 * With a pool the loop runs the handler only, and no Python in it; the rest is for
 * the threads (wsgi_request_run).
 */
#include "request.h"

#include "profile.h"

#include "config.h"
#include <errno.h>
#include <stdlib.h>

enum {
    FREE_MOST = 64
}; /* request objects that wait for other requests */

enum {
    INTERNAL_ERROR = 500,
    NOT_IMPLEMENTED = 501,
    UNAVAILABLE = 503,
    NO_STORAGE = 507
};

/* -- Request objects ------------------------------------------------------ */

static struct wsgi_request *take(struct wsgi *wsgi)
{
    struct wsgi_request *request = wsgi->free;

    if (request) {
        wsgi->free = request->next;
        wsgi->free_count--;
        return request;
    }
    request = calloc(1, sizeof *request);
    if (!request)
        return NULL;
    request->wsgi = wsgi;
    request->is_fresh = true;
    wsgi_spool_init(&request->body);
    return request;
}

static void destroy(struct wsgi_request *request)
{
    Py_XDECREF(request->input);
    Py_XDECREF(request->start_response);
    Py_XDECREF(request->write);
    wsgi_spool_fini(&request->body);
    wsgi_head_fini(&request->head);
    free(request);
}

void wsgi_requests_free(struct wsgi *wsgi)
{
    while (wsgi->free) {
        struct wsgi_request *request = wsgi->free;

        wsgi->free = request->next;
        destroy(request);
    }
    wsgi->free_count = 0;
}

/* Let go of a callable that the application kept; one that it dropped serves again. */
static void cut_callable(PyObject **callable)
{
    if (*callable && Py_REFCNT(*callable) > 1) {
        ((struct wsgi_callable *)*callable)->request = NULL;
        Py_CLEAR(*callable);
    }
}

static void cut_input(PyObject **input)
{
    if (*input)
        wsgi_input_clear(*input);
    if (*input && Py_REFCNT(*input) > 1) {
        ((struct wsgi_input *)*input)->request = NULL;
        Py_CLEAR(*input);
    }
}

/* -- Running Python ------------------------------------------------------- */

static _Thread_local struct wsgi_request *current;

/* Inline, for the way that each request goes. */
static inline int enter(struct wsgi_request *request)
{
    if (!request->context) {
        request->context = PyContext_Copy(request->wsgi->context);
        if (!request->context)
            return -1;
    }
    if (request->wsgi->enter(request->context) < 0)
        return -1;
    current = request;
    return 0;
}

int wsgi_request_enter(struct wsgi_request *request)
{
    return enter(request);
}

void wsgi_request_leave(struct wsgi_request *request)
{
    request->wsgi->leave(request->context);
    current = NULL;
}

struct wsgi_request *wsgi_request_current(void)
{
    if (current && !current->over)
        return current;
    PyErr_SetString(PyExc_RuntimeError, "this is not called within a request");
    return NULL;
}

struct wsgi_request *wsgi_request_running(void)
{
    return current;
}

bool wsgi_request_is_here(const struct wsgi_request *request)
{
    return current == request;
}

/* -- The log -------------------------------------------------------------- */

enum {
    LINE = 2048
};

/* A line for the log, which names the request. */
static void name(const struct wsgi_request *request, const char *what, char line[LINE])
{
    const struct http_request *head = request->arrival ? &request->arrival->head : NULL;
    const char *method, *target;

    if (head) { /* before there is an environ */
        snprintf(line, LINE, "%.*s %.*s: %s", (int)head->method.length,
                 (const char *)head->message + head->method.start, (int)head->target.length,
                 (const char *)head->message + head->target.start, what);
        return;
    }
    method = request->method ? PyUnicode_AsUTF8(request->method) : NULL;
    target = request->target ? PyUnicode_AsUTF8(request->target) : NULL;
    snprintf(line, LINE, "%s %s: %s", method ? method : "?", target ? target : "?", what);
}

void wsgi_request_warn(const struct wsgi_request *request, const char *what)
{
    char line[LINE];

    name(request, what, line);
    wsgi_log(request->wsgi, "%s", line);
}

static void log_exception(const struct wsgi_request *request, const char *where)
{
    char what[128], line[LINE];

    snprintf(what, sizeof what, "exception in %s", where);
    name(request, what, line);
    wsgi_log_exception(request->wsgi, line);
}

/* -- The end of it all ----------------------------------------------------- */

/* close() of the iterable, if it has one, whatever became of the response. */
static void call_close(struct wsgi_request *request)
{
    PyObject *close, *result;

    close = PyObject_GetAttr(request->iterable, request->wsgi->names.of[WSGI_NAME_CLOSE]);
    if (!close && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        return;
    }
    result = close ? PyObject_CallNoArgs(close) : NULL;
    if (!result)
        log_exception(request, "the iterable's close()");
    Py_XDECREF(result);
    Py_XDECREF(close);
}

static void close_iterable(struct wsgi_request *request)
{
    if (!request->iterable || wsgi_response_is_plain(request->iterable))
        return;
    if (wsgi_request_enter(request) < 0) {
        wsgi_log_exception(request->wsgi, NULL);
        return;
    }
    call_close(request);
    /* A generator that close() did not end ends with its last reference. */
    Py_CLEAR(request->iterator);
    Py_CLEAR(request->iterable);
    wsgi_request_leave(request);
}

/* The memory that only some requests need. */
static void free_rest(struct wsgi_request *request)
{
    if (request->window)
        wsgi_window_clear(request->window);
    PyMem_RawFree(request->window);
    request->window = NULL;
    PyMem_RawFree(request->trailer);
    request->trailer = NULL;
    request->trailer_length = 0;
    if (request->wait)
        wsgi_wait_forget(request->wait);
    PyMem_RawFree(request->wait);
    request->wait = NULL;
    free(request->arrival);
    request->arrival = NULL;
}

/* As it was before, but for Python objects. */
static void reset(struct wsgi_request *request)
{
    if (request->window || request->trailer || request->wait || request->arrival)
        free_rest(request);
    wsgi_spool_clear(&request->body);
    wsgi_head_clear(&request->head);
    request->responded = request->cut = request->full = request->over = false;
    request->error = 0;
    request->stage = WSGI_STAGE_ARRIVING;
    request->is_fresh = true;
}

static void put_back(struct wsgi_request *request)
{
    struct wsgi *wsgi = request->wsgi;

    request->next = wsgi->free;
    wsgi->free = request;
    wsgi->free_count++;
}

/* Of an earlier request: the application may have kept any of them, and left the others. */
static bool has_objects(const struct wsgi_request *request)
{
    return request->input || request->start_response || request->write || request->head.status ||
           request->head.header_count > 0;
}

void wsgi_request_recycle(struct wsgi_request *request)
{
    reset(request);
    if (has_objects(request) || request->wsgi->free_count < FREE_MOST)
        put_back(request);
    else
        destroy(request); /* it has no Python objects, for which there is no lock here */
}

/* The exchange is over: see to it that nothing of it lives on. */
static void release(struct wsgi_request *request)
{
    struct wsgi *wsgi = request->wsgi;
    bool keep;

    request->over = true;
    wsgi_turn_leave(request);
    if (request->wait)
        wsgi_wait_end(request->wait);
    close_iterable(request);
    if (request->context)
        PROBE(application__end, request);
    Py_CLEAR(request->context);
    Py_CLEAR(request->item);
    Py_CLEAR(request->iterator);
    Py_CLEAR(request->iterable);
    Py_CLEAR(request->file);
    Py_CLEAR(request->environ.dict);
    Py_CLEAR(request->method);
    Py_CLEAR(request->target);
    cut_callable(&request->start_response);
    cut_callable(&request->write);
    cut_input(&request->input);
    wsgi_errors_end_line(wsgi->errors, request);
    reset(request);
    wsgi_lock(wsgi);
    keep = wsgi->free_count < FREE_MOST;
    if (keep)
        put_back(request);
    wsgi_unlock(wsgi);
    if (!keep)
        destroy(request);
}

/* -- The ends of an exchange ---------------------------------------------- */

struct http_connection *wsgi_request_let_go(struct wsgi_request *request)
{
    struct http_connection *connection = request->connection;

    __atomic_store_n(&request->connection, NULL, __ATOMIC_RELAXED);
    return connection;
}

void wsgi_request_finish(struct wsgi_request *request)
{
    struct http_connection *connection;
    bool is_short = false;

    request->over = true;
    wsgi_lock(request->wsgi);
    connection = wsgi_request_let_go(request);
    if (connection) {
        is_short = wsgi_response_is_short(request, http_connection_sent(connection));
        http_finish(connection);
    }
    wsgi_unlock(request->wsgi);
    if (is_short)
        wsgi_request_warn(request, "the body is shorter than its Content-Length");
    release(request);
}

/* Nothing for a log, unless it was we who could not keep what it had not taken yet. */
static bool client_has_left(const struct wsgi_request *request)
{
    return request->error < 0 && request->error != -ENOMEM && request->error != -ENOBUFS;
}

void wsgi_request_fail(struct wsgi_request *request, const char *where)
{
    struct http_connection *connection;

    if (client_has_left(request))
        PyErr_Clear();
    else
        log_exception(request, where);
    request->over = true;
    wsgi_lock(request->wsgi);
    connection = wsgi_request_let_go(request);
    if (connection)
        http_fail(connection, INTERNAL_ERROR);
    wsgi_unlock(request->wsgi);
    release(request);
}

/* -- The handler ---------------------------------------------------------- */

/* The call, and the iterator of what it returned.  -1 with an exception. */
static int call(struct wsgi_request *request, const char **where)
{
    PyObject *arguments[] = {NULL, request->environ.dict, request->start_response};
    PyObject *iterable;

    *where = "the application";
    if (request->wsgi->profile)
        wsgi_profile_count(request->wsgi->profile);
    PROBE(application__start, request, __atomic_load_n(&request->connection, __ATOMIC_RELAXED));
    iterable = PyObject_Vectorcall(request->wsgi->application, arguments + 1,
                                   2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    wsgi_end_fork(request->wsgi);
    wsgi_environ_leave(request);
    if (!iterable)
        return -1;
    *where = "what the application returned";
    return wsgi_response_begin(request, iterable);
}

static void call_application(struct wsgi_request *request)
{
    const char *where = "the making of a context";
    int r = -1;

    if (enter(request) == 0) {
        r = call(request, &where);
        wsgi_request_leave(request);
    }
    if (r < 0)
        wsgi_request_fail(request, where);
    else
        wsgi_response_continue(request);
}

/* Make what the application is given.  -1 with an exception. */
static int prepare(struct wsgi_request *request, const struct http_request *head,
                   const struct sockaddr *local, const struct sockaddr *peer)
{
    if (!request->start_response)
        request->start_response =
            wsgi_callable_new(request->wsgi->types, wsgi_start_response, request);
    if (!request->start_response)
        return -1;
    return wsgi_environ_make(request, head, local, peer);
}

/* What a thread of the pool does first. */
static void start(struct wsgi_request *request)
{
    struct wsgi_arrival *arrival = request->arrival;
    int r;

    request->arrival = NULL;
    r = prepare(request, &arrival->head, &arrival->local.any, &arrival->peer.any);
    free(arrival);
    if (r < 0)
        wsgi_request_fail(request, "the making of environ");
    else
        call_application(request);
}

void wsgi_request_run(struct wsgi_request *request)
{
    if (wsgi_request_is_gone(request))
        release(request);
    else if (request->arrival)
        start(request);
    else
        wsgi_response_continue(request);
}

/* Make what there is to be made of the head while it is there. */
static int accept_head(struct wsgi_request *request, const struct http_request *head)
{
    struct http_connection *connection = request->connection;

    request->is_head = head->is_head;
    if (!request->wsgi->pool)
        return prepare(request, head, http_connection_local(connection),
                       http_connection_peer(connection));
    request->arrival = wsgi_arrival_new(connection, head);
    return request->arrival ? 0 : -1;
}

/* The request is as complete as it has to be: now the application is called. */
static void call_now(struct wsgi_request *request)
{
    if (request->wsgi->pool)
        wsgi_pool_submit(request);
    else
        call_application(request);
}

/* It cannot even be prepared. */
static void fail_early(struct wsgi_request *request, const char *what)
{
    if (!request->wsgi->pool) {
        wsgi_request_fail(request, what);
        return;
    }
    http_fail(wsgi_request_let_go(request), UNAVAILABLE);
    wsgi_request_recycle(request);
}

/* The exchange ended without the application's doing. */
static void drop(struct wsgi_request *request)
{
    if (request->wsgi->pool)
        wsgi_pool_drop(request);
    else
        release(request);
}

/* The path, or what it is below, is one of those whose bodies are streamed. */
static bool is_streamed(const struct wsgi *wsgi, const struct http_request *head)
{
    const unsigned char *path = head->message + head->path.start;
    const char *const *prefix = wsgi->options->streaming;

    for (; prefix && *prefix; prefix++) {
        size_t length = strlen(*prefix);

        if (length > 0 && (*prefix)[length - 1] == '/')
            length--;
        if (length <= head->path.length && memcmp(*prefix, path, length) == 0 &&
            (length == head->path.length || path[length] == '/'))
            return true;
    }
    return wsgi->streams;
}

/* Call the application now; it is to have the body as it comes. */
static void stream(struct wsgi_request *request, bool has_body)
{
    request->window = PyMem_RawCalloc(1, sizeof *request->window);
    if (!request->window) {
        if (!request->wsgi->pool)
            PyErr_NoMemory();
        fail_early(request, "the making of wsgi.input");
        return;
    }
    request->window->ended = !has_body;
    if (has_body)
        http_hold_body(request->connection);
    call_now(request);
}

static void on_request(struct http_connection *connection, const struct http_request *head,
                       const struct http_framing *framing)
{
    struct wsgi *wsgi = http_connection_context(connection);
    bool has_body = framing->body == HTTP_BODY_CHUNKED || framing->length > 0;
    struct wsgi_request *request;

    /* No tunnels, and no target that environ could express (RFC 9110, 9.3.6). */
    if (head->form == HTTP_TARGET_AUTHORITY) {
        http_fail(connection, NOT_IMPLEMENTED);
        return;
    }
    request = take(wsgi);
    if (!request) {
        http_fail(connection, UNAVAILABLE);
        return;
    }
    if (!wsgi->pool)
        wsgi_keep_lock(wsgi);
    request->connection = connection;
    request->is_chunked = framing->body == HTTP_BODY_CHUNKED;
    http_exchange_set(connection, request);
    if (accept_head(request, head) < 0)
        fail_early(request, "the making of environ");
    else if (is_streamed(wsgi, head))
        stream(request, has_body);
    else if (has_body)
        http_want_body(connection);
    else
        call_now(request);
}

/* The body cannot be put aside: its client may try again later or with less. */
static void refuse_body(struct wsgi_request *request, int error)
{
    bool is_full = error == -ENOSPC || error == -EDQUOT || error == -EFBIG;
    char what[128];

    snprintf(what, sizeof what, "cannot store the body: %s", strerror(-error));
    if (request->wsgi->pool && !request->is_fresh)
        wsgi_log(request->wsgi, "%s", what); /* its name is Python's by now */
    else
        wsgi_request_warn(request, what);
    http_refuse(wsgi_request_let_go(request), is_full ? NO_STORAGE : UNAVAILABLE);
    drop(request);
}

/*
 * 0, or what keeps the body from being stored.  One that came whole, as the small do, is
 * left where it was received: the application is called before more is.
 */
static int store_body(struct wsgi_request *request, const struct http_piece *piece, bool last)
{
    const struct wsgi_options *options = request->wsgi->options;
    bool spent = http_hold_memory(request->connection, request->body.capacity);
    size_t memory = spent ? 0 : options->body_memory;
    int r;

    if (last && request->body.length == 0 && piece->length <= memory && !request->wsgi->pool) {
        wsgi_spool_lend(&request->body, piece->data, piece->length);
        return 0;
    }
    r = wsgi_spool_append(&request->body, memory, options->body_folder, piece->data, piece->length);
    http_hold_memory(request->connection, request->body.capacity);
    return r;
}

/* The same for the one who takes it as it comes. */
static int show_body(struct wsgi_request *request, const struct http_piece *piece, bool last)
{
    int r = wsgi_window_append(request->window, piece->data, piece->length,
                               piece->chunk_begins ? piece->chunk_size : 0);

    http_hold_memory(request->connection, wsgi_window_memory(request->window));
    request->window->ended = last;
    return r;
}

static int keep_trailer(struct wsgi_request *request, const struct http_piece *piece)
{
    unsigned char *trailer;

    if (piece->trailer_length == 0)
        return 0;
    trailer = PyMem_RawRealloc(request->trailer, request->trailer_length + piece->trailer_length);
    if (!trailer)
        return -ENOMEM;
    memcpy(trailer + request->trailer_length, piece->trailer, piece->trailer_length);
    request->trailer = trailer;
    request->trailer_length += piece->trailer_length;
    return 0;
}

static void on_body(struct http_connection *connection, const struct http_piece *piece, bool last)
{
    struct wsgi_request *request = http_exchange(connection);
    int r = keep_trailer(request, piece);

    if (r == 0)
        r = request->window ? show_body(request, piece, last) : store_body(request, piece, last);
    if (r < 0)
        refuse_body(request, r);
    else if (!request->window && last)
        call_now(request);
    else if (request->window && wsgi_pieces_suffice(request)) {
        /* No more before it asks for more: so the client waits for the application. */
        http_hold_body(connection);
        wsgi_wait_end(request->wait);
        wsgi_resume(request);
    }
}

static bool on_receivable(struct http_connection *connection)
{
    struct wsgi_request *request = http_exchange(connection);

    return !request->window || request->wsgi->pool || wsgi_turn_receives(request);
}

static void on_writable(struct http_connection *connection)
{
    struct wsgi_request *request = http_exchange(connection);

    if (request->wsgi->pool ? request->stage == WSGI_STAGE_RUNNING || !wsgi_request_waits(request)
                            : request->iterable && !wsgi_request_waits(request))
        wsgi_resume(request);
}

static void on_abandoned(struct http_connection *connection)
{
    struct wsgi_request *request = http_exchange(connection);

    wsgi_request_let_go(request);
    drop(request);
}

const struct http_handler wsgi_handler = {
    .request = on_request,
    .body = on_body,
    .receives = on_receivable,
    .writable = on_writable,
    .abandoned = on_abandoned,
};
