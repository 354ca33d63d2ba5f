/*
 * A head is made in a spare one, which then takes the place of the present: so
 * what fails leaves no trace.  While it is made its headers point into the str
 * objects, and only what fails runs Python code, so these stay.  That code may
 * have another head made in the same place: a failure is the last thing done there.
 *
 * What a head was before is often what it is to be again, but for its Content-Length:
 * then comparing the characters is all there is to do, and not even that for the
 * constants of an application, which are the same objects each time.
 */
#include "head.h"

#include <stdlib.h>
#include <string.h>

enum {
    KEPT = 8192,        /* bytes of memory that outlive their response ... */
    HEADERS_KEPT = 128, /* ... and headers */
    FIRST = 512,        /* capacities to begin with */
    FIRST_HEADERS = 16,
    MOST = 1 << 30 /* bytes of a head */
};

/* Raise, with repr() of what is wrong, which might let go of the last reference to it. */
static int wrong(PyObject *exception, const char *format, PyObject *culprit)
{
    Py_INCREF(culprit);
    PyErr_Format(exception, format, culprit);
    Py_DECREF(culprit);
    return -1;
}

static inline bool is_latin_1(PyObject *object)
{
#if PY_VERSION_HEX < 0x030c0000
    if (PyUnicode_Check(object) && !PyUnicode_IS_READY(object))
        return false;
#endif
    return PyUnicode_Check(object) && PyUnicode_KIND(object) == PyUnicode_1BYTE_KIND;
}

static int not_text(PyObject *object, const char *what)
{
    if (!PyUnicode_Check(object))
        PyErr_Format(PyExc_TypeError, "%s must be str, not %.200s", what, Py_TYPE(object)->tp_name);
    else if (PyUnicode_KIND(object) != PyUnicode_1BYTE_KIND)
        PyErr_Format(PyExc_ValueError, "%s has characters beyond Latin-1: %R", what, object);
    else
        PyErr_Format(PyExc_ValueError, "%s is too long", what);
    return -1;
}

/* A str's characters, as the bytes they are in Latin-1. */
static inline int get_text(PyObject *object, const char *what, const unsigned char **bytes,
                           uint32_t *length)
{
#if PY_VERSION_HEX < 0x030c0000
    if (PyUnicode_Check(object) && PyUnicode_READY(object) < 0)
        return -1;
#endif
    if (!is_latin_1(object) || PyUnicode_GET_LENGTH(object) > MOST)
        return not_text(object, what);
    *bytes = PyUnicode_1BYTE_DATA(object);
    *length = (uint32_t)PyUnicode_GET_LENGTH(object);
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

/* "200 OK" */
static int check_status(PyObject *status, struct http_response *response)
{
    const unsigned char *s;
    uint32_t length;

    if (get_text(status, "the status", &s, &length) < 0)
        return -1;
    if (length < 4 || !is_digit(s[0]) || !is_digit(s[1]) || !is_digit(s[2]) || s[3] != ' ' ||
        !is_reason(s + 4, length - 4))
        return wrong(PyExc_ValueError,
                     "the status must be three digits, a space and a reason, not %R", status);
    if (s[0] < '2')
        return wrong(PyExc_ValueError, "the status must be final, not %R", status);
    response->status = (unsigned)(100 * (s[0] - '0') + 10 * (s[1] - '0') + (s[2] - '0'));
    response->status_text = s;
    response->status_length = length;
    return 0;
}

/* -1: no number, or one that is too large. */
static int64_t parse_length(const unsigned char *digits, size_t count)
{
    int64_t length = 0;

    if (count == 0 || count > 18)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (!is_digit(digits[i]))
            return -1;
        length = length * 10 + (digits[i] - '0');
    }
    return length;
}

/* White space around a value is no part of it (RFC 9110, 5.5). */
static void trim(struct http_header *header)
{
    const unsigned char *s = header->value;
    uint32_t n = header->value_length;

    while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t'))
        n--;
    while (n > 0 && (*s == ' ' || *s == '\t')) {
        s++;
        n--;
    }
    header->value = s;
    header->value_length = n;
}

/* Content-Length may be repeated only if it is the same (RFC 9110, 8.6). */
static int check_length(const struct http_header *header, struct http_lines *lines)
{
    int64_t length = parse_length(header->value, header->value_length);

    if (length < 0 || (lines->content_length >= 0 && length != lines->content_length)) {
        PyErr_SetString(PyExc_ValueError, length < 0 ? "Content-Length must be a decimal number"
                                                     : "Content-Length is given twice and differs");
        return -1;
    }
    lines->content_length = length;
    return 0;
}

