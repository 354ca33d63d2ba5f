/*
 * Lists of URLs.
 *
 * A pipe or a terminal is asked whether it has anything before it is read: the flag
 * O_NONBLOCK would be that of all who share it.
 */
#include "list.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int list_open(struct list *list, char *const *words, size_t word_count, const char *file)
{
    struct stat about;
    int fd = -1;

    if (file)
        fd = strcmp(file, "-") == 0 ? dup(STDIN_FILENO) : open(file, O_RDONLY | O_CLOEXEC);
    if (file && (fd < 0 || fstat(fd, &about) < 0))
        return -errno;
    list->words = words;
    list->word_count = word_count;
    list->fd = fd;
    list->may_wait = file && !S_ISREG(about.st_mode);
    list->size = file && S_ISREG(about.st_mode) ? (uint64_t)about.st_size : 0;
    list->taken = 0;
    list->skips = false;
    list->start = list->end = 0;
    return 0;
}

void list_close(struct list *list)
{
    if (list->fd >= 0)
        close(list->fd);
    list->fd = -1;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

/* A line in the buffer; whether it is one that counts. */
static bool take_line(struct list *list, size_t length, const char **text, size_t *text_length)
{
    const char *line = list->buffer + list->start;
    bool skipped = list->skips;

    list->start += length + (list->start + length < list->end); /* and its line end */
    list->skips = false;
    while (length > 0 && is_blank(*line)) {
        line++;
        length--;
    }
    while (length > 0 && is_blank(line[length - 1]))
        length--;
    *text = line;
    *text_length = length;
    return !skipped && length > 0 && *line != '#';
}

/* More of the file; LIST_URL: there is some, or the file has come to its end. */
static int read_more(struct list *list)
{
    struct pollfd ready = {.fd = list->fd, .events = POLLIN};
    ssize_t got;

    memmove(list->buffer, list->buffer + list->start, list->end - list->start);
    list->end -= list->start;
    list->start = 0;
    if (list->may_wait && poll(&ready, 1, 0) == 0)
        return LIST_LATER;
    got = read(list->fd, list->buffer + list->end, sizeof list->buffer - list->end);
    if (got < 0)
        return errno == EINTR || errno == EAGAIN ? LIST_LATER : -errno;
    if (got == 0)
        list_close(list);
    list->end += (size_t)got;
    list->taken += (size_t)got;
    return LIST_URL;
}

int list_next(struct list *list, const char **text, size_t *length)
{
    if (list->word_count > 0) {
        list->word_count--;
        *text = *list->words++;
        *length = strlen(*text);
        return LIST_URL;
    }
    for (;;) {
        const char *start = list->buffer + list->start;
        size_t there = list->end - list->start;
        const char *end = memchr(start, '\n', there);
        int more;

        if (end || (list->fd < 0 && there > 0)) {
            if (take_line(list, end ? (size_t)(end - start) : there, text, length))
                return LIST_URL;
            continue;
        }
        if (list->fd < 0)
            return LIST_END;
        if (there == sizeof list->buffer) {
            bool first = !list->skips;

            list->start = list->end = 0;
            list->skips = true;
            if (first)
                return LIST_LONG;
            continue;
        }
        more = read_more(list);
        if (more != LIST_URL)
            return more;
    }
}
