/*
 * The input of a streaming request: a body as it comes.
 *
 * Iterating over wsgi.input gives [size, data] where a chunk begins and data
 * where none does, and [0, b""] at the end of a chunked body.  What would have to
 * wait registers a wait, during which, and at no other time, the client's data is
 * read: so no more than one receive of it lies in the window unasked for, and while
 * no wait is begun the window is the thread's that runs the request.
 */
#include "request.h"

#include <errno.h>

/* Whether there are so many bytes, or as many as the window holds: where chunks begin counts, too.
 */
static bool has(const struct wsgi_request *request, size_t wanted)
{
    const struct wsgi_window *window = request->window;

    return window->ended || window->length >= wanted ||
           window->length + window->chunk_count * sizeof *window->chunks >=
               request->wsgi->options->input_window;
}

bool wsgi_pieces_suffice(const struct wsgi_request *request)
{
    return wsgi_request_waits(request) && request->wait->kind == WSGI_WAIT_INPUT &&
           has(request, request->wait->wanted);
}

void wsgi_pieces_ask(struct wsgi_request *request)
{
    http_want_body(request->connection);
    http_release_body(request->connection);
}

/* The wait that the application is to yield.  -1 with RuntimeError. */
static int wait_for(size_t wanted)
{
    struct wsgi_wait *wait = wsgi_wait_register(WSGI_WAIT_INPUT, DISPATCH_NEVER);

    if (!wait)
        return -1;
    wait->wanted = wanted;
    return 0;
}

static bool is_answered(const struct wsgi_request *request)
{
    return !request->connection || !request->wait->begun;
}

/* Sleep until what is registered has come.  -1 with an exception: the client left instead. */
static int sleep_for(struct wsgi_request *request)
{
    struct wsgi_wait *wait = request->wait;
    bool has_come = false;

    wsgi_lock(request->wsgi);
    if (request->connection) {
        wsgi_wait_begin(wait);
        wsgi_pool_sleep(request, is_answered);
        has_come = !wait->begun;
        wsgi_wait_end(wait);
    }
    wsgi_unlock(request->wsgi);
    wsgi_wait_forget(wait);
    return has_come ? 0 : wsgi_response_broken(request, -ECONNRESET);
}

int wsgi_pieces_need(struct wsgi_request *request, size_t wanted)
{
    if (!request->window || has(request, wanted))
        return 0;
    if (wait_for(wanted) < 0)
        return -1;
    if (request->wsgi->pool)
        return sleep_for(request);
    PyErr_SetString(PyExc_BlockingIOError, "so much of the body has not arrived yet");
    return -1;
}

int wsgi_pieces_need_all(struct wsgi_request *request)
{
    if (wsgi_pieces_need(request, SIZE_MAX) < 0)
        return -1;
    if (!request->window || request->window->ended)
        return 0;
    PyErr_SetString(PyExc_ValueError,
                    "the body is longer than the server's input-window: read it in parts");
    return -1;
}

/* -- Trailers ------------------------------------------------------------- */

static PyObject *field_text(const struct wsgi_request *request, struct http_span span)
{
    return PyUnicode_DecodeLatin1((const char *)request->trailer + span.start,
                                  (Py_ssize_t)span.length, NULL);
}

/* (name, value) */
static PyObject *field_pair(const struct wsgi_request *request, const struct http_field *field)
{
    PyObject *name = field_text(request, field->name);
    PyObject *value = name ? field_text(request, field->value) : NULL;
    PyObject *pair = value ? PyTuple_Pack(2, name, value) : NULL;

    Py_XDECREF(name);
    Py_XDECREF(value);
    return pair;
}

PyObject *wsgi_pieces_trailers(const struct wsgi_request *request)
{
    struct http_field field;
    size_t position = 0;
    PyObject *list;

    if (request->window && !request->window->ended)
        Py_RETURN_NONE;
    list = PyList_New(0);
    while (list &&
           http_trailer_next(request->trailer, request->trailer_length, &position, &field)) {
        PyObject *pair = field_pair(request, &field);

        if (!pair || PyList_Append(list, pair) < 0)
            Py_CLEAR(list);
        Py_XDECREF(pair);
    }
    return list;
}

/* -- Iterating ------------------------------------------------------------ */

static PyObject *empty(void)
{
    return PyBytes_FromStringAndSize(NULL, 0);
}

/* What is there of the chunk at hand, or, without chunks, of the body. */
static PyObject *next_data(struct wsgi_window *window)
{
    uint64_t chunk_size;
    size_t length = wsgi_window_run(window, &chunk_size);
    PyObject *data =
        PyBytes_FromStringAndSize((const char *)wsgi_window_data(window), (Py_ssize_t)length);

    if (!data)
        return NULL;
    wsgi_window_take(window, length);
    return chunk_size > 0 ? Py_BuildValue("[KN]", (unsigned long long)chunk_size, data) : data;
}

static PyObject *last_chunk(struct wsgi_input *self)
{
    PyObject *trailers;

    self->last_given = true;
    if (!self->yield_trailers)
        return Py_BuildValue("[iN]", 0, empty());
    trailers = wsgi_pieces_trailers(self->request);
    return trailers ? Py_BuildValue("[iNN]", 0, empty(), trailers) : NULL;
}

PyObject *wsgi_pieces_next(struct wsgi_input *self)
{
    struct wsgi_request *request = self->request;

    if (request->window->length > 0)
        return next_data(request->window);
    if (!request->window->ended)
        return wait_for(1) < 0 ? NULL : empty();
    return request->is_chunked && !self->last_given ? last_chunk(self) : NULL;
}
