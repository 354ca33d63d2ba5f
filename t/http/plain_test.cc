// Heads in memory that cannot be read beyond: in front of the page that they begin or behind that
// which they end there is none. In each way they read as the machine reads them elsewhere.

#include "harness/harness.h"
#include "http/ways.h"

#include <cstring>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

namespace {

class Page {
  public:
    Page()
        : size(static_cast<size_t>(sysconf(_SC_PAGESIZE))),
          memory(static_cast<unsigned char *>(
              mmap(nullptr, 3 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)))
    {
        EXPECT_EQ(mprotect(memory + size, size, PROT_READ | PROT_WRITE), 0);
    }

    ~Page()
    {
        munmap(memory, 3 * size);
    }

    // The bytes at the page's end, or its start.
    const unsigned char *put(const std::string &bytes, bool at_end) const
    {
        unsigned char *start = memory + size + (at_end ? size - bytes.size() : 0);
        memcpy(start, bytes.data(), bytes.size());
        return start;
    }

  private:
    size_t size;
    unsigned char *memory;
};

void add(std::string &text, struct http_span span)
{
    text += " " + std::to_string(span.start) + "+" + std::to_string(span.length);
}

void add_fields(std::string &text, const struct http_field *fields, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        add(text, fields[i].name);
        add(text, fields[i].value);
        text += " " + std::to_string(fields[i].known);
    }
}

std::string describe(const struct http_request &request)
{
    std::string text = std::to_string(request.length) + " " + std::to_string(request.minor);
    for (struct http_span span : {request.method, request.target, request.path, request.query})
        add(text, span);
    add_fields(text, request.fields, request.field_count);
    return text + (request.is_head ? " HEAD" : "");
}

std::string describe(const struct http_response_head &response)
{
    std::string text = std::to_string(response.length) + " " + std::to_string(response.status);
    add(text, response.reason);
    add_fields(text, response.fields, response.field_count);
    return text;
}

void init(struct http_head_parser *parser, const struct http_request &)
{
    http_request_parser_init(parser);
}

void init(struct http_head_parser *parser, const struct http_response_head &)
{
    http_response_parser_init(parser);
}

enum http_fault parse(struct http_head_parser *parser, const struct http_limits *limits,
                      const unsigned char *bytes, size_t length, struct http_request *request)
{
    return http_request_parse(parser, limits, bytes, length, request);
}

enum http_fault parse(struct http_head_parser *parser, const struct http_limits *limits,
                      const unsigned char *bytes, size_t length,
                      struct http_response_head *response)
{
    return http_response_parse(parser, limits, bytes, length, response);
}

// What is found in the first `length` bytes, of which the first `cut` come before; `put` has them
// somewhere.
template <typename Head, typename Put>
std::string read(const std::string &bytes, size_t length, size_t cut,
                 const struct http_limits &limits, Put put)
{
    struct http_field fields[20];
    struct http_head_parser parser;
    Head head = {};
    head.fields = fields;
    init(&parser, head);
    enum http_fault fault = parse(&parser, &limits, put(bytes.substr(0, cut)), cut, &head);
    if (fault == HTTP_INCOMPLETE)
        fault = parse(&parser, &limits, put(bytes.substr(0, length)), length, &head);
    return http_fault_text(fault) + std::string(" ") +
           (fault == HTTP_COMPLETE     ? describe(head)
            : fault == HTTP_INCOMPLETE ? std::to_string(parser.position)
                                       : "");
}

template <typename Head> void expect_alike(const std::string &bytes)
{
    Page page;
    std::string elsewhere;
    std::vector<enum http_plain_way> ways = plain_ways();
    for (uint32_t field : {uint32_t{8190}, uint32_t{20}, uint32_t{40}}) {
        struct http_limits limits = http_limits_default;
        limits.fields = 20;
        limits.field = field;
        limits.start_line = field < 40 ? 30 : field;
        for (size_t length = 0; length <= bytes.size(); length++)
            for (size_t cut : {size_t{0}, length / 2, length > 0 ? length - 1 : 0}) {
                http_plain_choose(HTTP_PLAIN_MACHINE);
                std::string right = read<Head>(bytes, length, cut, limits, [&](std::string part) {
                    elsewhere = "before" + part + "behind";
                    return reinterpret_cast<const unsigned char *>(elsewhere.data()) + 6;
                });
                for (enum http_plain_way way : ways)
                    for (bool at_end : {true, false}) {
                        http_plain_choose(way);
                        ASSERT_EQ(read<Head>(bytes, length, cut, limits,
                                             [&](const std::string &part) {
                                                 return page.put(part, at_end);
                                             }),
                                  right)
                            << length << " bytes of " << bytes << ", cut at " << cut << ", way "
                            << way << ", limit " << field;
                    }
            }
    }
}

// Lines of each length on both sides of a block's.
const std::string lines = [] {
    std::string text;
    for (size_t length : {1, 3, 12, 13, 14, 15, 27, 28, 29, 30, 31, 60, 61, 62})
        text += "Name: " + std::string(length, 'v') + "\r\n";
    return text + std::string(40, 'N') + ":" + std::string(40, ' ') +
           "v  \r\nHost:a\r\nEmpty:  \r\n";
}();

} // namespace

TEST(Plain, Requests)
{
    for (const char *line :
         {"GET / HTTP/1.1", "GET /? HTTP/1.0", "HEAD /a/path/of/some/length?q HTTP/1.1", "/ /",
          "HEADER / HTTP/1.1", "OPTIONS / HTTP/1.1", "CONNECT / HTTP/1.1",
          "GET / HTTP/1.:", "GET / HTTP/1./", "PROPFIND /?a%zz HTTP/1.1", "GET /%41 HTTP/1.1",
          "GET / HTTP/2.0", "GET /a HTTP/1.x", "\r\nGET / HTTP/1.1"}) {
        expect_alike<struct http_request>(line + std::string("\r\n\r\n"));
        expect_alike<struct http_request>(line + std::string("\r\nHost: localhost:8000\r\n\r\n"));
        expect_alike<struct http_request>(line + std::string("\r\n") + lines + "\r\n");
        expect_alike<struct http_request>(line + std::string("\r\n") + lines + ":\r\n\r\n");
    }
}

TEST(Plain, Responses)
{
    expect_alike<struct http_response_head>("HTTP/1.1 200 All right\r\n\r\n");
    expect_alike<struct http_response_head>("HTTP/1.0 404\r\nServer: a\r\n\r\n");
    expect_alike<struct http_response_head>("HTTP/1.1 200 OK\r\n" + lines + "\r\n");
    expect_alike<struct http_response_head>("HTTP/1.1 200 OK\r\n" + lines + "X\x01: a\r\n\r\n");
}
