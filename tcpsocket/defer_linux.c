/*
 * Connections of which there is something to receive when they are accepted.
 *
 * TCP_DEFER_ACCEPT is Linux' (tcp(7)): the client's bare acknowledgement is
 * dropped, and what it sends completes the handshake.  Of a client that is silent
 * the kernel asks another one when the time is up, in whole seconds, and the
 * connection is accepted with that.
 */
#include <asynwsgi/tcpsocket.h>

#include <netinet/tcp.h>

void tcpsocket_listen_defer(int descriptor)
{
#ifdef TCP_DEFER_ACCEPT
    const int seconds = 1;

    setsockopt(descriptor, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof seconds);
#else
    (void)descriptor;
#endif
}
