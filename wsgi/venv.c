/* Whether a folder is a virtual environment that this Python can use: its pyvenv.cfg (PEP 405). */
#include <asynwsgi/wsgi.h>

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    LINE = 1024
};

/*
 * "version = 3.11.2", as venv writes it, or "version_info = 3.11.2.final.0",
 * as virtualenv does: leaves the value in `version`.
 */
static bool read_version(const char *line, char version[LINE])
{
    static const char *const keys[] = {"version", "version_info"};
    size_t length = strcspn(line, " \t=");

    for (size_t i = 0; i < 2; i++)
        if (length == strlen(keys[i]) && memcmp(line, keys[i], length) == 0) {
            line += length;
            line += strspn(line, " \t=");
            snprintf(version, LINE, "%.*s", (int)strcspn(line, " \t\r\n"), line);
            return true;
        }
    return false;
}

/* Whether "3.11.2" is a release of "3.11". */
static bool same_version(const char *version)
{
    size_t length = strlen(wsgi_python_version);

    return strncmp(version, wsgi_python_version, length) == 0 &&
           (version[length] == '.' || version[length] == '\0');
}

int wsgi_virtual_env_check(const char *folder, char explanation[WSGI_EXPLANATION])
{
    char path[PATH_MAX], line[LINE], version[LINE] = "";
    FILE *file;

    if (snprintf(path, sizeof path, "%s/pyvenv.cfg", folder) >= (int)sizeof path)
        file = NULL;
    else
        file = fopen(path, "r");
    if (!file) {
        snprintf(explanation, WSGI_EXPLANATION,
                 "%s is no virtual environment: it has no pyvenv.cfg that can be read", folder);
        return -ENOENT;
    }
    while (fgets(line, sizeof line, file) && !read_version(line, version))
        continue;
    fclose(file);
    /* A configuration that names no version is left to Python to judge. */
    if (*version == '\0' || same_version(version))
        return 0;
    snprintf(explanation, WSGI_EXPLANATION,
             "the virtual environment %s is of Python %.40s, and asynwsgi runs Python %s", folder,
             version, wsgi_python_version);
    return -EINVAL;
}
