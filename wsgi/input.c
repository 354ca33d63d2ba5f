/*
 * wsgi.input: a body that has arrived whole, read as io.BytesIO is (PEP 3333,
 * "Input and Error Streams").  Its end is the body's end, whatever its framing.
 */
#include "types.h"

#include "request.h"

#include <errno.h>
#include <string.h>

PyObject *wsgi_input_new(const struct wsgi_types *types, struct wsgi_request *request)
{
    struct wsgi_input *self = PyObject_New(struct wsgi_input, types->input);

    if (!self)
        return NULL;
    self->request = request;
    self->position = 0;
    return (PyObject *)self;
}

/* The body; NULL with RuntimeError after the request. */
static struct wsgi_spool *body_of(struct wsgi_input *self)
{
    if (self->request)
        return &self->request->body;
    PyErr_SetString(PyExc_RuntimeError, "the request whose input this is, is over");
    return NULL;
}

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

static int peek(struct wsgi_spool *body, uint64_t offset, const unsigned char **data,
                size_t *length)
{
    int r = wsgi_spool_peek(body, offset, data, length);

    if (r == 0)
        return 0;
    errno = -r;
    PyErr_SetFromErrno(PyExc_OSError);
    return -1;
}

static Py_ssize_t remaining(const struct wsgi_input *self, const struct wsgi_spool *body)
{
    return (Py_ssize_t)(body->length - self->position);
}

/* The next `size` bytes, which there are. */
static PyObject *take(struct wsgi_input *self, struct wsgi_spool *body, Py_ssize_t size)
{
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    size_t wanted = (size_t)size, done = 0;

    while (bytes && done < wanted) {
        const unsigned char *data;
        size_t length;

        if (peek(body, self->position + done, &data, &length) < 0) {
            Py_CLEAR(bytes);
            break;
        }
        if (length > wanted - done)
            length = wanted - done;
        memcpy(PyBytes_AS_STRING(bytes) + done, data, length);
        done += length;
    }
    if (bytes)
        self->position += wanted;
    return bytes;
}

/* The length of the line at hand, its "\n" included, or `limit` if that is less; -1. */
static Py_ssize_t measure_line(const struct wsgi_input *self, struct wsgi_spool *body,
                               Py_ssize_t limit)
{
    size_t wanted = (size_t)limit, done = 0;

    while (done < wanted) {
        const unsigned char *data, *end;
        size_t length;

        if (peek(body, self->position + done, &data, &length) < 0)
            return -1;
        if (length > wanted - done)
            length = wanted - done;
        end = memchr(data, '\n', length);
        if (end)
            return (Py_ssize_t)(done + (size_t)(end - data) + 1);
        done += length;
    }
    return limit;
}

static PyObject *take_line(struct wsgi_input *self, Py_ssize_t size)
{
    struct wsgi_spool *body = body_of(self);
    Py_ssize_t limit, length;

    if (!body)
        return NULL;
    limit = remaining(self, body);
    length = measure_line(self, body, size >= 0 && size < limit ? size : limit);
    return length < 0 ? NULL : take(self, body, length);
}

static PyObject *read_bytes(PyObject *object, PyObject *const *arguments, Py_ssize_t count)
{
    struct wsgi_input *self = (struct wsgi_input *)object;
    struct wsgi_spool *body;
    Py_ssize_t size, limit;

    if (parse_size(arguments, count, &size) < 0)
        return NULL;
    body = body_of(self);
    if (!body)
        return NULL;
    limit = remaining(self, body);
    return take(self, body, size >= 0 && size < limit ? size : limit);
}

static PyObject *read_line(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    Py_ssize_t size;

    if (parse_size(arguments, count, &size) < 0)
        return NULL;
    return take_line((struct wsgi_input *)self, size);
}

/* Lines until `hint` bytes or more are read. */
static PyObject *read_lines(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    Py_ssize_t hint, length, total = 0;
    PyObject *lines, *line;

    if (parse_size(arguments, count, &hint) < 0)
        return NULL;
    lines = PyList_New(0);
    if (!lines)
        return NULL;
    do {
        line = take_line((struct wsgi_input *)self, -1);
        length = line ? PyBytes_GET_SIZE(line) : -1;
        total += length;
        if (length > 0 && PyList_Append(lines, line) < 0)
            length = -1;
        Py_XDECREF(line);
    } while (length > 0 && (hint <= 0 || total < hint));
    if (length < 0)
        Py_CLEAR(lines);
    return lines;
}

static PyObject *next_line(PyObject *self)
{
    PyObject *line = take_line((struct wsgi_input *)self, -1);

    if (line && PyBytes_GET_SIZE(line) == 0)
        Py_CLEAR(line);
    return line;
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

static PyType_Slot slots[] = {
    {Py_tp_dealloc, WSGI_SLOT(dealloc)},
    {Py_tp_methods, methods},
    {Py_tp_iter, WSGI_SLOT(PyObject_SelfIter)},
    {Py_tp_iternext, WSGI_SLOT(next_line)},
    {Py_tp_doc, "wsgi.input: the body of a request."},
    {0, NULL},
};

PyType_Spec wsgi_input_spec = {
    .name = "asynwsgi.Input",
    .basicsize = sizeof(struct wsgi_input),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};
