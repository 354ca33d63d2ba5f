#define _GNU_SOURCE
/*
 * Whether a peer has left.  POLLRDHUP is Linux' (poll(2)): without it the peer's
 * end is seen only once all that lies before it is read.
 */
#include <asynwsgi/tcpsocket.h>

#include <poll.h>

#ifndef POLLRDHUP
#define POLLRDHUP 0
#endif

bool tcpsocket_stream_gone(const struct tcpsocket_stream *stream)
{
    struct pollfd peer = {.fd = stream->target.fd, .events = POLLRDHUP};

    if (stream->error != 0 || stream->ended)
        return true;
    return poll(&peer, 1, 0) > 0 && (peer.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}
