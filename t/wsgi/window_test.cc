// What has arrived of a body that is streamed: bytes, and the chunks they came in.

#include "harness/harness.h"

#include <cerrno>
#include <string>
#include <vector>

extern "C" {
#include "window.h"
}

namespace {

class Window : public testing::Test {
  public:
    wsgi_window window = {};

    void TearDown() override
    {
        wsgi_window_clear(&window);
    }

    int append(const std::string &data, uint64_t chunk_size = 0)
    {
        return wsgi_window_append(&window, reinterpret_cast<const unsigned char *>(data.data()),
                                  data.size(), chunk_size);
    }

    std::string take(size_t length)
    {
        std::string taken(reinterpret_cast<const char *>(wsgi_window_data(&window)), length);

        wsgi_window_take(&window, length);
        return taken;
    }

    // What iterating would give: "SIZE:data" where a chunk begins, "data" where none does.
    std::string next()
    {
        uint64_t chunk_size;
        size_t length = wsgi_window_run(&window, &chunk_size);
        std::string data = take(length);

        return chunk_size > 0 ? std::to_string(chunk_size) + ":" + data : data;
    }
};

TEST_F(Window, WithoutChunksAllIsOneRun)
{
    append("one ");
    append("two");
    EXPECT_EQ(next(), "one two");
    EXPECT_EQ(window.length, 0u);
    append("three");
    EXPECT_EQ(next(), "three");
}

TEST_F(Window, ARunEndsWhereAChunkBegins)
{
    append("abc", 3);
    append("de", 5);
    append("fgh");
    append("i", 1);
    EXPECT_EQ(next(), "3:abc");
    EXPECT_EQ(next(), "5:defgh");
    EXPECT_EQ(next(), "1:i");
}

TEST_F(Window, TheRestOfAChunkIsNoNewOne)
{
    append("ab", 4);
    EXPECT_EQ(next(), "4:ab");
    append("cd");
    append("e", 1);
    EXPECT_EQ(next(), "cd");
    EXPECT_EQ(next(), "1:e");
}

TEST_F(Window, ReadingPassesOverWhereChunksBegin)
{
    append("abc", 3);
    append("def", 3);
    append("ghi", 3);
    EXPECT_EQ(take(4), "abcd");
    EXPECT_EQ(next(), "ef");
    EXPECT_EQ(next(), "3:ghi");
}

TEST_F(Window, ReadingUpToAChunkLeavesItsBeginning)
{
    append("abc", 3);
    append("def", 7);
    EXPECT_EQ(take(3), "abc");
    EXPECT_EQ(next(), "7:def");
}

TEST_F(Window, HoldsNoMemoryWhenAllIsTaken)
{
    append("abc", 3);
    EXPECT_GT(window.capacity, 0u);
    take(3);
    EXPECT_EQ(window.bytes, nullptr);
    EXPECT_EQ(window.chunks, nullptr);
    EXPECT_EQ(window.capacity, 0u);
}

TEST_F(Window, ManyPiecesInAndOutOfStep)
{
    std::string sent, taken;

    for (int i = 0; i < 2000; i++) {
        std::string piece(static_cast<size_t>(1 + i * 7 % 13), static_cast<char>('a' + i % 26));

        ASSERT_EQ(append(piece, piece.size()), 0);
        sent += piece;
        while (window.length > static_cast<size_t>(i % 40))
            taken += take(window.length < 5 ? window.length : 5);
    }
    taken += take(window.length);
    EXPECT_EQ(taken, sent);
    EXPECT_EQ(window.offset, sent.size());
}

TEST_F(Window, FullMemoryLosesNothing)
{
    append("abc", 3);
    for (unsigned long n = 1; n <= 2; n++) {
        test_fail_allocation(n);
        EXPECT_EQ(append(std::string(100, 'x'), 100), -ENOMEM) << n;
        test_fail_allocation(0);
        EXPECT_EQ(window.length, 3u);
    }
    EXPECT_EQ(next(), "3:abc");
    EXPECT_EQ(append("d", 1), 0);
    EXPECT_EQ(next(), "1:d");
}

} // namespace
