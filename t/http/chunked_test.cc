// What the golden pages do not show: single steps.

#include "harness/harness.h"

#include <string>
#include <vector>

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

// -- Trailers

class Trailer : public Chunked {
  protected:
    std::string trailer() const
    {
        return std::string(reinterpret_cast<const char *>(piece.trailer), piece.trailer_length);
    }

    // "name=value" of each field there is.
    static std::vector<std::string> fields(const std::string &section)
    {
        const auto *bytes = reinterpret_cast<const unsigned char *>(section.data());
        std::vector<std::string> all;
        struct http_field field;
        for (size_t at = 0; http_trailer_next(bytes, section.size(), &at, &field);)
            all.push_back(section.substr(field.name.start, field.name.length) + "=" +
                          section.substr(field.value.start, field.value.length));
        return all;
    }
};

TEST_F(Trailer, ComesWithTheLastStep)
{
    EXPECT_EQ(parse("1\r\nx"), HTTP_INCOMPLETE);
    EXPECT_EQ(piece.trailer_length, 0U);
    EXPECT_EQ(parse("\r\n0;a=b\r\nA: 1\r\nB:\r\n\r\nGET /"), HTTP_COMPLETE);
    EXPECT_EQ(trailer(), "A: 1\r\nB:\r\n");
    EXPECT_EQ(piece.trailer, reinterpret_cast<const unsigned char *>(input.data()) + 9);
    EXPECT_EQ(piece.length, 0U);
    EXPECT_EQ(piece.consumed, 21U);
}

TEST_F(Trailer, ComesInPieces)
{
    EXPECT_EQ(parse("0\r\n"), HTTP_INCOMPLETE);
    EXPECT_EQ(trailer(), "");
    EXPECT_EQ(parse("A:"), HTTP_INCOMPLETE);
    EXPECT_EQ(trailer(), "A:");
    EXPECT_EQ(parse(" 1\r"), HTTP_INCOMPLETE);
    EXPECT_EQ(trailer(), " 1\r");
    EXPECT_EQ(parse("\n\r"), HTTP_INCOMPLETE);
    EXPECT_EQ(trailer(), "\n");
    EXPECT_EQ(parse("\n"), HTTP_COMPLETE);
    EXPECT_EQ(trailer(), "");
}

TEST_F(Trailer, FieldByField)
{
    using Fields = std::vector<std::string>;
    EXPECT_EQ(fields(""), Fields());
    EXPECT_EQ(fields("A: 1\r\n"), Fields({"A=1"}));
    EXPECT_EQ(fields("A: 1\r\nX-b:\t 2 : 3\t \r\nA:\r\nc: \t\r\nd:e\r\n"),
              Fields({"A=1", "X-b=2 : 3", "A=", "c=", "d=e"}));
    // What is not whole is no field.
    EXPECT_EQ(fields("A: 1\r\nB: 2"), Fields({"A=1"}));
    EXPECT_EQ(fields("A: 1\r\nB\r\n"), Fields({"A=1"}));
}

TEST_F(Trailer, FieldsAreKnownByName)
{
    const std::string section = "content-LENGTH: 5\r\nX: 1\r\n";
    const auto *bytes = reinterpret_cast<const unsigned char *>(section.data());
    struct http_field field;
    size_t at = 0;
    EXPECT_TRUE(http_trailer_next(bytes, section.size(), &at, &field));
    EXPECT_EQ(field.known, HTTP_FIELD_CONTENT_LENGTH);
    EXPECT_EQ(at, 19U);
    EXPECT_TRUE(http_trailer_next(bytes, section.size(), &at, &field));
    EXPECT_EQ(field.known, HTTP_FIELD_OTHER);
    EXPECT_FALSE(http_trailer_next(bytes, section.size(), &at, &field));
}
