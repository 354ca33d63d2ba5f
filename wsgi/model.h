/*
 * Environ dictionaries to copy: one for each field section that comes again
 * (http_request.section), as its last but one request had it, and one for the rest.
 */
#ifndef WSGI_MODEL_H
#define WSGI_MODEL_H

#include "names.h"

#include <stdint.h>

enum {
    WSGI_MODELS = 128,
    WSGI_USUAL = WSGI_NAME_HTTP_HOST /* the names before it are those that each request sets */
};

struct wsgi_model {
    uint64_t section; /* 0: of any */
    PyObject *env;    /* or NULL */
    /* Values it has, borrowed: who copies it need not set them.  NULL: it has none. */
    PyObject *usual[WSGI_USUAL];
};

/* Make it a copy of `env`.  -1 with an exception. */
int wsgi_model_make(struct wsgi_model *model, const struct wsgi_names *names, uint64_t section,
                    PyObject *env);
void wsgi_model_fini(struct wsgi_model *model);

#endif
