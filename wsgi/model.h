/*
 * Environ dictionaries to copy: one for each field section that comes again
 * (http_request.section), as its last but one request had it, and one for the rest.
 *
 * And for each section one that need not be copied: its last request is over, and the
 * application has left it as it was, and kept nothing of it.
 */
#ifndef WSGI_MODEL_H
#define WSGI_MODEL_H

#include "names.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    WSGI_MODELS = 128,
    WSGI_USUAL = WSGI_NAME_HTTP_HOST /* the names before it are those that each request sets */
};

/* An environ, and what is known of it. */
struct wsgi_environ {
    PyObject *dict;              /* or NULL */
    PyObject *usual[WSGI_USUAL]; /* values it has, borrowed; NULL: none, or not known */
    PyObject *input;             /* wsgi.input, borrowed, too; NULL: none of a request */
    uint64_t section;            /* whose fields it has; 0: not just those of one */
    uint64_t version;            /* of the dict, as the application was given it */
    bool is_local;               /* it has what comes of its fields at a unix socket */
};

struct wsgi_model {
    uint64_t section; /* 0: of any */
    struct wsgi_environ environ;
    struct wsgi_environ spare; /* its wsgi.input is cut loose */
};

/* Make it a copy of `env`, without a spare one.  -1 with an exception. */
int wsgi_model_make(struct wsgi_model *model, const struct wsgi_environ *env);
void wsgi_model_fini(struct wsgi_model *model);

#endif
