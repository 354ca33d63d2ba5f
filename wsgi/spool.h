/*
 * A body that is put aside as it arrives, to be read later at any offset: in
 * memory while it is small, then in a temporary file that has no name.  One that is
 * whole already may stay where it is as long as that lasts.
 */
#ifndef WSGI_SPOOL_H
#define WSGI_SPOOL_H

#include <stddef.h>
#include <stdint.h>

struct wsgi_spool {
    uint64_t length;           /* of the body so far */
    int file;                  /* -1: it lies in `memory` */
    const unsigned char *lent; /* or lies there; or NULL */
    unsigned char *memory;
    size_t capacity;
    uint64_t window; /* with a file, `memory` is a copy of it from here ... */
    size_t windowed; /* ... of so many bytes */
};

void wsgi_spool_init(struct wsgi_spool *spool);

/*
 * Append; what makes the body longer than `memory` moves it to a file in
 * `folder`.  -ENOMEM, or the error of making or writing the file (-ENOSPC,
 * -EDQUOT, -EFBIG, -EIO ...): only clearing is left then.
 */
int wsgi_spool_append(struct wsgi_spool *spool, size_t memory, const char *folder,
                      const unsigned char *data, size_t length);

/*
 * Of an empty one: the body is these bytes, which are not copied, until what they
 * lie in is to be used again.  Then it keeps a copy of them: 0 or -ENOMEM.
 */
void wsgi_spool_lend(struct wsgi_spool *spool, const unsigned char *data, size_t length);
int wsgi_spool_keep(struct wsgi_spool *spool);

/*
 * Some of the bytes at `offset`, as many as lie in one piece; 0 of them at the
 * end only.  They are valid until the next call for this spool.  -ENOMEM, -EIO.
 */
int wsgi_spool_peek(struct wsgi_spool *spool, uint64_t offset, const unsigned char **data,
                    size_t *length);

/* Drop the body; as after init, but a little memory is kept for the next. */
void wsgi_spool_clear(struct wsgi_spool *spool);
void wsgi_spool_fini(struct wsgi_spool *spool);

#endif
