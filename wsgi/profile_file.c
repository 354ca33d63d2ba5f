/*
 * The files of a profile: each is written under another name first, so that who reads it
 * finds a whole one.
 */
#include "profile.h"
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Appended to the file's name: of the phases, and of what is yet to be renamed. */
#define JSON ".json"
#define UNFINISHED ".tmp"

/* -- Writing ---------------------------------------------------------------- */

static int join_name(char name[PATH_MAX], const char *file, const char *ending)
{
    int length = snprintf(name, PATH_MAX, "%s%s", file, ending);

    return length >= 0 && length < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* Not what somebody else put there, in a folder that is open to all. */
static int create(const char *name)
{
    int fd;

    unlink(name);
    fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    return fd < 0 ? -errno : fd;
}

static int write_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, data, length);

        if (written < 0 && errno != EINTR)
            return -errno;
        if (written > 0) {
            data += written;
            length -= (size_t)written;
        }
    }
    return 0;
}

static int replace(const char *file, const char *data, size_t length)
{
    char name[PATH_MAX];
    int r = join_name(name, file, UNFINISHED), fd;

    if (r < 0)
        return r;
    fd = create(name);
    if (fd < 0)
        return fd;
    r = write_all(fd, data, length);
    if (close(fd) < 0 && r == 0)
        r = -errno;
    if (r == 0 && rename(name, file) < 0)
        r = -errno;
    if (r < 0)
        unlink(name);
    return r;
}

/* -- Phases ----------------------------------------------------------------- */

static void print_seconds(FILE *output, const char *name, uint64_t nanoseconds)
{
    /* Not by %f, whose point is the locale's. */
    fprintf(output, "\"%s\": %llu.%09llu", name, (unsigned long long)(nanoseconds / 1000000000),
            (unsigned long long)(nanoseconds % 1000000000));
}

static void print_phases(FILE *output, const uint64_t spent[DISPATCH_PHASES_MOST])
{
    static const struct {
        const char *name;
        unsigned phase;
    } shown[] = {
        {"wait", DISPATCH_PHASE_WAIT},           {"lock", DISPATCH_PHASE_LOCK},
        {"receive", TCPSOCKET_PHASE_RECEIVE},    {"parse", HTTP_PHASE_PARSE},
        {"application", WSGI_PHASE_APPLICATION}, {"send", TCPSOCKET_PHASE_SEND},
        {"other", DISPATCH_PHASE_OTHER},
    };

    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        fputs(i == 0 ? "{" : ", ", output);
        print_seconds(output, shown[i].name, spent[shown[i].phase]);
    }
    fputc('}', output);
}

static void print_all(FILE *output, const struct wsgi_profile *profile)
{
    unsigned count = __atomic_load_n(&profile->count, __ATOMIC_ACQUIRE);
    uint64_t spent[DISPATCH_PHASES_MOST];
    uint64_t whole = dispatch_phases_read(&profile->threads[0].phases, spent);

    fprintf(output, "{\"worker\": %ld, ", (long)getpid());
    print_seconds(output, "seconds", whole);
    fprintf(output, ", \"requests\": %llu, \"phases\": ",
            (unsigned long long)__atomic_load_n(&profile->requests, __ATOMIC_RELAXED));
    print_phases(output, spent);
    for (unsigned i = 1; i < count; i++) {
        fputs(i == 1 ? ", \"threads\": [" : ", ", output);
        dispatch_phases_read(&profile->threads[i].phases, spent);
        print_phases(output, spent);
    }
    fputs(count > 1 ? "]}\n" : "}\n", output);
}

int wsgi_profile_write_phases(const struct wsgi_profile *profile)
{
    char name[PATH_MAX];
    char *text = NULL;
    size_t length;
    FILE *output = open_memstream(&text, &length);
    int r = join_name(name, profile->wsgi->options->profile, JSON);

    if (!output)
        return -ENOMEM;
    print_all(output, profile);
    if (fclose(output) != 0)
        r = -ENOMEM;
    if (r == 0)
        r = replace(name, text, length);
    free(text);
    return r;
}

int wsgi_profile_write_stats(const struct wsgi_profile *profile)
{
    PyObject *stats = wsgi_profile_stats_join(profile);
    int r = 0;

    if (!stats) {
        wsgi_log_exception(profile->wsgi, "exception in the making of the profile");
        return 0;
    }
    if (stats != Py_None)
        r = replace(profile->wsgi->options->profile, PyBytes_AS_STRING(stats),
                    (size_t)PyBytes_GET_SIZE(stats));
    Py_DECREF(stats);
    return r;
}

/* -- Whether it can be written ---------------------------------------------- */

static int check(const char *file)
{
    char name[PATH_MAX];
    struct stat status;
    int fd = join_name(name, file, JSON UNFINISHED);

    /* Renaming would put a file in the place of a device, say. */
    if (stat(file, &status) == 0 && !S_ISREG(status.st_mode))
        return -EEXIST;
    if (fd == 0)
        fd = create(name);
    if (fd < 0)
        return fd;
    close(fd);
    unlink(name);
    return 0;
}

int wsgi_profile_check(const char *file, char explanation[WSGI_EXPLANATION])
{
    int r = check(file);

    if (r == -EEXIST)
        snprintf(explanation, WSGI_EXPLANATION, "cannot write %s: it is there, and no file", file);
    else if (r < 0)
        snprintf(explanation, WSGI_EXPLANATION, "cannot write %s: %s", file, strerror(-r));
    return r;
}
