// What the golden pages do not show: single steps.

#include "harness/harness.h"

#include <string>

#include <asynwsgi/http.h>

class Chunked : public testing::Test {
  protected:
    Chunked()
    {
        http_chunked_init(&chunked);
    }

    enum http_fault parse(const std::string &text)
    {
        input = text;
        return http_chunked_parse(&chunked, &limits,
                                  reinterpret_cast<const unsigned char *>(input.data()),
                                  input.size(), &piece);
    }

    std::string data() const
    {
        return std::string(reinterpret_cast<const char *>(piece.data), piece.length);
    }

    struct http_limits limits = http_limits_default;
    struct http_chunked chunked;
    struct http_piece piece;
    std::string input;
};

TEST_F(Chunked, AStepEndsWithARunOfData)
{
    EXPECT_EQ(parse("5;x\r\nhello\r\n2\r\nab\r\n"), HTTP_INCOMPLETE);
    EXPECT_EQ(piece.consumed, 10U);
    EXPECT_EQ(data(), "hello");
    EXPECT_TRUE(piece.chunk_begins);
    EXPECT_EQ(piece.chunk_size, 5U);
    EXPECT_EQ(parse("\r\n2\r\nab\r\n"), HTTP_INCOMPLETE);
    EXPECT_EQ(piece.consumed, 7U);
    EXPECT_EQ(data(), "ab");
    EXPECT_TRUE(piece.chunk_begins);
    EXPECT_EQ(piece.chunk_size, 2U);
    EXPECT_EQ(parse("\r\n0\r\n\r\nGET /"), HTTP_COMPLETE);
    EXPECT_EQ(piece.consumed, 7U);
    EXPECT_EQ(piece.length, 0U);
    EXPECT_FALSE(piece.chunk_begins);
    EXPECT_EQ(chunked.total, 7U);
}

TEST_F(Chunked, AChunkBeginsWithItsFirstData)
{
    EXPECT_EQ(parse("5\r\n"), HTTP_INCOMPLETE);
    EXPECT_EQ(piece.consumed, 3U);
    EXPECT_EQ(piece.length, 0U);
    EXPECT_FALSE(piece.chunk_begins);
    EXPECT_EQ(parse("h"), HTTP_INCOMPLETE);
    EXPECT_TRUE(piece.chunk_begins);
    EXPECT_EQ(data(), "h");
    EXPECT_EQ(parse("ello\r\n"), HTTP_INCOMPLETE);
    EXPECT_FALSE(piece.chunk_begins);
    EXPECT_EQ(piece.chunk_size, 5U);
    EXPECT_EQ(data(), "ello");
    EXPECT_EQ(piece.consumed, 4U);
}

TEST_F(Chunked, NoInputIsNoStep)
{
    EXPECT_EQ(parse(""), HTTP_INCOMPLETE);
    EXPECT_EQ(piece.consumed, 0U);
    EXPECT_EQ(parse("2\r\n"), HTTP_INCOMPLETE);
    EXPECT_EQ(parse(""), HTTP_INCOMPLETE);
    EXPECT_EQ(piece.consumed, 0U);
    EXPECT_EQ(piece.length, 0U);
    EXPECT_FALSE(piece.chunk_begins);
}

// Data is handed on as a block, whatever is in it: nothing looks at the bytes.
TEST_F(Chunked, DataIsWithinTheInput)
{
    EXPECT_EQ(parse("4000\r\n" + std::string(0x3000, '\n')), HTTP_INCOMPLETE);
    EXPECT_EQ(piece.data, reinterpret_cast<const unsigned char *>(input.data()) + 6);
    EXPECT_EQ(piece.length, 0x3000U);
    EXPECT_EQ(chunked.remaining, 0x1000U);
}

TEST_F(Chunked, SizesAtTheEdges)
{
    limits.body = 0;
    for (uint64_t size : {uint64_t{1} << 31, uint64_t{1} << 32, (uint64_t{1} << 63) - 1}) {
        unsigned char line[HTTP_CHUNK_LINE];
        std::string text(reinterpret_cast<char *>(line), http_chunk_line(line, size));
        http_chunked_init(&chunked);
        EXPECT_EQ(parse(text + "x"), HTTP_INCOMPLETE) << text;
        EXPECT_EQ(piece.chunk_size, size);
        EXPECT_EQ(chunked.remaining, size - 1);
    }
    for (const char *text : {"8000000000000000\r\n", "ffffffffffffffff\r\n",
                             "10000000000000000\r\n", "00000000000000001\r\n"}) {
        http_chunked_init(&chunked);
        EXPECT_EQ(parse(text), HTTP_BAD_CHUNK_SIZE) << text;
    }
}

// Many chunks: the limit holds for their sum.
TEST_F(Chunked, TheBodyLimitIsOnTheSum)
{
    limits.body = 1000;
    for (int i = 0; i < 1000; i++) {
        EXPECT_EQ(parse("1\r\nx"), HTTP_INCOMPLETE);
        EXPECT_EQ(parse("\r\n"), HTTP_INCOMPLETE);
    }
    EXPECT_EQ(parse("1"), HTTP_LONG_BODY);
}

// As object stores are sent them: 85 bytes of extension for each 64 KiB, for as long as it takes.
TEST_F(Chunked, ManyLargeChunksMayHaveExtensions)
{
    std::string extension = ";chunk-signature=" + std::string(68, 'a');
    ASSERT_EQ(extension.size(), 85U);
    for (int i = 0; i < 1000; i++) {
        ASSERT_EQ(parse("10000" + extension + "\r\n" + std::string(0x10000, 'x')), HTTP_INCOMPLETE);
        ASSERT_EQ(piece.length, 0x10000U);
        ASSERT_EQ(parse("\r\n"), HTTP_INCOMPLETE);
    }
    EXPECT_EQ(parse("0" + extension + "\r\n\r\n"), HTTP_COMPLETE);
}

// Extensions of a body are bounded by what is sent in data, and the limit.
TEST_F(Chunked, ManySmallChunksMayNot)
{
    std::string extension = ";" + std::string(99, 'a');
    for (uint32_t left = limits.chunk_extension; left >= 100; left -= 99) {
        ASSERT_EQ(parse("1" + extension + "\r\nx"), HTTP_INCOMPLETE) << left;
        ASSERT_EQ(parse("\r\n"), HTTP_INCOMPLETE);
    }
    EXPECT_EQ(parse("1" + extension + "\r\n"), HTTP_LONG_CHUNK_EXTENSION);
}

TEST_F(Chunked, TheLargestChunkGivesBackAllThereIs)
{
    limits.body = 0;
    limits.chunk_extension = UINT32_MAX;
    EXPECT_EQ(parse("7fffffff00000001;" + std::string(100, 'a') + "\r\n"), HTTP_INCOMPLETE);
    EXPECT_EQ(chunked.counted, 0U);
}
