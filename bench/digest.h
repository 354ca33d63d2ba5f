/*
 * SHA-256, by libcrypto: kept well by others, and several times as fast as what could
 * stand here, since it uses the processor's own instructions.  The kernel's (AF_ALG)
 * would cost system calls, and is forbidden in many containers.  configure looks for
 * libcrypto; where it is missing, digest_new() gives NULL.
 */
#ifndef BENCH_DIGEST_H
#define BENCH_DIGEST_H

#include <stddef.h>

enum {
    DIGEST_TEXT = 65 /* in hexadecimal, with a final NUL */
};

struct digest;

/* NULL: no memory. */
struct digest *digest_new(void);
void digest_free(struct digest *digest);

/* To be called first, and again for another message. */
void digest_begin(struct digest *digest);
void digest_add(struct digest *digest, const void *data, size_t length);
void digest_end(struct digest *digest, char text[DIGEST_TEXT]);

#endif
