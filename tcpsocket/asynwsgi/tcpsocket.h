/*
 * tcpsocket: stream sockets as dispatch targets.  Addresses, listeners,
 * connecting, and connected streams with buffered input and output.
 *
 * TCP over IPv4 and IPv6, and unix sockets, named and abstract.  All
 * descriptors are non-blocking and close-on-exec; TCP_NODELAY is set.
 * Objects are embedded in the caller's own, as those of dispatch are.
 *
 * Functions that return int give 0 or a negative errno value.
 */
#ifndef ASYNWSGI_TCPSOCKET_H
#define ASYNWSGI_TCPSOCKET_H

#include <asynwsgi/dispatch.h>
#include <asynwsgi/phases.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#ifdef __cplusplus
extern "C" {
#endif

/* -- Addresses ------------------------------------------------------------ */

struct tcpsocket_address {
    socklen_t length;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un local;
    } socket;
};

/*
 * Read "HOST:PORT", "[V6]:PORT", ":PORT" (every IPv4 address), "unix:PATH" or
 * "unix:@ABSTRACT".  A name is resolved, which may block; its first address is
 * taken.  -EINVAL: none of these forms; -ERANGE: port over 65535;
 * -ENAMETOOLONG: a path too long for a socket; -ENOENT: the name has no address;
 * -EAGAIN: no name server answers; -ENOMEM.
 */
int tcpsocket_address_parse(const char *text, struct tcpsocket_address *address);

/* Room for any address as text, the final NUL included. */
#define TCPSOCKET_ADDRESS_TEXT 128

/* Write it in the form that is parsed; gives the length. */
size_t tcpsocket_address_format(const struct sockaddr *address, socklen_t length,
                                char text[TCPSOCKET_ADDRESS_TEXT]);

/*
 * The numeric host alone ("192.0.2.1", "2001:db8::1"); 0 characters for a unix
 * socket.  The port in host order, 0 for a unix socket.
 */
size_t tcpsocket_address_host(const struct sockaddr *address, char text[TCPSOCKET_ADDRESS_TEXT]);
unsigned tcpsocket_address_port(const struct sockaddr *address);

/* -- Listening ------------------------------------------------------------ */

/*
 * Open a listening socket.  `backlog` as listen(2).  With `shared`, several
 * TCP sockets may listen at the address, each with a queue of its own
 * (SO_REUSEPORT).  The file of a unix socket that nobody serves any more is
 * replaced; one that is served is -EADDRINUSE, and a file that is no socket
 * -EEXIST.  The address's port may be 0: ask getsockname(2) for the one given.
 */
int tcpsocket_listen(const struct tcpsocket_address *address, int backlog, bool shared,
                     int *descriptor);

/*
 * For a protocol in which clients speak first: have connections wait in the kernel until
 * there is something to receive of them, or for a second, so that accepting and
 * receiving are one turn.  No effect but on TCP, and where the system can't do so.
 */
void tcpsocket_listen_defer(int descriptor);

/*
 * A listening socket that is being served.  One connection is accepted per
 * readiness event.  When the process or the system is out of descriptors, a
 * reserve descriptor is given up for a moment to accept the connection and
 * close it, so the client learns of it and the loop doesn't spin; `shed`
 * counts these.  When even that fails, or memory is short, nothing is accepted
 * for a tenth of a second.
 * The caller sets `accepted`; `shed` may be read, the rest is ours.
 */
struct tcpsocket_listener {
    struct dispatch_target target;
    struct dispatch_timer timer;
    /* Takes over `descriptor`.  `peer` is valid during the call. */
    void (*accepted)(struct tcpsocket_listener *listener, int descriptor,
                     const struct sockaddr *peer, socklen_t length);
    uint64_t shed;
    int reserve;
    bool paused;
};

/*
 * Serve a listening socket, which stays the caller's.  It is made
 * non-blocking, and TCP_NODELAY is set on it for its connections to inherit.
 * -EBADF, -EEXIST, -ENOMEM, as for dispatch_add(); -EMFILE, -ENFILE, -ENOBUFS for
 * the reserve descriptor.
 */
int tcpsocket_listener_open(struct tcpsocket_listener *listener, struct dispatch *loop,
                            int descriptor);

/* Stop accepting and go on with it; the kernel's queue fills meanwhile. */
void tcpsocket_listener_pause(struct tcpsocket_listener *listener);
void tcpsocket_listener_resume(struct tcpsocket_listener *listener);

