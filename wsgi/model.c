#include "model.h"

int wsgi_model_make(struct wsgi_model *model, const struct wsgi_names *names, uint64_t section,
                    PyObject *env)
{
    struct wsgi_model made = {.section = section, .env = PyDict_Copy(env)};
    PyObject *former = model->env;

    if (!made.env)
        return -1;
    for (int i = 0; i < WSGI_USUAL; i++) {
        made.usual[i] = PyDict_GetItemWithError(made.env, names->of[i]);
        if (!made.usual[i] && PyErr_Occurred()) {
            Py_DECREF(made.env);
            return -1;
        }
    }
    *model = made;
    Py_XDECREF(former);
    return 0;
}

void wsgi_model_fini(struct wsgi_model *model)
{
    Py_CLEAR(model->env);
}
