/* A folder of files that are named after URLs. */
#ifndef BENCH_FOLDER_H
#define BENCH_FOLDER_H

#include <asynwsgi/httpclient.h>

enum {
    FOLDER_BASE = 200, /* bytes, of a name before it is numbered */
    FOLDER_NAME = FOLDER_BASE + 16,
    FOLDER_HINTS = 4096
};

struct folder {
    int fd;
    uint32_t hints[FOLDER_HINTS]; /* by the hash of a name: the number to try first */
};

/*
 * The name for what is at a URL, NUL-terminated: the last segment of its path, decoded, without
 * what has a meaning in a file name or on a terminal, and never hidden; "index" where there is
 * none.
 */
void folder_name(const struct httpclient_url *url, char name[FOLDER_NAME]);

/* Open a folder, and make it if it is missing. */
int folder_open(struct folder *folder, const char *path);

/*
 * Create a file of that name, or "NAME.1" and so on where there is one, which is then
 * what `name` is.  Gives its descriptor.
 */
int folder_create(struct folder *folder, char name[FOLDER_NAME]);

void folder_remove(const struct folder *folder, const char *name);
void folder_close(struct folder *folder);

#endif
