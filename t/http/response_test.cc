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
    std::string text = "HTTP/1.1 200 All right\r\n";
    for (size_t i = 0; i < fields; i++)
        text += "X-Field-" + std::to_string(i) + ": value of the field\r\n";
    return text + "\r\n";
}

TEST(Response, SpansKnownNamesAndLength)
{
    std::string text = "HTTP/1.0 299  Odd thing \r\nContent-Length: 3\r\nX-Y:  z \r\n\r\nrest";
    std::vector<struct http_field> fields(http_limits_default.fields);
    struct http_response_head response;
    struct http_head_parser parser;
    response.fields = fields.data();
    http_response_parser_init(&parser);
    ASSERT_EQ(
        http_response_parse(&parser, &http_limits_default, bytes(text), text.size(), &response),
        HTTP_COMPLETE);
    EXPECT_EQ(response.message, bytes(text));
    EXPECT_EQ(response.fields, fields.data());
    EXPECT_EQ(response.length, text.size() - 4);
    EXPECT_EQ(response.status, 299U);
    EXPECT_EQ(response.minor, 0U);
    EXPECT_EQ(response.reason.start, 13U);
    EXPECT_EQ(response.reason.length, strlen(" Odd thing "));
    ASSERT_EQ(response.field_count, 2U);
    EXPECT_EQ(fields[0].known, HTTP_FIELD_CONTENT_LENGTH);
    EXPECT_EQ(fields[1].known, HTTP_FIELD_OTHER);
    EXPECT_EQ(fields[1].value.start, text.find("z"));
    EXPECT_EQ(fields[1].value.length, 1U);
}

TEST(Response, EveryStatus)
{
    for (unsigned status = 0; status < 1000; status++) {
        std::string digits = std::to_string(1000 + status).substr(1);
        std::string text = "HTTP/1.1 " + digits + " x\r\n\r\n";
        struct http_response_head response;
        struct http_head_parser parser;
        response.fields = nullptr;
        http_response_parser_init(&parser);
        enum http_fault fault =
            http_response_parse(&parser, &http_limits_default, bytes(text), text.size(), &response);
        ASSERT_EQ(fault, status < 100 ? HTTP_BAD_STATUS_LINE : HTTP_COMPLETE) << status;
        if (fault == HTTP_COMPLETE) {
            ASSERT_EQ(response.status, status);
        }
    }
}

// The buffer may move between calls, and what the fields point to may be others' in between.
TEST(Response, NothingIsKeptBetweenCalls)
{
    std::string text = head_of(20);
    struct http_head_parser parser;
    http_response_parser_init(&parser);
    for (size_t length = 0; length <= text.size(); length++) {
        std::vector<unsigned char> copy(text.begin(), text.begin() + static_cast<long>(length));
        std::vector<struct http_field> fields(20);
        memset(fields.data(), 0xaa, fields.size() * sizeof fields[0]);
        struct http_response_head response;
        memset(&response, 0xaa, sizeof response);
        response.fields = fields.data();
        enum http_fault fault =
            http_response_parse(&parser, &http_limits_default, copy.data(), length, &response);
        ASSERT_EQ(fault, length < text.size() ? HTTP_INCOMPLETE : HTTP_COMPLETE);
        if (fault == HTTP_COMPLETE) {
            EXPECT_EQ(response.status, 200U);
            EXPECT_EQ(response.reason.length, strlen("All right"));
            EXPECT_EQ(response.field_count, 20U);
            EXPECT_EQ(fields[19].value.length, strlen("value of the field"));
        }
    }
}

