/*
 * How far a peer has read: what the kernel was given, less what it still has.
 * SIOCOUTQ is Linux' (tcp(7), unix(7)); a unix socket counts the memory of its
 * queue, so there the difference is no number of bytes.
 */
#include <asynwsgi/tcpsocket.h>

#include <linux/sockios.h>
#include <sys/ioctl.h>

uint32_t tcpsocket_stream_progress(const struct tcpsocket_stream *stream)
{
    int queued;

    if (ioctl(stream->target.fd, SIOCOUTQ, &queued) < 0)
        queued = 0;
    return stream->sent - (uint32_t)queued;
}
