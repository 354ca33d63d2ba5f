// What a machine allows: how many connections fit, and which limit is the one to name.

#include "harness/harness.h"

#include <cerrno>
#include <cstdlib>
#include <string>
#include <sys/resource.h>

extern "C" {
#include "limits.h"
}

static const limits usual = {20000, 1048576, 28232, 4096};

static std::string explain(limit which, uint64_t connections)
{
    char *text;
    size_t length;
    FILE *memory = open_memstream(&text, &length);

    limits_explain(&usual, which, connections, 32, memory);
    fclose(memory);
    std::string explained(text, length);
    free(text);
    return explained;
}

TEST(Limits, WhatFitsIsNotLimited)
{
    limit stopped;

    EXPECT_EQ(limits_fit(&usual, 19968, 1, 32, &stopped), 19968u);
    EXPECT_EQ(stopped, LIMIT_NONE);
    EXPECT_EQ(limits_fit(&usual, 0, 1, 32, &stopped), 0u);
    EXPECT_EQ(stopped, LIMIT_NONE);
}

TEST(Limits, DescriptorsAreSharedWithAllElse)
{
    limit stopped;

    EXPECT_EQ(limits_fit(&usual, 19969, 4, 32, &stopped), 19968u);
    EXPECT_EQ(stopped, LIMIT_DESCRIPTORS);
    EXPECT_EQ(limits_fit(&usual, 1, 1, 20001, &stopped), 0u);
    EXPECT_EQ(stopped, LIMIT_DESCRIPTORS);
}

TEST(Limits, WhatTheSystemForbidsIsNamedFirst)
{
    limit stopped;

    EXPECT_EQ(limits_fit(&usual, 1048544, 100, 32, &stopped), 19968u);
    EXPECT_EQ(stopped, LIMIT_DESCRIPTORS) << "could be raised so far";
    EXPECT_EQ(limits_fit(&usual, 1048545, 100, 32, &stopped), 19968u);
    EXPECT_EQ(stopped, LIMIT_NR_OPEN);
}

TEST(Limits, EachAddressHasSoManyPorts)
{
    const limits many = {1000000, 1048576, 28232, 4096};
    limit stopped;

    EXPECT_EQ(limits_fit(&many, 30000, 1, 32, &stopped), 28232u);
    EXPECT_EQ(stopped, LIMIT_PORTS);
    EXPECT_EQ(limits_fit(&many, 30000, 2, 32, &stopped), 30000u);
    EXPECT_EQ(stopped, LIMIT_NONE);
    EXPECT_EQ(limits_fit(&many, 30000, 0, 32, &stopped), 30000u) << "unix sockets need none";
}

TEST(Limits, ErrorsMeanOne)
{
    EXPECT_EQ(limits_met(EMFILE), LIMIT_DESCRIPTORS);
    EXPECT_EQ(limits_met(ENFILE), LIMIT_FILES);
    EXPECT_EQ(limits_met(EADDRNOTAVAIL), LIMIT_PORTS);
    EXPECT_EQ(limits_met(ENOBUFS), LIMIT_MEMORY);
    EXPECT_EQ(limits_met(ENOSPC), LIMIT_WATCHES);
    EXPECT_EQ(limits_met(ECONNREFUSED), LIMIT_NONE);
}

TEST(Limits, AreExplainedByNameValueAndRemedy)
{
    EXPECT_EQ(explain(LIMIT_DESCRIPTORS, 100000),
              "RLIMIT_NOFILE is 20000, and 100032 are needed: as root, prlimit --nofile=100032 "
              "--pid $$ in the shell, or LimitNOFILE= in a unit");
    for (int which = LIMIT_DESCRIPTORS; which <= LIMIT_WATCHES; which++) {
        std::string name = limit_name((limit)which), text = explain((limit)which, 100000);

        EXPECT_NE(text.find(name), std::string::npos) << text;
        EXPECT_EQ(text.find('\n'), std::string::npos) << "one line";
    }
    EXPECT_EQ(explain(LIMIT_NONE, 1), "");
}

TEST(Limits, AreReadAndRaisedAsFarAsTheyMayBe)
{
    rlimit before, after;
    limits read;

    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    rlimit low = {16, before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
    limits_raise(before.rlim_max, &read);
    EXPECT_EQ(read.descriptors, before.rlim_max);
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &after), 0);
    EXPECT_EQ(after.rlim_cur, before.rlim_max);

    // What is enough stays as it is.
    limits_raise(4, &read);
    EXPECT_EQ(read.descriptors, before.rlim_max);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_GT(read.ports, 0u);
    EXPECT_GT(read.nr_open, 0u);
    EXPECT_GT(read.somaxconn, 0u);
}
