/*
 * What this machine lets one process hold, and what to do about it.
 */
#ifndef BENCH_LIMITS_H
#define BENCH_LIMITS_H

#include <stdint.h>
#include <stdio.h>

enum limit {
    LIMIT_NONE,
    LIMIT_DESCRIPTORS, /* RLIMIT_NOFILE, the hard one */
    LIMIT_NR_OPEN,     /* which that may not be raised beyond */
    LIMIT_PORTS,       /* of a local address */
    LIMIT_FILES,       /* open ones, of all processes */
    LIMIT_MEMORY,
    LIMIT_WATCHES /* of epoll, of the user */
};

struct limits {
    uint64_t descriptors; /* that the process may have */
    uint64_t nr_open;
    uint64_t ports;     /* that the system chooses from */
    uint64_t somaxconn; /* connections that can wait to be accepted */
};

/* What connections are to share with all else that is open. */
#define LIMITS_RESERVE UINT64_C(32)

/*
 * Raise the process' own to `descriptors`, as far as it may, and read them all.
 * What can't be read is as it is where nobody changed it.
 */
void limits_raise(uint64_t descriptors, struct limits *limits);

/*
 * How many of so many connections there can be, from that number of local addresses
 * (0: these need no port), beside `reserve` other descriptors; and what forbids more.
 */
uint64_t limits_fit(const struct limits *limits, uint64_t connections, uint64_t sources,
                    uint64_t reserve, enum limit *stopped);

/* What a failure to make a socket, or to connect it, means. */
enum limit limits_met(int error);

/* Its name, for JSON and tables. */
const char *limit_name(enum limit limit);

/* A line: what it is here, and how it is raised for so many connections. */
void limits_explain(const struct limits *limits, enum limit limit, uint64_t connections,
                    uint64_t reserve, FILE *output);

#endif
