/*
 * The environ dictionary (PEP 3333, "environ Variables"; RFC 3875): a copy of
 * a template that has a key for all that every request has, so that no copy
 * need grow, and for some the value that most requests have.  Or one that served
 * a request with the same fields, see model.h.
 *
 * Fields that were repeated are joined by ", ", Cookie by "; ".  A field with
 * an underscore in its name is left out, unless the options say otherwise.  Transfer-Encoding
 * stays, though the body is decoded: by it an application can tell that there is a body when there
 * is no CONTENT_LENGTH.
 */
#include "cpython.h"
#include "request.h"

#include "config.h"

#define SOFTWARE "asynwsgi/" PACKAGE_VERSION

/* env[key] = value, whose reference is taken over; NULL: making it failed. */
static int set(PyObject *env, PyObject *key, PyObject *value)
{
    int r = value ? PyDict_SetItem(env, key, value) : -1;

    Py_XDECREF(value);
    return r;
}

/* -- The template --------------------------------------------------------- */

/*
 * A dict of 64 slots: a request with many fields need not make it grow.  Copies
 * keep the size that these keys, gone again, brought it to.
 */
static int widen(PyObject *template)
{
    static const char *const extra[] = {" 1", " 2", " 3", " 4"};
    enum {
        EXTRA = sizeof extra / sizeof extra[0]
    };

    for (size_t i = 0; i < EXTRA; i++)
        if (PyDict_SetItemString(template, extra[i], Py_None) < 0)
            return -1;
    for (size_t i = 0; i < EXTRA; i++)
        if (PyDict_DelItemString(template, extra[i]) < 0)
            return -1;
    return 0;
}

static int fill_template(struct wsgi *wsgi, PyObject *template)
{
    PyObject *const *name = wsgi->names.of;
    PyObject *empty = name[WSGI_NAME_EMPTY];

    /* Those that each request sets are here for their place in the dict. */
    for (int i = WSGI_NAME_REQUEST_METHOD; i <= WSGI_NAME_REMOTE_PORT; i++)
        if (i != WSGI_NAME_CONTENT_TYPE && i != WSGI_NAME_CONTENT_LENGTH &&
            PyDict_SetItem(template, name[i], empty) < 0)
            return -1;
    if (set(template, name[WSGI_NAME_SERVER_SOFTWARE], PyUnicode_FromString(SOFTWARE)) < 0 ||
        set(template, name[WSGI_NAME_VERSION], Py_BuildValue("(ii)", 1, 0)) < 0 ||
        set(template, name[WSGI_NAME_URL_SCHEME], PyUnicode_FromString("http")) < 0 ||
        set(template, name[WSGI_NAME_INPUT], Py_NewRef(Py_None)) < 0 ||
        set(template, name[WSGI_NAME_INPUT_TERMINATED], PyBool_FromLong(1)) < 0 ||
        set(template, name[WSGI_NAME_ERRORS], Py_NewRef(wsgi->errors)) < 0 ||
        set(template, name[WSGI_NAME_MULTITHREAD], PyBool_FromLong(wsgi->options->threads > 1)) <
            0 ||
        set(template, name[WSGI_NAME_MULTIPROCESS], PyBool_FromLong(wsgi->options->multiprocess)) <
            0 ||
        set(template, name[WSGI_NAME_RUN_ONCE], PyBool_FromLong(0)) < 0 ||
        set(template, name[WSGI_NAME_FILE_WRAPPER],
            Py_NewRef((PyObject *)wsgi->types->file_wrapper)) < 0 ||
        set(template, name[WSGI_NAME_INPUT_SENTINEL], PyBytes_FromStringAndSize(NULL, 0)) < 0 ||
        set(template, name[WSGI_NAME_READABLE], wsgi_fdevent_readable()) < 0 ||
        set(template, name[WSGI_NAME_WRITABLE], wsgi_fdevent_writable()) < 0 ||
        set(template, name[WSGI_NAME_TIMEOUT], wsgi_fdevent_timeout(wsgi->types)) < 0 ||
        set(template, name[WSGI_NAME_CLIENT_GONE], wsgi_client_gone()) < 0)
        return -1;
    return widen(template);
}

int wsgi_environ_init(struct wsgi *wsgi)
{
    struct wsgi_environ template = {.dict = PyDict_New()};
    int r = -1;

    template.usual[WSGI_NAME_QUERY_STRING] = wsgi->names.of[WSGI_NAME_EMPTY];
    if (template.dict && fill_template(wsgi, template.dict) == 0)
        r = wsgi_model_make(&wsgi->template, &template);
    Py_XDECREF(template.dict);
    return r;
}

