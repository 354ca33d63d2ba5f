#include "blocks.h"

int wsgi_blocks_keep(struct wsgi_blocks *blocks, uint64_t section, PyObject *env)
{
    struct wsgi_block *slot = &blocks->slots[section % WSGI_BLOCKS];
    PyObject *copy;

    if (section == 0)
        return 0;
    copy = PyDict_Copy(env);
    if (!copy)
        return -1;
    slot->section = section;
    Py_XSETREF(slot->env, copy);
    return 0;
}

void wsgi_blocks_fini(struct wsgi_blocks *blocks)
{
    for (size_t i = 0; i < WSGI_BLOCKS; i++)
        Py_CLEAR(blocks->slots[i].env);
}
