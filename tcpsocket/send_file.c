/*
 * Output of a stream that is in a file.
 *
 * It goes from the file to the kernel, and is nowhere in between.  So when the
 * kernel takes no more, what is left is not the stream's to send: it `waits`,
 * which makes it full, and have `drained` called when there is room.
 */
#include "stream.h"

#include <asynwsgi/phases.h>
#include <errno.h>
#include <unistd.h>

/* Bytes that are read at a time, where they must be. */
#define COPIED 32768

/*
 * So much of a file, at most, shares a segment with the output before it.  That
 * saves a tenth of the time that 8 KiB take, and makes 1 MiB a quarter dearer.
 */
#define SHARING_MOST 131072

/* Not what sendfile(2) can do with these descriptors. */
static bool is_unfit(ssize_t error)
{
    return error == -EINVAL || error == -ENOSYS || error == -EOPNOTSUPP;
}

/* Send some of the file as any output; what the kernel does not take is kept. */
static ssize_t send_copy(struct tcpsocket_stream *stream, int file, uint64_t offset, size_t length)
{
    unsigned char *room;
    ssize_t got;
    int error;

    if (length > COPIED)
        length = COPIED;
    room = tcpsocket_stream_reserve(stream, length);
    if (!room)
        return -ENOMEM;
    got = pread(file, room, length, (off_t)offset);
    if (got < 0)
        return -errno;
    tcpsocket_stream_commit(stream, (size_t)got);
    error = tcpsocket_stream_send(stream, NULL, 0);
    return error ? error : got;
}

static ssize_t send_direct(struct tcpsocket_stream *stream, int file, uint64_t offset,
                           size_t length)
{
    unsigned before = dispatch_phase(TCPSOCKET_PHASE_SEND);
    ssize_t taken = tcpsocket_sendfile(stream->target.fd, file, offset, length);

    dispatch_phase(before);
    if (taken == -EAGAIN || taken == -EINTR) {
        stream->blocked = true;
        return 0;
    }
    if (taken > 0) {
        stream->sent += (uint32_t)taken;
        stream->blocked = (size_t)taken < length;
    } else if (!is_unfit(taken)) {
        tcpsocket_stream_break(stream, (int)taken);
    }
    return taken;
}

int tcpsocket_stream_send_file(struct tcpsocket_stream *stream, int file, uint64_t offset,
                               size_t length, size_t *taken)
{
    ssize_t sent = length > SHARING_MOST ? tcpsocket_stream_send(stream, NULL, 0)
                                         : tcpsocket_stream_push(stream);

    if (sent == 0 && !stream->blocked && length > 0) {
        sent = send_direct(stream, file, offset, length);
        if (is_unfit(sent))
            sent = send_copy(stream, file, offset, length);
        if (sent == 0 && !stream->blocked)
            sent = -EIO;
    }
    if (sent < 0)
        return (int)sent;
    if (stream->blocked && (size_t)sent < length)
        stream->waits = true;
    tcpsocket_stream_watch(stream);
    *taken = (size_t)sent;
    return 0;
}
