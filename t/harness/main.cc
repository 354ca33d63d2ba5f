#include "harness/harness.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <sys/syscall.h>
#include <unistd.h>

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

// By seccomp, by /proc/sys/kernel/io_uring_disabled, for want of it, or by what we run under.
static bool is_forbidden(const std::string &backend)
{
    if (backend != "io_uring")
        return false;
    syscall(SYS_io_uring_setup, 0, nullptr); // fails in any case
    return errno == EPERM || errno == EACCES || errno == ENOSYS;
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

// Runs in place of all others.
class Forbidden : public testing::Test {
    void TestBody() override
    {
        GTEST_SKIP() << "this system does not let us use " << test_backend();
    }
};

int main(int argc, char **argv)
{
    testing::InitGoogleTest(&argc, argv);
    testing::UnitTest::GetInstance()->listeners().Append(new Guard);
    if (is_forbidden(test_backend())) {
        testing::RegisterTest("Backend", "IsForbidden", nullptr, nullptr, __FILE__, __LINE__,
                              []() -> testing::Test * { return new Forbidden; });
        GTEST_FLAG_SET(filter, "Backend.IsForbidden");
    }
    return RUN_ALL_TESTS();
}
