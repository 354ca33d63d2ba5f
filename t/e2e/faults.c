/* For RTLD_NEXT. */
#define _GNU_SOURCE

/*
 * Has calls of the program fail: a library for LD_PRELOAD.
 *
 * $FAULTS names a file of the size of struct plan, which the test writes while
 * the program runs.  Only calls that the program itself makes count, not those
 * of the libraries it uses: the return address tells.  With CALLS_ONLY it leaves
 * malloc alone, for programs that have one of their own, as of a sanitizer.
 */
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum call { /* as in test_faults.py */
    NOTHING,
    ALLOCATE,
    ACCEPT,
    RECEIVE,
    SEND,
    CONTROL,
    WRITE,
    READ,
    MAKE_FILE,
    FORK
};

struct plan {
    _Atomic uint32_t call;    /* which is to fail; written last */
    uint32_t process;         /* of which process; 0: any */
    int32_t error;            /* how; 0: the first byte only is taken */
    int32_t times;            /* how many in a row */
    _Atomic int32_t position; /* counts down to the first, which is 1 */
    _Atomic uint32_t failed;  /* how many have */
};

static struct plan *plan;
static uintptr_t program, program_end; /* the addresses that are the program's */

#ifndef CALLS_ONLY
/* glibc's own names, as dlsym() allocates. */
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
#endif

static void find_program(void)
{
    const ElfW(Phdr) *header = (const void *)getauxval(AT_PHDR); // NOLINT
    uintptr_t base = 0;

    for (unsigned long i = 0; i < getauxval(AT_PHNUM); i++)
        if (header[i].p_type == PT_PHDR)
            base = (uintptr_t)header - header[i].p_vaddr;
    for (unsigned long i = 0; i < getauxval(AT_PHNUM); i++)
        if (header[i].p_type == PT_LOAD && header[i].p_flags & PF_X) {
            program = base + header[i].p_vaddr;
            program_end = program + header[i].p_memsz;
        }
}

__attribute__((constructor)) static void start(void)
{
    const char *path = getenv("FAULTS");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *memory = MAP_FAILED;

    find_program();
    if (file >= 0) {
        memory = mmap(NULL, sizeof(struct plan), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        close(file);
    }
    plan = memory == MAP_FAILED ? NULL : memory;
}

/* Whether the call that returns to there is to fail. */
static int is_to_fail(enum call call, const void *caller)
{
    uintptr_t address = (uintptr_t)caller;
    int32_t position;

    if (!plan || plan->call != call || address < program || address >= program_end)
        return 0;
    if (plan->process != 0 && plan->process != (uint32_t)getpid())
        return 0;
    position = plan->position--;
    if (position > 1 || position <= 1 - plan->times)
        return 0;
    plan->failed++;
    errno = plan->error;
    return 1;
}

#define FAILS(call) is_to_fail(call, __builtin_return_address(0))
#define SHORT(length) (plan->error == 0 && (length) > 0)

/* POSIX has a void * from dlsym() stand for a function. */
#define REAL(name)                   \
    static __typeof__(&(name)) real; \
    if (!real)                       \
    *(void **)&real = dlsym(RTLD_NEXT, #name)

#ifndef CALLS_ONLY
void *malloc(size_t size)
{
    return FAILS(ALLOCATE) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return FAILS(ALLOCATE) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    return FAILS(ALLOCATE) ? NULL : __libc_realloc(memory, size);
}
#endif

int accept4(int fd, __SOCKADDR_ARG address, socklen_t *restrict length, int flags)
{
    REAL(accept4);
    return FAILS(ACCEPT) ? -1 : real(fd, address, length, flags);
}

ssize_t recv(int fd, void *data, size_t length, int flags)
{
    REAL(recv);
    if (FAILS(RECEIVE)) {
        if (!SHORT(length))
            return -1;
        length = 1;
    }
    return real(fd, data, length, flags);
}

ssize_t send(int fd, const void *data, size_t length, int flags)
{
    REAL(send);
    if (FAILS(SEND)) {
        if (!SHORT(length))
            return -1;
        length = 1;
    }
    return real(fd, data, length, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    REAL(sendmsg);
    if (FAILS(SEND)) {
        struct iovec first = message->msg_iov[0];

        if (!SHORT(first.iov_len))
            return -1;
        return send(fd, first.iov_base, 1, flags);
    }
    return real(fd, message, flags);
}

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    REAL(epoll_ctl);
    return FAILS(CONTROL) ? -1 : real(epoll, operation, fd, event);
}

/* To files only: not to the log. */
ssize_t write(int fd, const void *data, size_t length)
{
    struct stat status;

    REAL(write);
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && FAILS(WRITE)) {
        if (!SHORT(length))
            return -1;
        length = 1;
    }
    return real(fd, data, length);
}

ssize_t pread(int fd, void *data, size_t length, off_t offset)
{
    REAL(pread);
    if (FAILS(READ)) {
        if (!SHORT(length))
            return -1;
        length = 1;
    }
    return real(fd, data, length, offset);
}

int mkstemp(char *path)
{
    REAL(mkstemp);
    return FAILS(MAKE_FILE) ? -1 : real(path);
}

pid_t fork(void)
{
    REAL(fork);
    return FAILS(FORK) ? -1 : real();
}
