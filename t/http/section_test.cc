// Field sections that come again.

#include "harness/harness.h"

#include <cstring>
#include <string>
#include <vector>

extern "C" {
#include <section.h>
}

namespace {

const std::string line = "GET /a HTTP/1.1\r\n";

class Section : public ::testing::Test {
  protected:
    void TearDown() override
    {
        http_sections_fini(&sections);
    }

    // As a server does. The request's spans are of `text` then.
    enum http_fault read(const std::string &text)
    {
        struct http_head_parser parser;
        http_request_parser_init(&parser);
        request.fields = fields;
        enum http_fault fault = http_request_parse_known(
            &parser, &limits, reinterpret_cast<const unsigned char *>(text.data()), text.size(),
            http_sections_at(&sections, place), &request);
        was_known = fault == HTTP_COMPLETE && request.section != 0;
        if (fault == HTTP_COMPLETE)
            fault = http_sections_frame(&sections, &limits, &request, &framing);
        if (fault == HTTP_COMPLETE && request.section != 0)
            place = http_section_place(&request);
        return fault;
    }

    std::string value(const std::string &text, size_t i)
    {
        return text.substr(fields[i].value.start, fields[i].value.length);
    }

    void expect_known_after_two(const std::string &text)
    {
        for (int times = 1; times <= 3; times++) {
            ASSERT_EQ(read(text), HTTP_COMPLETE);
            EXPECT_EQ(request.section != 0, times >= 2) << times;
            EXPECT_EQ(was_known, times >= 3) << times;
        }
    }

    struct http_limits limits = http_limits_default;
    struct http_sections sections = {};
    struct http_field fields[100];
    struct http_request request;
    struct http_framing framing;
    unsigned place = 0;
    bool was_known;
};

TEST_F(Section, IsKnownTheThirdTime)
{
    expect_known_after_two(line + "Host: a\r\nX: one\r\n\r\n");
}

TEST_F(Section, IsFoundBehindAnyRequestLine)
{
    const std::string section = "Host: a\r\nContent-Length: 3\r\nEmpty:\r\nX:  one \r\n\r\n";
    expect_known_after_two(line + section);
    uint64_t number = request.section;
    for (const char *other : {"POST /longer?and=longer HTTP/1.1\r\n", "HEAD / HTTP/1.9\r\n",
                              "\r\nOPTIONS * HTTP/1.1\r\n"}) {
        std::string text = other + section;
        ASSERT_EQ(read(text + "abc"), HTTP_COMPLETE);
        EXPECT_TRUE(was_known);
        EXPECT_EQ(request.section, number);
        EXPECT_EQ(request.length, text.size());
        ASSERT_EQ(request.field_count, 4U);
        EXPECT_EQ(value(text, 0), "a");
        EXPECT_EQ(value(text, 1), "3");
        EXPECT_EQ(fields[1].known, HTTP_FIELD_CONTENT_LENGTH);
        EXPECT_EQ(value(text, 2), "");
        EXPECT_EQ(value(text, 3), "one");
        EXPECT_EQ(framing.body, HTTP_BODY_SIZED);
        EXPECT_EQ(framing.length, 3U);
        EXPECT_TRUE(framing.persistent);
        EXPECT_EQ(request.is_head, strncmp(other, "HEAD", 4) == 0);
    }
}

// What framing depends on beside the section is looked at each time.
TEST_F(Section, IsFramedByTheRequestLineToo)
{
    const std::string section = "Host: a\r\nExpect: nothing\r\n\r\n";
    ASSERT_EQ(read("GET / HTTP/1.0\r\n" + section), HTTP_COMPLETE);
    EXPECT_EQ(request.section, 0U);
    EXPECT_EQ(read(line + section), HTTP_UNKNOWN_EXPECTATION);

    const std::string plain = "Host: a\r\n\r\n";
    expect_known_after_two(line + plain);
    EXPECT_TRUE(framing.persistent);
    ASSERT_EQ(read("GET / HTTP/1.0\r\n" + plain), HTTP_COMPLETE);
    EXPECT_TRUE(was_known);
    EXPECT_FALSE(framing.persistent);
    EXPECT_EQ(read("GET http://[bad/ HTTP/1.1\r\n" + plain), HTTP_BAD_HOST);
    ASSERT_EQ(read("GET http://b/ HTTP/1.1\r\n" + plain), HTTP_COMPLETE);
}

TEST_F(Section, OfOtherBytesIsAnother)
{
    const std::string text = line + "Host: a\r\nX: one\r\n\r\n";
    expect_known_after_two(text);
    uint64_t number = request.section;
    for (size_t i = line.size(); i < text.size(); i++) {
        std::string other = text;
        other[i] ^= 1;
        if (read(other) == HTTP_COMPLETE) {
            EXPECT_NE(request.section, number) << other;
        }
    }
    for (size_t length = 0; length < text.size(); length++)
        EXPECT_EQ(read(text.substr(0, length)), HTTP_INCOMPLETE) << length;
    ASSERT_EQ(read(text), HTTP_COMPLETE);
    EXPECT_EQ(request.section, number);
}

TEST_F(Section, EndsTheHeadWithinItsLimit)
{
    const std::string section = "Host: a\r\nX: one\r\n\r\n";
    limits.head = static_cast<uint32_t>(line.size() + section.size());
    expect_known_after_two(line + section);
    EXPECT_EQ(read("GET /ab HTTP/1.1\r\n" + section), HTTP_LONG_HEAD);
}

// Its place is taken by another that comes twice; what has its number then is the other.
TEST_F(Section, GivesWayToAnother)
{
    std::vector<std::string> texts;
    for (int i = 0; i < 3 * SECTIONS; i++)
        texts.push_back(line + "Host: a\r\nX: " + std::to_string(i) + "\r\n\r\n");
    std::vector<uint64_t> numbers(texts.size());
    for (int times = 0; times < 4; times++)
        for (size_t i = 0; i < texts.size(); i++) {
            for (int twice = 0; twice < 2; twice++) {
                ASSERT_EQ(read(texts[i]), HTTP_COMPLETE);
                ASSERT_EQ(value(texts[i], 1), std::to_string(i));
            }
            ASSERT_NE(request.section, 0U);
            for (size_t k = 0; k < texts.size(); k++)
                ASSERT_TRUE(k == i || numbers[k] != request.section) << k;
            numbers[i] = request.section;
        }
}

TEST_F(Section, IsNotKeptWhenLong)
{
    std::string text = line + "Host: a\r\nX: " + std::string(SECTION_MOST, 'x') + "\r\n\r\n";
    for (int times = 0; times < 3; times++) {
        ASSERT_EQ(read(text), HTTP_COMPLETE);
        EXPECT_EQ(request.section, 0U);
    }
}

TEST_F(Section, IsNotKeptForWantOfMemory)
{
    const std::string text = line + "Host: a\r\n\r\n";
    ASSERT_EQ(read(text), HTTP_COMPLETE);
    test_fail_allocation(1);
    ASSERT_EQ(read(text), HTTP_COMPLETE);
    EXPECT_EQ(request.section, 0U);
    ASSERT_EQ(read(text), HTTP_COMPLETE);
    EXPECT_NE(request.section, 0U);
}

} // namespace
