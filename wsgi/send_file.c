/*
 * wsgi.file_wrapper of a real file: its bytes go from the file to the client
 * without coming through Python (PEP 3333, "Optional Platform-Specific File
 * Handling").
 *
 * Real is what read() would take the same bytes from: a regular file that a
 * FileIO has open, alone, under one of io's own buffers, or as a temporary file.
 * It is sent from tell() on, since a buffer may have read ahead, or not have
 * written yet; to where the Content-Length, or else the file, ends.  Anything else
 * is iterated over.
 */
#include "request.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/* Whether it is of this type, and no subclass of it. */
static bool is_exactly(PyObject *object, const char *module, const char *name)
{
    PyObject *loaded = PyDict_GetItemString(PyImport_GetModuleDict(), module);
    PyObject *type = loaded ? PyObject_GetAttrString(loaded, name) : NULL;
    bool is = type == (PyObject *)Py_TYPE(object);

    if (!type)
        PyErr_Clear();
    Py_XDECREF(type);
    return is;
}

/* What a temporary file has within it.  NULL with an exception. */
static PyObject *unwrapped(PyObject *file)
{
    if (is_exactly(file, "tempfile", "_TemporaryFileWrapper"))
        return PyObject_GetAttrString(file, "file");
    if (is_exactly(file, "tempfile", "SpooledTemporaryFile"))
        return PyObject_GetAttrString(file, "_file");
    return Py_NewRef(file);
}

/* An attribute that was set on this object hides that of its type. */
static bool has_own_read(PyObject *file)
{
    PyObject *attributes = PyObject_GetAttrString(file, "__dict__");
    bool has = !attributes || PyMapping_HasKeyString(attributes, "read");

    Py_XDECREF(attributes);
    return has;
}

static bool is_real(PyObject *file)
{
    PyObject *raw;
    bool is;

    if (is_exactly(file, "_io", "FileIO"))
        return !has_own_read(file);
    if (!is_exactly(file, "_io", "BufferedReader") && !is_exactly(file, "_io", "BufferedRandom"))
        return false;
    raw = PyObject_GetAttrString(file, "raw");
    is = raw && is_exactly(raw, "_io", "FileIO") && !has_own_read(file);
    Py_XDECREF(raw);
    return is;
}

/* Where it stands, what was written to it included; -1 with an exception. */
static int64_t tell(PyObject *file)
{
    PyObject *result = PyObject_CallMethod(file, "flush", NULL);
    int64_t place = -1;

    if (!result)
        return -1;
    Py_DECREF(result);
    result = PyObject_CallMethod(file, "tell", NULL);
    if (result)
        place = PyLong_AsLongLong(result);
    Py_XDECREF(result);
    return place;
}

/*
 * The length of a regular file, or -1.  One that has no storage, as in /proc and
 * /sys, is not as long as it says.
 */
static int64_t file_length(int descriptor)
{
    int flags = fcntl(descriptor, F_GETFL);
    struct stat status;

    if (flags < 0 || (flags & O_ACCMODE) == O_WRONLY || fstat(descriptor, &status) < 0 ||
        !S_ISREG(status.st_mode) || status.st_blocks == 0)
        return -1;
    return status.st_size;
}

/* By write(). */
static uint64_t sent(struct wsgi_request *request)
{
    uint64_t bytes;

    if (!request->responded)
        return 0;
    wsgi_lock(request->wsgi);
    bytes = request->connection ? http_connection_sent(request->connection) : 0;
    wsgi_unlock(request->wsgi);
    return bytes;
}

/* Have the file sent, if it can be; an exception is left to read(), which meets it too. */
static void prepare(struct wsgi_request *request, PyObject *file)
{
    int64_t place, length, wanted = request->head.lines.content_length;
    int descriptor;

    if (!is_real(file))
        return;
    descriptor = PyObject_AsFileDescriptor(file);
    place = descriptor < 0 ? -1 : tell(file);
    length = place < 0 ? -1 : file_length(descriptor) - place;
    if (length <= 0)
        return;
    if (wanted >= 0)
        wanted -= (int64_t)sent(request);
    request->place = (uint64_t)place;
    request->end = (uint64_t)(place + (wanted >= 0 && wanted < length ? wanted : length));
    request->file = Py_NewRef(file);
}

void wsgi_send_file_begin(struct wsgi_request *request)
{
    PyObject *wrapped, *file;

    if (Py_TYPE(request->iterable) != request->wsgi->types->file_wrapper)
        return;
    wrapped = wsgi_file_wrapper_file(request->iterable);
    if (!wrapped)
        return;
    file = unwrapped(wrapped);
    if (file)
        prepare(request, file);
    Py_XDECREF(file);
    PyErr_Clear();
}

/* There is less of it than its length said, so the response cannot be completed. */
static void warn(struct wsgi_request *request)
{
    request->end = request->place;
    if (request->head.lines.content_length < 0) /* otherwise that is noticed */
        wsgi_request_warn(request, "the file was cut short or cannot be read, while it was sent");
}

int wsgi_send_file_step(struct wsgi_request *request)
{
    /* Asked for each time, lest it was closed and the number is another file's. */
    int descriptor = PyObject_AsFileDescriptor(request->file), r;
    size_t taken = 0;

    if (descriptor < 0)
        return -1;
    wsgi_lock(request->wsgi);
    r = -ECONNRESET;
    if (request->connection) {
        r = http_send_file(request->connection, descriptor, request->place,
                           request->end - request->place, &taken);
        request->full = http_full(request->connection);
    }
    wsgi_unlock(request->wsgi);
    if (r == -EIO)
        warn(request);
    else if (r < 0)
        return wsgi_response_broken(request, r);
    else
        request->place += taken;
    return 0;
}
