/*
 * What this machine lets one process hold, and what to do about it.
 */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

#include <stdint.h>
#include <stdio.h>

enum machine_limit {
    MACHINE_NONE,
    MACHINE_DESCRIPTORS, /* RLIMIT_NOFILE, the hard one */
    MACHINE_NR_OPEN,     /* which that may not be raised beyond */
    MACHINE_PORTS,       /* of a local address */
    MACHINE_FILES,       /* open ones, of all processes */
    MACHINE_MEMORY,
    MACHINE_WATCHES /* of epoll, of the user */
};

struct machine {
    uint64_t descriptors; /* that the process may have */
    uint64_t nr_open;
    uint64_t ports;     /* that the system chooses from */
    uint64_t somaxconn; /* connections that can wait to be accepted */
};

/* What connections are to share with all else that is open. */
#define MACHINE_RESERVE UINT64_C(32)

/*
 * Raise the process' own to `descriptors`, as far as it may, and read them all.
 * What can't be read is as it is where nobody changed it.
 */
void machine_raise(uint64_t descriptors, struct machine *machine);

/*
 * How many of so many connections there can be, from that number of local addresses
 * (0: these need no port), beside `reserve` other descriptors; and what forbids more.
 */
uint64_t machine_fit(const struct machine *machine, uint64_t connections, uint64_t sources,
                     uint64_t reserve, enum machine_limit *stopped);

/*
 * For who can't do with fewer: raise them, or say on standard error, in a line that begins
 * with `command`, which limit forbids so many and how it is raised.  0, -EMFILE.
 */
int machine_require(const char *command, uint64_t connections);

/* What a failure to make a socket, or to connect it, means. */
enum machine_limit machine_limit_met(int error);

/* Its name, for JSON and tables. */
const char *machine_limit_name(enum machine_limit limit);

/* A line: what it is here, and how it is raised for so many connections. */
void machine_explain(const struct machine *machine, enum machine_limit limit, uint64_t connections,
                     uint64_t reserve, FILE *output);

#endif
