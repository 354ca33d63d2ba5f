/*
 * wsgi.input (PEP 3333, "Input and Error Streams").  Its end is the body's end,
 * whatever its framing.
 *
 * A body that has arrived whole is read as io.BytesIO is.  Of one that is
 * streamed there is what lies in the request's window: it is read from there, or
 * given piece by piece (pieces.c).
 */
#include "types.h"

#include "request.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

PyObject *wsgi_input_new(const struct wsgi_types *types, struct wsgi_request *request)
{
    struct wsgi_input *self = PyObject_New(struct wsgi_input, types->input);

    if (!self)
        return NULL;
    self->request = request;
    wsgi_input_clear((PyObject *)self);
    return (PyObject *)self;
}

void wsgi_input_clear(PyObject *input)
{
    struct wsgi_input *self = (struct wsgi_input *)input;

    self->position = 0;
    self->last_given = self->yield_trailers = false;
}

/* Whose body it is; NULL with RuntimeError after the request, or where its window is another's. */
static struct wsgi_request *request_of(PyObject *self)
{
    struct wsgi_request *request = ((struct wsgi_input *)self)->request;

    if (request && (!request->window || wsgi_request_is_here(request)))
        return request;
    PyErr_SetString(PyExc_RuntimeError,
                    request ? "a streamed input belongs to the thread of its request"
                            : "the request whose input this is, is over");
    return NULL;
}

/* -- What is there -------------------------------------------------------- */

/*
 * The optional size: -1 stands for None, nothing, and all negative numbers.
 * It runs Python code, so the request is looked at only afterwards.
 */
static int parse_size(PyObject *const *arguments, Py_ssize_t count, Py_ssize_t *size)
{
    Py_ssize_t n = -1;

    if (count > 1) {
        PyErr_Format(PyExc_TypeError, "expected at most 1 argument, got %zd", count);
        return -1;
    }
    if (count == 1 && arguments[0] != Py_None) {
        n = PyNumber_AsSsize_t(arguments[0], PyExc_OverflowError);
        if (n == -1 && PyErr_Occurred())
            return -1;
    }
    *size = n < 0 ? -1 : n;
    return 0;
}

static Py_ssize_t remaining(const struct wsgi_input *self)
{
    const struct wsgi_request *request = self->request;

    return (Py_ssize_t)(request->window ? request->window->length
                                        : request->body.length - self->position);
}

/* The bytes from so many on, which there are. */
static int peek(struct wsgi_input *self, size_t offset, const unsigned char **data, size_t *length)
{
    struct wsgi_window *window = self->request->window;
    int r;

    if (window) {
        *data = wsgi_window_data(window) + offset;
        *length = window->length - offset;
        return 0;
    }
    r = wsgi_spool_peek(&self->request->body, self->position + offset, data, length);
    if (r == 0)
        return 0;
    errno = -r;
    PyErr_SetFromErrno(PyExc_OSError);
    return -1;
}

static void consume(struct wsgi_input *self, size_t length)
{
    if (self->request->window)
        wsgi_window_take(self->request->window, length);
    else
        self->position += length;
}

/* The next `size` bytes, which there are. */
static PyObject *take(struct wsgi_input *self, Py_ssize_t size)
{
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    size_t wanted = (size_t)size, done = 0;

    while (bytes && done < wanted) {
        const unsigned char *data;
        size_t length;

        if (peek(self, done, &data, &length) < 0) {
            Py_CLEAR(bytes);
            break;
        }
        if (length > wanted - done)
            length = wanted - done;
        memcpy(PyBytes_AS_STRING(bytes) + done, data, length);
        done += length;
    }
    if (bytes)
        consume(self, wanted);
    return bytes;
}

/*
 * The length of the line at hand, its "\n" included, or `limit` if that is less;
 * -1.  Tells whether its end was found.
 */
static Py_ssize_t measure_line(struct wsgi_input *self, Py_ssize_t limit, bool *found)
{
    size_t wanted = (size_t)limit, done = 0;

    *found = false;
    while (done < wanted) {
        const unsigned char *data, *end;
        size_t length;

        if (peek(self, done, &data, &length) < 0)
            return -1;
        if (length > wanted - done)
            length = wanted - done;
        end = memchr(data, '\n', length);
        if (end) {
            *found = true;
            return (Py_ssize_t)(done + (size_t)(end - data) + 1);
        }
        done += length;
    }
    return limit;
}

