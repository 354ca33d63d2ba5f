/*
 * write(bytes): PEP 3333, "The write() Callable".  It never waits for the
 * client: what the kernel does not take is kept, however much that is.
 */
#include "request.h"

PyObject *wsgi_write(PyObject *callable, PyObject *const *arguments, size_t nargsf,
                     PyObject *keywords)
{
    struct wsgi_request *request;

    if (PyVectorcall_NARGS(nargsf) != 1 || (keywords && PyTuple_GET_SIZE(keywords) > 0) ||
        !PyBytes_Check(arguments[0])) {
        PyErr_SetString(PyExc_TypeError, "write() takes bytes");
        return NULL;
    }
    request = wsgi_callable_request(callable);
    if (!request)
        return NULL;
    if (PyThread_get_thread_ident() != request->wsgi->thread) {
        PyErr_SetString(PyExc_RuntimeError, "write() belongs to the thread of the request");
        return NULL;
    }
    if (!request->responded && wsgi_response_head(request, -1) < 0)
        return NULL;
    if (wsgi_response_send(request, PyBytes_AS_STRING(arguments[0]),
                           (size_t)PyBytes_GET_SIZE(arguments[0]), NULL) < 0)
        return NULL;
    http_flush(request->connection);
    Py_RETURN_NONE;
}
