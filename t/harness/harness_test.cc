// The harness itself: it catches what it says it catches.

#include "harness/harness.h"

#include <cstdlib>
#include <filesystem>
#include <string>
#include <unistd.h>

TEST(Harness, BackendIsNamed)
{
    const std::string name = test_backend();
    EXPECT_TRUE(name == "epoll" || name == "poll" || name == "io_uring");
}

TEST(Harness, CountsAllocations)
{
    unsigned long before = test_allocations();
    void *volatile p = std::malloc(10);
    p = std::realloc(p, 20);
    std::free(p);
    p = std::calloc(2, 5);
    std::free(p);
    EXPECT_EQ(test_allocations(), before + 3);
}

TEST(Harness, FailsTheAllocationAskedFor)
{
    test_fail_allocation(2);
    void *volatile first = std::malloc(1);
    void *volatile second = std::malloc(1);
    void *volatile third = std::malloc(1);
    EXPECT_NE(first, nullptr);
    EXPECT_EQ(second, nullptr);
    EXPECT_NE(third, nullptr);
    std::free(first);
    std::free(third);
}

TEST(Harness, MayLeaveDescriptorsOpenWhenAllowed)
{
    test_allow_open_descriptors();
    EXPECT_GE(dup(0), 0);
}

// Run by the next test only, in a process of its own.
TEST(Harness, DISABLED_LeavesADescriptorOpen)
{
    EXPECT_GE(dup(0), 0);
}

TEST(Harness, ADescriptorLeftOpenFails)
{
    std::string self = std::filesystem::read_symlink("/proc/self/exe");
    std::string command = "env -u GTEST_OUTPUT " + self +
                          " --gtest_also_run_disabled_tests"
                          " --gtest_filter=*.DISABLED_LeavesADescriptorOpen >/dev/null";
    int status = std::system(command.c_str());
    EXPECT_EQ(WEXITSTATUS(status), 1);
}