void wsgi_environ_fini(struct wsgi *wsgi)
{
    wsgi_model_fini(&wsgi->template);
    for (size_t i = 0; i < WSGI_MODELS; i++)
        wsgi_model_fini(&wsgi->models[i]);
}

/* An environ that is being made. */
struct making {
    struct wsgi *wsgi;
    const struct http_request *head;
    struct wsgi_environ *env;
};

/* environ[name] = value, unless it has that already; NULL: making the value failed. */
static inline int set_known(const struct making *making, enum wsgi_name name, PyObject *value)
{
    struct wsgi_environ *env = making->env;

    if (!value)
        return -1;
    if (value == env->usual[name])
        return 0;
    env->usual[name] = value;
    return PyDict_SetItem(env->dict, making->wsgi->names.of[name], value);
}

/* The same with a reference, which is taken over. */
static int set_made(const struct making *making, enum wsgi_name name, PyObject *value)
{
    int r = set_known(making, name, value);

    Py_XDECREF(value);
    return r;
}

/* -- The request line ----------------------------------------------------- */

static PyObject *text_of(struct wsgi *wsgi, const struct http_request *head, struct http_span span)
{
    return wsgi_values_get(&wsgi->values, head->message + span.start, span.length);
}

/* PATH_INFO: the path, percent-decoded once, its bytes as Latin-1. */
static PyObject *path_of(const struct wsgi_request *request, const struct http_request *head)
{
    struct wsgi *wsgi = request->wsgi;
    const unsigned char *path = head->message + head->path.start;
    unsigned char small[1024], *decoded = small;
    PyObject *text;
    size_t length;

    /* As the other servers have it; CGI knows no "OPTIONS *". */
    if (head->form == HTTP_TARGET_ASTERISK)
        return Py_NewRef(wsgi->names.of[WSGI_NAME_ASTERISK]);
    if (!memchr(path, '%', head->path.length))
        return head->path.length == head->target.length ? Py_NewRef(request->target)
                                                        : text_of(wsgi, head, head->path);
    if (head->path.length > sizeof small)
        decoded = PyMem_Malloc(head->path.length);
    if (!decoded)
        return PyErr_NoMemory();
    length = http_percent_decode(path, head->path.length, decoded);
    text = wsgi_values_get(&wsgi->values, decoded, length);
    if (decoded != small)
        PyMem_Free(decoded);
    return text;
}

static PyObject *query_of(struct wsgi *wsgi, const struct http_request *head)
{
    return head->query.length > 0 ? text_of(wsgi, head, head->query)
                                  : Py_NewRef(wsgi->names.of[WSGI_NAME_EMPTY]);
}

/* Whether that of the request before was the same, from which all of it follows. */
static bool has_request_line(const struct making *making, PyObject *version)
{
    const struct http_request *head = making->head;
    PyObject *const *usual = making->env->usual;
    PyObject *method = usual[WSGI_NAME_REQUEST_METHOD], *target = usual[WSGI_NAME_REQUEST_URI];

    return usual[WSGI_NAME_SERVER_PROTOCOL] == version && method && target &&
           wsgi_value_is(method, head->message + head->method.start, head->method.length) &&
           wsgi_value_is(target, head->message + head->target.start, head->target.length);
}

static int set_request_line(struct wsgi_request *request, const struct making *making)
{
    struct wsgi *wsgi = making->wsgi;
    const struct http_request *head = making->head;
    PyObject *version = wsgi->names.of[head->minor == 0 ? WSGI_NAME_HTTP_1_0 : WSGI_NAME_HTTP_1_1];

    if (has_request_line(making, version)) {
        request->method = Py_NewRef(making->env->usual[WSGI_NAME_REQUEST_METHOD]);
        request->target = Py_NewRef(making->env->usual[WSGI_NAME_REQUEST_URI]);
        return 0;
    }
    request->method = text_of(wsgi, head, head->method);
    request->target = text_of(wsgi, head, head->target);
    if (set_known(making, WSGI_NAME_REQUEST_METHOD, request->method) < 0 ||
        set_known(making, WSGI_NAME_REQUEST_URI, request->target) < 0 ||
        set_made(making, WSGI_NAME_PATH_INFO, path_of(request, head)) < 0 ||
        set_made(making, WSGI_NAME_QUERY_STRING, query_of(wsgi, head)) < 0)
        return -1;
    return set_known(making, WSGI_NAME_SERVER_PROTOCOL, version);
}

/* -- Fields --------------------------------------------------------------- */

