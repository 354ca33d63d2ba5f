#include "harness/harness.h"

#include <string>
#include <vector>

#include <asynwsgi/http.h>

static const std::string chunked = "Transfer-Encoding: chunked\r\n";

// Frames a POST of HTTP/1.`minor` with these field lines behind its Host.
static enum http_fault frame(int minor, const std::string &lines, struct http_framing *framing,
                             const struct http_limits &limits = http_limits_default)
{
    std::string text =
        "POST / HTTP/1." + std::to_string(minor) + "\r\nHost: a\r\n" + lines + "\r\n";
    struct http_field fields[20];
    struct http_request request;
    struct http_head_parser parser;
    request.fields = fields;
    http_request_parser_init(&parser);
    EXPECT_EQ(http_request_parse(&parser, &http_limits_default,
                                 reinterpret_cast<const unsigned char *>(text.data()), text.size(),
                                 &request),
              HTTP_COMPLETE);
    return http_request_frame(&request, &limits, framing);
}

// The table of RFC 9112, 6.3, as it stands here: each kind of Transfer-Encoding with and without
// each kind of Content-Length, in HTTP/1.0 and later.
TEST(Framing, Table)
{
    const struct {
        const char *lines;
        enum http_fault alone, alone_in_1_0;
        enum http_body body;
    } codings[] = {
        {"", HTTP_COMPLETE, HTTP_COMPLETE, HTTP_BODY_NONE},
        {"Transfer-Encoding: chunked\r\n", HTTP_COMPLETE, HTTP_BAD_TRANSFER_ENCODING,
         HTTP_BODY_CHUNKED},
        {"Transfer-Encoding: gzip\r\n", HTTP_UNKNOWN_TRANSFER_CODING, HTTP_BAD_TRANSFER_ENCODING,
         HTTP_BODY_NONE},
        {"Transfer-Encoding: gzip, chunked\r\n", HTTP_BAD_TRANSFER_ENCODING,
         HTTP_BAD_TRANSFER_ENCODING, HTTP_BODY_NONE},
        {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", HTTP_BAD_TRANSFER_ENCODING,
         HTTP_BAD_TRANSFER_ENCODING, HTTP_BODY_NONE},
    };
    const struct {
        const char *lines;
        enum http_fault alone;
    } lengths[] = {
        {"Content-Length: 7\r\n", HTTP_COMPLETE},
        {"Content-Length: x\r\n", HTTP_BAD_CONTENT_LENGTH},
        {"Content-Length: 7\r\nContent-Length: 7\r\n", HTTP_BAD_CONTENT_LENGTH},
    };
    for (int minor : {0, 1, 2, 9})
        for (const auto &coding : codings) {
            SCOPED_TRACE(coding.lines + std::to_string(minor));
            struct http_framing framing;
            enum http_fault expected = minor == 0 ? coding.alone_in_1_0 : coding.alone;
            ASSERT_EQ(frame(minor, coding.lines, &framing), expected);
            if (expected == HTTP_COMPLETE) {
                EXPECT_EQ(framing.body, coding.body);
                EXPECT_EQ(framing.length, 0U);
            }
            for (const auto &length : lengths) {
                std::string before = std::string(length.lines) + coding.lines;
                std::string behind = std::string(coding.lines) + length.lines;
                expected = coding.lines[0] == '\0' ? length.alone : HTTP_AMBIGUOUS_LENGTH;
                EXPECT_EQ(frame(minor, before, &framing), expected) << before;
                ASSERT_EQ(frame(minor, behind, &framing), expected) << behind;
                if (expected == HTTP_COMPLETE) {
                    EXPECT_EQ(framing.body, HTTP_BODY_SIZED);
                    EXPECT_EQ(framing.length, 7U);
                }
            }
        }
}

TEST(Framing, ContentLengthAtTheEdges)
{
    struct http_limits limits = http_limits_default;
    limits.body = 0;
    const struct {
        const char *digits;
        uint64_t value;
    } good[] = {
        {"0", 0},
        {"010", 10},
        {"2147483647", 2147483647},
        {"2147483648", 2147483648},
        {"4294967295", 4294967295},
        {"4294967296", 4294967296},
        {"9223372036854775807", INT64_MAX},
        {"0000000000000000000000009223372036854775807", INT64_MAX},
    };
    for (const auto &test : good) {
        struct http_framing framing;
        ASSERT_EQ(
            frame(1, "Content-Length: " + std::string(test.digits) + "\r\n", &framing, limits),
            HTTP_COMPLETE)
            << test.digits;
        EXPECT_EQ(framing.length, test.value);
    }
    for (const char *digits :
         {"9223372036854775808", "9223372036854775810", "18446744073709551615",
          "18446744073709551616", "18446744073709551623", "92233720368547758070",
          "340282366920938463463374607431768211456", "", "+1", "-1", "1 ,", ":", "/", "1\t1"}) {
        struct http_framing framing;
        EXPECT_EQ(frame(1, "Content-Length: " + std::string(digits) + "\r\n", &framing, limits),
                  HTTP_BAD_CONTENT_LENGTH)
            << digits;
    }
}

TEST(Framing, BodyLimit)
{
    struct http_limits limits = http_limits_default;
    struct http_framing framing;
    for (uint64_t limit : {uint64_t{1}, uint64_t{4294967296}, uint64_t{INT64_MAX} - 1}) {
        limits.body = limit;
        std::string exact = "Content-Length: " + std::to_string(limit) + "\r\n";
        std::string more = "Content-Length: " + std::to_string(limit + 1) + "\r\n";
        EXPECT_EQ(frame(1, exact, &framing, limits), HTTP_COMPLETE);
        EXPECT_EQ(frame(1, more, &framing, limits), HTTP_LONG_BODY);
    }
    EXPECT_EQ(frame(1, chunked, &framing, limits), HTTP_COMPLETE) << "judged chunk by chunk";
}

// Out-parameters are written on success only.
TEST(Framing, AFaultLeavesTheFramingAlone)
{
    struct http_framing framing = {HTTP_BODY_CHUNKED, 99, true, true};
    EXPECT_EQ(frame(1, "Content-Length: x\r\nConnection: close\r\n", &framing),
              HTTP_BAD_CONTENT_LENGTH);
    EXPECT_EQ(framing.body, HTTP_BODY_CHUNKED);
    EXPECT_EQ(framing.length, 99U);
    EXPECT_TRUE(framing.persistent);
    EXPECT_TRUE(framing.expects_continue);
}
