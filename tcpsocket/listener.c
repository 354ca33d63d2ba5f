/* For accept4(2), which spares two fcntl(2) for each connection. */
#define _GNU_SOURCE

/*
 * Serving a listening socket.
 *
 * One accept4(2) per readiness event: one more, to see that the queue is
 * empty, would cost as much as accepting does.
 *
 * `reserve` is a descriptor kept so that there is one to give up, or -1.  The
 * timer is in the loop while the listener is open: where trying again at once
 * would only turn the loop in circles, it puts the target back after a rest.
 */
#include <asynwsgi/tcpsocket.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <unistd.h>

static const uint64_t rest_time = 100000000; /* ns */

/* An unconnected socket will do, and needs no file system. */
static int open_reserve(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void rest(struct tcpsocket_listener *listener)
{
    struct dispatch *loop = listener->timer.loop;

    dispatch_remove(&listener->target);
    dispatch_timer_set(&listener->timer, dispatch_now(loop) + rest_time);
}

static void rested(struct dispatch_timer *timer)
{
    struct tcpsocket_listener *listener =
        (void *)((char *)timer - offsetof(struct tcpsocket_listener, timer));

    if (listener->reserve < 0)
        listener->reserve = open_reserve();
    if (dispatch_add(timer->loop, &listener->target, listener->target.fd,
                     listener->paused ? 0 : DISPATCH_READ))
        dispatch_timer_set(timer, dispatch_now(timer->loop) + rest_time);
}

/* There is no descriptor left: accept with the reserve's and close at once. */
static void shed(struct tcpsocket_listener *listener)
{
    if (listener->reserve >= 0)
        close(listener->reserve);
    int descriptor = accept4(listener->target.fd, NULL, NULL, SOCK_CLOEXEC);
    bool out = descriptor < 0 && errno != EAGAIN && errno != EWOULDBLOCK;

    if (descriptor >= 0) {
        close(descriptor);
        listener->shed++;
    }
    listener->reserve = open_reserve();
    if (out || listener->reserve < 0)
        rest(listener);
}

static void refused(struct tcpsocket_listener *listener, int error)
{
    switch (error) {
    case EMFILE:
    case ENFILE:
        shed(listener);
        break;
    case EAGAIN:
    case EINTR:
    case ECONNABORTED:
    case EPERM:
    /* accept(2): errors of the new connection's network, "like EAGAIN". */
    case ENETDOWN:
    case EPROTO:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
        break;
    default:
        rest(listener);
        break;
    }
}

static void ready(struct dispatch_target *target, unsigned events)
{
    struct tcpsocket_listener *listener = (struct tcpsocket_listener *)target;
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;

    if (events != DISPATCH_READ) {
        rest(listener); /* somebody shut the socket, or it can't be watched */
        return;
    }
    int descriptor =
        accept4(target->fd, (struct sockaddr *)&peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (descriptor < 0)
        refused(listener, errno);
    else
        listener->accepted(listener, descriptor, (struct sockaddr *)&peer, length);
}

int tcpsocket_listener_open(struct tcpsocket_listener *listener, struct dispatch *loop,
                            int descriptor)
{
    static_assert(offsetof(struct tcpsocket_listener, target) == 0, "ready() casts");
    const int on = 1, flags = fcntl(descriptor, F_GETFL);

    if (flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0)
        return -errno;
    /* Fails for a unix socket, which has no delay. */
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    *listener = (struct tcpsocket_listener){
        .target.ready = ready,
        .timer.fired = rested,
        .accepted = listener->accepted,
        .reserve = open_reserve(),
    };
    if (listener->reserve < 0)
        return -errno;
    int error = dispatch_timer_add(loop, &listener->timer);

    if (!error)
        error = dispatch_add(loop, &listener->target, descriptor, DISPATCH_READ);
    if (error) {
        dispatch_timer_remove(&listener->timer);
        close(listener->reserve);
    }
    return error;
}

void tcpsocket_listener_pause(struct tcpsocket_listener *listener)
{
    listener->paused = true;
    if (listener->target.loop)
        dispatch_want(&listener->target, 0);
}

void tcpsocket_listener_resume(struct tcpsocket_listener *listener)
{
    listener->paused = false;
    if (listener->target.loop)
        dispatch_want(&listener->target, DISPATCH_READ);
}

void tcpsocket_listener_close(struct tcpsocket_listener *listener)
{
    if (!listener->timer.loop)
        return;
    dispatch_remove(&listener->target);
    dispatch_timer_remove(&listener->timer);
    if (listener->reserve >= 0)
        close(listener->reserve);
}
