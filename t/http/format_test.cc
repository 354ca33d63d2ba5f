// What is written out: dates, chunk lines, phrases, texts; and percent-decoding.

#include "harness/harness.h"

#include <cstring>
#include <ctime>
#include <string>

#include <asynwsgi/http.h>

static std::string date(int64_t seconds)
{
    char text[HTTP_DATE];
    http_date_format(seconds, text);
    return std::string(text, sizeof text);
}

TEST(Date, Examples)
{
    EXPECT_EQ(date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT"); // RFC 9110, 5.6.7
    EXPECT_EQ(date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
    EXPECT_EQ(date(951782400 - 1), "Mon, 28 Feb 2000 23:59:59 GMT"); // a leap year
    EXPECT_EQ(date(951782400), "Tue, 29 Feb 2000 00:00:00 GMT");
    EXPECT_EQ(date(951782400 + 86400), "Wed, 01 Mar 2000 00:00:00 GMT");
    EXPECT_EQ(date(1709164800), "Thu, 29 Feb 2024 00:00:00 GMT");
    EXPECT_EQ(date(4107542400 - 1), "Sun, 28 Feb 2100 23:59:59 GMT"); // no leap year
    EXPECT_EQ(date(4107542400), "Mon, 01 Mar 2100 00:00:00 GMT");
    EXPECT_EQ(date(2147483648), "Tue, 19 Jan 2038 03:14:08 GMT");
    EXPECT_EQ(date(4294967296), "Sun, 07 Feb 2106 06:28:16 GMT");
}

TEST(Date, BeyondWhatFourDigitsSay)
{
    EXPECT_EQ(date(253402300799), "Fri, 31 Dec 9999 23:59:59 GMT");
    EXPECT_EQ(date(253402300800), date(253402300799));
    EXPECT_EQ(date(INT64_MAX), date(253402300799));
    EXPECT_EQ(date(-1), date(0));
    EXPECT_EQ(date(INT64_MIN), date(0));
}

// Some second of every day up to the year 9999, against libc.
TEST(Date, EveryDay)
{
    for (int64_t seconds = 0; seconds <= 253402300799; seconds += 86399) {
        time_t time = seconds;
        struct tm parts;
        char text[HTTP_DATE + 1];
        ASSERT_NE(gmtime_r(&time, &parts), nullptr);
        ASSERT_EQ(strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts),
                  static_cast<size_t>(HTTP_DATE));
        ASSERT_EQ(date(seconds), text);
    }
}

TEST(ChunkLine, Sizes)
{
    auto line = [](uint64_t size) {
        unsigned char bytes[HTTP_CHUNK_LINE];
        size_t length = http_chunk_line(bytes, size);
        return std::string(reinterpret_cast<char *>(bytes), length);
    };
    EXPECT_EQ(line(0), "0\r\n");
    EXPECT_EQ(line(9), "9\r\n");
    EXPECT_EQ(line(10), "a\r\n");
    EXPECT_EQ(line(15), "f\r\n");
    EXPECT_EQ(line(16), "10\r\n");
    EXPECT_EQ(line(0xabcdef), "abcdef\r\n");
    EXPECT_EQ(line(uint64_t{1} << 31), "80000000\r\n");
    EXPECT_EQ(line(uint64_t{1} << 32), "100000000\r\n");
    EXPECT_EQ(line(UINT64_MAX), "ffffffffffffffff\r\n");
    for (int digits = 1; digits <= 15; digits++) {
        uint64_t power = uint64_t{1} << 4 * digits;
        EXPECT_EQ(line(power - 1), std::string(digits, 'f') + "\r\n");
        EXPECT_EQ(line(power), "1" + std::string(digits, '0') + "\r\n");
    }
}

TEST(Percent, Decoding)
{
    auto decode = [](std::string text) {
        auto *bytes = reinterpret_cast<unsigned char *>(&text[0]);
        text.resize(http_percent_decode(bytes, text.size(), bytes)); // in place
        return text;
    };
    EXPECT_EQ(decode(""), "");
    EXPECT_EQ(decode("/a b+c"), "/a b+c");
    EXPECT_EQ(decode("%41%7a%7A"), "Azz");
    EXPECT_EQ(decode("%c3%A9%20%25"), "\xc3\xa9 %");
    EXPECT_EQ(decode("%2541"), "%41") << "once only";
    EXPECT_EQ(decode("%00"), std::string(1, '\0'));
    EXPECT_EQ(decode("%"), "%");
    EXPECT_EQ(decode("%4"), "%4");
    EXPECT_EQ(decode("a%4"), "a%4");
    EXPECT_EQ(decode("%4g%g4"), "%4g%g4");
    EXPECT_EQ(decode("%%41"), "%A");
    EXPECT_EQ(decode("%4%41"), "%4A");
    for (int byte = 0; byte < 256; byte++) {
        const char *digits = "0123456789abcdef";
        std::string text = {'%', digits[byte >> 4], digits[byte & 15]};
        EXPECT_EQ(decode(text), std::string(1, static_cast<char>(byte)));
        std::string other = {'%', static_cast<char>(byte), '0'};
        EXPECT_EQ(decode(other).size(), byte < 128 && std::isxdigit(byte) ? 1U : 3U) << byte;
    }
}

TEST(Reason, Phrases)
{
    EXPECT_STREQ(http_reason(100), "Continue");
    EXPECT_STREQ(http_reason(200), "OK");
    EXPECT_STREQ(http_reason(404), "Not Found");
    EXPECT_STREQ(http_reason(507), "Insufficient Storage");
    EXPECT_STREQ(http_reason(511), "Network Authentication Required");
    for (unsigned status : {0U, 99U, 199U, 306U, 418U, 510U, 512U, 999U, 4294967295U})
        EXPECT_STREQ(http_reason(status), "Unknown") << status;
}

TEST(Fault, EachHasATextAndAStatusThatIsKnown)
{
    for (int i = HTTP_BAD_METHOD; i < HTTP_FAULTS; i++) {
        auto fault = static_cast<enum http_fault>(i);
        ASSERT_NE(http_fault_text(fault), nullptr) << i;
        EXPECT_STRNE(http_reason(http_fault_status(fault)), "Unknown") << i;
        EXPECT_GE(http_fault_status(fault), 400U) << i;
    }
}

// Whoever meets a limit reads in a log, or in the answer, what to turn.
TEST(Fault, ALimitIsNamedByItsOption)
{
    const struct {
        enum http_fault fault;
        const char *option;
    } limits[] = {
        {HTTP_LONG_START_LINE, "limit-request-line"},
        {HTTP_LONG_FIELD, "limit-request-field-size"},
        {HTTP_MANY_FIELDS, "limit-request-fields"},
        {HTTP_LONG_HEAD, "limit-request-head"},
        {HTTP_LONG_BODY, "limit-request-body"},
        {HTTP_LONG_CHUNK_EXTENSION, "limit-chunk-extension"},
        {HTTP_LONG_TRAILER, "limit-trailers"},
    };
    for (const auto &limit : limits)
        EXPECT_NE(std::string(http_fault_text(limit.fault)).find(std::string(limit.option) + " "),
                  std::string::npos)
            << limit.option;
}

// The page that answers a fault is "431 Phrase: text" in 160 bytes: see http/exchange.c.
TEST(Fault, TheTextsFitThePage)
{
    for (int i = HTTP_BAD_METHOD; i < HTTP_FAULTS; i++) {
        auto fault = static_cast<enum http_fault>(i);
        EXPECT_LT(6 + strlen(http_reason(http_fault_status(fault))) +
                      strlen(http_fault_text(fault)),
                  160U)
            << i;
    }
}
