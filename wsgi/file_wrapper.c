/*
 * wsgi.file_wrapper (PEP 3333, "Optional Platform-Specific File Handling"):
 * iterates over the blocks of a file from where it stands, and closes it.
 *
 * It is of no request.  One that was returned is closed at its request's end,
 * and lets go of the file then.
 */
#include "python.h"
#include "types.h"

struct file_wrapper {
    PyObject_HEAD PyObject *file; /* NULL: closed */
    Py_ssize_t block_size;
};

enum {
    BLOCK_SIZE = 65536
};

static PyObject *make(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"file", "block_size", NULL};
    Py_ssize_t block_size = BLOCK_SIZE;
    struct file_wrapper *self;
    PyObject *file;

    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O|n:FileWrapper", names, &file,
                                     &block_size))
        return NULL;
    self = (struct file_wrapper *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    self->file = Py_NewRef(file);
    self->block_size = block_size;
    return (PyObject *)self;
}

PyObject *wsgi_file_wrapper_file(PyObject *wrapper)
{
    return ((struct file_wrapper *)wrapper)->file;
}

static PyObject *next_block(PyObject *object)
{
    struct file_wrapper *self = (struct file_wrapper *)object;
    PyObject *file, *block;

    if (!self->file) {
        PyErr_SetString(PyExc_RuntimeError, "the wrapper of this file is closed");
        return NULL;
    }
    file = Py_NewRef(self->file); /* read() may close the wrapper */
    block = PyObject_CallMethod(file, "read", "n", self->block_size);
    Py_DECREF(file);
    /* The end of a file is b"" or, of one in text mode, "". */
    if (block && PyObject_IsTrue(block) <= 0)
        Py_CLEAR(block);
    return block;
}

/* Close the file, once.  One without close() need not be closed. */
static PyObject *close_file(PyObject *object, PyObject *Py_UNUSED(none))
{
    struct file_wrapper *self = (struct file_wrapper *)object;
    PyObject *file = self->file, *close, *result;

    if (!file)
        Py_RETURN_NONE;
    self->file = NULL;
    close = PyObject_GetAttrString(file, "close");
    Py_DECREF(file);
    if (!close) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError))
            return NULL;
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    result = PyObject_CallNoArgs(close);
    Py_DECREF(close);
    return result;
}

static int traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((struct file_wrapper *)self)->file);
    return 0;
}

static int clear(PyObject *self)
{
    Py_CLEAR(((struct file_wrapper *)self)->file);
    return 0;
}

static void dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    PyObject_GC_UnTrack(self);
    clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"close", close_file, METH_NOARGS, "Close the file."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_new, WSGI_SLOT(make)},
    {Py_tp_dealloc, WSGI_SLOT(dealloc)},
    {Py_tp_traverse, WSGI_SLOT(traverse)},
    {Py_tp_clear, WSGI_SLOT(clear)},
    {Py_tp_iter, WSGI_SLOT(PyObject_SelfIter)},
    {Py_tp_iternext, WSGI_SLOT(next_block)},
    {Py_tp_methods, methods},
    {Py_tp_doc, "FileWrapper(file, block_size=65536): the blocks of a file, for a response."},
    {0, NULL},
};

PyType_Spec wsgi_file_wrapper_spec = {
    .name = "asynwsgi.FileWrapper",
    .basicsize = sizeof(struct file_wrapper),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};
