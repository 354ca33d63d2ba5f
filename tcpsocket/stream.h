/* stream: what its files share.  Private to tcpsocket. */
#ifndef ASYNWSGI_TCPSOCKET_STREAM_H
#define ASYNWSGI_TCPSOCKET_STREAM_H

#include <asynwsgi/tcpsocket.h>

/* Tell the loop what the state of the stream calls for. */
void tcpsocket_stream_watch(struct tcpsocket_stream *stream);

/* Leave `error` in the stream, and the loop: what comes now is nothing but noise. */
void tcpsocket_stream_break(struct tcpsocket_stream *stream, int error);

/* Break it and call `failed`. */
void tcpsocket_stream_fail(struct tcpsocket_stream *stream, int error);

/* One recv(2) and one send(2) in the stream's turn; they may call any of its events. */
void tcpsocket_stream_read(struct tcpsocket_stream *stream);
void tcpsocket_stream_write(struct tcpsocket_stream *stream);

/*
 * As tcpsocket_stream_send() of nothing, when more is to follow at once: where
 * the stream is not blocked then, the kernel waits for that with the last segment.
 */
int tcpsocket_stream_push(struct tcpsocket_stream *stream);

/*
 * sendfile(2) from a place in `file`, without a signal; gives the bytes taken or
 * a negative errno, -ENOSYS where there is no such call.
 */
ssize_t tcpsocket_sendfile(int socket, int file, uint64_t offset, size_t length);

#endif
