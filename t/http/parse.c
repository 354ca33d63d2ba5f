/*
 * Has a parser read a message so often, and prints the nanoseconds that it took
 * each time.
 *
 *   parse small|browser machine|base|avx2|FILE.so COUNT
 *   parse chunked decode|copy COUNT
 *
 * small, browser: the head of a request, in a way of plain.h; or by the
 * picohttpparser that the file holds.  chunked: 1 MiB in chunks of 4 KiB, whose
 * data is copied behind each other; or as much data is copied without them.
 */
#include <plain.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHUNK ((size_t)4096)
#define CHUNKS ((size_t)256)

static const char small[] = "GET / HTTP/1.1\r\nHost: localhost:8000\r\n\r\n";
static const char browser[] =
    "GET /some/path?with=query HTTP/1.1\r\n"
    "Host: localhost:8000\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;"
    "q=0.8\r\n"
    "Accept-Language: en-US,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Referer: http://localhost:8000/index.html\r\n"
    "Connection: keep-alive\r\n"
    "Cookie: session=abcdef0123456789; theme=dark; tracking=0123456789abcdef0123456789abcdef; "
    "consent=0123456789abcdef0123456789abcdef0123456789abcdef012345\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "Sec-Fetch-Dest: document\r\n"
    "Sec-Fetch-Mode: navigate\r\n"
    "Sec-Fetch-Site: same-origin\r\n"
    "Sec-Fetch-User: ?1\r\n"
    "Pragma: no-cache\r\n\r\n";

/* As picohttpparser.h has them. */
struct phr_header {
    const char *name;
    size_t name_length;
    const char *value;
    size_t value_length;
};
static int (*phr_parse_request)(const char *, size_t, const char **, size_t *, const char **,
                                size_t *, int *, struct phr_header *, size_t *, size_t);

static unsigned char *message, copied[CHUNK * CHUNKS];
static size_t length;

static void fail(const char *what)
{
    fprintf(stderr, "parse: %s\n", what);
    exit(2);
}

static void parse(void)
{
    static struct http_field fields[100];
    struct http_request request = {.fields = fields};
    struct http_head_parser parser;

    http_request_parser_init(&parser);
    if (http_request_parse(&parser, &http_limits_default, message, length, &request) !=
        HTTP_COMPLETE)
        fail("not parsed");
}

static void parse_pico(void)
{
    static struct phr_header headers[100];
    size_t count = 100, method_length, path_length;
    const char *method, *path;
    int minor;

    if (phr_parse_request((const char *)message, length, &method, &method_length, &path,
                          &path_length, &minor, headers, &count, 0) != (int)length)
        fail("not parsed by picohttpparser");
}

static void decode(void)
{
    struct http_chunked chunked;
    struct http_piece piece;
    enum http_fault fault;
    size_t position = 0, taken = 0;

    http_chunked_init(&chunked);
    do {
        fault = http_chunked_parse(&chunked, &http_limits_default, message + position,
                                   length - position, &piece);
        memcpy(copied + taken, piece.data, piece.length);
        taken += piece.length;
        position += piece.consumed;
    } while (fault == HTTP_INCOMPLETE);
    if (fault != HTTP_COMPLETE || taken != sizeof copied)
        fail("not decoded");
}

static void copy(void)
{
    memcpy(copied, message, sizeof copied);
    __asm__ volatile("" : : "r"(copied) : "memory");
}

static void make_chunked(void)
{
    unsigned char *at = message = malloc(sizeof copied + CHUNKS * HTTP_CHUNK_LINE + 8);

    if (!message)
        fail("malloc");
    for (size_t i = 0; i < CHUNKS; i++) {
        at += http_chunk_line(at, CHUNK);
        at = (unsigned char *)memset(at, 'x', CHUNK) + CHUNK;
        *at++ = '\r';
        *at++ = '\n';
    }
    for (const char *end = "0\r\n\r\n"; *end != '\0'; end++)
        *at++ = (unsigned char)*end;
    length = (size_t)(at - message);
}

/* In memory that ends where it does, as it arrives. */
static void make_head(const char *text)
{
    length = strlen(text);
    message = malloc(length);
    if (!message)
        fail("malloc");
    memcpy(message, text, length);
}

static void choose(const char *way)
{
    static const char *const ways[] = {"machine", "base", "avx2"};
    unsigned i = 0;

    while (i < 3 && strcmp(way, ways[i]) != 0)
        i++;
    if (i == 3 || !http_plain_choose((enum http_plain_way)i))
        fail("there is no such way");
}

static void (*prepare(const char *what, const char *how))(void)
{
    void *library;

    if (strcmp(what, "chunked") == 0) {
        make_chunked();
        return strcmp(how, "copy") == 0 ? copy : decode;
    }
    make_head(strcmp(what, "small") == 0 ? small : browser);
    if (!strstr(how, ".so")) {
        choose(how);
        return parse;
    }
    library = dlopen(how, RTLD_NOW);
    if (!library)
        fail(dlerror());
    *(void **)&phr_parse_request = dlsym(library, "phr_parse_request");
    if (!phr_parse_request)
        fail("there is no phr_parse_request");
    return parse_pico;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
    void (*run)(void);
    double before;
    size_t count = 0;

    if (argc != 4)
        fail("usage: parse small|browser|chunked HOW COUNT");
    run = prepare(argv[1], argv[2]);
    for (const char *digit = argv[3]; *digit >= '0' && *digit <= '9'; digit++)
        count = 10 * count + (size_t)(*digit - '0');
    before = now();
    for (size_t i = 0; i < count; i++)
        run();
    printf("%zu %.2f\n", length, (now() - before) / (double)count);
}
