/* What speed needs of CPython beyond the API that is for good, and what stands in for it. */
#ifndef WSGI_CPYTHON_H
#define WSGI_CPYTHON_H

#include "python.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * A dict's version is another after each change (PEP 509), up to Python 3.11.  Where there is
 * none, no dict is known to be unchanged.
 */
#if PY_VERSION_HEX < 0x030c0000
static inline uint64_t wsgi_dict_version(PyObject *dict)
{
    return ((PyDictObject *)dict)->ma_version_tag;
}

static inline bool wsgi_dict_is_unchanged(PyObject *dict, uint64_t version)
{
    return wsgi_dict_version(dict) == version;
}
#else
static inline uint64_t wsgi_dict_version(PyObject *Py_UNUSED(dict))
{
    return 0;
}

static inline bool wsgi_dict_is_unchanged(PyObject *Py_UNUSED(dict), uint64_t Py_UNUSED(version))
{
    return false;
}
#endif

#endif