/* -- The methods ---------------------------------------------------------- */

static PyObject *read_bytes(PyObject *object, PyObject *const *arguments, Py_ssize_t count)
{
    struct wsgi_input *self = (struct wsgi_input *)object;
    struct wsgi_request *request;
    Py_ssize_t size, limit;

    if (parse_size(arguments, count, &size) < 0)
        return NULL;
    request = request_of(object);
    if (!request ||
        (size < 0 ? wsgi_pieces_need_all(request) : wsgi_pieces_need(request, (size_t)size)) < 0)
        return NULL;
    limit = remaining(self);
    return take(self, size >= 0 && size < limit ? size : limit);
}

static PyObject *take_line(PyObject *object, Py_ssize_t size)
{
    struct wsgi_input *self = (struct wsgi_input *)object;
    struct wsgi_request *request = request_of(object);
    Py_ssize_t limit, length;
    bool found;

    if (!request)
        return NULL;
    do {
        limit = remaining(self);
        length = measure_line(self, size >= 0 && size < limit ? size : limit, &found);
        if (length < 0)
            return NULL;
        /* The rest of the line may be on its way, and a thread of the pool waits for it. */
        if (!found && length != size && wsgi_pieces_need(request, (size_t)length + 1) < 0)
            return NULL;
    } while (remaining(self) > limit);
    return take(self, length);
}

static PyObject *read_line(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    Py_ssize_t size;

    if (parse_size(arguments, count, &size) < 0)
        return NULL;
    return take_line(self, size);
}

/* The next line; NULL after the last of those that are there, or with an exception. */
static PyObject *next_line(PyObject *self)
{
    PyObject *line = take_line(self, -1);

    if (line && PyBytes_GET_SIZE(line) == 0)
        Py_CLEAR(line);
    return line;
}

/* Lines until `hint` bytes or more are read; fewer, if others have not arrived. */
static PyObject *read_lines(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    Py_ssize_t hint, total = 0;
    struct wsgi_request *request;
    PyObject *lines, *line;

    if (parse_size(arguments, count, &hint) < 0)
        return NULL;
    request = request_of(self);
    if (!request || (hint <= 0 && wsgi_pieces_need_all(request) < 0))
        return NULL;
    lines = PyList_New(0);
    while (lines && (hint <= 0 || total < hint) && (line = next_line(self))) {
        total += PyBytes_GET_SIZE(line);
        if (PyList_Append(lines, line) < 0)
            Py_CLEAR(lines);
        Py_DECREF(line);
    }
    if (total > 0 && PyErr_ExceptionMatches(PyExc_BlockingIOError))
        PyErr_Clear();
    if (PyErr_Occurred())
        Py_CLEAR(lines);
    return lines;
}

static PyObject *next(PyObject *self)
{
    struct wsgi_request *request = request_of(self);

    if (!request)
        return NULL;
    return request->window ? wsgi_pieces_next((struct wsgi_input *)self) : next_line(self);
}

static PyObject *trailers(PyObject *self, void *Py_UNUSED(closure))
{
    const struct wsgi_request *request = request_of(self);

    return request ? wsgi_pieces_trailers(request) : NULL;
}

static void dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    PyObject_Free(self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"read", WSGI_METHOD(read_bytes), METH_FASTCALL, "Read so many bytes, or all that remain."},
    {"readline", WSGI_METHOD(read_line), METH_FASTCALL, "Read a line, or so many bytes of it."},
    {"readlines", WSGI_METHOD(read_lines), METH_FASTCALL,
     "Read lines, all or about so many bytes of them, into a list."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef getters[] = {
    {"trailers", trailers, NULL, "The trailer fields, (name, value); None before the body's end.",
     NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef members[] = {
    {"yield_trailers", T_BOOL, offsetof(struct wsgi_input, yield_trailers), 0,
     "Whether the item for the last chunk has the trailers as its third element."},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_dealloc, WSGI_SLOT(dealloc)},
    {Py_tp_methods, methods},
    {Py_tp_getset, getters},
    {Py_tp_members, members},
    {Py_tp_iter, WSGI_SLOT(PyObject_SelfIter)},
    {Py_tp_iternext, WSGI_SLOT(next)},
    {Py_tp_doc, "wsgi.input: the body of a request."},
    {0, NULL},
};

PyType_Spec wsgi_input_spec = {
    .name = "asynwsgi.Input",
    .basicsize = sizeof(struct wsgi_input),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};