/* env[key] = env[key] + separator + value */
static int join(struct wsgi *wsgi, PyObject *env, PyObject *key, PyObject *value)
{
    bool is_cookie = PyUnicode_Compare(key, wsgi->names.of[WSGI_NAME_HTTP_COOKIE]) == 0;
    PyObject *first = PyDict_GetItemWithError(env, key);

    return set(env, key,
               first ? PyUnicode_FromFormat("%U%s%U", first, is_cookie ? "; " : ", ", value)
                     : NULL);
}

/* A new reference to the field's key, or NULL if it is left out.  -1 with an exception. */
static int key_of(struct wsgi *wsgi, const struct http_request *head,
                  const struct http_field *field, PyObject **key)
{
    if (field->known == HTTP_FIELD_CONTENT_TYPE)
        *key = Py_NewRef(wsgi->names.of[WSGI_NAME_CONTENT_TYPE]);
    else if (field->known == HTTP_FIELD_CONTENT_LENGTH)
        *key = Py_NewRef(wsgi->names.of[WSGI_NAME_CONTENT_LENGTH]);
    else
        return wsgi_names_field(&wsgi->names, head->message + field->name.start, field->name.length,
                                key);
    return 0;
}

static int set_field(struct wsgi *wsgi, PyObject *env, const struct http_request *head,
                     const struct http_field *field)
{
    Py_ssize_t size = PyDict_GET_SIZE(env);
    PyObject *key, *value;
    int r = -1;

    if (key_of(wsgi, head, field, &key) < 0)
        return -1;
    if (!key)
        return 0;
    value = text_of(wsgi, head, field->value);
    if (value && PyDict_SetDefault(env, key, value))
        r = PyDict_GET_SIZE(env) > size ? 0 : join(wsgi, env, key, value);
    Py_XDECREF(value);
    Py_DECREF(key);
    return r;
}

static int copy(struct wsgi_environ *env, const struct wsgi_model *model)
{
    PyObject *copied = Py_NewRef(model->environ.dict);

    *env = model->environ;
    /* This may run Python code, which may make it another model. */
    env->dict = PyDict_Copy(copied);
    Py_DECREF(copied);
    return env->dict ? 0 : -1;
}

/* Whether there is a spare one that nobody else has come by: then the request has it. */
static bool take_spare(struct wsgi_request *request, struct wsgi_model *model)
{
    struct wsgi_environ *spare = &model->spare;

    if (!spare->dict)
        return false;
    /* Unchanged comes first: else it need not have the input any more. */
    if (Py_REFCNT(spare->dict) > 1 || !wsgi_dict_is_unchanged(spare->dict, spare->version) ||
        Py_REFCNT(spare->input) > 1) {
        Py_CLEAR(spare->dict);
        return false;
    }
    request->environ = *spare;
    spare->dict = NULL;
    Py_XDECREF(request->input);
    request->input = Py_NewRef(request->environ.input);
    ((struct wsgi_input *)request->input)->request = request;
    return true;
}

static bool is_of(const struct wsgi_model *model, const struct http_request *head)
{
    return head->section != 0 && model->section == head->section;
}

/* One that has the fields. */
static int begin(struct wsgi_request *request, const struct making *making)
{
    struct wsgi *wsgi = making->wsgi;
    const struct http_request *head = making->head;
    struct wsgi_model *model = &wsgi->models[head->section % WSGI_MODELS];
    bool is_known;

    if (is_of(model, head) && take_spare(request, model))
        return 0;
    is_known = is_of(model, head); /* still: what was spare may have run Python code at its end */
    if (copy(making->env, is_known ? model : &wsgi->template) < 0)
        return -1;
    for (uint32_t i = 0; !is_known && i < head->field_count; i++)
        if (set_field(wsgi, making->env->dict, head, &head->fields[i]) < 0)
            return -1;
    making->env->section = head->section;
    return 0;
}

/* The next request with this section, if it may come, has what this one has. */
static int keep(const struct making *making)
{
    struct wsgi_environ *env = making->env;
    struct wsgi_model *model = &making->wsgi->models[env->section % WSGI_MODELS];

    if (env->section == 0 || model->section == env->section)
        return 0;
    return wsgi_model_make(model, env);
}

/* The target's authority comes before Host (RFC 9112, 3.2.2). */
static int set_authority(const struct making *making)
{
    if (making->head->authority.length == 0)
        return 0;
    making->env->section = 0;
    return set(making->env->dict, making->wsgi->names.of[WSGI_NAME_HTTP_HOST],
               text_of(making->wsgi, making->head, making->head->authority));
}

/* -- Addresses ------------------------------------------------------------ */

