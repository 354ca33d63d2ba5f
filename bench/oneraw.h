/*
 * oneraw.h: what the files of this command share.
 *
 *   oneraw.c          one request after the other, until none redirects
 *   oneraw_options.c  its options
 *   oneraw_redirect.c where a response redirects to, and what is asked for there
 *   oneraw_show.c     what is told of it on standard error
 */
#ifndef BENCH_ONERAW_H
#define BENCH_ONERAW_H

#include "recipe.h"

#include <stdio.h>

/* Exit codes, those of curl where it has one. */
enum {
    ONERAW_OK = 0,
    ONERAW_SCHEME = 1,
    ONERAW_USAGE = 2,
    ONERAW_URL = 3,
    ONERAW_RESOLVE = 6,
    ONERAW_CONNECT = 7,
    ONERAW_REPLY = 8,
    ONERAW_PARTIAL = 18,
    ONERAW_WRITE = 23,
    ONERAW_READ = 26,
    ONERAW_MEMORY = 27,
    ONERAW_TIMEOUT = 28,
    ONERAW_REDIRECTS = 47,
    ONERAW_EMPTY = 52,
    ONERAW_SEND = 55,
    ONERAW_RECEIVE = 56
};

struct oneraw_settings {
    struct recipe recipe;
    const char *url, *output, *unix_socket;
    uint64_t max_time, connect_timeout; /* 0: none */
    char *data;                         /* allocated, or NULL */
    bool verbose, follows, help;
};

/* ONERAW_OK, or why not, having said so. */
int oneraw_options_read(struct oneraw_settings *settings, char **argv);

void oneraw_options_fini(struct oneraw_settings *settings);
void oneraw_options_help(FILE *output);

#define ONERAW_REDIRECTS_MAX 10

/*
 * The URL that the Location of a response to `base` stands for, allocated; NULL: there is
 * none, or more than one, or nothing that can be taken for a URL.
 */
char *oneraw_redirect_find(const struct http_response_head *response, const char *base);

/* Make the recipe what is to be asked for there. */
void oneraw_redirect_take(struct recipe *recipe, enum httpclient_redirect kind, const char *from,
                          const char *to);

/* "asynwsgi-httpclient oneraw: ...", on standard error. */
void oneraw_complain(const char *what, const char *why);

/* Lines of text, each behind a mark such as "> ", with what is not printable made so. */
void oneraw_show_lines(const char *mark, const unsigned char *text, size_t length);

/* When each phase was over. */
struct oneraw_times {
    uint64_t started, resolved, connected;
    struct httpclient_times exchange;
};

void oneraw_show_times(const struct oneraw_times *times);

#endif
