/*
 * Either file < 0 and the body is lent[0 .. length) or else memory[0 .. length), or
 * the body is in the file and memory[0 .. windowed) is what it has at window.
 */
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    FIRST = 4096,   /* memory for a small body */
    WINDOW = 65536, /* of a file, read at once */
    KEPT = 16384    /* memory that outlives its body */
};

void wsgi_spool_init(struct wsgi_spool *spool)
{
    *spool = (struct wsgi_spool){.file = -1};
}

static int grow(struct wsgi_spool *spool, size_t needed)
{
    size_t capacity = spool->capacity ? spool->capacity : FIRST;
    unsigned char *memory;

    if (needed <= spool->capacity)
        return 0;
    while (capacity < needed)
        capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
    memory = realloc(spool->memory, capacity);
    if (!memory)
        return -ENOMEM;
    spool->memory = memory;
    spool->capacity = capacity;
    return 0;
}

static int write_all(int file, const unsigned char *data, size_t length)
{
    while (length > 0) {
        ssize_t n = write(file, data, length);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            data += n;
            length -= (size_t)n;
        }
    }
    return 0;
}

/* A file of no name, which ends with its descriptor. */
static int open_file(const char *folder)
{
    char path[PATH_MAX];
    int n, file;

    if (!folder)
        folder = getenv("TMPDIR");
    n = snprintf(path, sizeof path, "%s/asynwsgi-XXXXXX", folder && *folder ? folder : "/tmp");
    if (n < 0 || (size_t)n >= sizeof path)
        return -ENAMETOOLONG;
    file = mkstemp(path);
    if (file < 0)
        return -errno;
    unlink(path);
    fcntl(file, F_SETFD, FD_CLOEXEC);
    return file;
}

static int move_to_file(struct wsgi_spool *spool, const char *folder)
{
    int file = open_file(folder), r;

    if (file < 0)
        return file;
    r = write_all(file, spool->memory, (size_t)spool->length);
    if (r < 0) {
        close(file);
        return r;
    }
    spool->file = file;
    spool->windowed = 0;
    free(spool->memory);
    spool->memory = NULL;
    spool->capacity = 0;
    return 0;
}

int wsgi_spool_append(struct wsgi_spool *spool, size_t memory, const char *folder,
                      const unsigned char *data, size_t length)
{
    int r = 0;

    if (length == 0)
        return 0;
    if (spool->file < 0 && (spool->length > memory || length > memory - spool->length))
        r = move_to_file(spool, folder);
    if (r == 0 && spool->file >= 0)
        r = write_all(spool->file, data, length);
    else if (r == 0) {
        r = grow(spool, (size_t)spool->length + length);
        if (r == 0)
            memcpy(spool->memory + spool->length, data, length);
    }
    if (r == 0)
        spool->length += length;
    return r;
}

void wsgi_spool_lend(struct wsgi_spool *spool, const unsigned char *data, size_t length)
{
    spool->lent = data;
    spool->length = length;
}

int wsgi_spool_keep(struct wsgi_spool *spool)
{
    const unsigned char *data = spool->lent;
    size_t length = (size_t)spool->length;

    if (!data)
        return 0;
    spool->lent = NULL;
    spool->length = 0;
    return wsgi_spool_append(spool, length, NULL, data, length);
}

static int read_window(struct wsgi_spool *spool, uint64_t offset)
{
    ssize_t n;
    int r = grow(spool, WINDOW);

    if (r < 0)
        return r;
    do
        n = pread(spool->file, spool->memory, WINDOW, (off_t)offset);
    while (n < 0 && errno == EINTR);
    if (n <= 0) /* the file is shorter than what was written to it: broken */
        return n < 0 ? -errno : -EIO;
    spool->window = offset;
    spool->windowed = (size_t)n;
    return 0;
}

int wsgi_spool_peek(struct wsgi_spool *spool, uint64_t offset, const unsigned char **data,
                    size_t *length)
{
    int r;

    if (offset >= spool->length) {
        *length = 0;
        return 0;
    }
    if (spool->file < 0) {
        *data = (spool->lent ? spool->lent : spool->memory) + offset;
        *length = (size_t)(spool->length - offset);
        return 0;
    }
    if (offset < spool->window || offset - spool->window >= spool->windowed) {
        r = read_window(spool, offset);
        if (r < 0)
            return r;
    }
    *data = spool->memory + (offset - spool->window);
    *length = spool->windowed - (size_t)(offset - spool->window);
    return 0;
}

void wsgi_spool_clear(struct wsgi_spool *spool)
{
    if (spool->file >= 0)
        close(spool->file);
    if (spool->capacity > KEPT) {
        free(spool->memory);
        spool->memory = NULL;
        spool->capacity = 0;
    }
    spool->file = -1;
    spool->lent = NULL;
    spool->length = 0;
}

void wsgi_spool_fini(struct wsgi_spool *spool)
{
    wsgi_spool_clear(spool);
    free(spool->memory);
    spool->memory = NULL;
    spool->capacity = 0;
}