static int get_header(PyObject *pair, struct http_header *header)
{
    if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2)
        return wrong(PyExc_TypeError, "a header must be a tuple (name, value), not %R", pair);
    if (get_text(PyTuple_GET_ITEM(pair, 0), "a header's name", &header->name,
                 &header->name_length) < 0 ||
        get_text(PyTuple_GET_ITEM(pair, 1), "a header's value", &header->value,
                 &header->value_length) < 0)
        return -1;
    trim(header);
    return 0;
}

static bool is_length(const struct http_header *header)
{
    return http_field_name(header->name, header->name_length) == HTTP_FIELD_CONTENT_LENGTH;
}

static int check_header(PyObject *pair, struct http_header *header, struct http_lines *lines)
{
    enum http_field_name known;

    if (get_header(pair, header) < 0)
        return -1;
    if (!http_field_name_valid(header->name, header->name_length))
        return wrong(PyExc_ValueError, "not a header's name: %R", PyTuple_GET_ITEM(pair, 0));
    if (header->value_length > 0 && !http_field_value_valid(header->value, header->value_length))
        return wrong(PyExc_ValueError, "a header's value has control characters: %R", pair);
    known = http_field_name(header->name, header->name_length);
    if (http_field_is_hop_by_hop(known))
        return wrong(PyExc_ValueError, "%R is for the server to send (PEP 3333)",
                     PyTuple_GET_ITEM(pair, 0));
    lines->has_date |= known == HTTP_FIELD_DATE;
    lines->has_server |= known == HTTP_FIELD_SERVER;
    return known == HTTP_FIELD_CONTENT_LENGTH ? check_length(header, lines) : 0;
}

static int reserve_headers(struct wsgi_head *head, size_t count)
{
    size_t capacity = count < FIRST_HEADERS ? FIRST_HEADERS : count;
    struct wsgi_header *headers;

    if (count <= head->header_capacity)
        return 0;
    headers = realloc(head->headers, capacity * sizeof *headers);
    if (!headers) {
        PyErr_NoMemory();
        return -1;
    }
    head->headers = headers;
    head->header_capacity = capacity;
    return 0;
}

static int check_headers(struct wsgi_head *head, PyObject *headers)
{
    size_t count = (size_t)PyList_GET_SIZE(headers);

    if (reserve_headers(head, count) < 0)
        return -1;
    head->lines = (struct http_lines){.content_length = -1};
    for (size_t i = 0; i < count; i++)
        if (check_header(PyList_GET_ITEM(headers, (Py_ssize_t)i), &head->headers[i].text,
                         &head->lines) < 0)
            return -1;
    return 0;
}

static int reserve_bytes(struct wsgi_head *head, size_t count)
{
    size_t needed = head->response.status_length, capacity;
    unsigned char *bytes;

    for (size_t i = 0; i < count; i++)
        needed += (size_t)head->headers[i].text.name_length + head->headers[i].text.value_length +
                  strlen(": \r\n");
    if (needed <= head->capacity)
        return 0;
    capacity = needed < FIRST ? FIRST : needed;
    bytes = needed <= MOST ? realloc(head->bytes, capacity) : NULL;
    if (!bytes) {
        PyErr_NoMemory();
        return -1;
    }
    head->bytes = bytes;
    head->capacity = capacity;
    return 0;
}

/* Copy bytes and point to the copy; gives its end. */
static unsigned char *copy(unsigned char *to, const unsigned char **bytes, uint32_t length)
{
    memcpy(to, *bytes, length);
    *bytes = to;
    return to + length;
}

/* "Name: value"; gives its end. */
static unsigned char *copy_header(unsigned char *to, struct http_header *header)
{
    to = copy(to, &header->name, header->name_length);
    *to++ = ':';
    *to++ = ' ';
    return copy(to, &header->value, header->value_length);
}

/* The status, the lines, and behind them Content-Length, which is no line. */
static void copy_bytes(struct wsgi_head *head, size_t count)
{
    unsigned char *lines =
        copy(head->bytes, &head->response.status_text, head->response.status_length);
    unsigned char *to = lines;

    for (size_t i = 0; i < count; i++) {
        if (is_length(&head->headers[i].text))
            continue;
        to = copy_header(to, &head->headers[i].text);
        *to++ = '\r';
        *to++ = '\n';
    }
    head->lines.bytes = lines;
    head->lines.length = (uint32_t)(to - lines);
    for (size_t i = 0; i < count; i++)
        if (is_length(&head->headers[i].text))
            to = copy_header(to, &head->headers[i].text);
}

