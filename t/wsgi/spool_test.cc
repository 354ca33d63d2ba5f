// The body put aside: in memory, in a file, and where that cannot be written.

#include "harness/harness.h"

extern "C" {
#include "spool.h"
}

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <random>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

namespace {

struct Spool : wsgi_spool {
    Spool()
    {
        wsgi_spool_init(this);
    }
    ~Spool()
    {
        wsgi_spool_fini(this);
    }

    int append(const std::string &data, size_t most, const char *folder = nullptr)
    {
        return wsgi_spool_append(this, most, folder,
                                 reinterpret_cast<const unsigned char *>(data.data()), data.size());
    }

    std::string read(uint64_t from = 0)
    {
        const unsigned char *data;
        std::string all;
        size_t n;

        while (wsgi_spool_peek(this, from + all.size(), &data, &n) == 0 && n > 0)
            all.append(reinterpret_cast<const char *>(data), n);
        return all;
    }
};

std::string noise(size_t length)
{
    std::mt19937 random(7);
    std::string bytes(length, '\0');

    for (char &c : bytes)
        c = static_cast<char>(random());
    return bytes;
}

TEST(Spool, KeepsASmallBodyInMemory)
{
    Spool spool;

    ASSERT_EQ(spool.append("hello ", 11), 0);
    ASSERT_EQ(spool.append("", 11), 0);
    ASSERT_EQ(spool.append("world", 11), 0);
    EXPECT_EQ(spool.file, -1);
    EXPECT_EQ(spool.length, 11u);
    EXPECT_EQ(spool.read(), "hello world");
    EXPECT_EQ(spool.read(6), "world");
    EXPECT_EQ(spool.read(11), "");
}

TEST(Spool, MovesALongerOneToAFile)
{
    Spool spool;

    ASSERT_EQ(spool.append("hello ", 10), 0);
    ASSERT_EQ(spool.append("world", 10), 0);
    EXPECT_GE(spool.file, 0);
    ASSERT_EQ(spool.append("!", 10), 0);
    EXPECT_EQ(spool.read(), "hello world!");
    EXPECT_EQ(spool.read(3), "lo world!");
}

TEST(Spool, ReadsAFileLongerThanItsWindowAtAnyOffset)
{
    std::string bytes = noise(300000);
    Spool spool;

    for (size_t at = 0; at < bytes.size(); at += 7000)
        ASSERT_EQ(spool.append(bytes.substr(at, 7000), 0), 0);
    EXPECT_EQ(spool.read(), bytes);
    for (size_t at : {0ul, 1ul, 65535ul, 65536ul, 65537ul, 131072ul, 299999ul, 200000ul, 100ul})
        EXPECT_EQ(spool.read(at), bytes.substr(at)) << at;
}

TEST(Spool, ServesAgainAfterClear)
{
    Spool spool;

    ASSERT_EQ(spool.append(std::string(100000, 'a'), 10), 0);
    wsgi_spool_clear(&spool);
    EXPECT_EQ(spool.length, 0u);
    EXPECT_EQ(spool.read(), "");
    ASSERT_EQ(spool.append("b", 10), 0);
    EXPECT_EQ(spool.file, -1);
    EXPECT_EQ(spool.read(), "b");
    ASSERT_EQ(spool.append(std::string(20, 'c'), 10), 0);
    EXPECT_EQ(spool.read(), "b" + std::string(20, 'c'));
}

TEST(Spool, AllocatesNothingForTheNextSmallBody)
{
    Spool spool;
    unsigned long before;

    ASSERT_EQ(spool.append("first", 100), 0);
    before = test_allocations();
    for (int i = 0; i < 10; i++) {
        wsgi_spool_clear(&spool);
        ASSERT_EQ(spool.append("second", 100), 0);
    }
    EXPECT_EQ(test_allocations(), before);
}

TEST(Spool, LeavesABodyWhereItIsUntilItIsToKeepIt)
{
    std::string there = "where it is";
    const auto *bytes = reinterpret_cast<const unsigned char *>(there.data());
    unsigned long before = test_allocations();
    Spool spool;

    wsgi_spool_lend(&spool, bytes, there.size());
    EXPECT_EQ(spool.length, there.size());
    EXPECT_EQ(spool.read(6), "it is");
    EXPECT_EQ(test_allocations(), before);
    ASSERT_EQ(wsgi_spool_keep(&spool), 0);
    there.assign(there.size(), '-');
    EXPECT_EQ(spool.read(), "where it is");
    ASSERT_EQ(wsgi_spool_keep(&spool), 0);
    EXPECT_EQ(spool.read(), "where it is");
}

TEST(Spool, LetsGoOfWhatWasLent)
{
    Spool spool;

    wsgi_spool_lend(&spool, reinterpret_cast<const unsigned char *>("lent"), 4);
    wsgi_spool_clear(&spool);
    EXPECT_EQ(spool.read(), "");
    ASSERT_EQ(spool.append("own", 10), 0);
    EXPECT_EQ(spool.read(), "own");
}

TEST(Spool, SaysThatThereIsNoMemoryToKeepIt)
{
    Spool spool;

    wsgi_spool_lend(&spool, reinterpret_cast<const unsigned char *>("lent"), 4);
    test_fail_allocation(1);
    EXPECT_EQ(wsgi_spool_keep(&spool), -ENOMEM);
    EXPECT_EQ(spool.read(), "");
}

TEST(Spool, FileHasNoName)
{
    std::filesystem::path folder = std::filesystem::temp_directory_path() /
                                   ("asynwsgi-spool-test-" + std::to_string(getpid()));

    std::filesystem::create_directory(folder);
    {
        Spool spool;

        ASSERT_EQ(spool.append("12345", 0, folder.c_str()), 0);
        EXPECT_TRUE(std::filesystem::is_empty(folder));
        EXPECT_EQ(spool.read(), "12345");
    }
    std::filesystem::remove(folder);
}

TEST(Spool, SaysThatTheFolderIsNotThere)
{
    Spool spool;

    EXPECT_EQ(spool.append("12345", 0, "/nonexistent"), -ENOENT);
    EXPECT_EQ(spool.append("12345", 0, std::string(5000, 'x').c_str()), -ENAMETOOLONG);
}

TEST(Spool, SaysThatTheFileMayNotGrow)
{
    rlimit old, small;
    Spool spool;

    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    small.rlim_cur = 10000;
    setrlimit(RLIMIT_FSIZE, &small);
    EXPECT_EQ(spool.append(std::string(9000, 'a'), 100), 0);
    EXPECT_EQ(spool.append(std::string(9000, 'a'), 100), -EFBIG);
    setrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, SIG_DFL);
}

TEST(Spool, SaysThatMemoryIsOut)
{
    const unsigned char *data;
    size_t length;
    Spool spool;

    test_fail_allocation(1);
    EXPECT_EQ(spool.append("a", 100), -ENOMEM);
    ASSERT_EQ(spool.append("a", 100), 0);
    test_fail_allocation(1);
    EXPECT_EQ(spool.append(std::string(5000, 'a'), 10000), -ENOMEM);
    EXPECT_EQ(spool.read(), "a");

    ASSERT_EQ(spool.append(std::string(20000, 'a'), 0), 0);
    test_fail_allocation(1);
    EXPECT_EQ(wsgi_spool_peek(&spool, 0, &data, &length), -ENOMEM);
}

TEST(Spool, SaysThatTheFileBroke)
{
    const unsigned char *data;
    size_t length;
    Spool spool;

    ASSERT_EQ(spool.append("12345", 0), 0);
    ASSERT_EQ(ftruncate(spool.file, 2), 0);
    ASSERT_EQ(wsgi_spool_peek(&spool, 1, &data, &length), 0);
    EXPECT_EQ(length, 1u);
    EXPECT_EQ(wsgi_spool_peek(&spool, 2, &data, &length), -EIO);
}

} // namespace
