/* SHA-256. */
#include "digest.h"

#include "config.h"

#ifdef HAVE_LIBCRYPTO
#include <assert.h>
#include <openssl/evp.h>

/* A struct digest is libcrypto's EVP_MD_CTX. */

struct digest *digest_new(void)
{
    return (struct digest *)EVP_MD_CTX_new();
}

void digest_free(struct digest *digest)
{
    EVP_MD_CTX_free((EVP_MD_CTX *)digest);
}

void digest_begin(struct digest *digest)
{
    int done = EVP_DigestInit_ex((EVP_MD_CTX *)digest, EVP_sha256(), NULL);

    assert(done == 1);
}

void digest_add(struct digest *digest, const void *data, size_t length)
{
    EVP_DigestUpdate((EVP_MD_CTX *)digest, data, length);
}

void digest_end(struct digest *digest, char text[DIGEST_TEXT])
{
    static const char hexadecimal[] = "0123456789abcdef";
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned length = 0;

    EVP_DigestFinal_ex((EVP_MD_CTX *)digest, bytes, &length);
    for (unsigned i = 0; i < length; i++) {
        *text++ = hexadecimal[bytes[i] >> 4];
        *text++ = hexadecimal[bytes[i] & 15];
    }
    *text = '\0';
}
#else
struct digest *digest_new(void)
{
    return NULL;
}

void digest_free(struct digest *digest)
{
    (void)digest;
}

void digest_begin(struct digest *digest)
{
    (void)digest;
}

void digest_add(struct digest *digest, const void *data, size_t length)
{
    (void)digest, (void)data, (void)length;
}

void digest_end(struct digest *digest, char text[DIGEST_TEXT])
{
    (void)digest;
    *text = '\0';
}
#endif