/* Let go of what it was made of; then it is the same as nothing. */
static void forget(struct wsgi_head *head)
{
    Py_CLEAR(head->status);
    while (head->header_count > 0)
        Py_XDECREF(head->headers[--head->header_count].pair);
}

static bool is_constant(PyObject *pair)
{
    return PyTuple_CheckExact(pair) && PyUnicode_CheckExact(PyTuple_GET_ITEM(pair, 0)) &&
           PyUnicode_CheckExact(PyTuple_GET_ITEM(pair, 1));
}

static void remember(struct wsgi_head *head, PyObject *status, PyObject *headers)
{
    size_t count = (size_t)PyList_GET_SIZE(headers);

    head->status = PyUnicode_CheckExact(status) ? Py_NewRef(status) : NULL;
    for (size_t i = 0; i < count; i++) {
        PyObject *pair = PyList_GET_ITEM(headers, (Py_ssize_t)i);

        head->headers[i].pair = is_constant(pair) ? Py_NewRef(pair) : NULL;
    }
    head->header_count = count;
}

static int make(struct wsgi_head *head, PyObject *status, PyObject *headers)
{
    if (!PyList_CheckExact(headers)) {
        PyErr_Format(PyExc_TypeError, "the headers must be a list, not %.200s",
                     Py_TYPE(headers)->tp_name);
        return -1;
    }
    forget(head); /* what fails may have others look at it */
    if (check_status(status, &head->response) < 0 || check_headers(head, headers) < 0 ||
        reserve_bytes(head, (size_t)PyList_GET_SIZE(headers)) < 0)
        return -1;
    copy_bytes(head, (size_t)PyList_GET_SIZE(headers));
    remember(head, status, headers);
    return 0;
}

/* -- The same once more ---------------------------------------------------- */

static bool is_text(PyObject *object, const unsigned char *bytes, uint32_t length)
{
    return is_latin_1(object) && PyUnicode_GET_LENGTH(object) == (Py_ssize_t)length &&
           memcmp(PyUnicode_1BYTE_DATA(object), bytes, length) == 0;
}

/* Whether the pair is this header of the head, or is a Content-Length and this one is, too. */
static bool is_header(PyObject *pair, const struct wsgi_header *header,
                      const struct http_lines *lines, int64_t *content_length)
{
    bool is_line = header->text.name < lines->bytes + lines->length;
    bool is_it = pair == header->pair;
    PyObject *value;

    if (is_it && is_line)
        return true;
    if (!is_it &&
        (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2 ||
         !is_text(PyTuple_GET_ITEM(pair, 0), header->text.name, header->text.name_length)))
        return false;
    value = PyTuple_GET_ITEM(pair, 1);
    if (is_line)
        return is_text(value, header->text.value, header->text.value_length);
    if (*content_length >= 0 || !is_latin_1(value))
        return false;
    *content_length =
        parse_length(PyUnicode_1BYTE_DATA(value), (size_t)PyUnicode_GET_LENGTH(value));
    return *content_length >= 0;
}

/* What a whole head is made of would make it again, but for the length, which it gets. */
static bool is_same(struct wsgi_head *head, PyObject *status, PyObject *headers)
{
    size_t count = head->header_count;
    int64_t content_length = -1;

    if (count == 0 || !PyList_CheckExact(headers) || (size_t)PyList_GET_SIZE(headers) != count ||
        (status != head->status &&
         !is_text(status, head->response.status_text, head->response.status_length)))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!is_header(PyList_GET_ITEM(headers, (Py_ssize_t)i), &head->headers[i], &head->lines,
                       &content_length))
            return false;
    head->lines.content_length = content_length;
    return true;
}

static void swap(struct wsgi_head *a, struct wsgi_head *b)
{
    struct wsgi_head former = *a;

    *a = *b;
    *b = former;
}

int wsgi_head_set(struct wsgi_head *head, struct wsgi_head *spare, PyObject *status,
                  PyObject *headers)
{
    if (!is_same(head, status, headers)) {
        if (!is_same(spare, status, headers) && make(spare, status, headers) < 0)
            return -1;
        swap(head, spare);
    }
    head->set = true;
    head->response.lines = &head->lines;
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
    forget(head);
    free(head->bytes);
    free(head->headers);
    *head = (struct wsgi_head){0};
}
