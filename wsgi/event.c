/*
 * asynwsgi.Event: what requests wait for until another request, or a thread,
 * sets it.
 *
 * `waits` are those for it, which hold references to it.  `is_set` changes, and
 * they join and are set, under both the interpreter's lock and the loop's: so set()
 * may be called by any thread that runs Python.
 */
#include "types.h"

#include "request.h"
#include "wait.h"

struct event {
    PyObject_HEAD bool is_set;
    struct wsgi_waits waits;
};

static PyObject *make(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {NULL};

    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, ":Event", names))
        return NULL;
    return type->tp_alloc(type, 0);
}

static PyObject *wait_for(PyObject *object, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"timeout", NULL};
    struct event *self = (struct event *)object;
    PyObject *seconds = NULL;
    struct wsgi_wait *wait;
    uint64_t timeout;

    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "|O:wait", names, &seconds) ||
        wsgi_wait_timeout(seconds, &timeout) < 0)
        return NULL;
    wait = wsgi_wait_register(WSGI_WAIT_EVENT, timeout);
    if (!wait)
        return NULL;
    if (self->is_set)
        wait->kind = WSGI_WAIT_NONE;
    else {
        wait->event = Py_NewRef(object);
        wsgi_lock(wait->request->wsgi);
        wsgi_waits_join(&self->waits, wait);
        wsgi_unlock(wait->request->wsgi);
    }
    return PyBytes_FromStringAndSize(NULL, 0);
}

static PyObject *set(PyObject *object, PyObject *Py_UNUSED(none))
{
    struct event *self = (struct event *)object;
    const struct wsgi_types *types = PyType_GetModuleState(Py_TYPE(object));

    self->is_set = true;
    Py_INCREF(object); /* waits that end drop their references */
    wsgi_waits_set(types->wsgi, &self->waits);
    Py_DECREF(object);
    Py_RETURN_NONE;
}

static PyObject *reset(PyObject *self, PyObject *Py_UNUSED(none))
{
    ((struct event *)self)->is_set = false;
    Py_RETURN_NONE;
}

static PyObject *is_set(PyObject *self, PyObject *Py_UNUSED(none))
{
    return PyBool_FromLong(((struct event *)self)->is_set);
}

static void dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"wait", WSGI_METHOD(wait_for), METH_VARARGS | METH_KEYWORDS,
     "What an iterable yields to go on when the event is set, or after `timeout` seconds."},
    {"set", set, METH_NOARGS, "Set it: all that wait for it go on. Any thread may."},
    {"clear", reset, METH_NOARGS, "Unset it. Those that went on stay so."},
    {"is_set", is_set, METH_NOARGS, "Whether it is set."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_new, WSGI_SLOT(make)},
    {Py_tp_dealloc, WSGI_SLOT(dealloc)},
    {Py_tp_methods, methods},
    {Py_tp_doc, "Event(): something that requests can wait for."},
    {0, NULL},
};

PyType_Spec wsgi_event_spec = {
    .name = "asynwsgi.Event",
    .basicsize = sizeof(struct event),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};