static int set_peer(const struct making *making, const struct sockaddr *socket)
{
    struct wsgi *wsgi = making->wsgi;
    const struct wsgi_address *peer = wsgi_addresses_get(&wsgi->addresses, &wsgi->values, socket);

    if (!peer || set_known(making, WSGI_NAME_REMOTE_ADDR, peer->host) < 0)
        return -1;
    return set_known(making, WSGI_NAME_REMOTE_PORT, peer->port);
}

static bool is_unix(const struct sockaddr *socket)
{
    return socket->sa_family != AF_INET && socket->sa_family != AF_INET6;
}

/*
 * A unix socket has no name and port, and they may not be empty: those of Host,
 * by which the client knows it, stand in.
 */
static int set_server_by_host(const struct making *making)
{
    struct wsgi_values *values = &making->wsgi->values;
    PyObject *host =
        PyDict_GetItemWithError(making->env->dict, making->wsgi->names.of[WSGI_NAME_HTTP_HOST]);
    const unsigned char *name = (const unsigned char *)"localhost", *port = NULL;
    size_t length = strlen("localhost"), digits = 0;

    if (!host && PyErr_Occurred())
        return -1;
    if (host && PyUnicode_GET_LENGTH(host) > 0) {
        name = PyUnicode_1BYTE_DATA(host);
        length = (size_t)PyUnicode_GET_LENGTH(host);
        for (size_t i = length; i > 0 && name[i - 1] != ']' && !port; i--)
            if (name[i - 1] == ':')
                port = name + i;
    }
    if (port) {
        digits = length - (size_t)(port - name);
        length -= digits + 1;
    }
    if (digits == 0) {
        port = (const unsigned char *)"80";
        digits = 2;
    }
    if (set_made(making, WSGI_NAME_SERVER_NAME, wsgi_values_get(values, name, length)) < 0)
        return -1;
    return set_made(making, WSGI_NAME_SERVER_PORT, wsgi_values_get(values, port, digits));
}

static int set_local(const struct making *making, const struct sockaddr *socket)
{
    struct wsgi *wsgi = making->wsgi;
    const struct wsgi_address *local;

    if (is_unix(socket))
        return set_server_by_host(making);
    local = wsgi_addresses_get(&wsgi->addresses, &wsgi->values, socket);
    if (!local || set_known(making, WSGI_NAME_SERVER_NAME, local->name) < 0)
        return -1;
    return set_known(making, WSGI_NAME_SERVER_PORT, local->port);
}

/* Of a unix socket both follow from the fields, so an environ that had these before has them. */
static int set_addresses(const struct making *making, const struct sockaddr *local,
                         const struct sockaddr *peer)
{
    struct wsgi_environ *env = making->env;

    if (env->is_local && is_unix(local))
        return 0;
    env->is_local = is_unix(local);
    return set_local(making, local) < 0 ? -1 : set_peer(making, peer);
}

/* wsgi.input */
static int set_input(struct wsgi_request *request)
{
    struct wsgi *wsgi = request->wsgi;
    struct wsgi_environ *env = &request->environ;

    if (!request->input)
        request->input = wsgi_input_new(wsgi->types, request);
    if (!request->input)
        return -1;
    if (env->input == request->input)
        return 0;
    env->input = request->input;
    return PyDict_SetItem(env->dict, wsgi->names.of[WSGI_NAME_INPUT], request->input);
}

int wsgi_environ_make(struct wsgi_request *request, const struct http_request *head,
                      const struct sockaddr *local, const struct sockaddr *peer)
{
    struct wsgi_environ *env = &request->environ;
    struct making making = {.wsgi = request->wsgi, .head = head, .env = env};

    if (begin(request, &making) < 0 || set_request_line(request, &making) < 0 ||
        set_authority(&making) < 0 || set_addresses(&making, local, peer) < 0 ||
        keep(&making) < 0 || set_input(request) < 0)
        return -1;
    env->version = wsgi_dict_version(env->dict);
    return 0;
}

void wsgi_environ_leave(struct wsgi_request *request)
{
    struct wsgi_environ *env = &request->environ;
    struct wsgi_model *model = &request->wsgi->models[env->section % WSGI_MODELS];

    if (env->section == 0 || model->section != env->section || model->spare.dict ||
        Py_REFCNT(env->dict) > 1 || Py_REFCNT(env->input) > 2 ||
        !wsgi_dict_is_unchanged(env->dict, env->version)) {
        Py_CLEAR(env->dict);
        return;
    }
    wsgi_input_clear(request->input);
    ((struct wsgi_input *)request->input)->request = NULL;
    Py_CLEAR(request->input);
    model->spare = *env;
    env->dict = NULL;
}
