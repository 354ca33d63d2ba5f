// No byte from outside breaks a line or leaves its quotes.

#include "harness/harness.h"

#include <string>

extern "C" {
#include "escape.h"
}

static std::string escape(const std::string &bytes, bool quoted, size_t room = 1000,
                          size_t *taken = nullptr)
{
    std::string output(room + 1, '#');
    size_t ignored;
    size_t written = server_escape((const unsigned char *)bytes.data(), bytes.size(), quoted,
                                   output.data(), room, taken ? taken : &ignored);

    EXPECT_EQ(output[room], '#');
    output.resize(written);
    return output;
}

TEST(Escape, WithinQuotes)
{
    EXPECT_EQ(escape("GET /a?b=c HTTP/1.1", true), "GET /a?b=c HTTP/1.1");
    EXPECT_EQ(escape("a\"b\\c", true), "a\\x22b\\x5Cc");
    EXPECT_EQ(escape("a\r\nb\tc", true), "a\\x0D\\x0Ab\\x09c");
    EXPECT_EQ(escape(std::string("\0\x1b\x7f\xc3\xa9\xff", 6), true),
              "\\x00\\x1B\\x7F\\xC3\\xA9\\xFF");
}

TEST(Escape, OutsideQuotes)
{
    EXPECT_EQ(escape("say \"\\\" \xc3\xa9\tx", false), "say \"\\\" \xc3\xa9\tx");
    EXPECT_EQ(escape("a\nb\x1b[0m", false), "a\\x0Ab\\x1B[0m");
}

TEST(Escape, EveryByteIsOneLine)
{
    for (int c = 0; c < 256; c++)
        for (bool quoted : {false, true}) {
            std::string text = escape(std::string(1, (char)c), quoted);

            for (unsigned char out : text) {
                EXPECT_TRUE(out >= ' ' || (out == '\t' && !quoted));
                EXPECT_FALSE(quoted && (out == '"' || out >= 0x7f));
            }
        }
}

TEST(Escape, StopsBeforeWhatHasNoRoom)
{
    size_t taken;

    EXPECT_EQ(escape("abc", true, 2, &taken), "ab");
    EXPECT_EQ(taken, 2u);
    EXPECT_EQ(escape("ab\n", true, 5, &taken), "ab");
    EXPECT_EQ(taken, 2u);
    EXPECT_EQ(escape("ab\n", true, 6, &taken), "ab\\x0A");
    EXPECT_EQ(taken, 3u);
    EXPECT_EQ(escape("", true, 0, &taken), "");
    EXPECT_EQ(taken, 0u);
}
