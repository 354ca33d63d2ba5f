/* start_response(status, headers, exc_info=None): PEP 3333, "The start_response() Callable". */
#include "request.h"

/* The arguments, borrowed; exc_info is NULL when it is None or not there. */
struct call {
    PyObject *status, *headers, *exc_info;
};

static int parse_call(PyObject *const *arguments, size_t nargsf, PyObject *keywords,
                      struct call *call)
{
    Py_ssize_t count = PyVectorcall_NARGS(nargsf);
    Py_ssize_t named = keywords ? PyTuple_GET_SIZE(keywords) : 0;

    if (count < 2 || count + named > 3 ||
        (named == 1 &&
         PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(keywords, 0), "exc_info") != 0)) {
        PyErr_SetString(PyExc_TypeError,
                        "start_response() takes status, headers and, optionally, exc_info");
        return -1;
    }
    call->status = arguments[0];
    call->headers = arguments[1];
    call->exc_info = count + named == 3 && arguments[2] != Py_None ? arguments[2] : NULL;
    if (call->exc_info &&
        (!PyTuple_Check(call->exc_info) || PyTuple_GET_SIZE(call->exc_info) != 3)) {
        PyErr_Format(PyExc_TypeError, "exc_info must be None or a tuple of three, not %R",
                     call->exc_info);
        return -1;
    }
    return 0;
}

/* Raise the exception that came too late for a head of its own. */
static void raise_exc_info(PyObject *exc_info)
{
    PyObject *value = PyTuple_GET_ITEM(exc_info, 1), *traceback = PyTuple_GET_ITEM(exc_info, 2);

    if (!PyExceptionInstance_Check(value)) {
        PyErr_SetString(PyExc_RuntimeError, "the head of the response has been sent");
        return;
    }
    if (PyTraceBack_Check(traceback))
        PyException_SetTraceback(value, traceback);
    PyErr_SetObject((PyObject *)Py_TYPE(value), value);
}

PyObject *wsgi_start_response(PyObject *callable, PyObject *const *arguments, size_t nargsf,
                              PyObject *keywords)
{
    struct wsgi_request *request;
    struct call call;

    if (parse_call(arguments, nargsf, keywords, &call) < 0)
        return NULL;
    request = wsgi_callable_request(callable);
    if (!request)
        return NULL;
    if (call.exc_info && request->responded) {
        raise_exc_info(call.exc_info);
        return NULL;
    }
    if (!call.exc_info && request->head.set) {
        PyErr_SetString(PyExc_AssertionError,
                        "start_response() was called before; it takes exc_info to do so again");
        return NULL;
    }
    if (wsgi_head_set(&request->head, &request->wsgi->spare_head, call.status, call.headers) < 0)
        return NULL;
    if (!request->write)
        request->write = wsgi_callable_new(request->wsgi->types, wsgi_write, request);
    Py_XINCREF(request->write);
    return request->write;
}