/* Stop serving; the listening socket is not closed.  Harmless when not open. */
void tcpsocket_listener_close(struct tcpsocket_listener *listener);

/* -- Connecting ----------------------------------------------------------- */

/* A connection being made.  The caller sets `done`. */
struct tcpsocket_connect {
    struct dispatch_target target;
    struct dispatch_timer timer;
    /* Takes over `descriptor`, or it is a negative errno value. */
    void (*done)(struct tcpsocket_connect *connect, int descriptor);
};

/*
 * Connect until `deadline` (then -ETIMEDOUT; DISPATCH_NEVER: the kernel's).
 * `done` is called from the loop, never from within this call.  An error
 * returned from here means that it won't be called.
 */
int tcpsocket_connect_start(struct tcpsocket_connect *connect, struct dispatch *loop,
                            const struct tcpsocket_address *address, uint64_t deadline);

/* Give up; `done` will not be called.  Harmless when nothing is under way. */
void tcpsocket_connect_cancel(struct tcpsocket_connect *connect);

/* -- Streams -------------------------------------------------------------- */

/* Bytes; every stream of a pool has these. */
struct tcpsocket_limits {
    uint32_t input;       /* reading stops while so much is unconsumed */
    uint32_t output_high; /* tcpsocket_stream_full() from here on ... */
    uint32_t output_low;  /* ... and `drained` is called from here down */
    uint32_t output_max;  /* more unsent output than this is -ENOBUFS */
};

/*
 * What the streams of a loop share: one buffer to receive into and one to
 * write from.  A stream owns a buffer of its own only while it holds input
 * that is not consumed or output that the kernel did not take.
 */
struct tcpsocket_pool;
struct tcpsocket_stream;

/* The kernel receives, or takes what is sent: phases of a thread that is measured. */
enum {
    TCPSOCKET_PHASE_RECEIVE = DISPATCH_PHASES,
    TCPSOCKET_PHASE_SEND,
    TCPSOCKET_PHASES
};

/*
 * Called from the loop (and `input` from tcpsocket_stream_receive()), never
 * from within another function of the stream.  Each may close the stream.
 */
struct tcpsocket_stream_events {
    /* There is more input, or its end: see tcpsocket_stream_ended(). */
    void (*input)(struct tcpsocket_stream *stream);
    /*
     * A write took place and left output_low or less, see _unsent(); or there is
     * room for more of a file.
     */
    void (*drained)(struct tcpsocket_stream *stream);
    /* Reading or writing failed; only closing is left to do. */
    void (*failed)(struct tcpsocket_stream *stream, int error);
    /*
     * May be NULL.  Input can be received, and is unless this gives false, having
     * paused the stream.  It may not close the stream.
     */
    bool (*wanted)(struct tcpsocket_stream *stream);
};

/* Limits and events are copied.  -ENOMEM; -EINVAL: no room for input. */
int tcpsocket_pool_new(struct dispatch *loop, const struct tcpsocket_limits *limits,
                       const struct tcpsocket_stream_events *events, struct tcpsocket_pool **pool);

/* Every stream must be closed.  NULL is harmless. */
void tcpsocket_pool_free(struct tcpsocket_pool *pool);

/*
 * Bytes of memory of all the buffers that streams own at present; within a
 * stream's turn also what it has not consumed, which is to go to such a buffer.
 */
size_t tcpsocket_pool_held(const struct tcpsocket_pool *pool);

/*
 * The caller may read `sent` and `error`, and set `last_words`: then
 * tcpsocket_stream_receive() receives when writing has failed, too, since the peer may
 * have said why before it closed.
 */
struct tcpsocket_stream {
    struct dispatch_target target;
    struct tcpsocket_pool *pool;
    struct tcpsocket_buffer *input, *output; /* its own; NULL while nothing is held */
    uint32_t sent;                           /* bytes the kernel has taken so far, cut short */
    int16_t error;                           /* 0, or the negative errno that broke it */
    bool paused : 1, ended : 1, shutting : 1, blocked : 1, waits : 1, heeds_end : 1, last_words : 1;
};

/*
 * Take over a connected, non-blocking descriptor, reading from the next turn on.
 * On failure the descriptor stays the caller's.  -EBADF, -EEXIST, -ENOMEM, as for
 * dispatch_add().
 */
int tcpsocket_stream_open(struct tcpsocket_stream *stream, struct tcpsocket_pool *pool,
                          int descriptor);

