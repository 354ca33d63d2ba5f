/*
 * Runs what an application returned (PEP 3333, "Handling the Content-Length
 * Header", "Buffering and Streaming").
 *
 * The head goes out with the first item that is not empty.  The next item is
 * asked for only while the client takes what there is.  A list or tuple is
 * known whole: its length is the response's.
 */
#include "request.h"

#include <errno.h>

enum {
    CLOSE = 3,         /* so many items without a pause follow each other closely */
    PIECE = 4096,      /* bytes of an item that is handed over as it is */
    SLICE = 256 * 1024 /* of a larger one so much is, at a time */
};

enum {
    STATUS_NO_CONTENT = 204,
    STATUS_RESET_CONTENT = 205,
    STATUS_NOT_MODIFIED = 304
};

/* No byte of the iterable will be sent. */
static bool is_bodiless(const struct wsgi_request *request)
{
    unsigned status = request->head.response.status;

    return request->is_head || status == STATUS_NO_CONTENT || status == STATUS_RESET_CONTENT ||
           status == STATUS_NOT_MODIFIED;
}

static int check_item(PyObject *item)
{
    if (PyBytes_Check(item))
        return 0;
    PyErr_Format(PyExc_TypeError, "the application's iterable gave %.200s, not bytes",
                 Py_TYPE(item)->tp_name);
    return -1;
}

int wsgi_response_broken(struct wsgi_request *request, int error)
{
    request->error = error;
    errno = -error;
    PyErr_SetFromErrno(PyExc_OSError);
    return -1;
}

int wsgi_response_head(struct wsgi_request *request, int64_t length)
{
    int r;

    if (!request->head.set) {
        PyErr_SetString(PyExc_RuntimeError,
                        "the application did not call start_response() before its first output");
        return -1;
    }
    wsgi_lock(request->wsgi);
    r = -ECONNRESET;
    if (request->connection) {
        dispatch_update(request->wsgi->loop); /* for Date */
        r = http_respond(request->connection, &request->head.response, length);
    }
    wsgi_unlock(request->wsgi);
    request->responded = true;
    return r < 0 ? wsgi_response_broken(request, r) : 0;
}

static int send_bytes(struct wsgi_request *request, const char *data, size_t length, size_t *taken)
{
    struct http_connection *connection = request->connection;
    int r;

    if (!connection)
        return -ECONNRESET;
    r = taken ? http_send_some(connection, data, length, taken)
              : http_send(connection, data, length);
    /* An item is not to wait for the next one ("Buffering and Streaming"). */
    if ((r == 0 || r == -EMSGSIZE) && (request->iterator || !request->iterable))
        http_flush(connection);
    request->full = http_full(connection);
    return r;
}

int wsgi_response_send(struct wsgi_request *request, const char *data, size_t length, size_t *taken)
{
    int r;

    if (request->error < 0)
        return wsgi_response_broken(request, request->error);
    wsgi_lock(request->wsgi);
    r = send_bytes(request, data, length, taken);
    wsgi_unlock(request->wsgi);
    if (r != -EMSGSIZE)
        return r < 0 ? wsgi_response_broken(request, r) : 0;
    /* Of a file it may want no more ("Optional Platform-Specific File Handling"). */
    if (!request->cut &&
        !(request->iterable && Py_IS_TYPE(request->iterable, request->wsgi->types->file_wrapper)))
        wsgi_request_warn(request, "the body is longer than its Content-Length, and was cut");
    request->cut = true;
    return 0;
}

/* The length of all items of a list or tuple; -1 with an exception. */
static int64_t total_length(PyObject *items)
{
    int64_t total = 0;

    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(items); i++) {
        PyObject *item = PySequence_Fast_GET_ITEM(items, i);

        if (check_item(item) < 0)
            return -1;
        total += PyBytes_GET_SIZE(item);
    }
    return total;
}

/* Whether len() says that the item at hand is all there is. */
static bool has_one_item(PyObject *iterable)
{
    const PySequenceMethods *methods = Py_TYPE(iterable)->tp_as_sequence;
    Py_ssize_t length;

    if (!methods || !methods->sq_length)
        return false;
    length = PySequence_Size(iterable);
    if (length < 0)
        PyErr_Clear();
    return length == 1;
}

