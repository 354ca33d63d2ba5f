/*
 * Making a connection without waiting for it.
 *
 * A socket whose connect(2) is under way becomes writable when it is decided,
 * and so is one that was connected at once; SO_ERROR has the verdict
 * (connect(2), EINPROGRESS).
 */
#include <asynwsgi/tcpsocket.h>

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

/* Take it out of the loop; gives the descriptor, which is now the caller's. */
static int detach(struct tcpsocket_connect *connecting)
{
    int descriptor = connecting->target.fd;

    dispatch_remove(&connecting->target);
    dispatch_timer_remove(&connecting->timer);
    return descriptor;
}

static void fail(struct tcpsocket_connect *connecting, int error)
{
    close(detach(connecting));
    connecting->done(connecting, error);
}

static void ready(struct dispatch_target *target, unsigned events)
{
    struct tcpsocket_connect *connecting = (struct tcpsocket_connect *)target;
    int error = 0;
    socklen_t length = sizeof error;

    if (getsockopt(target->fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
        error = errno;
    else if (!error && events & DISPATCH_ERROR)
        error = EIO; /* it can't be watched */
    if (error)
        fail(connecting, -error);
    else
        connecting->done(connecting, detach(connecting));
}

static void fired(struct dispatch_timer *timer)
{
    fail((void *)((char *)timer - offsetof(struct tcpsocket_connect, timer)), -ETIMEDOUT);
}

static int begin(int descriptor, const struct tcpsocket_address *address)
{
    const int on = 1;

    if (address->socket.any.sa_family != AF_UNIX &&
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0)
        return -errno;
    if (connect(descriptor, &address->socket.any, address->length) < 0 && errno != EINPROGRESS)
        return -errno;
    return 0;
}

int tcpsocket_connect_start(struct tcpsocket_connect *connecting, struct dispatch *loop,
                            const struct tcpsocket_address *address, uint64_t deadline)
{
    static_assert(offsetof(struct tcpsocket_connect, target) == 0, "ready() casts");
    int descriptor =
        socket(address->socket.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (descriptor < 0)
        return -errno;
    *connecting = (struct tcpsocket_connect){
        .target.ready = ready,
        .timer.fired = fired,
        .done = connecting->done,
    };
    int error = begin(descriptor, address);

    if (!error)
        error = dispatch_timer_add(loop, &connecting->timer);
    if (!error)
        error = dispatch_add(loop, &connecting->target, descriptor, DISPATCH_WRITE);
    if (error) {
        dispatch_timer_remove(&connecting->timer);
        close(descriptor);
        return error;
    }
    dispatch_timer_set(&connecting->timer, deadline);
    return 0;
}

void tcpsocket_connect_cancel(struct tcpsocket_connect *connecting)
{
    if (connecting->target.loop)
        close(detach(connecting));
}
