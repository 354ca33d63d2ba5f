/* The functions that an application is given for one request: start_response and write. */
#include "types.h"

#include "request.h"

#include <stddef.h>

PyObject *wsgi_callable_new(const struct wsgi_types *types, vectorcallfunc call,
                            struct wsgi_request *request)
{
    struct wsgi_callable *self = PyObject_New(struct wsgi_callable, types->callable);

    if (!self)
        return NULL;
    self->call = call;
    self->request = request;
    return (PyObject *)self;
}

struct wsgi_request *wsgi_callable_request(PyObject *callable)
{
    struct wsgi_request *request = ((struct wsgi_callable *)callable)->request;

    if (request && !request->over)
        return request;
    PyErr_SetString(PyExc_RuntimeError, "the request that this belongs to is over");
    return NULL;
}

static void dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    PyObject_Free(self);
    Py_DECREF(type);
}

static PyMemberDef members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(struct wsgi_callable, call), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_dealloc, WSGI_SLOT(dealloc)},
    {Py_tp_call, WSGI_SLOT(PyVectorcall_Call)},
    {Py_tp_members, members},
    {0, NULL},
};

PyType_Spec wsgi_callable_spec = {
    .name = "asynwsgi.Callable",
    .basicsize = sizeof(struct wsgi_callable),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION |
             Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};
