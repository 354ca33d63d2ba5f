/*
 * Bytes of a body that are in a file.
 *
 * In a chunk they would have to be as many as its size says, whatever becomes of
 * the file meanwhile; so only bytes that were read are made into chunks.
 */
#include "connection.h"

#include <errno.h>
#include <unistd.h>

enum {
    DIRECT_MOST = 1 << 20, /* of one call, before others have their turn */
    CHUNK_MOST = 16384
};

static int send_chunk(struct http_connection *c, int file, uint64_t offset, size_t *length)
{
    unsigned char bytes[CHUNK_MOST];
    size_t most = *length < sizeof(bytes) ? *length : sizeof(bytes);
    ssize_t got;

    *length = 0;
    if (http_full(c))
        return 0;
    got = pread(file, bytes, most, (off_t)offset);
    if (got <= 0)
        return got < 0 ? -errno : -EIO;
    *length = (size_t)got;
    return http_send(c, bytes, *length);
}

static int send_direct(struct http_connection *c, int file, uint64_t offset, size_t *length)
{
    size_t most = *length < DIRECT_MOST ? *length : DIRECT_MOST;
    int error = tcpsocket_stream_send_file(&c->stream, file, offset, most, length);

    if (error == 0)
        c->exchange->sent += *length;
    return error;
}

int http_send_file(struct http_connection *c, int file, uint64_t offset, size_t length,
                   size_t *taken)
{
    size_t sending = http_exchange_allowed(c, length), sent = sending;
    int error = 0;

    if (sending > 0)
        error = (c->framing == RESPONSE_CHUNKED ? send_chunk : send_direct)(c, file, offset, &sent);
    if (error != 0)
        return error;
    *taken = sent < sending ? sent : length;
    return *taken > sent && c->framing != RESPONSE_EMPTY ? -EMSGSIZE : 0;
}
