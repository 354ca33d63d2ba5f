/*
 * plain: field lines that are plain are taken whole, without the machine.
 *
 * A line is plain if its name is of letters and "-" and nothing is in it that
 * the machine would refuse.  What is not, or has not arrived whole, is left to
 * the machine, and so is the line that ends the section.
 */
#ifndef HTTP_PLAIN_H
#define HTTP_PLAIN_H

#include <asynwsgi/http.h>

/*
 * Takes the plain lines from `line` on, with their fields behind the `count` there
 * are, and gives where the first line begins that is none, or `end`: of what there
 * is of the head, or may be.
 */
const unsigned char *http_plain_take(const struct http_limits *limits, const unsigned char *message,
                                     const unsigned char *line, const unsigned char *end,
                                     struct http_field *fields, uint32_t *count);

/* In a file of its own, since it is compiled otherwise. */
const unsigned char *http_plain_take_avx2(const struct http_limits *limits,
                                          const unsigned char *message, const unsigned char *line,
                                          const unsigned char *end, struct http_field *fields,
                                          uint32_t *count);

/* How it does that, where there is a choice; by default as the processor does best. */
enum http_plain_way {
    HTTP_PLAIN_MACHINE, /* not at all */
    HTTP_PLAIN_BASE,    /* as any processor of the kind can */
    HTTP_PLAIN_AVX2
};

/* For tests: do it so from now on; false: this processor can't. */
bool http_plain_choose(enum http_plain_way way);

#endif
