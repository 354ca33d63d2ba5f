/* Folders of files that are named after URLs. */
#include "folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void folder_name(const struct httpclient_url *url, char name[FOLDER_NAME])
{
    unsigned char decoded[FOLDER_BASE * 3];
    const char *query = url->target_length ? memchr(url->target, '?', url->target_length) : NULL;
    size_t end = query ? (size_t)(query - url->target) : url->target_length, start = end;

    while (start > 0 && url->target[start - 1] != '/')
        start--;
    if (end - start > sizeof decoded)
        end = start + sizeof decoded;
    size_t length =
        http_percent_decode((const unsigned char *)url->target + start, end - start, decoded);

    if (length > FOLDER_BASE)
        length = FOLDER_BASE;
    for (size_t i = 0; i < length; i++)
        name[i] = (char)(decoded[i] < ' ' || decoded[i] == 0x7f || decoded[i] == '/' ||
                                 (i == 0 && decoded[i] == '.')
                             ? '_'
                             : decoded[i]);
    name[length] = '\0';
    if (length == 0)
        snprintf(name, FOLDER_NAME, "index");
}

int folder_open(struct folder *folder, const char *path)
{
    *folder = (struct folder){.fd = -1};
    if (mkdir(path, 0777) < 0 && errno != EEXIST)
        return -errno;
    folder->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return folder->fd < 0 ? -errno : 0;
}

static uint32_t hash(const char *name)
{
    uint32_t h = 2166136261;

    while (*name)
        h = (h ^ (unsigned char)*name++) * 16777619;
    return h;
}

static int create(const struct folder *folder, const char *name)
{
    int fd = openat(folder->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

    return fd < 0 ? -errno : fd;
}

int folder_create(struct folder *folder, char name[FOLDER_NAME])
{
    uint32_t *hint = &folder->hints[hash(name) % FOLDER_HINTS];
    size_t length = strlen(name);
    int fd = create(folder, name);

    for (uint32_t number = *hint; fd == -EEXIST && number < UINT32_MAX; number++) {
        snprintf(name + length, FOLDER_NAME - length, ".%u", number + 1);
        fd = create(folder, name);
        *hint = number + 1;
    }
    return fd;
}

void folder_remove(const struct folder *folder, const char *name)
{
    unlinkat(folder->fd, name, 0);
}

void folder_close(struct folder *folder)
{
    if (folder->fd >= 0)
        close(folder->fd);
    folder->fd = -1;
}
