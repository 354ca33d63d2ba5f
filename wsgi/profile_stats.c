/*
 * The profilers.  There can be one in a thread at a time, and the application's own
 * come first: where it has one, or sys.setprofile(), ours is not enabled; one that
 * it begins in a request takes the place of ours, for the rest of that call.
 */
#include "profile.h"
#include "state.h"

/* pstats reads, of a function: primitive calls, calls, own time, time, {caller: the same of these}.
 */
static const char source[] =
    "import marshal\n"
    "\n"
    "def name(code):\n"
    "    if isinstance(code, str):\n"
    "        return '~', 0, code\n"
    "    return code.co_filename, code.co_firstlineno, code.co_name\n"
    "\n"
    "def add(table, key, entry):\n"
    "    calls, primitive, own, whole = table.get(key, (0, 0, 0.0, 0.0))\n"
    "    table[key] = (calls + entry.callcount,\n"
    "                  primitive + entry.callcount - entry.reccallcount,\n"
    "                  own + entry.inlinetime, whole + entry.totaltime)\n"
    "\n"
    "def join(profiles):\n"
    "    functions, callers = {}, {}\n"
    "    for entries in profiles:\n"
    "        for entry in entries:\n"
    "            add(functions, name(entry.code), entry)\n"
    "            for called in entry.calls or ():\n"
    "                add(callers.setdefault(name(called.code), {}), name(entry.code), called)\n"
    "    return marshal.dumps({key: (primitive, calls, own, whole, callers.get(key, {}))\n"
    "                          for key, (calls, primitive, own, whole) in functions.items()}\n"
    "                         ) if functions else None\n";

static PyObject *compile_join(void)
{
    PyObject *names = PyDict_New();
    PyObject *result = names ? PyRun_String(source, Py_file_input, names, names) : NULL;
    PyObject *join = result ? Py_XNewRef(PyDict_GetItemString(names, "join")) : NULL;

    Py_XDECREF(result);
    Py_XDECREF(names);
    return join;
}

static PyObject *import_from(const char *module, const char *name)
{
    PyObject *imported = PyImport_ImportModule(module);
    PyObject *object = imported ? PyObject_GetAttrString(imported, name) : NULL;

    Py_XDECREF(imported);
    return object;
}

int wsgi_profile_stats_init(struct wsgi_profile *profile)
{
    profile->make = import_from("_lsprof", "Profiler");
    profile->get_present = profile->make ? import_from("sys", "getprofile") : NULL;
    profile->collector = profile->get_present ? PyImport_ImportModule("gc") : NULL;
    profile->join = profile->collector ? compile_join() : NULL;
    return profile->join ? 0 : -1;
}

void wsgi_profile_stats_fini(struct wsgi_profile *profile)
{
    for (unsigned i = 0; i < profile->count; i++)
        Py_CLEAR(profile->threads[i].profiler);
    Py_CLEAR(profile->make);
    Py_CLEAR(profile->get_present);
    Py_CLEAR(profile->collector);
    Py_CLEAR(profile->join);
}

/* -- Around the application ------------------------------------------------ */

static int call(PyObject *object, const char *method)
{
    PyObject *result = PyObject_CallMethod(object, method, NULL);

    Py_XDECREF(result);
    return result ? 0 : -1;
}

/* Whose turn it is to profile this thread: None, our profiler, or another's. */
static bool is_present(const struct wsgi_profiled *thread, const PyObject *object)
{
    PyObject *present = PyObject_CallNoArgs(thread->profile->get_present);
    bool is = present == object;

    Py_XDECREF(present);
    return is;
}

static void enable(struct wsgi_profiled *thread)
{
    if (thread->unclosed)
        (void)call(thread->profiler, "disable");
    thread->unclosed = false;
    thread->enabled = call(thread->profiler, "enable") == 0;
    if (thread->enabled)
        return;
    if (!thread->profile->refused)
        wsgi_log_exception(thread->profile->wsgi, "profile: the application is not profiled");
    thread->profile->refused = true;
}

void wsgi_profile_stats_begin(struct wsgi_profiled *thread)
{
    if (thread->profiler && is_present(thread, Py_None))
        enable(thread);
    PyErr_Clear();
}

void wsgi_profile_stats_end(struct wsgi_profiled *thread)
{
    PyObject *type, *value, *traceback;

    if (!thread->enabled)
        return;
    PyErr_Fetch(&type, &value, &traceback);
    thread->enabled = false;
    thread->unclosed = !is_present(thread, Py_None) && !is_present(thread, thread->profiler);
    if (!thread->unclosed)
        (void)call(thread->profiler, "disable");
    PyErr_Restore(type, value, traceback);
}

/* -- What they found ------------------------------------------------------- */

/*
 * A profiler may be that of a thread that is in the middle of a call: it is asked in one
 * go, with no chance for another thread to run, which a finalizer would give.
 */
static PyObject *entries_of(const struct wsgi_profile *profile)
{
    PyObject *enabled = PyObject_CallMethod(profile->collector, "isenabled", NULL);
    PyObject *all = enabled && call(profile->collector, "disable") == 0 ? PyList_New(0) : NULL;

    for (unsigned i = 0; all && i < profile->count; i++) {
        PyObject *profiler = profile->threads[i].profiler;
        PyObject *entries = profiler ? PyObject_CallMethod(profiler, "getstats", NULL) : NULL;

        if (profiler && (!entries || PyList_Append(all, entries) < 0))
            Py_CLEAR(all);
        Py_XDECREF(entries);
    }
    if (enabled == Py_True && call(profile->collector, "enable") < 0)
        Py_CLEAR(all);
    Py_XDECREF(enabled);
    return all;
}

PyObject *wsgi_profile_stats_join(const struct wsgi_profile *profile)
{
    PyObject *all = entries_of(profile);
    PyObject *joined = all ? PyObject_CallFunctionObjArgs(profile->join, all, NULL) : NULL;

    Py_XDECREF(all);
    return joined;
}
