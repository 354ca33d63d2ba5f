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

/* -- The body ------------------------------------------------------------- */

static int read_stream(FILE *file, unsigned char **content, uint64_t *length)
{
    size_t room = 0, used = 0;

    do {
        unsigned char *more = NULL;

        if (used == room) {
            room = room ? 2 * room : 65536;
            more = realloc(*content, room);
            if (!more)
                return -ENOMEM;
            *content = more;
        }
        used += fread(*content + used, 1, room - used, file);
    } while (!feof(file) && !ferror(file));
    *length = used;
    return ferror(file) ? -EIO : 0;
}

static int read_file(struct load_messages *messages, const char *name, uint64_t *length,
                     char *explanation)
{
    FILE *file = fopen(name, "rb");
    int r = file ? read_stream(file, &messages->content, length) : -errno;

    if (file)
        fclose(file);
    if (r == 0 || r == -ENOMEM)
        return r;
    snprintf(explanation, LOAD_EXPLANATION, "--body-file %.200s: %s", name, strerror(-r));
    return -EINVAL;
}

/* Hexadecimal digits. */
static unsigned digits(uint64_t number)
{
    unsigned count = 1;

    while (number >>= 4)
        count++;
    return count;
}

/* RFC 9112, 7.1: a chunk is its size, its data and two line ends; behind the last are five bytes. */
static uint64_t chunked_length(const struct load_options *options)
{
    return options->chunks * (digits(options->chunk_size) + options->chunk_size + 4) + 5;
}

static int prepare_body(struct load_messages *messages, const struct load_options *options,
                        struct httpclient_request *request, char *explanation)
{
    int r = 0;

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
        r = read_file(messages, options->body_file, &request->body_length, explanation);
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
    return r;
}

/* -- The head ------------------------------------------------------------- */

/* Host goes to the authority, the others to `headers`. */
static void prepare_headers(const struct load_options *options, struct httpclient_request *request,
                            struct http_header headers[LOAD_HEADERS])
{
    for (size_t i = 0; i < options->header_count; i++) {
        const char *name = options->headers[i], *colon = strchr(name, ':');
        const char *value = colon + 1 + strspn(colon + 1, " \t");
        size_t name_length = (size_t)(colon - name), length = strlen(value);

        if (name_length == 4 && strncasecmp(name, "host", 4) == 0) {
            request->authority = value;
            request->authority_length = length;
            continue;
        }
        headers[request->header_count++] = (struct http_header){
            .name = (const unsigned char *)name,
            .value = (const unsigned char *)value,
            .name_length = (uint32_t)name_length,
            .value_length = (uint32_t)length,
        };
    }
    request->headers = headers;
}

static bool is_same_host(const struct httpclient_url *a, const struct httpclient_url *b)
{
    return a->port == b->port && a->host_length == b->host_length &&
           strncasecmp(a->host, b->host, a->host_length) == 0;
}

static int parse_urls(struct load_messages *messages, const struct load_options *options,
                      struct httpclient_url *urls, char *explanation)
{
    for (size_t i = 0; i < options->url_count; i++) {
        const char *text = options->urls[i], *problem = NULL;
        int r = httpclient_url_parse(text, strlen(text), &urls[i]);

        if (r == -EPROTONOSUPPORT)
            problem = "is not of the scheme http";
        else if (r < 0)
            problem = "is no URL";
        else if (!is_same_host(&urls[0], &urls[i]))
            problem = "is not of the host and port of the first";
        if (problem) {
            snprintf(explanation, LOAD_EXPLANATION, "%.200s %s", text, problem);
            return -EINVAL;
        }
    }
    messages->url = urls[0];
    return 0;
}

/* Room for what each of the heads has besides its target. */
static size_t common_room(const struct load_options *options)
{
    size_t room = 256 + strlen(options->method);

    for (size_t i = 0; i < options->header_count; i++)
        room += strlen(options->headers[i]) + 8;
    return room;
}

static int write_heads(struct load_messages *messages, const struct load_options *options,
                       const struct httpclient_url *urls, struct httpclient_request *request,
                       char *explanation)
{
    const char *host = request->authority;
    size_t room = 0;
    unsigned char *place;

    for (size_t i = 0; i < options->url_count; i++)
        room += common_room(options) + 2 * strlen(options->urls[i]);
    place = messages->heads = malloc(room);
    if (!place)
        return -ENOMEM;
    for (size_t i = 0; i < options->url_count; i++) {
        request->target = urls[i].target;
        request->target_length = urls[i].target_length;
        if (!host) {
            request->authority = urls[i].authority;
            request->authority_length = urls[i].authority_length;
        }
        if (httpclient_request_write(request, place, room, &messages->all[i]) < 0) {
            snprintf(explanation, LOAD_EXPLANATION,
                     "no request can be made of the URL, the method and the headers given");
            return -EINVAL;
        }
        place += messages->all[i].head_length;
        room -= messages->all[i].head_length;
    }
    return 0;
}

int load_messages_init(struct load_messages *messages, const struct load_options *options,
                       char explanation[LOAD_EXPLANATION])
{
    struct httpclient_url *urls = calloc(options->url_count, sizeof *urls);
    struct http_header headers[LOAD_HEADERS];
    struct httpclient_request request = {.method = options->method,
                                         .closes = options->no_keepalive};
    int r = -ENOMEM;

    messages->count = options->url_count;
    messages->all = calloc(messages->count, sizeof *messages->all);
    if (!urls || !messages->all)
        goto out;
    prepare_headers(options, &request, headers);
    r = parse_urls(messages, options, urls, explanation);
    if (r == 0)
        r = prepare_body(messages, options, &request, explanation);
    if (r == 0)
        r = write_heads(messages, options, urls, &request, explanation);
out:
    free(urls);
    return r;
}

void load_messages_fini(struct load_messages *messages)
{
    free(messages->all);
    free(messages->content);
    free(messages->heads);
}
