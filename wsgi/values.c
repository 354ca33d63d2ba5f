#include "values.h"

#include "hash.h"

/* Longer ones seldom come again. */
enum {
    LONGEST = 256
};

static PyObject *decode(const unsigned char *bytes, size_t length)
{
    return PyUnicode_DecodeLatin1((const char *)bytes, (Py_ssize_t)length, NULL);
}

PyObject *wsgi_values_get(struct wsgi_values *values, const unsigned char *bytes, size_t length)
{
    PyObject **slot, *value;

    if (length > LONGEST)
        return decode(bytes, length);
    slot = &values->slots[wsgi_hash(bytes, length, WSGI_VALUE_BITS)];
    if (*slot && wsgi_value_is(*slot, bytes, length))
        return Py_NewRef(*slot);
    value = decode(bytes, length);
    if (value)
        Py_XSETREF(*slot, Py_NewRef(value));
    return value;
}

void wsgi_values_fini(struct wsgi_values *values)
{
    for (size_t i = 0; i < sizeof values->slots / sizeof values->slots[0]; i++)
        Py_CLEAR(values->slots[i]);
}
