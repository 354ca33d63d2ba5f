/*
 * Everything is looked at before anything is changed, and nothing in between
 * runs Python code.
 */
#include "head.h"

#include <stdlib.h>
#include <string.h>

enum {
    KEPT = 8192,        /* bytes of memory that outlive their response ... */
    HEADERS_KEPT = 128, /* ... and headers */
    FIRST_HEADERS = 16,
    HEADERS_MOST = 100000
};

/* A str's characters, as the bytes they are in Latin-1. */
struct text {
    const unsigned char *bytes;
    size_t length;
};

static int get_text(PyObject *object, const char *what, struct text *text)
{
    if (!PyUnicode_Check(object)) {
        PyErr_Format(PyExc_TypeError, "%s must be str, not %.200s", what, Py_TYPE(object)->tp_name);
        return -1;
    }
#if PY_VERSION_HEX < 0x030c0000
    if (PyUnicode_READY(object) < 0)
        return -1;
#endif
    if (PyUnicode_KIND(object) != PyUnicode_1BYTE_KIND) {
        PyErr_Format(PyExc_ValueError, "%s has characters beyond Latin-1: %R", what, object);
        return -1;
    }
    text->bytes = PyUnicode_1BYTE_DATA(object);
    text->length = (size_t)PyUnicode_GET_LENGTH(object);
    return 0;
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

/* White space, visible characters and obs-text: reason-phrase of RFC 9112, 4. */
static bool is_reason(const unsigned char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((bytes[i] < ' ' && bytes[i] != '\t') || bytes[i] == 127)
            return false;
    return true;
}

/* "200 OK"; the code is left in *code. */
static int check_status(PyObject *status, struct text *text, unsigned *code)
{
    const unsigned char *s;

    if (get_text(status, "the status", text) < 0)
        return -1;
    s = text->bytes;
    if (text->length < 4 || !is_digit(s[0]) || !is_digit(s[1]) || !is_digit(s[2]) || s[3] != ' ' ||
        !is_reason(s + 4, text->length - 4)) {
        PyErr_Format(PyExc_ValueError,
                     "the status must be three digits, a space and a reason, not %R", status);
        return -1;
    }
    *code = (unsigned)(100 * (s[0] - '0') + 10 * (s[1] - '0') + (s[2] - '0'));
    if (*code < 200) {
        PyErr_Format(PyExc_ValueError, "the status must be final, not %R", status);
        return -1;
    }
    return 0;
}

/* -1: no number, or one that is too large. */
static int64_t parse_length(const struct text *value)
{
    int64_t length = 0;

    if (value->length == 0 || value->length > 18)
        return -1;
    for (size_t i = 0; i < value->length; i++) {
        if (!is_digit(value->bytes[i]))
            return -1;
        length = length * 10 + (value->bytes[i] - '0');
    }
    return length;
}

/* White space around a value is no part of it (RFC 9110, 5.5). */
static void trim(struct text *value)
{
    const unsigned char *s = value->bytes;
    size_t n = value->length;

    while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t'))
        n--;
    while (n > 0 && (*s == ' ' || *s == '\t')) {
        s++;
        n--;
    }
    value->bytes = s;
    value->length = n;
}

struct field {
    struct text name, value;
    enum http_field_name known;
};

static int get_field(PyObject *pair, struct field *field)
{
    if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) {
        PyErr_Format(PyExc_TypeError, "a header must be a tuple (name, value), not %R", pair);
        return -1;
    }
    if (get_text(PyTuple_GET_ITEM(pair, 0), "a header's name", &field->name) < 0 ||
        get_text(PyTuple_GET_ITEM(pair, 1), "a header's value", &field->value) < 0)
        return -1;
    trim(&field->value);
    field->known = http_field_name(field->name.bytes, field->name.length);
    return 0;
}

/* Content-Length may be repeated only if it is the same (RFC 9110, 8.6). */
static int check_length(const struct field *field, int64_t *content_length)
{
    int64_t length = parse_length(&field->value);

    if (length < 0 || (*content_length >= 0 && length != *content_length)) {
        PyErr_SetString(PyExc_ValueError, length < 0 ? "Content-Length must be a decimal number"
                                                     : "Content-Length is given twice and differs");
        return -1;
    }
    *content_length = length;
    return 0;
}

