/* The one struct wsgi: making it, the interpreter's lock around the loop's waits, ending it. */
#include "pool.h"
#include "profile.h"
#include "queue.h"
#include "request.h"
#include "state.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#define TEXT(token) #token
#define VERSION(major, minor) TEXT(major) "." TEXT(minor)
const char wsgi_python_version[] = VERSION(PY_MAJOR_VERSION, PY_MINOR_VERSION);

/* What needs a running interpreter.  -1 with an exception. */
static int populate(struct wsgi *wsgi)
{
    wsgi->names.underscores = wsgi->options->underscores;
    if (wsgi_names_init(&wsgi->names) < 0)
        return -1;
    wsgi->module = PyImport_ImportModule("asynwsgi");
    if (!wsgi->module)
        return -1;
    wsgi->types = wsgi_types_of(wsgi->module);
    ((struct wsgi_types *)PyModule_GetState(wsgi->module))->wsgi = wsgi;
    wsgi->errors = wsgi_errors_new(wsgi->types, wsgi);
    if (!wsgi->errors || wsgi_send_file_init(wsgi) < 0)
        return -1;
    return wsgi_environ_init(wsgi);
}

int wsgi_new(const struct wsgi_options *options, struct wsgi **result)
{
    struct wsgi *wsgi = calloc(1, sizeof *wsgi);
    int r;

    if (!wsgi)
        return -ENOMEM;
    wsgi->options = options;
    wsgi->enter = PyContext_Enter;
    wsgi->leave = PyContext_Exit;
    r = wsgi_interpreter_start(wsgi);
    if (r < 0) {
        free(wsgi);
        return r;
    }
    wsgi->thread = PyThread_get_thread_ident();
    if (populate(wsgi) < 0) {
        wsgi_log_exception(wsgi, NULL);
        wsgi_free(wsgi);
        return -ENOMEM;
    }
    *result = wsgi;
    return 0;
}

/* -- The interpreter's lock, where the loop runs the application ----------- */

/*
 * Letting go of the lock for a wait costs as much as parsing a request does.  While
 * requests come and Python has no other thread, the loop keeps it: one that
 * begins meanwhile, in a library, say, waits for it no longer than it may have to
 * for any thread that runs Python.
 */
static const uint64_t kept_for = 5000000; /* nanoseconds, as sys.getswitchinterval() by itself */

void wsgi_keep_lock(struct wsgi *wsgi)
{
    wsgi->keeps_lock = true;
    dispatch_timer_set(&wsgi->rest, dispatch_now(wsgi->loop) + wsgi->keeps_for);
}

static void rest(struct dispatch_timer *timer)
{
    ((struct wsgi *)(void *)((char *)timer - offsetof(struct wsgi, rest)))->keeps_lock = false;
}

static bool is_alone(void)
{
    PyThreadState *first = PyInterpreterState_ThreadHead(PyInterpreterState_Get());

    return !PyThreadState_Next(first);
}

static void release_lock(void *context)
{
    struct wsgi *wsgi = context;

    if (!wsgi->keeps_lock || !is_alone())
        wsgi->released = PyEval_SaveThread();
}

void wsgi_run_signal_handlers(const struct wsgi *wsgi)
{
    if (PyErr_CheckSignals() == 0)
        return;
    wsgi_log(wsgi, "exception in a signal handler of the application");
    wsgi_log_exception(wsgi, NULL);
}

static void take_lock(void *context)
{
    struct wsgi *wsgi = context;

    if (wsgi->released)
        PyEval_RestoreThread(wsgi->released);
    wsgi->released = NULL;
    wsgi_run_signal_handlers(wsgi);
}

static void woken(struct dispatch_waker *waker)
{
    wsgi_waits_go_on((struct wsgi *)(void *)((char *)waker - offsetof(struct wsgi, waker)));
}

static int detach(struct wsgi *wsgi)
{
    int r = 0;

    if (!wsgi->loop)
        return 0;
    if (wsgi->pool)
        r = wsgi_pool_stop(wsgi);
    if (wsgi->profile)
        wsgi_profile_end(wsgi, r == 0);
    if (r < 0)
        return r;
    dispatch_around_wait(wsgi->loop, NULL, NULL, NULL);
    dispatch_timer_remove(&wsgi->turn);
    dispatch_timer_remove(&wsgi->rest);
    dispatch_waker_remove(&wsgi->waker);
    wsgi->loop = NULL;
    return 0;
}

/* Have the application run in this thread, or in others. */
static int take_turns(struct wsgi *wsgi)
{
    if (wsgi->options->threads > 1)
        return wsgi_pool_start(wsgi);
    dispatch_around_wait(wsgi->loop, release_lock, take_lock, wsgi);
    return 0;
}

int wsgi_attach(struct wsgi *wsgi, struct dispatch *loop)
{
    uint64_t interval = wsgi->options->switch_interval;
    int r = detach(wsgi);

    if (r < 0 || !loop)
        return r;
    wsgi->loop = loop;
    wsgi->keeps_for = kept_for;
    if (interval > 0 && interval < kept_for)
        wsgi->keeps_for = interval;
    wsgi_queue_init(&wsgi->waiting);
    wsgi->turn.fired = wsgi_turn_fired;
    wsgi->rest.fired = rest;
    wsgi->waker.woken = woken;
    if ((r = dispatch_timer_add(loop, &wsgi->turn)) < 0 ||
        (r = dispatch_timer_add(loop, &wsgi->rest)) < 0 ||
        (r = dispatch_waker_add(loop, &wsgi->waker)) < 0 ||
        (wsgi->options->profile && (r = wsgi_profile_start(wsgi)) < 0) ||
        (r = take_turns(wsgi)) < 0)
        (void)detach(wsgi);
    return r;
}

void wsgi_free(struct wsgi *wsgi)
{
    if (!wsgi)
        return;
    (void)detach(wsgi);
    Py_CLEAR(wsgi->application);
    Py_CLEAR(wsgi->context);
    wsgi_requests_free(wsgi);
    wsgi_head_fini(&wsgi->spare_head);
    wsgi_environ_fini(wsgi);
    wsgi_send_file_fini(wsgi);
    wsgi_addresses_fini(&wsgi->addresses);
    wsgi_values_fini(&wsgi->values);
    wsgi_names_fini(&wsgi->names);
    Py_CLEAR(wsgi->module);
    Py_CLEAR(wsgi->errors);
    Py_FinalizeEx();
    /* Not sooner: functions that run atexit may write to a wsgi.errors they kept. */
    free(wsgi);
}
