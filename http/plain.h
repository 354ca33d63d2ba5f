/*
 * plain: what is plain in a head is taken whole, without the machine.
 *
 * A field line is plain if its name is of letters and "-" and nothing is in it
 * that the machine would refuse; a request line, if such is its method, other
 * than CONNECT and OPTIONS, and it has a path in which nothing is encoded.  What
 * is not, or has not arrived whole, is left to the machine.
 */
#ifndef HTTP_PLAIN_H
#define HTTP_PLAIN_H

#include <asynwsgi/http.h>

struct http_section;

/* `end`: of what there is of the head, or may be. */
struct http_plain {
    /*
     * Takes the plain lines from `line` on, with their fields behind the `count` there
     * are, and gives where the first line begins that is none, or `end`.
     */
    const unsigned char *(*lines)(const struct http_limits *limits, const unsigned char *message,
                                  const unsigned char *line, const unsigned char *end,
                                  struct http_field *fields, uint32_t *count);
    /*
     * Takes a request line, if it is plain, and lines likewise, or the section that is
     * known (or NULL); with the empty line it is the whole head, and has its length.
     */
    const unsigned char *(*head)(const struct http_limits *limits, const unsigned char *end,
                                 const struct http_section *known, struct http_request *head);
};

extern const struct http_plain *http_plain_chosen;
const struct http_plain *http_plain_best(void);

/* As it is chosen, from the first time on as the processor does it best. */
static inline const struct http_plain *http_plain_get(void)
{
    const struct http_plain *plain = __atomic_load_n(&http_plain_chosen, __ATOMIC_RELAXED);

    return plain != NULL ? plain : http_plain_best();
}

/* In a file of its own, since it is compiled otherwise. */
extern const struct http_plain http_plain_avx2;

/* How it is done, where there is a choice. */
enum http_plain_way {
    HTTP_PLAIN_MACHINE, /* not at all */
    HTTP_PLAIN_BASE,    /* as any processor of the kind can */
    HTTP_PLAIN_AVX2
};

/* For tests: do it so from now on; false: this processor can't. */
bool http_plain_choose(enum http_plain_way way);

#endif