/*
 * Hand over the head before the first bytes, or at the end of an iterable
 * that gave none.
 */
static int begin(struct wsgi_request *request)
{
    int64_t length = -1;

    if (request->file)
        length = (int64_t)(request->end - request->place);
    else if (!request->iterator) {
        length = total_length(request->iterable);
        if (length < 0)
            return -1;
    } else if (!request->item)
        length = 0;
    else if (has_one_item(request->iterable))
        length = PyBytes_GET_SIZE(request->item);
    if (request->responded) /* by a write() within len() */
        return 0;
    /* An answer without a body says nothing of the one it stands for. */
    if (length == 0 && is_bodiless(request))
        length = -1;
    return wsgi_response_head(request, length);
}

/* 1: request->item is the next; 0: there is none; -1: an exception. */
static int next_item(struct wsgi_request *request)
{
    PyObject *item = NULL;

    if (request->iterator) {
        item = PyIter_Next(request->iterator);
        wsgi_end_fork(request->wsgi);
    } else if (request->position < PySequence_Fast_GET_SIZE(request->iterable))
        item = Py_NewRef(PySequence_Fast_GET_ITEM(request->iterable, request->position++));
    if (!item)
        return PyErr_Occurred() ? -1 : 0;
    request->item = item;
    request->sent = 0;
    return check_item(item) < 0 ? -1 : 1;
}

/* Send some of the item at hand, and drop it when that was the last. */
static int send_slice(struct wsgi_request *request)
{
    size_t length = (size_t)PyBytes_GET_SIZE(request->item) - request->sent, taken;

    if (wsgi_response_send(request, PyBytes_AS_STRING(request->item) + request->sent,
                           length < SLICE ? length : SLICE, &taken) < 0)
        return -1;
    request->sent += taken;
    if (taken == length)
        Py_CLEAR(request->item);
    return 0;
}

enum step {
    STEP_FAILED = -1, /* with an exception */
    STEP_END,         /* the response is complete */
    STEP_MORE,
    STEP_WAIT /* request->wait is to begin */
};

/* An empty item is how an iterable yields a wait that it has registered. */
static enum step pass_empty_item(struct wsgi_request *request)
{
    Py_CLEAR(request->item);
    return request->wait && request->wait->kind != WSGI_WAIT_NONE ? STEP_WAIT : STEP_MORE;
}

/* Bytes are to go out: no wait counts any more, and the head is due.  -1 with an exception. */
static int begin_output(struct wsgi_request *request)
{
    if (request->wait)
        wsgi_wait_forget(request->wait);
    return request->responded ? 0 : begin(request);
}

/* A file is like an item that is not empty, and is the only one. */
static enum step step_file(struct wsgi_request *request)
{
    if (begin_output(request) < 0)
        return STEP_FAILED;
    if (request->place < request->end && wsgi_send_file_step(request) < 0)
        return STEP_FAILED;
    return request->place == request->end ? STEP_END : STEP_MORE;
}

static enum step step(struct wsgi_request *request)
{
    int more;

    if (request->cut)
        return STEP_END;
    if (request->file)
        return step_file(request);
    more = request->item ? 1 : next_item(request);
    if (more < 0)
        return STEP_FAILED;
    if (more > 0 && PyBytes_GET_SIZE(request->item) == 0)
        return pass_empty_item(request);
    if (begin_output(request) < 0)
        return STEP_FAILED;
    if (more == 0 || is_bodiless(request))
        return STEP_END;
    return send_slice(request) < 0 ? STEP_FAILED : STEP_MORE;
}

bool wsgi_response_is_short(const struct wsgi_request *request, uint64_t sent)
{
    return request->head.lines.content_length > (int64_t)sent && !is_bodiless(request);
}

/* Whether all items are handed over: then the clock need not be read. */
static bool is_at_end(const struct wsgi_request *request)
{
    return !request->iterator && !request->item &&
           request->position == PySequence_Fast_GET_SIZE(request->iterable);
}

/* A list or tuple of one item that is sent in one piece, the usual answer: it, or NULL. */
static PyObject *only_item(const struct wsgi_request *request)
{
    PyObject *item;

    if (request->iterator || request->position > 0 || request->file ||
        PySequence_Fast_GET_SIZE(request->iterable) != 1)
        return NULL;
    item = PySequence_Fast_GET_ITEM(request->iterable, 0);
    return PyBytes_Check(item) && PyBytes_GET_SIZE(item) <= PIECE && PyBytes_GET_SIZE(item) > 0
               ? item
               : NULL;
}

