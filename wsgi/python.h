/* Python.h, and what of it is missing in Python 3.9 or trips over -Wpedantic. */
#ifndef WSGI_PYTHON_H
#define WSGI_PYTHON_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#if PY_VERSION_HEX < 0x03090000
#error "Python 3.9 or newer is needed"
#endif

#if PY_VERSION_HEX < 0x030a0000
static inline PyObject *Py_NewRef(PyObject *object)
{
    Py_INCREF(object);
    return object;
}
#endif

#ifndef Py_TPFLAGS_DISALLOW_INSTANTIATION
#define Py_TPFLAGS_DISALLOW_INSTANTIATION 0
#define Py_TPFLAGS_IMMUTABLETYPE 0
#endif

/* A PyType_Slot or PyModuleDef_Slot holds functions as void *, which POSIX lets one do. */
#define WSGI_SLOT(function) (__extension__(void *)(function))

/* A METH_FASTCALL function in a PyMethodDef. */
#define WSGI_METHOD(function) ((PyCFunction)(void (*)(void))(function))

#endif
