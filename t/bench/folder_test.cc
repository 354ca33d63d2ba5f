// Names of files that come from URLs, and the numbers of those that are there already.

#include "harness/harness.h"

#include <cstdlib>
#include <filesystem>
#include <memory>

#include <unistd.h>

extern "C" {
#include "folder.h"
}

namespace {

std::string name_of(const std::string &target)
{
    struct httpclient_url url = {};
    char name[FOLDER_NAME];
    url.target = target.data();
    url.target_length = target.size();
    folder_name(&url, name);
    return name;
}

TEST(FolderName, IsTheLastSegment)
{
    EXPECT_EQ(name_of("/a/b.txt"), "b.txt");
    EXPECT_EQ(name_of("/a/b?c=/d"), "b");
    EXPECT_EQ(name_of("/a%20b+c"), "a b+c");
    EXPECT_EQ(name_of("/%C3%A4"), "\xC3\xA4");
}

TEST(FolderName, OfNothingIsIndex)
{
    for (const char *target : {"", "/", "/a/", "?b", "/?b/c"})
        EXPECT_EQ(name_of(target), "index") << target;
}

TEST(FolderName, LeadsNowhereElse)
{
    EXPECT_EQ(name_of("/a/.."), "_.");
    EXPECT_EQ(name_of("/."), "_");
    EXPECT_EQ(name_of("/..%2F..%2fetc"), "_._.._etc");
    EXPECT_EQ(name_of("/%2e%2e"), "_.");
    EXPECT_EQ(name_of("/.profile"), "_profile");
    EXPECT_EQ(name_of("/%00%1b%7fa"), "___a");
}

TEST(FolderName, IsNotTooLong)
{
    EXPECT_EQ(name_of("/" + std::string(100000, 'x')), std::string(FOLDER_BASE, 'x'));
    std::string encoded;
    for (int i = 0; i < 1000; i++)
        encoded += "%41";
    EXPECT_EQ(name_of("/" + encoded), std::string(FOLDER_BASE, 'A'));
}

class Folder : public testing::Test {
  public:
    std::string path;
    std::unique_ptr<folder> f = std::make_unique<folder>();

    Folder()
    {
        char made[] = "/tmp/folder_test.XXXXXX";
        path = mkdtemp(made);
        EXPECT_EQ(folder_open(f.get(), (path + "/in").c_str()), 0);
    }

    ~Folder() override
    {
        folder_close(f.get());
        std::filesystem::remove_all(path);
    }

    std::string create(const std::string &wanted)
    {
        char name[FOLDER_NAME] = {};
        wanted.copy(name, FOLDER_NAME - 1);
        int fd = folder_create(f.get(), name);
        EXPECT_GE(fd, 0);
        close(fd);
        EXPECT_TRUE(std::filesystem::exists(path + "/in/" + name));
        return name;
    }
};

TEST_F(Folder, NumbersWhatIsThere)
{
    EXPECT_EQ(create("a"), "a");
    EXPECT_EQ(create("a"), "a.1");
    EXPECT_EQ(create("b"), "b");
    EXPECT_EQ(create("a"), "a.2");
    EXPECT_EQ(create("a.3"), "a.3");
    EXPECT_EQ(create("a"), "a.4");
    folder_remove(f.get(), "a");
    EXPECT_EQ(create("a"), "a");
}

TEST_F(Folder, NumbersTheLongestName)
{
    const std::string longest(FOLDER_BASE, 'x');
    EXPECT_EQ(create(longest), longest);
    EXPECT_EQ(create(longest), longest + ".1");
}

TEST_F(Folder, FollowsNoLink)
{
    std::filesystem::create_symlink(path + "/out", path + "/in/a");
    EXPECT_EQ(create("a"), "a.1");
    EXPECT_FALSE(std::filesystem::exists(path + "/out"));
}

TEST_F(Folder, IsOpenedWhenThereIsOne)
{
    struct folder again;
    EXPECT_EQ(folder_open(&again, (path + "/in").c_str()), 0);
    folder_close(&again);
    EXPECT_EQ(folder_open(&again, (path + "/none/in").c_str()), -ENOENT);
}

} // namespace
