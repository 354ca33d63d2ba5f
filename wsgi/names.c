#include "names.h"

#include "hash.h"

static const char *const spelling[WSGI_NAMES] = {
    [WSGI_NAME_REQUEST_METHOD] = "REQUEST_METHOD",
    [WSGI_NAME_SCRIPT_NAME] = "SCRIPT_NAME",
    [WSGI_NAME_PATH_INFO] = "PATH_INFO",
    [WSGI_NAME_QUERY_STRING] = "QUERY_STRING",
    [WSGI_NAME_REQUEST_URI] = "REQUEST_URI",
    [WSGI_NAME_CONTENT_TYPE] = "CONTENT_TYPE",
    [WSGI_NAME_CONTENT_LENGTH] = "CONTENT_LENGTH",
    [WSGI_NAME_SERVER_NAME] = "SERVER_NAME",
    [WSGI_NAME_SERVER_PORT] = "SERVER_PORT",
    [WSGI_NAME_SERVER_PROTOCOL] = "SERVER_PROTOCOL",
    [WSGI_NAME_SERVER_SOFTWARE] = "SERVER_SOFTWARE",
    [WSGI_NAME_REMOTE_ADDR] = "REMOTE_ADDR",
    [WSGI_NAME_REMOTE_PORT] = "REMOTE_PORT",
    [WSGI_NAME_HTTP_HOST] = "HTTP_HOST",
    [WSGI_NAME_HTTP_COOKIE] = "HTTP_COOKIE",
    [WSGI_NAME_VERSION] = "wsgi.version",
    [WSGI_NAME_URL_SCHEME] = "wsgi.url_scheme",
    [WSGI_NAME_INPUT] = "wsgi.input",
    [WSGI_NAME_INPUT_TERMINATED] = "wsgi.input_terminated",
    [WSGI_NAME_ERRORS] = "wsgi.errors",
    [WSGI_NAME_MULTITHREAD] = "wsgi.multithread",
    [WSGI_NAME_MULTIPROCESS] = "wsgi.multiprocess",
    [WSGI_NAME_RUN_ONCE] = "wsgi.run_once",
    [WSGI_NAME_FILE_WRAPPER] = "wsgi.file_wrapper",
    [WSGI_NAME_INPUT_SENTINEL] = "wsgi.input_sentinel",
    [WSGI_NAME_READABLE] = "x-wsgiorg.fdevent.readable",
    [WSGI_NAME_WRITABLE] = "x-wsgiorg.fdevent.writable",
    [WSGI_NAME_TIMEOUT] = "x-wsgiorg.fdevent.timeout",
    [WSGI_NAME_CLIENT_GONE] = "asynwsgi.client_gone",
    [WSGI_NAME_CLOSE] = "close",
    [WSGI_NAME_READ] = "read",
    [WSGI_NAME_RAW] = "raw",
    [WSGI_NAME_TELL] = "tell",
    [WSGI_NAME_EMPTY] = "",
    [WSGI_NAME_ASTERISK] = "*",
    [WSGI_NAME_HTTP_1_0] = "HTTP/1.0",
    [WSGI_NAME_HTTP_1_1] = "HTTP/1.1",
};

/*
 * Applications look these up by literals, which Python interns: a lookup by
 * the same object is over with one comparison.  Names that clients make up are
 * not interned, since Python 3.12 never frees what is.
 */
