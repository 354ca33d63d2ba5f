/*
 * The chunked coding (RFC 9112, 7.1), as one resumable machine that never sees
 * the data: it stops where a chunk's data begins, and goes on behind it.
 *
 * Invariants: remaining <= size <= total <= INT64_MAX, and no more than
 * limits->body where that is not 0.  While remaining > 0 the machine stands
 * between a size line and the CRLF that follows the data.
 *
 * counted is, up to the last chunk, what extensions have taken of the limit
 * that is for all of them and that data gives back: so a body may be long and
 * have an extension with each chunk, but not be extensions for the most part.
 * Then it is the bytes of the trailer section.
 */
#include <assert.h>

#include <asynwsgi/http.h>

static_assert(sizeof(struct http_chunked) <= 32, "there is one in each connection");

%%{
    machine chunked;
    include grammar "grammar.rl";

    action bad_size { fault = HTTP_BAD_CHUNK_SIZE; }
    action bad_extension {
        if (fault == HTTP_INCOMPLETE) /* bad_size may be there too, and then is right */
            fault = HTTP_BAD_CHUNK_EXTENSION;
    }
    action bad_line_end { fault = HTTP_BAD_LINE_END; }
    action bad_end { return HTTP_BAD_CHUNK_END; }
    action bad_trailer { fault = HTTP_BAD_TRAILER; }

    action size_begins { chunked->size = chunked->digits = 0; }
    action size_digit {
        fault = size_digit(chunked, limits, *p);
        if (fault != HTTP_INCOMPLETE)
            return fault;
    }
    action extension_byte {
        if (chunked->counted++ >= limits->chunk_extension)
            return HTTP_LONG_CHUNK_EXTENSION;
    }
    action trailer_begins { chunked->counted = 0; }
    action trailer_byte {
        if (chunked->counted++ >= limits->trailer)
            return HTTP_LONG_TRAILER;
        if (piece->trailer_length++ == 0)
            piece->trailer = p;
    }
    action data {
        chunked->counted -= chunked->counted < chunked->size ? chunked->counted
                                                             : (uint32_t)chunked->size;
        chunked->remaining = chunked->size;
        chunked->total += chunked->size;
        fbreak;
    }
    action complete { fault = HTTP_COMPLETE; fbreak; }

    # RFC 9112, 7.1.1: with BWS (RFC 9110, 5.6.3) before what follows, not at the
    # end.  The bytes are counted, and read over.
    chunk_ext_name = token;
    chunk_ext_val = token | quoted_string;
    chunk_ext = (BWS ";" BWS chunk_ext_name (BWS "=" BWS chunk_ext_val)?)*;

    # RFC 9112, 7.1: what a chunk and the last one have behind the size.  Narrower:
    # a bare LF (2.2) ends no line.
    line_end = (chunk_ext $extension_byte CR) @err(bad_extension)
               LF >err(bad_line_end);

    # RFC 9112, 7.1: chunk-size, the one that is not 0 and the one that is.
    # Narrower: 16 digits at most, and see size_digit().
    chunk_size = ("0"* (HEXDIG - "0") HEXDIG*) >size_begins $size_digit $err(bad_size);
    zero_size = "0"+ >size_begins $size_digit $err(bad_size);

    # RFC 9112, 7.1.  chunk-data is not for the machine.
    chunk = chunk_size line_end @data
            (CR LF) @err(bad_end);
    last_chunk = zero_size line_end @trailer_begins;

    # RFC 9112, 7.1.2: field lines as in a head (5), judged as strictly.  Narrower:
    # no obs-fold.
    trailer_section = (((field_name ":" field_value CR) @err(bad_trailer)
                        LF >err(bad_line_end)) $trailer_byte)*;

    # RFC 9112, 7.1: chunked-body
    main := chunk* last_chunk trailer_section CR (LF @complete) >err(bad_line_end);
}%%

%% write data nofinal noentry;

/* Take a digit; what is too large is found at the digit that makes it so. */
static enum http_fault size_digit(struct http_chunked *chunked, const struct http_limits *limits,
                                  unsigned char digit)
{
    unsigned value = digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;

    if (chunked->digits++ == 16)
        return HTTP_BAD_CHUNK_SIZE;
    chunked->size = chunked->size << 4 | value;
    if (chunked->size > INT64_MAX - chunked->total)
        return HTTP_BAD_CHUNK_SIZE;
    if (limits->body != 0 && chunked->size > limits->body - chunked->total)
        return HTTP_LONG_BODY;
    return HTTP_INCOMPLETE;
}

/* Read up to the next data, or the end. */
static enum http_fault run(struct http_chunked *chunked, const struct http_limits *limits,
                           const unsigned char *input, size_t length, struct http_piece *piece)
{
    int cs = chunked->state;
    const unsigned char *p = input;
    const unsigned char *pe = input + length;
    const unsigned char *const eof = NULL; /* input only stops here, it never ends */
    enum http_fault fault = HTTP_INCOMPLETE;

    %% write exec;
    if (cs == chunked_error && (*p == '\r' || *p == '\n'))
        return HTTP_BAD_LINE_END;
    chunked->state = (uint8_t)cs;
    piece->consumed = (size_t)(p - input);
    return fault;
}

void http_chunked_init(struct http_chunked *chunked)
{
    *chunked = (struct http_chunked){.state = chunked_start};
}

enum http_fault http_chunked_parse(struct http_chunked *chunked, const struct http_limits *limits,
                                   const unsigned char *input, size_t length,
                                   struct http_piece *piece)
{
    enum http_fault fault = HTTP_INCOMPLETE;

    *piece = (struct http_piece){.data = input};
    if (chunked->remaining == 0 && length > 0)
        fault = run(chunked, limits, input, length, piece);
    if (chunked->remaining == 0 || piece->consumed == length)
        return fault;

    piece->chunk_begins = chunked->remaining == chunked->size;
    piece->chunk_size = chunked->size;
    piece->data = input + piece->consumed;
    piece->length = length - piece->consumed;
    if (piece->length > chunked->remaining)
        piece->length = (size_t)chunked->remaining;
    piece->consumed += piece->length;
    chunked->remaining -= piece->length;
    return HTTP_INCOMPLETE;
}

size_t http_chunk_line(unsigned char line[HTTP_CHUNK_LINE], uint64_t size)
{
    size_t digits = 1, i;

    while (digits < 16 && size >> 4 * digits != 0)
        digits++;
    for (i = digits; i-- > 0; size >>= 4)
        line[i] = (unsigned char)"0123456789abcdef"[size & 15];
    line[digits] = '\r';
    line[digits + 1] = '\n';
    return digits + 2;
}
