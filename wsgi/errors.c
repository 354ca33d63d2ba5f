/*
 * wsgi.errors: text for the error log, a line at a time.  One object serves
 * all requests; what is not a whole line yet waits in the `line` of the request
 * that the thread runs, so that those that run beside each other do not mix, or, of
 * other threads, in the object's.
 *
 * It belongs to no request, so it may be used at any time, by any thread.
 */
#include "request.h"

#include <stdlib.h>
#include <string.h>

struct errors {
    PyObject_HEAD struct wsgi *wsgi;
    PyObject *line; /* str: what was written since the last line ended, or NULL */
};

enum {
    LONGEST = 65536
}; /* characters that wait for the end of their line */

PyObject *wsgi_errors_new(const struct wsgi_types *types, struct wsgi *wsgi)
{
    struct errors *self = PyObject_New(struct errors, types->errors);

    if (!self)
        return NULL;
    self->wsgi = wsgi;
    self->line = NULL;
    return (PyObject *)self;
}

static PyObject **line_of(struct errors *self)
{
    struct wsgi_request *request = wsgi_request_running();

    return request ? &request->line : &self->line;
}

static int end_line(const struct wsgi *wsgi, PyObject **place)
{
    PyObject *line = *place;
    int r;

    if (!line)
        return 0;
    *place = NULL;
    r = wsgi_log_text(wsgi, line);
    Py_DECREF(line);
    return r;
}

void wsgi_errors_end_line(PyObject *errors, struct wsgi_request *request)
{
    struct errors *self = (struct errors *)errors;

    if (end_line(self->wsgi, &request->line) < 0 || end_line(self->wsgi, &self->line) < 0)
        PyErr_Clear();
}

/* Log the first `end` characters, and keep the rest as the line at hand. */
static int log_and_keep(const struct wsgi *wsgi, PyObject **line, PyObject *text, Py_ssize_t end)
{
    PyObject *whole = PyUnicode_Substring(text, 0, end), *rest = NULL;
    int r = whole ? wsgi_log_text(wsgi, whole) : -1;

    Py_XDECREF(whole);
    if (r == 0 && end < PyUnicode_GET_LENGTH(text)) {
        rest = PyUnicode_Substring(text, end, PY_SSIZE_T_MAX);
        r = rest ? 0 : -1;
    }
    Py_XSETREF(*line, rest);
    return r;
}

/* Add to the line at hand, and log all but what follows the last "\n". */
static int add(struct errors *self, PyObject *text)
{
    PyObject **line = line_of(self);
    PyObject *all = *line ? PyUnicode_Concat(*line, text) : Py_NewRef(text);
    Py_ssize_t length, end;
    int r = 0;

    if (!all)
        return -1;
    length = PyUnicode_GET_LENGTH(all);
    end = PyUnicode_FindChar(all, '\n', 0, length, -1) + 1;
    if (end > 0 || length > LONGEST)
        r = log_and_keep(self->wsgi, line, all, end > 0 ? end : length);
    else if (length > 0)
        Py_XSETREF(*line, Py_NewRef(all));
    Py_DECREF(all);
    return r;
}

static PyObject *write_text(PyObject *self, PyObject *text)
{
    if (!PyUnicode_Check(text))
        return PyErr_Format(PyExc_TypeError, "wsgi.errors takes str, not %.200s",
                            Py_TYPE(text)->tp_name);
    if (add((struct errors *)self, text) < 0)
        return NULL;
    return PyLong_FromSsize_t(PyUnicode_GET_LENGTH(text));
}

static PyObject *writelines(PyObject *self, PyObject *lines)
{
    PyObject *iterator = PyObject_GetIter(lines), *line, *written;

    if (!iterator)
        return NULL;
    while ((line = PyIter_Next(iterator))) {
        written = write_text(self, line);
        Py_DECREF(line);
        if (!written)
            break;
        Py_DECREF(written);
    }
    Py_DECREF(iterator);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *flush(PyObject *self, PyObject *Py_UNUSED(none))
{
    struct errors *errors = (struct errors *)self;

    if (end_line(errors->wsgi, line_of(errors)) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static void dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    Py_XDECREF(((struct errors *)self)->line);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"write", write_text, METH_O, "Write a str to the error log."},
    {"writelines", writelines, METH_O, "Write each str of an iterable."},
    {"flush", flush, METH_NOARGS, "Log an unfinished line now."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_dealloc, WSGI_SLOT(dealloc)},
    {Py_tp_methods, methods},
    {Py_tp_doc, "wsgi.errors: the server's error log."},
    {0, NULL},
};

PyType_Spec wsgi_errors_spec = {
    .name = "asynwsgi.Errors",
    .basicsize = sizeof(struct errors),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};
