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

enum {
    FILE_IO,
    BUFFERED_READER,
    BUFFERED_RANDOM
};

int wsgi_send_file_init(struct wsgi *wsgi)
{
    static const char *const names[WSGI_FILE_TYPES] = {[FILE_IO] = "FileIO",
                                                       [BUFFERED_READER] = "BufferedReader",
                                                       [BUFFERED_RANDOM] = "BufferedRandom"};
    PyObject *io = PyImport_ImportModule("_io");

    for (int i = 0; io && i < WSGI_FILE_TYPES; i++) {
        wsgi->file_types[i] = PyObject_GetAttrString(io, names[i]);
        if (!wsgi->file_types[i])
            Py_CLEAR(io);
    }
    Py_XDECREF(io);
    return io ? 0 : -1;
}

void wsgi_send_file_fini(struct wsgi *wsgi)
{
    for (int i = 0; i < WSGI_FILE_TYPES; i++)
        Py_CLEAR(wsgi->file_types[i]);
}

/* Whether it is of this type of io, and no subclass of it. */
static bool is_of(const struct wsgi *wsgi, PyObject *file, int type)
{
    return (PyObject *)Py_TYPE(file) == wsgi->file_types[type];
}

static bool is_of_io(const struct wsgi *wsgi, PyObject *file)
{
    return is_of(wsgi, file, FILE_IO) || is_of(wsgi, file, BUFFERED_READER) ||
           is_of(wsgi, file, BUFFERED_RANDOM);
}

static bool is_of_tempfile(PyObject *object, const char *name)
{
    PyObject *loaded = PyDict_GetItemString(PyImport_GetModuleDict(), "tempfile");
    PyObject *type = loaded ? PyObject_GetAttrString(loaded, name) : NULL;
    bool is = type == (PyObject *)Py_TYPE(object);

    if (!type)
        PyErr_Clear();
    Py_XDECREF(type);
    return is;
}

/* What a temporary file has within it.  NULL with an exception. */
static PyObject *unwrapped(const struct wsgi *wsgi, PyObject *file)
{
    if (is_of_io(wsgi, file))
        return Py_NewRef(file);
    if (is_of_tempfile(file, "_TemporaryFileWrapper"))
        return PyObject_GetAttrString(file, "file");
    if (is_of_tempfile(file, "SpooledTemporaryFile"))
        return PyObject_GetAttrString(file, "_file");
    return Py_NewRef(file);
}

/* Its read() is that of its type, which an attribute that was set on the object would hide. */
static bool reads_itself(const struct wsgi *wsgi, PyObject *file)
{
    PyObject *read = PyObject_GetAttr(file, wsgi->names.of[WSGI_NAME_READ]);
    bool does = read && PyCFunction_Check(read) && PyCFunction_GET_SELF(read) == file;

    Py_XDECREF(read);
    return does;
}

static bool is_real(const struct wsgi *wsgi, PyObject *file)
{
    PyObject *raw;
    bool is;

    if (!is_of_io(wsgi, file) || !reads_itself(wsgi, file))
        return false;
    if (is_of(wsgi, file, FILE_IO))
        return true;
    raw = PyObject_GetAttr(file, wsgi->names.of[WSGI_NAME_RAW]);
    is = raw && is_of(wsgi, raw, FILE_IO);
    Py_XDECREF(raw);
    return is;
}

/* Where it stands, what was written to it included; -1 with an exception. */
static int64_t tell(const struct wsgi *wsgi, PyObject *file)
{
    PyObject *result = is_of(wsgi, file, BUFFERED_RANDOM) ? PyObject_CallMethod(file, "flush", NULL)
                                                          : Py_NewRef(Py_None);
    int64_t place = -1;

    if (!result)
        return -1;
    Py_DECREF(result);
    result = PyObject_CallMethodNoArgs(file, wsgi->names.of[WSGI_NAME_TELL]);
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

    if (!is_real(request->wsgi, file))
        return;
    descriptor = PyObject_AsFileDescriptor(file);
    place = descriptor < 0 ? -1 : tell(request->wsgi, file);
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
    file = unwrapped(request->wsgi, wrapped);
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
