// What the tests of this layer share: a loop to run in steps, pairs of connected sockets, and
// system calls that can be counted, made to fail, and made to take less than they are offered.
//
// Each test is one source file, so this has definitions too.

#ifndef TCPSOCKET_SUPPORT_H
#define TCPSOCKET_SUPPORT_H

#include "harness/harness.h"

#include <asynwsgi/tcpsocket.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <functional>
#include <memory>
#include <netinet/tcp.h>
#include <poll.h>
#include <string>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <unistd.h>
#include <vector>

// A wrapped system call: how often it was called, and the errors of its next calls (0: none).
struct Call {
    unsigned long count = 0;
    std::deque<int> errors;

    bool fails()
    {
        count++;
        if (errors.empty())
            return false;
        errno = errors.front();
        errors.pop_front();
        return errno != 0;
    }
};

struct Calls {
    Call accept, socket, recv, send; // `send` is sendmsg as well
    Call watch;                      // of epoll_ctl
    Call sendfile;
    size_t send_most = SIZE_MAX; // bytes one call of send takes
    size_t sendfile_most = SIZE_MAX;
    bool sendfile_breaks = false; // with its signal, behind what it takes
    int send_flags = 0;           // of the last call
};

static Calls calls;

extern "C" {
int __real_epoll_ctl(int, int, int, struct epoll_event *);
int __wrap_epoll_ctl(int, int, int, struct epoll_event *);
int __real_accept4(int, struct sockaddr *, socklen_t *, int);
int __wrap_accept4(int, struct sockaddr *, socklen_t *, int);
int __real_socket(int, int, int);
int __wrap_socket(int, int, int);
ssize_t __real_recv(int, void *, size_t, int);
ssize_t __wrap_recv(int, void *, size_t, int);
ssize_t __real_send(int, const void *, size_t, int);
ssize_t __wrap_send(int, const void *, size_t, int);
ssize_t __real_sendmsg(int, const struct msghdr *, int);
ssize_t __wrap_sendmsg(int, const struct msghdr *, int);
ssize_t __real_sendfile(int, int, off_t *, size_t);
ssize_t __wrap_sendfile(int, int, off_t *, size_t);

int __wrap_accept4(int fd, struct sockaddr *peer, socklen_t *length, int flags)
{
    return calls.accept.fails() ? -1 : __real_accept4(fd, peer, length, flags);
}

int __wrap_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    return calls.watch.fails() ? -1 : __real_epoll_ctl(epoll, operation, fd, event);
}

int __wrap_socket(int family, int type, int protocol)
{
    return calls.socket.fails() ? -1 : __real_socket(family, type, protocol);
}

ssize_t __wrap_recv(int fd, void *buffer, size_t size, int flags)
{
    return calls.recv.fails() ? -1 : __real_recv(fd, buffer, size, flags);
}

ssize_t __wrap_send(int fd, const void *data, size_t size, int flags)
{
    calls.send_flags = flags;
    return calls.send.fails() ? -1 : __real_send(fd, data, std::min(size, calls.send_most), flags);
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
    calls.send_flags = flags;
    if (calls.send.fails())
        return -1;
    std::vector<struct iovec> pieces(message->msg_iov, message->msg_iov + message->msg_iovlen);
    size_t left = calls.send_most;
    for (auto &piece : pieces) {
        piece.iov_len = std::min(piece.iov_len, left);
        left -= piece.iov_len;
    }
    struct msghdr cut = *message;
    cut.msg_iov = pieces.data();
    return __real_sendmsg(fd, &cut, flags);
}

ssize_t __wrap_sendfile(int fd, int file, off_t *offset, size_t size)
{
    if (calls.sendfile.fails())
        return -1;
    if (calls.sendfile_breaks)
        raise(SIGPIPE);
    return __real_sendfile(fd, file, offset, std::min(size, calls.sendfile_most));
}
}

class Loop {
  public:
    Loop()
    {
        calls = {};
        EXPECT_EQ(dispatch_new(test_backend(), &loop), 0);
        timer.self = this;
        timer.fired = fired;
        EXPECT_EQ(dispatch_timer_add(loop, &timer), 0);
        turn();
    }