// Work is linear: with a byte at a time, no byte before the line at hand is read again, but once
// when the head is complete. The pages before it cannot be read at all.
TEST(Response, WorkIsLinear)
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
    struct http_response_head response;
    response.fields = fields.data();
    struct http_head_parser parser;
    http_response_parser_init(&parser);
    for (size_t length = 1; length < text.size(); length++) {
        size_t before = parser.start / page * page;
        ASSERT_TRUE(before == 0 || mprotect(memory, before, PROT_NONE) == 0);
        ASSERT_EQ(http_response_parse(&parser, &limits, static_cast<unsigned char *>(memory),
                                      length, &response),
                  HTTP_INCOMPLETE);
        ASSERT_EQ(parser.position, length);
    }
    ASSERT_EQ(mprotect(memory, size, PROT_READ), 0);
    EXPECT_EQ(http_response_parse(&parser, &limits, static_cast<unsigned char *>(memory),
                                  text.size(), &response),
              HTTP_COMPLETE);
    EXPECT_EQ(response.field_count, static_cast<uint32_t>(HTTP_FIELDS_MAX));
    munmap(memory, size);
}

// -- Framing

static enum http_fault frame(unsigned status, int minor, const std::string &lines, bool to_head,
                             struct http_framing *framing)
{
    std::string text =
        "HTTP/1." + std::to_string(minor) + " " + std::to_string(status) + "\r\n" + lines + "\r\n";
    struct http_field fields[20];
    struct http_response_head response;
    struct http_head_parser parser;
    response.fields = fields;
    http_response_parser_init(&parser);
    EXPECT_EQ(
        http_response_parse(&parser, &http_limits_default, bytes(text), text.size(), &response),
        HTTP_COMPLETE);
    return http_response_frame(&response, to_head, &http_limits_default, framing);
}

// RFC 9112, 6.3, rule 1: these have no body, and all others have what their fields say.
TEST(Response, WhichStatusesHaveABody)
{
    for (unsigned status = 100; status < 1000; status++)
        for (bool to_head : {false, true}) {
            bool none = to_head || status < 200 || status == 204 || status == 304;
            struct http_framing framing;
            ASSERT_EQ(frame(status, 1, "Content-Length: 7\r\n", to_head, &framing), HTTP_COMPLETE);
            EXPECT_EQ(framing.body, none ? HTTP_BODY_NONE : HTTP_BODY_SIZED) << status;
            EXPECT_EQ(framing.length, none ? 0U : 7U) << status;
            EXPECT_EQ(framing.persistent, status != 101) << status;
            ASSERT_EQ(frame(status, 1, "Transfer-Encoding: chunked\r\n", to_head, &framing),
                      HTTP_COMPLETE);
            EXPECT_EQ(framing.body, none ? HTTP_BODY_NONE : HTTP_BODY_CHUNKED) << status;
            ASSERT_EQ(frame(status, 1, "", to_head, &framing), HTTP_COMPLETE);
            EXPECT_EQ(framing.body, none ? HTTP_BODY_NONE : HTTP_BODY_CLOSED) << status;
            EXPECT_EQ(framing.persistent, none && status != 101) << status;
        }
}

// Out-parameters are written on success only.
TEST(Response, AFaultLeavesTheFramingAlone)
{
    struct http_framing framing = {HTTP_BODY_CHUNKED, 99, true, true};
    EXPECT_EQ(frame(200, 1, "Content-Length: x\r\nConnection: close\r\n", false, &framing),
              HTTP_BAD_CONTENT_LENGTH);
    EXPECT_EQ(framing.body, HTTP_BODY_CHUNKED);
    EXPECT_EQ(framing.length, 99U);
    EXPECT_TRUE(framing.persistent);
    EXPECT_TRUE(framing.expects_continue);
}

TEST(Response, NothingAllocates)
{
    std::string text = head_of(20);
    struct http_field fields[20];
    struct http_response_head response;
    struct http_head_parser parser;
    struct http_framing framing;
    response.fields = fields;
    http_response_parser_init(&parser);
    unsigned long before = test_allocations();
    EXPECT_EQ(
        http_response_parse(&parser, &http_limits_default, bytes(text), text.size(), &response),
        HTTP_COMPLETE);
    EXPECT_EQ(http_response_frame(&response, false, &http_limits_default, &framing), HTTP_COMPLETE);
    EXPECT_EQ(test_allocations(), before);
}
