/*
 * Functions that find their request themselves, and are the same for all: those of
 * x-wsgiorg.fdevent ("Waiting for File Descriptor Events", a proposed extension of
 * WSGI), asynwsgi.sleep and asynwsgi.client_gone.
 */
#include "types.h"

#include "request.h"
#include "wait.h"

#include <fcntl.h>

static PyObject *nothing(void)
{
    return PyBytes_FromStringAndSize(NULL, 0);
}

static PyObject *wait_for_descriptor(PyObject *arguments, PyObject *keywords, unsigned events)
{
    static char *names[] = {"fd", "timeout", NULL};
    PyObject *object, *seconds = NULL;
    struct wsgi_wait *wait;
    uint64_t timeout;
    int fd;

    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O|O", names, &object, &seconds))
        return NULL;
    fd = PyObject_AsFileDescriptor(object);
    if (fd < 0 || wsgi_wait_timeout(seconds, &timeout) < 0)
        return NULL;
    if (fcntl(fd, F_GETFD) < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    wait = wsgi_wait_register(WSGI_WAIT_DESCRIPTOR, timeout);
    if (!wait)
        return NULL;
    wait->fd = fd;
    wait->events = events;
    return nothing();
}

static PyObject *readable(PyObject *Py_UNUSED(module), PyObject *arguments, PyObject *keywords)
{
    return wait_for_descriptor(arguments, keywords, DISPATCH_READ);
}

static PyObject *writable(PyObject *Py_UNUSED(module), PyObject *arguments, PyObject *keywords)
{
    return wait_for_descriptor(arguments, keywords, DISPATCH_WRITE);
}

PyObject *wsgi_sleep(PyObject *Py_UNUSED(module), PyObject *seconds)
{
    uint64_t timeout;

    if (seconds == Py_None) {
        PyErr_SetString(PyExc_TypeError, "sleep() takes a number of seconds");
        return NULL;
    }
    if (wsgi_wait_timeout(seconds, &timeout) < 0)
        return NULL;
    return wsgi_wait_register(WSGI_WAIT_TIME, timeout) ? nothing() : NULL;
}

static PyMethodDef functions[] = {
    {"readable", WSGI_METHOD(readable), METH_VARARGS | METH_KEYWORDS,
     "readable(fd[, timeout]): what to yield to go on when reading would not block."},
    {"writable", WSGI_METHOD(writable), METH_VARARGS | METH_KEYWORDS,
     "writable(fd[, timeout]): what to yield to go on when writing would not block."},
};

PyObject *wsgi_fdevent_readable(void)
{
    return PyCFunction_New(&functions[0], NULL);
}

PyObject *wsgi_fdevent_writable(void)
{
    return PyCFunction_New(&functions[1], NULL);
}

static PyObject *client_gone(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none))
{
    const struct wsgi_request *request = wsgi_request_current();
    bool gone;

    if (!request)
        return NULL;
    wsgi_lock(request->wsgi);
    gone = !request->connection || http_client_gone(request->connection);
    wsgi_unlock(request->wsgi);
    return PyBool_FromLong(gone);
}

static PyMethodDef client_gone_definition = {
    "client_gone", client_gone, METH_NOARGS,
    "Whether the client has left: for an application that computes."};

PyObject *wsgi_client_gone(void)
{
    return PyCFunction_New(&client_gone_definition, NULL);
}

/* -- x-wsgiorg.fdevent.timeout: an object whose truth is that of the request that asks -------- */

static int timed_out(PyObject *Py_UNUSED(self))
{
    struct wsgi_request *request = wsgi_request_current();

    return request ? request->wait && request->wait->timed_out : -1;
}

static void dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    PyObject_Free(self);
    Py_DECREF(type);
}

static PyType_Slot slots[] = {
    {Py_tp_dealloc, WSGI_SLOT(dealloc)},
    {Py_nb_bool, WSGI_SLOT(timed_out)},
    {Py_tp_doc, "True when the last wait of the present request ended by its time-out."},
    {0, NULL},
};

PyType_Spec wsgi_timeout_spec = {
    .name = "asynwsgi.Timeout",
    .basicsize = sizeof(PyObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

PyObject *wsgi_fdevent_timeout(const struct wsgi_types *types)
{
    return (PyObject *)PyObject_New(PyObject, types->timeout);
}
