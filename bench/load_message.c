/* The requests as bytes. */
#include "load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void load_fill(unsigned char *bytes, size_t length)
{
    uint32_t x = 2463534242; /* Marsaglia's xorshift */

    for (size_t i = 0; i < length; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        bytes[i] = (unsigned char)x;
    }
}

/* What is wrong with something that was given. */
static int complain(const char *what, const char *problem)
{
    fprintf(stderr, "asynwsgi-load: %s: %s\n", what, problem);
    return -EINVAL;
}

/* -- The body ------------------------------------------------------------- */

static int read_stream(FILE *file, unsigned char **content, uint64_t *length)
{
    size_t room = 0, used = 0;

    do {
        if (used == room) {
            unsigned char *more = realloc(*content, room = room ? 2 * room : 65536);

            if (!more)
                return -ENOMEM;
            *content = more;
        }
        used += fread(*content + used, 1, room - used, file);
    } while (!feof(file) && !ferror(file));
    *length = used;
    return ferror(file) ? -EIO : 0;
}

static int read_file(const char *name, unsigned char **content, uint64_t *length)
{
    FILE *file = fopen(name, "rb");
    int error = file ? read_stream(file, content, length) : -errno;

    if (file)
        fclose(file);
    return error && error != -ENOMEM ? complain(name, strerror(-error)) : error;
}

/* Bytes of a body in chunks (RFC 9112, 7.1): each is its size, its data and two line ends. */
static uint64_t chunked_length(const struct load_options *options)
{
    unsigned char line[HTTP_CHUNK_LINE];

    return options->chunks *
               (http_chunk_line(line, options->chunk_size) + options->chunk_size + 2) +
           sizeof "0\r\n\r\n" - 1;
}

static int prepare_body(struct load_messages *messages, const struct load_options *options,
                        struct httpclient_request *request)
{
    int error = 0;

    request->body = HTTP_BODY_SIZED;
    if (options->chunks > 0) {
        request->body = HTTP_BODY_CHUNKED;
        messages->body_sent = chunked_length(options);
        return 0;
    }
    if (options->body) {
        request->content = options->body;
        request->body_length = strlen(options->body);
    } else if (options->body_file) {
        error = read_file(options->body_file, &messages->content, &request->body_length);
        request->content = messages->content;
    } else if (options->body_size > 0) {
        request->body_length = options->body_size;
        request->content = messages->content = malloc(options->body_size);
        if (!messages->content)
            return -ENOMEM;
        load_fill(messages->content, options->body_size);
    } else {
        request->body = HTTP_BODY_NONE;
    }
    messages->body_sent = request->body_length;
    return error;
}

/* -- The head ------------------------------------------------------------- */

static bool is_same_host(const struct httpclient_url *a, const struct httpclient_url *b)
{
    return a->port == b->port && a->host_length == b->host_length &&
           strncasecmp(a->host, b->host, a->host_length) == 0;
}

static int write_head(const struct recipe *recipe, const struct httpclient_url *first,
                      const char *text, unsigned char **head, struct httpclient_message *message)
{
    struct httpclient_url url;
    int error = httpclient_url_parse(text, strlen(text), &url);
    size_t room;

    if (error)
        return complain(text, target_error_text(error));
    if (!is_same_host(first, &url))
        return complain(text, "not of the host and port of the first URL");
    room = recipe_room(recipe, &url);
    *head = malloc(room);
    if (!*head)
        return -ENOMEM;
    error = recipe_write(recipe, &url, *head, room, message);
    return error ? complain(text, "no request can be made of it and of the options") : 0;
}

int load_messages_init(struct load_messages *messages, const struct load_options *options,
                       const struct httpclient_url *first)
{
    struct recipe recipe = options->recipe;
    int error;

    messages->count = options->url_count;
    messages->all = calloc(messages->count, sizeof *messages->all);
    messages->heads = calloc(messages->count, sizeof *messages->heads);
    if (!messages->all || !messages->heads)
        return -ENOMEM;
    error = prepare_body(messages, options, &recipe.request);
    for (size_t i = 0; !error && i < messages->count; i++)
        error =
            write_head(&recipe, first, options->urls[i], &messages->heads[i], &messages->all[i]);
    return error;
}

void load_messages_fini(struct load_messages *messages)
{
    for (size_t i = 0; messages->heads && i < messages->count; i++)
        free(messages->heads[i]);
    free(messages->heads);
    free(messages->all);
    free(messages->content);
}
