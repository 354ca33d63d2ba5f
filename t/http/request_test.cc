// What the golden pages do not show: what the parser leaves alone, and how much work it does.

#include "harness/harness.h"

#include <cstring>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include <asynwsgi/http.h>

static const unsigned char *bytes(const std::string &text)
{
    return reinterpret_cast<const unsigned char *>(text.data());
}

static std::string head_of(size_t fields)
{
    std::string text = "GET /a%20b?c HTTP/1.1\r\nHost: a\r\n";
    for (size_t i = 1; i < fields; i++)
        text += "X-Field-" + std::to_string(i) + ": value of the field\r\n";
    return text + "\r\n";
}

TEST(Request, SpansKnownNamesAndLength)
{
    std::string text = "\r\nHEAD http://b/p%41?q HTTP/1.1\r\nHost: a\r\nX-Y:  z \r\n\r\nrest";
    std::vector<struct http_field> fields(http_limits_default.fields);
    struct http_request request;
    struct http_head_parser parser;
    request.fields = fields.data();
    http_request_parser_init(&parser);
    ASSERT_EQ(http_request_parse(&parser, &http_limits_default, bytes(text), text.size(), &request),
              HTTP_COMPLETE);
    EXPECT_EQ(request.message, bytes(text));
    EXPECT_EQ(request.fields, fields.data());
    EXPECT_EQ(request.length, text.size() - 4);
    EXPECT_EQ(request.method.start, 2U);
    EXPECT_TRUE(request.is_head);
    EXPECT_EQ(request.path.start, text.find("/p"));
    EXPECT_EQ(request.query.start, text.find("?q") + 1);
    ASSERT_EQ(request.field_count, 2U);
    EXPECT_EQ(fields[0].known, HTTP_FIELD_HOST);
    EXPECT_EQ(fields[1].known, HTTP_FIELD_OTHER);
    EXPECT_EQ(fields[1].value.start, text.find("z"));
    EXPECT_EQ(fields[1].value.length, 1U);
}

// The buffer may move between calls, and what the fields point to may be others' in between.
TEST(Request, NothingIsKeptBetweenCalls)
{
    std::string text = head_of(20);
    struct http_head_parser parser;
    http_request_parser_init(&parser);
    for (size_t length = 0; length <= text.size(); length++) {
        std::vector<unsigned char> copy(text.begin(), text.begin() + static_cast<long>(length));
        std::vector<struct http_field> fields(20);
        memset(fields.data(), 0xaa, fields.size() * sizeof fields[0]);
        struct http_request request;
        memset(&request, 0xaa, sizeof request);
        request.fields = fields.data();
        enum http_fault fault =
            http_request_parse(&parser, &http_limits_default, copy.data(), length, &request);
        ASSERT_EQ(fault, length < text.size() ? HTTP_INCOMPLETE : HTTP_COMPLETE);
        if (fault == HTTP_COMPLETE) {
            EXPECT_EQ(request.field_count, 20U);
            EXPECT_EQ(fields[19].value.length, strlen("value of the field"));
        }
    }
}

// Work is linear: with a byte at a time, no byte before the line at hand is read again, but once
// when the head is complete. The pages before it cannot be read at all.
TEST(Request, WorkIsLinear)
{
    struct http_limits limits = http_limits_default;
    limits.fields = HTTP_FIELDS_MAX;
    std::string text = head_of(HTTP_FIELDS_MAX);
    ASSERT_LT(text.size(), limits.head);
    auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    size_t size = (text.size() / page + 1) * page;
    void *memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    memcpy(memory, text.data(), text.size());

    std::vector<struct http_field> fields(limits.fields);
    struct http_request request;
    request.fields = fields.data();
    struct http_head_parser parser;
    http_request_parser_init(&parser);
    for (size_t length = 1; length < text.size(); length++) {
        size_t before = parser.start / page * page;
        ASSERT_TRUE(before == 0 || mprotect(memory, before, PROT_NONE) == 0);
        ASSERT_EQ(http_request_parse(&parser, &limits, static_cast<unsigned char *>(memory), length,
                                     &request),
                  HTTP_INCOMPLETE);
        ASSERT_EQ(parser.position, length);
    }
    ASSERT_EQ(mprotect(memory, size, PROT_READ), 0);
    EXPECT_EQ(http_request_parse(&parser, &limits, static_cast<unsigned char *>(memory),
                                 text.size(), &request),
              HTTP_COMPLETE);
    EXPECT_EQ(request.field_count, static_cast<uint32_t>(HTTP_FIELDS_MAX));
    munmap(memory, size);
}

TEST(Request, TheLargestLimits)
{
    struct http_limits limits = {UINT32_MAX, UINT32_MAX, 10,        UINT32_MAX,
                                 UINT32_MAX, UINT32_MAX, UINT64_MAX};
    std::string text = "GET /" + std::string(1000000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n";
    struct http_field fields[10];
    struct http_request request;
    struct http_head_parser parser;
    request.fields = fields;
    http_request_parser_init(&parser);
    EXPECT_EQ(http_request_parse(&parser, &limits, bytes(text), text.size(), &request),
              HTTP_COMPLETE);
    EXPECT_EQ(request.path.length, 1000001U);
}

TEST(Request, NothingAllocates)
{
    std::string text = head_of(20);
    struct http_field fields[20];
    struct http_request request;
    struct http_head_parser parser;
    struct http_framing framing;
    request.fields = fields;
    http_request_parser_init(&parser);
    unsigned long before = test_allocations();
    EXPECT_EQ(http_request_parse(&parser, &http_limits_default, bytes(text), text.size(), &request),
              HTTP_COMPLETE);
    EXPECT_EQ(http_request_frame(&request, &http_limits_default, &framing), HTTP_COMPLETE);
    EXPECT_EQ(test_allocations(), before);
}
