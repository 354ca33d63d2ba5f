/*
 * Finds the application: "MODULE", "MODULE:OBJECT" or "MODULE:FACTORY()".
 * Whatever goes wrong ends as lines in the log: one where the person who
 * started the server named something that is not there, else a traceback.
 */
#include "state.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A parsed name, in its own memory. */
struct spec {
    char *module;
    char *object; /* within `module`'s memory; NULL: the usual ones are tried */
    bool call;
};

static bool parse(const struct wsgi *wsgi, struct spec *spec)
{
    const char *name = wsgi->options->application;
    size_t length;
    char *colon;

    spec->module = strdup(name);
    if (!spec->module)
        return false;
    spec->call = wsgi->options->factory;
    colon = strchr(spec->module, ':');
    spec->object = colon ? colon + 1 : NULL;
    if (colon)
        *colon = '\0';
    length = colon ? strlen(spec->object) : 0;
    if (length > 2 && strcmp(spec->object + length - 2, "()") == 0) {
        spec->object[length - 2] = '\0';
        spec->call = true;
    }
    if (*spec->module && (!colon || *spec->object) &&
        (!colon || !strpbrk(spec->object, ":()[] \t")))
        return true;
    wsgi_log(wsgi, "%s: an application is named as MODULE, MODULE:OBJECT or MODULE:FACTORY()",
             name);
    return false;
}

/* Whether the exception says that `module` itself, or a package it is in, is not there. */
static bool is_missing(const char *module)
{
    PyObject *type, *value, *traceback, *name;
    const char *missing;
    bool is = false;

    if (!PyErr_ExceptionMatches(PyExc_ModuleNotFoundError))
        return false;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    name = PyObject_GetAttrString(value, "name");
    missing = name && PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;
    if (missing) {
        size_t length = strlen(missing);

        is = strncmp(missing, module, length) == 0 &&
             (module[length] == '\0' || module[length] == '.');
    }
    PyErr_Clear();
    Py_XDECREF(name);
    PyErr_Restore(type, value, traceback);
    return is;
}

static PyObject *import(const struct wsgi *wsgi, const char *name)
{
    PyObject *module = PyImport_ImportModule(name);
    char folder[PATH_MAX];
    const char *hint = "";

    if (module || !is_missing(name))
        return module;
    PyErr_Clear();
    if (strchr(name, '/') || (strlen(name) > 3 && strcmp(name + strlen(name) - 3, ".py") == 0))
        hint = "; a module is named as in an import statement, not by its file";
    wsgi_log(wsgi, "no module named '%s' in %s or elsewhere on sys.path%s", name,
             getcwd(folder, sizeof folder) ? folder : "the current folder", hint);
    return NULL;
}

/* object.a.b for "a.b": a new reference.  NULL, logged or with an exception. */
static PyObject *follow(const struct wsgi *wsgi, PyObject *object, const struct spec *spec)
{
    char *name = spec->object, *rest;

    Py_INCREF(object);
    for (; name; name = rest) {
        PyObject *next;

        rest = strchr(name, '.');
        if (rest)
            *rest++ = '\0';
        next = PyObject_GetAttrString(object, name);
        Py_DECREF(object);
        object = next;
        if (!object) {
            if (PyErr_ExceptionMatches(PyExc_AttributeError)) {
                PyErr_Clear();
                wsgi_log(wsgi, "%s: there is no '%s' in module '%s'", wsgi->options->application,
                         name, spec->module);
            }
            return NULL;
        }
    }
    return object;
}

static PyObject *usual(const struct wsgi *wsgi, PyObject *module, const struct spec *spec)
{
    static const char *const names[] = {"application", "app"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        PyObject *object = PyObject_GetAttrString(module, names[i]);

        if (object || !PyErr_ExceptionMatches(PyExc_AttributeError))
            return object;
        PyErr_Clear();
    }
    wsgi_log(wsgi, "module '%s' has neither 'application' nor 'app'; name another as %s:OBJECT",
             spec->module, spec->module);
    return NULL;
}

static PyObject *find(const struct wsgi *wsgi, const struct spec *spec)
{
    PyObject *module = import(wsgi, spec->module), *object;

    if (!module)
        return NULL;
    object = spec->object ? follow(wsgi, module, spec) : usual(wsgi, module, spec);
    Py_DECREF(module);
    if (object && !PyCallable_Check(object)) {
        wsgi_log(wsgi, "%s is no application: %s cannot be called", wsgi->options->application,
                 Py_TYPE(object)->tp_name);
        Py_CLEAR(object);
    }
    return object;
}

/* The application that a factory makes; takes over the reference. */
static PyObject *make(const struct wsgi *wsgi, PyObject *factory)
{
    PyObject *made = PyObject_CallNoArgs(factory);

    Py_DECREF(factory);
    if (made && !PyCallable_Check(made)) {
        wsgi_log(wsgi, "%s did not make an application: %s cannot be called",
                 wsgi->options->application, Py_TYPE(made)->tp_name);
        Py_CLEAR(made);
    }
    return made;
}

/* Whether it asks for streaming (asynwsgi.streaming); -1 with an exception. */
static int wants_streaming(PyObject *application)
{
    PyObject *wish = PyObject_GetAttrString(application, "asynwsgi_streaming");
    int wants;

    if (!wish && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        return 0;
    }
    wants = wish ? PyObject_IsTrue(wish) : -1;
    Py_XDECREF(wish);
    return wants;
}

/* Take over the application.  -1 with an exception. */
static int adopt(struct wsgi *wsgi, PyObject *application)
{
    PyObject *context = PyContext_CopyCurrent();
    int streams = wants_streaming(application);

    if (!context || streams < 0) {
        Py_XDECREF(context);
        Py_DECREF(application);
        return -1;
    }
    Py_XSETREF(wsgi->application, application);
    Py_XSETREF(wsgi->context, context);
    wsgi->streams = streams;
    return 0;
}

int wsgi_load(struct wsgi *wsgi)
{
    PyObject *application = NULL;
    struct spec spec;

    if (parse(wsgi, &spec)) {
        application = find(wsgi, &spec);
        if (application && spec.call)
            application = make(wsgi, application);
    }
    free(spec.module);
    if (!application || adopt(wsgi, application) < 0) {
        if (PyErr_Occurred()) {
            wsgi_log(wsgi, "%s: exception while it was loaded", wsgi->options->application);
            wsgi_log_exception(wsgi, NULL);
        }
        return -ENOENT;
    }
    return 0;
}