static const char *const common[] = {
    "HTTP_ACCEPT",
    "HTTP_ACCEPT_CHARSET",
    "HTTP_ACCEPT_ENCODING",
    "HTTP_ACCEPT_LANGUAGE",
    "HTTP_ACCESS_CONTROL_REQUEST_HEADERS",
    "HTTP_ACCESS_CONTROL_REQUEST_METHOD",
    "HTTP_AUTHORIZATION",
    "HTTP_CACHE_CONTROL",
    "HTTP_CONNECTION",
    "HTTP_CONTENT_ENCODING",
    "HTTP_COOKIE",
    "HTTP_DATE",
    "HTTP_DNT",
    "HTTP_EXPECT",
    "HTTP_FORWARDED",
    "HTTP_FROM",
    "HTTP_HOST",
    "HTTP_IF_MATCH",
    "HTTP_IF_MODIFIED_SINCE",
    "HTTP_IF_NONE_MATCH",
    "HTTP_IF_RANGE",
    "HTTP_IF_UNMODIFIED_SINCE",
    "HTTP_ORIGIN",
    "HTTP_PRAGMA",
    "HTTP_PRIORITY",
    "HTTP_RANGE",
    "HTTP_REFERER",
    "HTTP_SEC_CH_UA",
    "HTTP_SEC_CH_UA_MOBILE",
    "HTTP_SEC_CH_UA_PLATFORM",
    "HTTP_SEC_FETCH_DEST",
    "HTTP_SEC_FETCH_MODE",
    "HTTP_SEC_FETCH_SITE",
    "HTTP_SEC_FETCH_USER",
    "HTTP_TE",
    "HTTP_TRACEPARENT",
    "HTTP_TRANSFER_ENCODING",
    "HTTP_UPGRADE",
    "HTTP_UPGRADE_INSECURE_REQUESTS",
    "HTTP_USER_AGENT",
    "HTTP_VIA",
    "HTTP_X_CSRFTOKEN",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
    "HTTP_X_REQUESTED_WITH",
    "HTTP_X_REQUEST_ID",
};

static int add_common(PyObject *keys, const char *spelled)
{
    PyObject *key = PyUnicode_InternFromString(spelled);
    int r = key ? PyDict_SetItem(keys, key, key) : -1;

    Py_XDECREF(key);
    return r;
}

int wsgi_names_init(struct wsgi_names *names)
{
    for (size_t i = 0; i < WSGI_NAMES; i++) {
        names->of[i] = PyUnicode_InternFromString(spelling[i]);
        if (!names->of[i])
            return -1;
    }
    names->common = PyDict_New();
    if (!names->common)
        return -1;
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
        if (add_common(names->common, common[i]) < 0)
            return -1;
    return 0;
}

void wsgi_names_fini(struct wsgi_names *names)
{
    for (size_t i = 0; i < WSGI_NAMES; i++)
        Py_CLEAR(names->of[i]);
    Py_CLEAR(names->common);
    for (size_t i = 0; i < sizeof names->fields / sizeof names->fields[0]; i++)
        Py_CLEAR(names->fields[i].key);
}

static unsigned char key_character(unsigned char c)
{
    if (c == '-')
        return '_';
    return c >= 'a' && c <= 'z' ? (unsigned char)(c - 'a' + 'A') : c;
}

static PyObject *make_key(const unsigned char *name, size_t length)
{
    static const char prefix[] = {'H', 'T', 'T', 'P', '_'};
    PyObject *key = PyUnicode_New((Py_ssize_t)(sizeof prefix + length), 127);
    Py_UCS1 *to;

    if (!key)
        return NULL;
    to = PyUnicode_1BYTE_DATA(key);
    memcpy(to, prefix, sizeof prefix);
    for (size_t i = 0; i < length; i++)
        to[sizeof prefix + i] = key_character(name[i]);
    return key;
}

/* The interned twin of a key, if it has one; takes over the reference. */
static PyObject *prefer_common(struct wsgi_names *names, PyObject *key)
{
    PyObject *twin = PyDict_GetItemWithError(names->common, key);

    if (twin)
        Py_SETREF(key, Py_NewRef(twin));
    else if (PyErr_Occurred())
        Py_CLEAR(key);
    return key;
}

static int find_key(struct wsgi_names *names, const unsigned char *name, size_t length,
                    PyObject **key)
{
    PyObject *made;

    if (!names->underscores && memchr(name, '_', length)) {
        *key = NULL;
        return 0;
    }
    made = make_key(name, length);
    if (made)
        made = prefer_common(names, made);
    if (!made)
        return -1;
    *key = made;
    return 0;
}

int wsgi_names_field(struct wsgi_names *names, const unsigned char *name, size_t length,
                     PyObject **key)
{
    struct wsgi_field_name *slot = &names->fields[wsgi_hash(name, length, WSGI_FIELD_BITS)];
    PyObject *found;

    if (slot->length == length && memcmp(slot->spelled, name, length) == 0) {
        *key = slot->key;
        Py_XINCREF(*key);
        return 0;
    }
    if (find_key(names, name, length, &found) < 0)
        return -1;
    if (length <= WSGI_FIELD_NAME) {
        Py_XINCREF(found);
        Py_XSETREF(slot->key, found);
        slot->length = (unsigned char)length;
        memcpy(slot->spelled, name, length);
    }
    *key = found;
    return 0;
}
