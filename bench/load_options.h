/* The command line of asynwsgi-load. */
#ifndef BENCH_LOAD_OPTIONS_H
#define BENCH_LOAD_OPTIONS_H

#include "recipe.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Texts are those of the command line.  Times are in nanoseconds; 0 and NULL: not given. */
struct load_options {
    char *const *urls;
    size_t url_count;
    struct recipe recipe; /* with method and headers */
    const char *body, *body_file;
    uint64_t body_size; /* of content that is made up, and the same each time */
    uint64_t chunks;    /* of uploads, each chunk_size bytes long */
    uint64_t chunk_size;
    uint64_t connections;
    uint64_t duration; /* 0: until `requests` are done */
    uint64_t requests;
    uint64_t rate; /* a second; 0: each connection asks again at once */
    uint64_t pipeline;
    uint64_t warmup, timeout, interval;
    const char *unix_socket;
    bool no_keepalive, check_digest, with_parent, help, version;
};

/* 0, or a negative errno value after what is wrong was said on standard error. */
int load_options_read(struct load_options *options, char **argv);
void load_options_fini(struct load_options *options);

void load_options_help(FILE *output);

#endif
