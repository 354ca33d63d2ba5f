/* The error log: lines of ours, and exceptions as Python itself would print them. */
#include "state.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    LINE = 2048
};

static void log_line(const struct wsgi *wsgi, const char *line, size_t length)
{
    wsgi->options->log(wsgi->options->log_context, line, length);
}

void wsgi_log(const struct wsgi *wsgi, const char *format, ...)
{
    char line[LINE];
    va_list arguments;
    int n;

    va_start(arguments, format);
    n = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (n >= 0)
        log_line(wsgi, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

static void log_lines(const struct wsgi *wsgi, const char *text, size_t length)
{
    while (length > 0) {
        const char *end = memchr(text, '\n', length);
        size_t line = end ? (size_t)(end - text) : length;

        log_line(wsgi, text, line);
        line += end != NULL;
        text += line;
        length -= line;
    }
}

int wsgi_log_text(const struct wsgi *wsgi, PyObject *text)
{
    /* A str may hold what UTF-8 cannot: surrogates, which come from undecodable names. */
    PyObject *bytes = PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace");

    if (!bytes)
        return -1;
    log_lines(wsgi, PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes));
    Py_DECREF(bytes);
    return 0;
}

/* "".join(traceback.format_exception(type, value, traceback)) */
static PyObject *format(PyObject *type, PyObject *value, PyObject *traceback)
{
    PyObject *module = PyImport_ImportModule("traceback"), *pieces, *empty, *text = NULL;

    if (!module)
        return NULL;
    pieces = PyObject_CallMethod(module, "format_exception", "OOO", type, value,
                                 traceback ? traceback : Py_None);
    Py_DECREF(module);
    if (!pieces)
        return NULL;
    empty = PyUnicode_FromString("");
    if (empty)
        text = PyUnicode_Join(empty, pieces);
    Py_XDECREF(empty);
    Py_DECREF(pieces);
    return text;
}

void wsgi_log_exception(const struct wsgi *wsgi, const char *title)
{
    PyObject *type, *value, *traceback, *text;

    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (!type)
        return;
    text = format(type, value, traceback);
    /* Not sooner: with a pool, lines of others would come in between. */
    if (title)
        log_line(wsgi, title, strlen(title));
    if (!text || wsgi_log_text(wsgi, text) < 0) {
        PyErr_Clear(); /* no memory, or an exception that cannot even be shown */
        wsgi_log(wsgi, "%s, of which Python cannot make a traceback",
                 ((PyTypeObject *)type)->tp_name);
    }
    Py_XDECREF(text);
    Py_DECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
}
