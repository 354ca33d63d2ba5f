/* Starting Python (PEP 587), so that it finds what the command `python` would find. */
#include "pool.h"
#include "state.h"

#include "config.h"
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Set in a process that was forked since Python started. */
static bool is_fork;

static void forked(void)
{
    is_fork = true;
    wsgi_pool_forked();
}

void wsgi_end_fork(const struct wsgi *wsgi)
{
    if (!is_fork)
        return;
    if (PyErr_Occurred())
        PyErr_Print(); /* ends the process if it is SystemExit */
    else
        wsgi_log(wsgi, "a process that the application forked came back from it: it ends here");
    if (wsgi->pool)
        _exit(Py_FinalizeEx() < 0 ? 120 : EXIT_FAILURE); /* what exit() would see to is not here */
    Py_Exit(EXIT_FAILURE);
}

static bool failed(const struct wsgi *wsgi, PyStatus status)
{
    if (!PyStatus_Exception(status))
        return false;
    wsgi_log(wsgi, "Python did not start: %s", status.err_msg ? status.err_msg : "it exited");
    return true;
}

/*
 * The interpreter's own path: Python looks for its library around it, and
 * `site` for the packages of a virtual environment.
 */
static int find_python(const struct wsgi *wsgi, char path[PATH_MAX])
{
    char folder[PATH_MAX];
    int n;

    if (!wsgi->options->virtual_env)
        n = snprintf(path, PATH_MAX, "%s", ASYNWSGI_PYTHON);
    else if (realpath(wsgi->options->virtual_env, folder))
        n = snprintf(path, PATH_MAX, "%s/bin/python", folder);
    else {
        wsgi_log(wsgi, "%s: %s", wsgi->options->virtual_env, strerror(errno));
        return -1;
    }
    return n >= 0 && n < PATH_MAX ? 0 : -1;
}

/*
 * Applications are used to errors where these signals would end the process:
 * Python itself ignores both.
 */
static void ignore_signals(void)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

static PyStatus configure(PyConfig *config, const char *python)
{
    static char *const argv[] = {"asynwsgi"};
    PyStatus status;

    /* Signals are the server's, the command line is not Python's. */
    config->install_signal_handlers = 0;
    config->parse_argv = 0;
    status = PyConfig_SetBytesString(config, &config->program_name, python);
    if (PyStatus_Exception(status))
        return status;
    status = PyConfig_SetBytesString(config, &config->executable, python);
    if (PyStatus_Exception(status))
        return status;
    return PyConfig_SetBytesArgv(config, 1, argv);
}

static int insert_path(PyObject *path, Py_ssize_t index, const char *folder)
{
    PyObject *text = PyUnicode_DecodeFSDefault(folder);
    int r = text ? PyList_Insert(path, index, text) : -1;

    Py_XDECREF(text);
    return r;
}

/* The current folder, then the option's, then what Python has. */
static int extend_path(const struct wsgi *wsgi)
{
    const char *const *folder = wsgi->options->python_path;
    PyObject *path = PySys_GetObject("path"); /* borrowed */
    char current[PATH_MAX];
    Py_ssize_t index = 0;

    if (!path || !PyList_Check(path)) {
        PyErr_SetString(PyExc_RuntimeError, "Python has no sys.path");
        return -1;
    }
    if (getcwd(current, sizeof current) && insert_path(path, index++, current) < 0)
        return -1;
    for (; folder && *folder; folder++)
        if (insert_path(path, index++, *folder) < 0)
            return -1;
    return 0;
}

static int set_switch_interval(uint64_t nanoseconds)
{
    PyObject *function = PySys_GetObject("setswitchinterval"); /* borrowed */
    PyObject *result;

    if (nanoseconds == 0 || !function)
        return 0;
    result = PyObject_CallFunction(function, "d", (double)nanoseconds / 1e9);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

int wsgi_interpreter_start(struct wsgi *wsgi)
{
    char python[PATH_MAX];
    PyConfig config;
    PyStatus status;

    if (find_python(wsgi, python) < 0)
        return -EINVAL;
    if (PyImport_AppendInittab("asynwsgi", PyInit_asynwsgi) < 0)
        return -ENOMEM;
    if (pthread_atfork(NULL, NULL, forked) != 0)
        return -ENOMEM;
    is_fork = false;
    ignore_signals();
    PyConfig_InitPythonConfig(&config);
    status = configure(&config, python);
    if (!PyStatus_Exception(status))
        status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    if (failed(wsgi, status))
        return -EINVAL;
    if (extend_path(wsgi) < 0 || set_switch_interval(wsgi->options->switch_interval) < 0) {
        wsgi_log_exception(wsgi, NULL);
        return -EINVAL;
    }
    return 0;
}
