"""Extension modules: Python's own, and one that is made here, find in the command the Python it has."""

import os
import shlex
import subprocess
import sysconfig

import pytest

SOURCE = r'''
#include <Python.h>

static PyObject *double_all(PyObject *self, PyObject *items)
{
    PyObject *list = PySequence_List(items);

    (void)self;
    for (Py_ssize_t i = 0; list && i < PyList_GET_SIZE(list); i++) {
        PyObject *item = PyList_GET_ITEM(list, i);
        PyObject *twice = PyNumber_Add(item, item);

        if (!twice || PyList_SetItem(list, i, twice) < 0)
            Py_CLEAR(list);
    }
    if (list && !PyObject_IsInstance(list, (PyObject *)&PyList_Type))
        PyErr_SetString(PyExc_SystemError, "this is another Python's list");
    return list;
}

static PyMethodDef methods[] = {{"double_all", double_all, METH_O, ""}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, .m_name = "made", .m_methods = methods};

PyMODINIT_FUNC PyInit_made(void)
{
    return PyModule_Create(&module);
}
'''


def test_modules_of_the_library(start):
    """Those that are shared objects, most of them beside a library of their own."""
    server = start('''
        import bz2, ctypes, decimal, hashlib, json, lzma, multiprocessing, sqlite3, ssl, sys, uuid, zlib
        def version():
            ctypes.pythonapi.Py_GetVersion.restype = ctypes.c_char_p
            return ctypes.pythonapi.Py_GetVersion().decode()
        def application(environ, start_response):
            start_response('200 OK', [])
            ssl.create_default_context()
            base = sqlite3.connect(':memory:')
            return [json.dumps([version() == sys.version, base.execute('select 1').fetchone(),
                                str(decimal.Decimal(1) / 4), bz2.decompress(bz2.compress(b'a')).decode(),
                                lzma.decompress(lzma.compress(b'b')).decode(),
                                hashlib.blake2b(b'c').digest_size, uuid.UUID(int=0).int,
                                multiprocessing.Value('i', 5).value]).encode()]
        ''')
    assert server.get().body == b'[true, [1], "0.25", "a", "b", 64, 0, 5]'


def test_a_module_of_ones_own(start, tmp_path):
    include = sysconfig.get_config_var('INCLUDEPY')
    if not os.path.exists(f'{include}/Python.h'):
        pytest.skip('there is no Python.h')
    (tmp_path / 'made.c').write_text(SOURCE)
    subprocess.run([*shlex.split(os.environ.get('CC', 'cc')), '-shared', '-fPIC', f'-I{include}',
                    '-o', tmp_path / ('made' + sysconfig.get_config_var('EXT_SUFFIX')),
                    tmp_path / 'made.c'], check=True)
    server = start('''
        import made
        def application(environ, start_response):
            start_response('200 OK', [])
            try: made.double_all(1)
            except TypeError: return [repr(made.double_all([1, 'a', 1.5])).encode()]
        ''')
    assert server.get().body == b"[2, 'aa', 3.0]"


def test_there_is_one_python(start):
    """None that an extension module brought along."""
    server = start('''
        def pythons():
            with open('/proc/self/maps') as maps:
                return {line.split()[-1] for line in maps if 'libpython' in line}
        before = pythons()
        import ctypes, sqlite3, ssl
        def application(environ, start_response):
            start_response('200 OK', [])
            return [repr((before == pythons(), len(before) < 2)).encode()]
        ''')
    assert server.get().body == b'(True, True)'