static int check_field(PyObject *pair, struct field *field, int64_t *content_length)
{
    if (get_field(pair, field) < 0)
        return -1;
    if (!http_field_name_valid(field->name.bytes, field->name.length)) {
        PyErr_Format(PyExc_ValueError, "not a header's name: %R", PyTuple_GET_ITEM(pair, 0));
        return -1;
    }
    if (field->value.length > 0 &&
        !http_field_value_valid(field->value.bytes, field->value.length)) {
        PyErr_Format(PyExc_ValueError, "a header's value has control characters: %R", pair);
        return -1;
    }
    if (http_field_is_hop_by_hop(field->known)) {
        PyErr_Format(PyExc_ValueError, "%R is for the server to send (PEP 3333)",
                     PyTuple_GET_ITEM(pair, 0));
        return -1;
    }
    return field->known == HTTP_FIELD_CONTENT_LENGTH ? check_length(field, content_length) : 0;
}

/*
 * Room for that many, with the present head still good if there is none: the
 * bytes last, since moving them spoils the headers.
 */
static int reserve(struct wsgi_head *head, size_t headers, size_t bytes)
{
    if (headers > head->header_capacity) {
        size_t capacity = headers < FIRST_HEADERS ? FIRST_HEADERS : headers;
        struct http_header *moved = realloc(head->headers, capacity * sizeof *moved);

        if (!moved)
            return -1;
        head->headers = moved;
        head->response.headers = moved;
        head->header_capacity = capacity;
    }
    if (bytes > head->capacity) {
        size_t capacity = bytes < 512 ? 512 : bytes;
        unsigned char *moved = realloc(head->bytes, capacity);

        if (!moved)
            return -1;
        head->bytes = moved;
        head->capacity = capacity;
    }
    return 0;
}

static unsigned char *copy(unsigned char *to, const struct text *text)
{
    if (text->length > 0)
        memcpy(to, text->bytes, text->length);
    return to + text->length;
}

/* All is known to be right, and there is room. */
static void copy_fields(struct wsgi_head *head, PyObject *headers, unsigned char *to)
{
    Py_ssize_t count = PyList_GET_SIZE(headers);

    for (Py_ssize_t i = 0; i < count; i++) {
        struct field field;

        get_field(PyList_GET_ITEM(headers, i), &field);
        head->headers[i] = (struct http_header){
            .name = to,
            .value = to + field.name.length,
            .name_length = (uint32_t)field.name.length,
            .value_length = (uint32_t)field.value.length,
        };
        to = copy(copy(to, &field.name), &field.value);
    }
    head->response.header_count = (uint32_t)count;
}

int wsgi_head_set(struct wsgi_head *head, PyObject *status, PyObject *headers)
{
    int64_t content_length = -1;
    struct field field;
    struct text text;
    unsigned code;
    size_t bytes;

    if (check_status(status, &text, &code) < 0)
        return -1;
    if (!PyList_CheckExact(headers)) {
        PyErr_Format(PyExc_TypeError, "the headers must be a list, not %.200s",
                     Py_TYPE(headers)->tp_name);
        return -1;
    }
    bytes = text.length;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(headers); i++) {
        if (check_field(PyList_GET_ITEM(headers, i), &field, &content_length) < 0)
            return -1;
        bytes += field.name.length + field.value.length;
    }
    if (PyList_GET_SIZE(headers) > HEADERS_MOST || bytes > UINT32_MAX / 2 ||
        reserve(head, (size_t)PyList_GET_SIZE(headers), bytes) < 0) {
        PyErr_NoMemory();
        return -1;
    }
    copy_fields(head, headers, copy(head->bytes, &text));
    head->response.status = code;
    head->response.status_text = head->bytes;
    head->response.status_length = (uint32_t)text.length;
    head->content_length = content_length;
    head->set = true;
    return 0;
}

void wsgi_head_clear(struct wsgi_head *head)
{
    if (head->capacity > KEPT || head->header_capacity > HEADERS_KEPT)
        wsgi_head_fini(head);
    head->set = false;
}

void wsgi_head_fini(struct wsgi_head *head)
{
    free(head->bytes);
    free(head->headers);
    *head = (struct wsgi_head){0};
}
