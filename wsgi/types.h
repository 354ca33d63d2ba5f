/*
 * The Python types, one a file.  What refers to a request refers to it only
 * while it lasts: an object that the application keeps is cut loose at the
 * request's end, and raises RuntimeError from then on.
 */
#ifndef WSGI_TYPES_H
#define WSGI_TYPES_H

#include "python.h"

#include <stdbool.h>
#include <stdint.h>

struct wsgi;
struct wsgi_request;

/* The state of the built-in module `asynwsgi`. */
struct wsgi_types {
    PyTypeObject *callable, *input, *errors, *file_wrapper, *event, *timeout;
    struct wsgi *wsgi;
};

extern PyType_Spec wsgi_callable_spec, wsgi_input_spec, wsgi_errors_spec, wsgi_file_wrapper_spec,
    wsgi_event_spec, wsgi_timeout_spec;

PyMODINIT_FUNC PyInit_asynwsgi(void);

/* The state of that module; NULL with an exception. */
const struct wsgi_types *wsgi_types_of(PyObject *module);

/* -- Functions that know their request ------------------------------------ */

struct wsgi_callable {
    PyObject_HEAD vectorcallfunc call;
    struct wsgi_request *request; /* NULL: it is over */
};

PyObject *wsgi_callable_new(const struct wsgi_types *types, vectorcallfunc call,
                            struct wsgi_request *request);

/* The request, if it is not over; else NULL with RuntimeError. */
struct wsgi_request *wsgi_callable_request(PyObject *callable);

PyObject *wsgi_start_response(PyObject *callable, PyObject *const *arguments, size_t count,
                              PyObject *keywords);
PyObject *wsgi_write(PyObject *callable, PyObject *const *arguments, size_t count,
                     PyObject *keywords);

/* -- wsgi.input ----------------------------------------------------------- */

struct wsgi_input {
    PyObject_HEAD struct wsgi_request *request; /* NULL: it is over */
    uint64_t position;                          /* in the body that has arrived whole */
    bool last_given;                            /* the item for the last chunk was */
    bool yield_trailers;                        /* that item is to have them */
};

PyObject *wsgi_input_new(const struct wsgi_types *types, struct wsgi_request *request);

/* Let go of what it has of the last request. */
void wsgi_input_clear(PyObject *input);

/* -- functions.c: what is the same for all requests
 * --------------------------------------------------- */

PyObject *wsgi_sleep(PyObject *module, PyObject *seconds);
PyObject *wsgi_fdevent_readable(void);
PyObject *wsgi_fdevent_writable(void);
PyObject *wsgi_fdevent_timeout(const struct wsgi_types *types);
PyObject *wsgi_client_gone(void);

/* -- wsgi.file_wrapper ---------------------------------------------------- */

/* What it was made of (borrowed); NULL: it is closed. */
PyObject *wsgi_file_wrapper_file(PyObject *wrapper);

/* -- wsgi.errors ---------------------------------------------------------- */

PyObject *wsgi_errors_new(const struct wsgi_types *types, struct wsgi *wsgi);

/* Log the line that the request began, if it did, and one that nobody ends. */
void wsgi_errors_end_line(PyObject *errors, struct wsgi_request *request);

#endif
