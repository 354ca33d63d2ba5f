#include "harness/harness.h"

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

static bool open_descriptors_allowed;

const char *test_backend()
{
    const char *name = std::getenv("ASYNWSGI_TEST_BACKEND");
    return name != nullptr ? name : "epoll";
}

void test_allow_open_descriptors()
{
    open_descriptors_allowed = true;
}

// Each open descriptor and what it refers to.
static std::map<std::string, std::string> open_descriptors()
{
    std::map<std::string, std::string> fds;
    std::error_code gone; // the descriptor of the iteration itself
    for (const auto &entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::string target = std::filesystem::read_symlink(entry.path(), gone);
        if (!gone && target.compare(0, 6, "/proc/") != 0)
            fds[entry.path().filename()] = target;
    }
    return fds;
}

class Guard : public testing::EmptyTestEventListener {
    void OnTestStart(const testing::TestInfo &) override
    {
        open_descriptors_allowed = false;
        test_fail_allocation(0);
        before = open_descriptors();
    }

    void OnTestEnd(const testing::TestInfo &) override
    {
        test_fail_allocation(0);
        if (open_descriptors_allowed)
            return;
        EXPECT_EQ(open_descriptors(), before) << "the test changed what descriptors are open";
    }

    std::map<std::string, std::string> before;
};

int main(int argc, char **argv)
{
    testing::InitGoogleTest(&argc, argv);
    testing::UnitTest::GetInstance()->listeners().Append(new Guard);
    return RUN_ALL_TESTS();
}
