/* The limits of this machine. */
#include "machine.h"

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

void machine_raise(uint64_t descriptors, struct machine *machine)
{
    uint64_t range[] = {32768, 60999};
    struct rlimit now;

    *machine = (struct machine){.nr_open = 1048576, .somaxconn = 4096};
    (void)proc_read("/proc/sys/fs/nr_open", "", &machine->nr_open, 1);
    (void)proc_read("/proc/sys/net/core/somaxconn", "", &machine->somaxconn, 1);
    (void)proc_read("/proc/sys/net/ipv4/ip_local_port_range", "", range, 2);
    machine->ports = range[1] >= range[0] ? range[1] - range[0] + 1 : 0;
    machine->descriptors = getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur >= descriptors
                               ? now.rlim_cur
                               : raise_descriptors(descriptors);
}

uint64_t machine_fit(const struct machine *machine, uint64_t connections, uint64_t sources,
                     uint64_t reserve, enum machine_limit *stopped)
{
    uint64_t descriptors = machine->descriptors > reserve ? machine->descriptors - reserve : 0;
    uint64_t ports = sources * machine->ports;

    *stopped = MACHINE_NONE;
    if (connections > descriptors) {
        *stopped = connections + reserve > machine->nr_open ? MACHINE_NR_OPEN : MACHINE_DESCRIPTORS;
        connections = descriptors;
    }
    if (sources > 0 && connections > ports) {
        *stopped = MACHINE_PORTS;
        connections = ports;
    }
    return connections;
}

enum machine_limit machine_limit_met(int error)
{
    switch (error) {
    case EMFILE:
        return MACHINE_DESCRIPTORS;
    case EADDRNOTAVAIL:
    case EADDRINUSE:
        return MACHINE_PORTS;
    case ENFILE:
        return MACHINE_FILES;
    case ENOMEM:
    case ENOBUFS:
        return MACHINE_MEMORY;
    case ENOSPC:
        return MACHINE_WATCHES;
    default:
        return MACHINE_NONE;
    }
}

const char *machine_limit_name(enum machine_limit limit)
{
    static const char *const names[] = {
        [MACHINE_NONE] = "none",
        [MACHINE_DESCRIPTORS] = "RLIMIT_NOFILE",
        [MACHINE_NR_OPEN] = "fs.nr_open",
        [MACHINE_PORTS] = "net.ipv4.ip_local_port_range",
        [MACHINE_FILES] = "fs.file-max",
        [MACHINE_MEMORY] = "memory",
        [MACHINE_WATCHES] = "fs.epoll.max_user_watches",
    };

    return names[limit];
}

void machine_explain(const struct machine *machine, enum machine_limit limit, uint64_t connections,
                     uint64_t reserve, FILE *output)
{
    uint64_t needed = connections + reserve;

    switch (limit) {
    case MACHINE_NONE:
        break;
    case MACHINE_DESCRIPTORS:
        fprintf(output,
                "RLIMIT_NOFILE is %" PRIu64 ", and %" PRIu64 " are needed: as root, prlimit "
                "--nofile=%" PRIu64 " --pid $$ in the shell, or LimitNOFILE= in a unit",
                machine->descriptors, needed, needed);
        break;
    case MACHINE_NR_OPEN:
        fprintf(output,
                "fs.nr_open is %" PRIu64 ", and %" PRIu64 " are needed: sysctl "
                "fs.nr_open=%" PRIu64 ", then RLIMIT_NOFILE, which is %" PRIu64,
                machine->nr_open, needed, needed, machine->descriptors);
        break;
    case MACHINE_PORTS:
        fprintf(output,
                "each local address has %" PRIu64 " ports: more --sources for a server at "
                "127.0.0.0/8, or sysctl net.ipv4.ip_local_port_range='1024 65535'",
                machine->ports);
        break;
    case MACHINE_FILES:
        fputs("the system's table of open files is full: sysctl fs.file-max", output);
        break;
    case MACHINE_MEMORY:
        fputs("the kernel has no memory left for sockets: sysctl net.ipv4.tcp_mem", output);
        break;
    case MACHINE_WATCHES:
        fputs("epoll watches no more for this user: sysctl fs.epoll.max_user_watches", output);
        break;
    }
}

int machine_require(const char *command, uint64_t connections)
{
    struct machine machine;
    enum machine_limit limit;

    machine_raise(connections + MACHINE_RESERVE, &machine);
    if (machine_fit(&machine, connections, 0, MACHINE_RESERVE, &limit) == connections)
        return 0;
    fprintf(stderr, "%s: too many connections: ", command);
    machine_explain(&machine, limit, connections, MACHINE_RESERVE, stderr);
    fputc('\n', stderr);
    return -EMFILE;
}
