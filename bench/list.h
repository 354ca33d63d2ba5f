/*
 * A list of URLs: those that are given, then the lines of a file, as they are wanted, so that
 * it may be endless.  Blanks around a line are left out, and lines that are empty or begin with
 * "#".
 */
#ifndef BENCH_LIST_H
#define BENCH_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LIST_LINE_MAX = 65536 /* bytes, the line end included */
};

/* What list_next() found. */
enum list_item {
    LIST_URL,
    LIST_LONG,  /* a line that is longer than that, and left out */
    LIST_LATER, /* nothing yet: `fd` is to be watched */
    LIST_END
};

struct list {
    char *const *words; /* still to come */
    size_t word_count;
    int fd;         /* -1: no file, or no more of it */
    uint64_t size;  /* of a file that has one */
    uint64_t taken; /* bytes of it so far */
    bool may_wait;  /* there may be more of it at some time */
    bool skips;     /* the rest of a long line */
    size_t start, end;
    char buffer[LIST_LINE_MAX];
};

/* The words stay the caller's, and in place.  `file` may be NULL, or "-" for standard input. */
int list_open(struct list *list, char *const *words, size_t word_count, const char *file);

/*
 * The next: an enum list_item, or a negative errno.  The text is valid until the next call,
 * and is not NUL-terminated.
 */
int list_next(struct list *list, const char **text, size_t *length);

void list_close(struct list *list);

#endif
