/* The keys of environ, made once. */
#ifndef WSGI_NAMES_H
#define WSGI_NAMES_H

#include "python.h"

#include <stdbool.h>

/* Interned strings with a place of their own. */
enum wsgi_name {
    WSGI_NAME_REQUEST_METHOD,
    WSGI_NAME_SCRIPT_NAME,
    WSGI_NAME_PATH_INFO,
    WSGI_NAME_QUERY_STRING,
    WSGI_NAME_REQUEST_URI,
    WSGI_NAME_CONTENT_TYPE,
    WSGI_NAME_CONTENT_LENGTH,
    WSGI_NAME_SERVER_NAME,
    WSGI_NAME_SERVER_PORT,
    WSGI_NAME_SERVER_PROTOCOL,
    WSGI_NAME_SERVER_SOFTWARE,
    WSGI_NAME_REMOTE_ADDR,
    WSGI_NAME_REMOTE_PORT,
    WSGI_NAME_HTTP_HOST,
    WSGI_NAME_HTTP_COOKIE,
    WSGI_NAME_VERSION,
    WSGI_NAME_URL_SCHEME,
    WSGI_NAME_INPUT,
    WSGI_NAME_INPUT_TERMINATED,
    WSGI_NAME_ERRORS,
    WSGI_NAME_MULTITHREAD,
    WSGI_NAME_MULTIPROCESS,
    WSGI_NAME_RUN_ONCE,
    WSGI_NAME_FILE_WRAPPER,
    WSGI_NAME_INPUT_SENTINEL,
    WSGI_NAME_READABLE,
    WSGI_NAME_WRITABLE,
    WSGI_NAME_TIMEOUT,
    WSGI_NAME_CLIENT_GONE,
    WSGI_NAME_CLOSE, /* methods and attributes */
    WSGI_NAME_READ,
    WSGI_NAME_RAW,
    WSGI_NAME_TELL,
    WSGI_NAME_EMPTY, /* values */
    WSGI_NAME_ASTERISK,
    WSGI_NAME_HTTP_1_0,
    WSGI_NAME_HTTP_1_1,
    WSGI_NAMES
};

enum {
    WSGI_FIELD_BITS = 10,
    WSGI_FIELD_NAME = 47
};

/* A field name as a client spells it, and its key. */
struct wsgi_field_name {
    unsigned char length; /* 0: this slot is free */
    unsigned char spelled[WSGI_FIELD_NAME];
    PyObject *key; /* NULL: it has no place in environ */
};

struct wsgi_names {
    PyObject *of[WSGI_NAMES];
    bool underscores; /* names with one are not left out */
    PyObject *common; /* dict of the keys of common fields, interned: key -> key */
    struct wsgi_field_name fields[1 << WSGI_FIELD_BITS];
};

/* -1 with an exception; fini is due either way. */
int wsgi_names_init(struct wsgi_names *names);
void wsgi_names_fini(struct wsgi_names *names);

/*
 * The key of a field, "HTTP_" and its name in upper case with "_" for "-": a
 * new reference.  NULL for a name with an underscore, unless these are allowed:
 * it would pose as another, X_Forwarded_For as X-Forwarded-For.  -1 with an
 * exception.
 */
int wsgi_names_field(struct wsgi_names *names, const unsigned char *name, size_t length,
                     PyObject **key);

#endif
