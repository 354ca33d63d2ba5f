/* The limits of this machine. */
#include "limits.h"

#include "proc.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/resource.h>

/* The hard limit is raised by whoever has CAP_SYS_RESOURCE. */
static uint64_t raise_descriptors(uint64_t descriptors)
{
    struct rlimit limit = {descriptors, descriptors};

    if (setrlimit(RLIMIT_NOFILE, &limit) == 0 || getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return descriptors;
    limit.rlim_cur = limit.rlim_max < descriptors ? limit.rlim_max : descriptors;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

void limits_raise(uint64_t descriptors, struct limits *limits)
{
    uint64_t range[] = {32768, 60999};
    struct rlimit now;

    *limits = (struct limits){.nr_open = 1048576, .somaxconn = 4096};
    (void)proc_read("/proc/sys/fs/nr_open", "", &limits->nr_open, 1);
    (void)proc_read("/proc/sys/net/core/somaxconn", "", &limits->somaxconn, 1);
    (void)proc_read("/proc/sys/net/ipv4/ip_local_port_range", "", range, 2);
    limits->ports = range[1] >= range[0] ? range[1] - range[0] + 1 : 0;
    limits->descriptors = getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur >= descriptors
                              ? now.rlim_cur
                              : raise_descriptors(descriptors);
}

uint64_t limits_fit(const struct limits *limits, uint64_t connections, uint64_t sources,
                    uint64_t reserve, enum limit *stopped)
{
    uint64_t descriptors = limits->descriptors > reserve ? limits->descriptors - reserve : 0;
    uint64_t ports = sources * limits->ports;

    *stopped = LIMIT_NONE;
    if (connections > descriptors) {
        *stopped = connections + reserve > limits->nr_open ? LIMIT_NR_OPEN : LIMIT_DESCRIPTORS;
        connections = descriptors;
    }
    if (sources > 0 && connections > ports) {
        *stopped = LIMIT_PORTS;
        connections = ports;
    }
    return connections;
}

enum limit limits_met(int error)
{
    switch (error) {
    case EMFILE:
        return LIMIT_DESCRIPTORS;
    case EADDRNOTAVAIL:
    case EADDRINUSE:
        return LIMIT_PORTS;
    case ENFILE:
        return LIMIT_FILES;
    case ENOMEM:
    case ENOBUFS:
        return LIMIT_MEMORY;
    case ENOSPC:
        return LIMIT_WATCHES;
    default:
        return LIMIT_NONE;
    }
}

const char *limit_name(enum limit limit)
{
    static const char *const names[] = {
        [LIMIT_NONE] = "none",
        [LIMIT_DESCRIPTORS] = "RLIMIT_NOFILE",
        [LIMIT_NR_OPEN] = "fs.nr_open",
        [LIMIT_PORTS] = "net.ipv4.ip_local_port_range",
        [LIMIT_FILES] = "fs.file-max",
        [LIMIT_MEMORY] = "memory",
        [LIMIT_WATCHES] = "fs.epoll.max_user_watches",
    };

    return names[limit];
}

void limits_explain(const struct limits *limits, enum limit limit, uint64_t connections,
                    uint64_t reserve, FILE *output)
{
    uint64_t needed = connections + reserve;

    switch (limit) {
    case LIMIT_NONE:
        break;
    case LIMIT_DESCRIPTORS:
        fprintf(output,
                "RLIMIT_NOFILE is %" PRIu64 ", and %" PRIu64 " are needed: as root, prlimit "
                "--nofile=%" PRIu64 " --pid $$ in the shell, or LimitNOFILE= in a unit",
                limits->descriptors, needed, needed);
        break;
    case LIMIT_NR_OPEN:
        fprintf(output,
                "fs.nr_open is %" PRIu64 ", and %" PRIu64 " are needed: sysctl "
                "fs.nr_open=%" PRIu64 ", then RLIMIT_NOFILE, which is %" PRIu64,
                limits->nr_open, needed, needed, limits->descriptors);
        break;
    case LIMIT_PORTS:
        fprintf(output,
                "each local address has %" PRIu64 " ports: more --sources for a server at "
                "127.0.0.0/8, or sysctl net.ipv4.ip_local_port_range='1024 65535'",
                limits->ports);
        break;
    case LIMIT_FILES:
        fputs("the system's table of open files is full: sysctl fs.file-max", output);
        break;
    case LIMIT_MEMORY:
        fputs("the kernel has no memory left for sockets: sysctl net.ipv4.tcp_mem", output);
        break;
    case LIMIT_WATCHES:
        fputs("epoll watches no more for this user: sysctl fs.epoll.max_user_watches", output);
        break;
    }
}