static enum step send_only(struct wsgi_request *request, PyObject *item)
{
    request->item = Py_NewRef(item);
    if (begin_output(request) < 0)
        return STEP_FAILED;
    if (!is_bodiless(request) && wsgi_response_send(request, PyBytes_AS_STRING(item),
                                                    (size_t)PyBytes_GET_SIZE(item), NULL) < 0)
        return STEP_FAILED;
    return STEP_END;
}

static void gather(struct wsgi_request *request, bool on)
{
    wsgi_lock(request->wsgi);
    if (request->connection)
        http_gather(request->connection, on);
    wsgi_unlock(request->wsgi);
}

/*
 * As many steps as the client and the others leave time for.  Items that follow each other closely
 * are still handed to the system one by one, but it may join them while the client has not
 * acknowledged those before: a segment for each costs most of the time ("a different thread to
 * ensure that the block continues to be transmitted").
 */
static enum step run(struct wsgi_request *request)
{
    PyObject *only = only_item(request);
    enum step step_taken;
    unsigned steps = 0;
    bool gathers = false;
    uint64_t began;

    if (only)
        return send_only(request, only);
    began = is_at_end(request) ? 0 : dispatch_clock();
    do {
        step_taken = step(request);
        if (++steps == CLOSE && request->iterator && step_taken == STEP_MORE)
            gather(request, gathers = true);
    } while (step_taken == STEP_MORE && !request->full &&
             (is_at_end(request) || !wsgi_turn_is_over(began)));
    if (gathers)
        gather(request, false);
    return step_taken;
}

/* Whether there is nothing that it waits for; the client's leaving is something to go on for. */
static bool is_ready(const struct wsgi_request *request)
{
    return !request->connection ||
           (!http_full(request->connection) && !wsgi_request_waits(request));
}

/* It goes on when what it waits for comes, the client among that, or when it is its turn. */
static void suspend(struct wsgi_request *request, bool waits)
{
    struct wsgi *wsgi = request->wsgi;

    if (wsgi_spool_keep(&request->body) < 0) {
        PyErr_NoMemory();
        wsgi_request_fail(request, "the keeping of wsgi.input");
        return;
    }
    wsgi_lock(wsgi);
    if (request->connection) {
        http_flush(request->connection); /* this may be our turn, not the connection's */
        http_hold_memory(request->connection, request->window ? wsgi_window_memory(request->window)
                                                              : request->body.capacity);
        if (waits) {
            http_watch_client(request->connection, true);
            wsgi_wait_begin(request->wait);
        }
    }
    if (wsgi->pool)
        wsgi_pool_suspend(request, is_ready(request));
    else if (is_ready(request))
        wsgi_turn_wait(request);
    wsgi_unlock(wsgi);
}

/* Whether it can go on when it was suspended before: the last wait is over then. */
static bool may_go_on(struct wsgi_request *request)
{
    if (!request->responded)
        request->full = false;
    else {
        wsgi_lock(request->wsgi);
        request->full = request->connection && http_full(request->connection);
        wsgi_unlock(request->wsgi);
    }
    return !request->full;
}

void wsgi_response_continue(struct wsgi_request *request)
{
    enum step end;

    if (!may_go_on(request)) {
        suspend(request, false);
        return;
    }
    if (!request->iterator) /* there is no Python code in it */
        end = run(request);
    else if (wsgi_request_enter(request) < 0)
        end = STEP_FAILED;
    else {
        end = run(request);
        wsgi_request_leave(request);
    }
    if (end == STEP_END)
        wsgi_request_finish(request);
    else if (end == STEP_FAILED)
        wsgi_request_fail(request, "the application's iterable");
    else
        suspend(request, end == STEP_WAIT);
}

int wsgi_response_begin(struct wsgi_request *request, PyObject *iterable)
{
    request->iterable = iterable;
    request->position = 0;
    wsgi_send_file_begin(request);
    if (!wsgi_response_is_plain(iterable))
        request->iterator = PyObject_GetIter(iterable);
    return request->iterator || wsgi_response_is_plain(iterable) ? 0 : -1;
}
