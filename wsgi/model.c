#include "model.h"

int wsgi_model_make(struct wsgi_model *model, const struct wsgi_environ *env)
{
    struct wsgi_model made = {.section = env->section, .environ = *env}, former;

    made.environ.dict = PyDict_Copy(env->dict);
    if (!made.environ.dict)
        return -1;
    former = *model; /* which another thread may have made meanwhile */
    *model = made;
    wsgi_model_fini(&former);
    return 0;
}

void wsgi_model_fini(struct wsgi_model *model)
{
    Py_CLEAR(model->environ.dict);
    Py_CLEAR(model->spare.dict);
}