    ~Loop()
    {
        dispatch_timer_remove(&timer);
        dispatch_free(loop); // aborts if something is still added
    }

    operator dispatch *() const
    {
        return loop;
    }

    uint64_t now() const
    {
        return dispatch_now(loop);
    }

    void turn()
    {
        EXPECT_TRUE(run_until([] { return true; }));
    }

    // Runs until the condition holds at the end of a turn, with a turn every tick at least;
    // false if that takes unreasonably long.
    bool run_until(std::function<bool()> condition)
    {
        holds = condition;
        end = now() + 60'000'000'000;
        dispatch_timer_set(&timer, 0);
        return dispatch_run(loop) == 0;
    }

    void run_for(unsigned milliseconds)
    {
        uint64_t until = now() + milliseconds * 1'000'000ull;
        // By the loop's clock, so that its timers of that time have fired.
        run_until([&] { return dispatch_now(loop) >= until; });
    }

    uint64_t tick = 1'000'000;

  private:
    struct Timer : dispatch_timer {
        Loop *self;
    };

    static void fired(dispatch_timer *timer)
    {
        Loop *self = static_cast<Timer *>(timer)->self;
        if (self->holds())
            dispatch_stop(self->loop, 0);
        else if (self->now() >= self->end)
            dispatch_stop(self->loop, 1);
        else
            dispatch_timer_set(timer, self->now() + self->tick);
    }

    dispatch *loop = nullptr;
    Timer timer{};
    std::function<bool()> holds;
    uint64_t end = 0;
};

inline tcpsocket_address address(const std::string &text)
{
    tcpsocket_address a{};
    EXPECT_EQ(tcpsocket_address_parse(text.c_str(), &a), 0) << text;
    return a;
}

inline std::string text(const sockaddr *a, socklen_t length)
{
    char buffer[TCPSOCKET_ADDRESS_TEXT];
    size_t n = tcpsocket_address_format(a, length, buffer);
    EXPECT_EQ(n, strlen(buffer));
    return buffer;
}

// The address a descriptor is bound to.
inline tcpsocket_address bound(int fd)
{
    tcpsocket_address a{};
    a.length = sizeof a.socket;
    EXPECT_EQ(getsockname(fd, &a.socket.any, &a.length), 0);
    return a;
}

inline int listening(const std::string &where, int backlog = 64)
{
    tcpsocket_address a = address(where);
    int fd = -1;
    EXPECT_EQ(tcpsocket_listen(&a, backlog, false, &fd), 0) << where;
    return fd;
}

// A blocking connection to where `fd` listens.
inline int connected(int fd)
{
    tcpsocket_address a = bound(fd);
    int client = __real_socket(a.socket.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(connect(client, &a.socket.any, a.length), 0) << strerror(errno);
    return client;
}

inline int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t length = sizeof value;
    EXPECT_EQ(getsockopt(fd, level, name, &value, &length), 0);
    return value;
}

inline void expect_flags(int fd)
{
    EXPECT_TRUE(fcntl(fd, F_GETFL) & O_NONBLOCK);
    EXPECT_TRUE(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

// Makes closing it send a reset.
inline void close_hard(int fd)
{
    struct linger hard = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(fd);
}

// Whether reading blocks, ends or gives an error, looked at without waiting.
enum class Far {
    Open,
    Ended,
    Broken
};

inline Far far_state(int fd)
{
    char c;
    ssize_t n = __real_recv(fd, &c, 1, MSG_DONTWAIT | MSG_PEEK);
    return n == 0 ? Far::Ended : n > 0 || errno == EAGAIN ? Far::Open : Far::Broken;
}

// A folder of its own, for sockets in the file system.
class Folder {
  public:
    Folder()
    {
        EXPECT_NE(mkdtemp(name), nullptr);
    }
    ~Folder()
    {
        EXPECT_EQ(system(("rm -r " + std::string(name)).c_str()), 0);
    }
    std::string operator/(const std::string &file) const
    {
        return name + ("/" + file);
    }

  private:
    char name[32] = "/tmp/tcpsocket.XXXXXX";
};

#endif
