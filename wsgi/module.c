/* The built-in module `asynwsgi`, whose state holds the types. */
#include "types.h"

#include "config.h"
#include <string.h>

static PyModuleDef definition;

static int add_type(PyObject *module, PyType_Spec *spec, PyTypeObject **type)
{
    *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
#if PY_VERSION_HEX < 0x030a0000 /* has no Py_TPFLAGS_DISALLOW_INSTANTIATION */
    if (*type && spec != &wsgi_file_wrapper_spec && spec != &wsgi_event_spec)
        (*type)->tp_new = NULL;
#endif
    return *type ? 0 : -1;
}

static PyObject *streaming(PyObject *Py_UNUSED(module), PyObject *application)
{
    if (PyObject_SetAttrString(application, "asynwsgi_streaming", Py_True) < 0)
        return NULL;
    return Py_NewRef(application);
}

static PyMethodDef functions[] = {
    {"streaming", streaming, METH_O,
     "A decorator: this application is called before the body of a request has arrived."},
    {"sleep", wsgi_sleep, METH_O, "What an iterable yields to go on after so many seconds."},
    {NULL, NULL, 0, NULL},
};

static int execute(PyObject *module)
{
    struct wsgi_types *types = PyModule_GetState(module);

    if (add_type(module, &wsgi_callable_spec, &types->callable) < 0 ||
        add_type(module, &wsgi_input_spec, &types->input) < 0 ||
        add_type(module, &wsgi_errors_spec, &types->errors) < 0 ||
        add_type(module, &wsgi_file_wrapper_spec, &types->file_wrapper) < 0 ||
        add_type(module, &wsgi_event_spec, &types->event) < 0 ||
        add_type(module, &wsgi_timeout_spec, &types->timeout) < 0)
        return -1;
    if (PyModule_AddStringConstant(module, "__version__", PACKAGE_VERSION) < 0)
        return -1;
    if (PyModule_AddType(module, types->event) < 0)
        return -1;
    return PyModule_AddType(module, types->file_wrapper);
}

static int traverse(PyObject *module, visitproc visit, void *arg)
{
    struct wsgi_types *types = PyModule_GetState(module);

    Py_VISIT(types->callable);
    Py_VISIT(types->input);
    Py_VISIT(types->errors);
    Py_VISIT(types->file_wrapper);
    Py_VISIT(types->event);
    Py_VISIT(types->timeout);
    return 0;
}

static int clear(PyObject *module)
{
    struct wsgi_types *types = PyModule_GetState(module);

    Py_CLEAR(types->callable);
    Py_CLEAR(types->input);
    Py_CLEAR(types->errors);
    Py_CLEAR(types->file_wrapper);
    Py_CLEAR(types->event);
    Py_CLEAR(types->timeout);
    return 0;
}

static void free_module(void *module)
{
    clear(module);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, WSGI_SLOT(execute)},
    {0, NULL},
};

static PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "asynwsgi",
    .m_doc = "The server that runs this application.",
    .m_size = sizeof(struct wsgi_types),
    .m_methods = functions,
    .m_slots = slots,
    .m_traverse = traverse,
    .m_clear = clear,
    .m_free = free_module,
};

PyMODINIT_FUNC PyInit_asynwsgi(void)
{
    return PyModuleDef_Init(&definition);
}

const struct wsgi_types *wsgi_types_of(PyObject *module)
{
    return PyModule_GetState(module);
}
