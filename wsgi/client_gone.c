/* asynwsgi.client_gone(): for an application that computes, and may as well stop. */
#include "request.h"

PyObject *wsgi_client_gone(PyObject *callable, PyObject *const *arguments, size_t nargsf,
                           PyObject *keywords)
{
    struct wsgi_request *request;

    (void)arguments;
    if (PyVectorcall_NARGS(nargsf) != 0 || (keywords && PyTuple_GET_SIZE(keywords) > 0)) {
        PyErr_SetString(PyExc_TypeError, "client_gone() takes no arguments");
        return NULL;
    }
    request = wsgi_callable_request(callable);
    return request ? PyBool_FromLong(http_client_gone(request->connection)) : NULL;
}