/* Close and drop what is buffered.  No callback comes after it. */
void tcpsocket_stream_close(struct tcpsocket_stream *stream);

/*
 * Receive at once, without waiting for readiness (worth it right after
 * accepting), and call `input` or `failed` if there was something.  Does
 * nothing within a stream's callback: the loop receives in the next turn.
 */
void tcpsocket_stream_receive(struct tcpsocket_stream *stream);

/*
 * The input that is not consumed, in one piece.  The pointer is valid until
 * the callback that asked returns (or calls tcpsocket_stream_receive());
 * consuming does not move it.
 */
const unsigned char *tcpsocket_stream_peek(const struct tcpsocket_stream *stream, size_t *length);
void tcpsocket_stream_consume(struct tcpsocket_stream *stream, size_t length);

/* The peer has shut its side: no more input will follow what is buffered. */
bool tcpsocket_stream_ended(const struct tcpsocket_stream *stream);

/*
 * Whether the peer has shut its side, or the connection is broken or shut, as the
 * kernel knows at this moment, what was not read yet notwithstanding.
 */
bool tcpsocket_stream_gone(const struct tcpsocket_stream *stream);

/*
 * Leave further input to the kernel, and go on with it.  A connection that is
 * shut on both sides meanwhile has `failed`.
 */
void tcpsocket_stream_pause(struct tcpsocket_stream *stream);
void tcpsocket_stream_resume(struct tcpsocket_stream *stream);

/*
 * While it is paused, too, a peer that shuts its side has `failed`, whatever it
 * sent before that; on Linux.
 */
void tcpsocket_stream_heed_end(struct tcpsocket_stream *stream, bool heeds);

/*
 * Room for `length` bytes of output, to be written and then committed, in part
 * or whole.  Valid until the next call for any stream of the pool.  NULL: no
 * memory, or over output_max.
 */
unsigned char *tcpsocket_stream_reserve(struct tcpsocket_stream *stream, size_t length);
void tcpsocket_stream_commit(struct tcpsocket_stream *stream, size_t length);

/*
 * Hand the committed output to the kernel, followed by `length` bytes of
 * `data` (NULL, 0: none) in the same system call; what it does not take of
 * these is copied and sent as it goes.  Whoever commits calls this before
 * returning to the loop.  A failure is also left in stream->error; `failed` is
 * not called for it.
 */
int tcpsocket_stream_send(struct tcpsocket_stream *stream, const void *data, size_t length);

/*
 * The same, but none of the data is copied: `taken` tells how much of it the
 * kernel took.  Where that is not all, the stream is full until it takes more.
 */
int tcpsocket_stream_send_some(struct tcpsocket_stream *stream, const void *data, size_t length,
                               size_t *taken);

/*
 * Hand the committed output to the kernel, followed by `length` bytes of a file
 * from `offset` on, which are not copied: `taken` tells how many it took.  Fewer
 * mean mostly that it takes no more for now: the stream counts as full then,
 * whatever is unsent, and `drained` comes when it does.  Of a file that
 * sendfile(2) is not for, a part is read and sent as data is.  -EIO: the file ends
 * before `offset`, or there; that does not break the stream.
 */
int tcpsocket_stream_send_file(struct tcpsocket_stream *stream, int file, uint64_t offset,
                               size_t length, size_t *taken);

/*
 * Whether the kernel may hold back output that fills no segment until what went before
 * is acknowledged, so that much of it goes in few segments.  Turned off again, as
 * it is at first, what was held back goes.  Nothing to a unix socket.
 */
void tcpsocket_stream_gather(struct tcpsocket_stream *stream, bool on);

/*
 * Bytes of output the kernel has not taken; whether they are output_high or more,
 * or it refused some of a file.
 */
size_t tcpsocket_stream_unsent(const struct tcpsocket_stream *stream);
bool tcpsocket_stream_full(const struct tcpsocket_stream *stream);

/*
 * A number that grows (and wraps) with the bytes the peer takes, as it makes
 * room for them, and not otherwise while some are unsent: also when the kernel,
 * whose buffer may hold megabytes, does not ask for more yet.  Of a unix socket
 * only equality has a meaning.
 */
uint32_t tcpsocket_stream_progress(const struct tcpsocket_stream *stream);

/* Shut the sending side as soon as all output is sent. */
void tcpsocket_stream_shutdown(struct tcpsocket_stream *stream);

#ifdef __cplusplus
}
#endif
#endif
