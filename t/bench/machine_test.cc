// What a machine allows: how many connections fit, and which limit is the one to name.

#include "harness/harness.h"

#include <cerrno>
#include <cstdlib>
#include <string>
#include <sys/resource.h>

extern "C" {
#include "machine.h"
}

static const machine usual = {20000, 1048576, 28232, 4096};

static std::string explain(machine_limit which, uint64_t connections)
{
    char *text;
    size_t length;
    FILE *memory = open_memstream(&text, &length);

    machine_explain(&usual, which, connections, 32, memory);
    fclose(memory);
    std::string explained(text, length);
    free(text);
    return explained;
}

TEST(Machine, WhatFitsIsNotLimited)
{
    machine_limit stopped;

    EXPECT_EQ(machine_fit(&usual, 19968, 1, 32, &stopped), 19968u);
    EXPECT_EQ(stopped, MACHINE_NONE);
    EXPECT_EQ(machine_fit(&usual, 0, 1, 32, &stopped), 0u);
    EXPECT_EQ(stopped, MACHINE_NONE);
}

TEST(Machine, DescriptorsAreSharedWithAllElse)
{
    machine_limit stopped;

    EXPECT_EQ(machine_fit(&usual, 19969, 4, 32, &stopped), 19968u);
    EXPECT_EQ(stopped, MACHINE_DESCRIPTORS);
    EXPECT_EQ(machine_fit(&usual, 1, 1, 20001, &stopped), 0u);
    EXPECT_EQ(stopped, MACHINE_DESCRIPTORS);
}

TEST(Machine, WhatTheSystemForbidsIsNamedFirst)
{
    machine_limit stopped;

    EXPECT_EQ(machine_fit(&usual, 1048544, 100, 32, &stopped), 19968u);
    EXPECT_EQ(stopped, MACHINE_DESCRIPTORS) << "could be raised so far";
    EXPECT_EQ(machine_fit(&usual, 1048545, 100, 32, &stopped), 19968u);
    EXPECT_EQ(stopped, MACHINE_NR_OPEN);
}

TEST(Machine, EachAddressHasSoManyPorts)
{
    const machine many = {1000000, 1048576, 28232, 4096};
    machine_limit stopped;

    EXPECT_EQ(machine_fit(&many, 30000, 1, 32, &stopped), 28232u);
    EXPECT_EQ(stopped, MACHINE_PORTS);
    EXPECT_EQ(machine_fit(&many, 30000, 2, 32, &stopped), 30000u);
    EXPECT_EQ(stopped, MACHINE_NONE);
    EXPECT_EQ(machine_fit(&many, 30000, 0, 32, &stopped), 30000u) << "unix sockets need none";
}

TEST(Machine, ErrorsMeanOne)
{
    EXPECT_EQ(machine_limit_met(EMFILE), MACHINE_DESCRIPTORS);
    EXPECT_EQ(machine_limit_met(ENFILE), MACHINE_FILES);
    EXPECT_EQ(machine_limit_met(EADDRNOTAVAIL), MACHINE_PORTS);
    EXPECT_EQ(machine_limit_met(ENOBUFS), MACHINE_MEMORY);
    EXPECT_EQ(machine_limit_met(ENOSPC), MACHINE_WATCHES);
    EXPECT_EQ(machine_limit_met(ECONNREFUSED), MACHINE_NONE);
}

TEST(Machine, AreExplainedByNameValueAndRemedy)
{
    EXPECT_EQ(explain(MACHINE_DESCRIPTORS, 100000),
              "RLIMIT_NOFILE is 20000, and 100032 are needed: as root, prlimit --nofile=100032 "
              "--pid $$ in the shell, or LimitNOFILE= in a unit");
    for (int which = MACHINE_DESCRIPTORS; which <= MACHINE_WATCHES; which++) {
        std::string name = machine_limit_name((machine_limit)which),
                    text = explain((machine_limit)which, 100000);

        EXPECT_NE(text.find(name), std::string::npos) << text;
        EXPECT_EQ(text.find('\n'), std::string::npos) << "one line";
    }
    EXPECT_EQ(explain(MACHINE_NONE, 1), "");
}

TEST(Machine, AreReadAndRaisedAsFarAsTheyMayBe)
{
    rlimit before, after;
    machine read;

    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    rlimit low = {16, before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
    machine_raise(before.rlim_max, &read);
    EXPECT_EQ(read.descriptors, before.rlim_max);
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &after), 0);
    EXPECT_EQ(after.rlim_cur, before.rlim_max);

    // What is enough stays as it is.
    machine_raise(4, &read);
    EXPECT_EQ(read.descriptors, before.rlim_max);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_GT(read.ports, 0u);
    EXPECT_GT(read.nr_open, 0u);
    EXPECT_GT(read.somaxconn, 0u);
}
