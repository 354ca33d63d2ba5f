/* Bodies that are made up on the fly, in chunks of one size, and their digests. */
#include "load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int load_uploads_init(struct load_uploads *uploads, const struct load_options *options,
                      size_t exchanges)
{
    if (options->chunks == 0)
        return 0;
    uploads->chunks = options->chunks;
    uploads->chunk_size = (size_t)options->chunk_size;
    uploads->chunk = malloc(uploads->chunk_size);
    uploads->all = calloc(exchanges, sizeof *uploads->all);
    if (!uploads->chunk || !uploads->all)
        return -ENOMEM;
    load_fill(uploads->chunk, uploads->chunk_size);
    uploads->count = exchanges;
    for (size_t i = 0; i < exchanges && options->check_digest; i++) {
        uploads->all[i].digest = digest_new();
        if (!uploads->all[i].digest)
            return -ENOMEM;
    }
    return 0;
}

void load_uploads_fini(struct load_uploads *uploads)
{
    for (size_t i = 0; i < uploads->count; i++)
        digest_free(uploads->all[i].digest);
    free(uploads->all);
    free(uploads->chunk);
}

void load_upload_begin(const struct load_uploads *uploads, struct load_upload *upload)
{
    upload->left = uploads->chunks;
    upload->answer_length = 0;
    upload->sent[0] = '\0';
    if (upload->digest)
        digest_begin(upload->digest);
}

/* The next chunk, or the end; the loop asks again. */
void load_upload_produce(struct load_uploads *uploads, struct load_upload *upload,
                         struct httpclient_exchange *exchange)
{
    size_t size = uploads->chunk_size;
    uint64_t serial;

    if (upload->left == 0) {
        if (upload->digest)
            digest_end(upload->digest, upload->sent);
        httpclient_produce_end(exchange);
        return;
    }
    upload->left--;
    serial = uploads->serial++;
    memcpy(uploads->chunk, &serial, size < sizeof serial ? size : sizeof serial);
    if (upload->digest)
        digest_add(upload->digest, uploads->chunk, size);
    httpclient_produce(exchange, uploads->chunk, size);
}

void load_upload_answer(struct load_upload *upload, const void *data, size_t length)
{
    size_t room = sizeof upload->answer - 1 - upload->answer_length;

    if (length > room)
        length = room;
    memcpy(upload->answer + upload->answer_length, data, length);
    upload->answer_length += length;
}

bool load_upload_matches(struct load_upload *upload)
{
    upload->answer[upload->answer_length] = '\0';
    return upload->sent[0] && strstr(upload->answer, upload->sent);
}
