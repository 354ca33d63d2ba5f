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

#endif
