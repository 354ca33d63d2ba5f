/*
 * write(bytes): PEP 3333, "The write() Callable".  A thread of the pool waits for
 * the client.  The loop's never does: what the kernel does not take is kept then,
 * however much that is.
 */
#include "request.h"

enum {
    SLICE = 65536 /* of what is sent while waiting */
};

static int send_all(struct wsgi_request *request, PyObject *bytes)
{
    return wsgi_response_send(request, PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes),
                              NULL);
}

static bool is_writable(const struct wsgi_request *request)
{
    return !request->connection || !http_full(request->connection);
}

static void wait_for_client(struct wsgi_request *request)
{
    wsgi_lock(request->wsgi);
    if (!is_writable(request))
        wsgi_pool_sleep(request, is_writable);
    wsgi_unlock(request->wsgi);
}

static int send_and_wait(struct wsgi_request *request, PyObject *bytes)
{
    const char *data = PyBytes_AS_STRING(bytes);
    size_t left = (size_t)PyBytes_GET_SIZE(bytes), taken;

    do { /* at least once: b"" sends the head */
        if (request->full)
            wait_for_client(request);
        if (wsgi_response_send(request, data, left < SLICE ? left : SLICE, &taken) < 0)
            return -1;
        data += taken;
        left -= taken;
    } while (left > 0 && !request->cut);
    return 0;
}

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
    if (!wsgi_request_is_here(request)) {
        PyErr_SetString(PyExc_RuntimeError, "write() belongs to the thread of the request");
        return NULL;
    }
    if (!request->responded && wsgi_response_head(request, -1) < 0)
        return NULL;
    if ((request->wsgi->pool ? send_and_wait : send_all)(request, arguments[0]) < 0)
        return NULL;
    Py_RETURN_NONE;
}
