/* The head of a response as start_response gave it: checked, and copied. */
#ifndef WSGI_HEAD_H
#define WSGI_HEAD_H

#include "python.h"

#include <asynwsgi/http.h>
#include <stdbool.h>
#include <stdint.h>

struct wsgi_header {
    struct http_header text;
    PyObject *pair; /* of which it was made, if that cannot change; or NULL */
};

struct wsgi_head {
    bool set; /* start_response was called */
    struct http_response response;
    PyObject *status; /* of which that was made, if it cannot change; or NULL */
    struct http_lines lines;
    unsigned char *bytes; /* of the status and the lines */
    size_t capacity;
    struct wsgi_header *headers; /* all there were, as `bytes` has them */
    size_t header_count, header_capacity;
};

/*
 * Take over the arguments of start_response (PEP 3333, "The start_response()
 * Callable").  It is made in `spare`, which is the former head then, and need not
 * be made where either was the same before.  -1 with TypeError, ValueError or
 * MemoryError, and the head is what it was before.
 */
int wsgi_head_set(struct wsgi_head *head, struct wsgi_head *spare, PyObject *status,
                  PyObject *headers);

/* Forget the response; a little memory is kept for the next. */
void wsgi_head_clear(struct wsgi_head *head);
void wsgi_head_fini(struct wsgi_head *head);

#endif
