/*
 * The least that a server on this kernel can do, beside which others are
 * measured: it waits with epoll, receives, and sends the same answer to each
 * request, which it knows by its size alone.
 *
 *   raw PORT|PATH REQUEST_SIZE BODY_SIZE [close]
 *
 * PATH, with a slash, is that of a unix socket.  All requests that have arrived
 * are answered with one send.  `close`: after the first answer.
 */
#define _GNU_SOURCE /* accept4 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MOST_FDS 65536
#define MOST_EVENTS 256
#define MOST_AT_ONCE 64

static size_t request_size, answer_size;
static int once;
static char *answers;               /* MOST_AT_ONCE of them */
static size_t incomplete[MOST_FDS]; /* bytes of a request that is not whole */
static char input[65536];

static void fail(const char *what)
{
    perror(what);
    exit(2);
}

static size_t number(const char *digits)
{
    size_t n = 0;

    while (*digits >= '0' && *digits <= '9')
        n = 10 * n + (size_t)(*digits++ - '0');
    return n;
}

static void make_answers(size_t body_size)
{
    static const char format[] =
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n%s\r\n";
    const char *field = once ? "Connection: close\r\n" : "";
    int head = snprintf(NULL, 0, format, body_size, field);
    size_t n;

    answer_size = (size_t)head + body_size;
    answers = malloc(MOST_AT_ONCE * answer_size + 1);
    if (!answers)
        fail("malloc");
    for (n = 0; n < MOST_AT_ONCE; n++) {
        char *answer = answers + n * answer_size;

        snprintf(answer, (size_t)head + 1, format, body_size, field);
        memset(answer + head, 'x', body_size);
    }
}

static int listen_at(const char *address)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int local = strchr(address, '/') != NULL;
    int fd = socket(local ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1, second = 1, status;

    if (fd < 0)
        fail("socket");
    if (local) {
        if (strlen(address) >= sizeof un.sun_path) {
            errno = ENAMETOOLONG;
            fail(address);
        }
        memcpy(un.sun_path, address, strlen(address));
        status = bind(fd, (struct sockaddr *)&un, sizeof un);
    } else {
        in.sin_port = htons((in_port_t)number(address));
        in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* those accepted inherit it */
        if (once) /* so that a connection is accepted when its request is there */
            setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &second, sizeof second);
        status = bind(fd, (struct sockaddr *)&in, sizeof in);
    }
    if (status < 0 || listen(fd, 2048) < 0)
        fail(address);
    return fd;
}

static int watch(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

/* Whether there is more to come. */
static int serve(int fd)
{
    ssize_t got = recv(fd, input, sizeof input, MSG_DONTWAIT);
    size_t arrived, count;

    if (got <= 0)
        return got < 0 && (errno == EAGAIN || errno == EINTR);
    arrived = incomplete[fd] + (size_t)got;
    count = arrived / request_size;
    incomplete[fd] = arrived % request_size;
    while (count > 0) {
        size_t now = count < MOST_AT_ONCE ? count : MOST_AT_ONCE;

        /* Blocking, so that it never is a part. */
        if (send(fd, answers, now * answer_size, MSG_NOSIGNAL) < 0)
            return 0;
        count -= now;
        if (once)
            return 0;
    }
    return 1;
}

static void take(int epoll, int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0)
        return;
    if (fd < MOST_FDS) {
        incomplete[fd] = 0;
        /* Of a client that asks once the request came with it, nearly always over a unix socket,
         * too; the rest is waited for. */
        if ((!once || serve(fd)) && watch(epoll, fd) == 0)
            return;
    }
    close(fd);
}

int main(int argc, char **argv)
{
    struct epoll_event events[MOST_EVENTS];
    struct rlimit files;
    int epoll = epoll_create1(EPOLL_CLOEXEC), listener;

    if (argc < 4) {
        fputs("usage: raw PORT|PATH REQUEST_SIZE BODY_SIZE [close]\n", stderr);
        return 2;
    }
    request_size = number(argv[2]);
    once = argc > 4;
    make_answers(number(argv[3]));
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    listener = listen_at(argv[1]);
    if (epoll < 0 || request_size == 0 || watch(epoll, listener) < 0)
        fail("raw");
    for (;;) {
        int n = epoll_wait(epoll, events, MOST_EVENTS, -1), i;

        for (i = 0; i < n; i++) {
            int fd = events[i].data.fd;

            if (fd == listener)
                take(epoll, listener);
            else if (!serve(fd))
                close(fd);
        }
    }
}
