// Arguments: each way to write an option, operands, what is refused and why.

#include "harness/harness.h"

#include <cstdio>
#include <vector>

extern "C" {
#include "arguments.h"
}

namespace {

struct Settings {
    bool on;
    uint64_t count, time, size;
    const char *text;
    std::vector<std::string> taken;
};

int take(void *settings, const char *value)
{
    if (std::string(value) == "bad")
        return -EINVAL;
    if (std::string(value) == "gone")
        return -ENOENT;
    static_cast<Settings *>(settings)->taken.emplace_back(value);
    return 0;
}

#define PLACE(kind, member) kind, offsetof(Settings, member)
#pragma GCC diagnostic ignored "-Winvalid-offsetof"

const struct arguments_option options[] = {
    {nullptr, nullptr, "Heading", 0, PLACE(ARGUMENTS_SWITCH, on), 0, 0, nullptr, nullptr},
    {"on", nullptr, "a switch", 'o', PLACE(ARGUMENTS_SWITCH, on), 0, 0, nullptr, nullptr},
    {"count", "N", "from 1 to 10", 'c', PLACE(ARGUMENTS_COUNT, count), 1, 10, nullptr, nullptr},
    {"time", "TIME", "in\ntwo lines", 0, PLACE(ARGUMENTS_DURATION, time), 0, 0, nullptr, nullptr},
    {"size", "SIZE", "bytes", 0, PLACE(ARGUMENTS_SIZE, size), 0, 0, nullptr, nullptr},
    {"text", "TEXT", "text", 't', PLACE(ARGUMENTS_TEXT, text), 0, 0, nullptr, nullptr},
    {"call", "WHAT", "called", 'C', ARGUMENTS_CALL, 0, 0, 0, take, "good"},
    {nullptr, nullptr, nullptr, 0, ARGUMENTS_SWITCH, 0, 0, 0, nullptr, nullptr},
};

class Arguments : public testing::Test {
  public:
    Settings settings = {};
    std::vector<std::string> operands;

    // What arguments_read() gives.
    int read(std::vector<std::string> arguments)
    {
        std::vector<char *> argv;
        arguments.insert(arguments.begin(), "program");
        for (std::string &argument : arguments)
            argv.push_back(argument.data());
        argv.push_back(nullptr);
        kept.push_back(std::move(arguments));
        int count = arguments_read("program", options, &settings, argv.data());
        for (int i = 0; i < count; i++)
            operands.emplace_back(argv[static_cast<size_t>(i)]);
        return count;
    }

    // The line that is said of it.
    std::string refuse(const std::vector<std::string> &arguments, int error = -EINVAL)
    {
        testing::internal::CaptureStderr();
        EXPECT_EQ(read(arguments), error);
        return testing::internal::GetCapturedStderr();
    }

  private:
    std::vector<std::vector<std::string>> kept;
};

TEST_F(Arguments, EachWayToWriteThem)
{
    EXPECT_EQ(read({"-o", "-c", "3", "--time=1m30s", "--size", "64k", "-ttext", "-C", "a", "-Cb"}),
              0);
    EXPECT_TRUE(settings.on);
    EXPECT_EQ(settings.count, 3u);
    EXPECT_EQ(settings.time, 90000000000u);
    EXPECT_EQ(settings.size, 65536u);
    EXPECT_STREQ(settings.text, "text");
    EXPECT_EQ(settings.taken, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(read({"--text="}), 0);
    EXPECT_STREQ(settings.text, "");
    EXPECT_EQ(read({"--text", "--on"}), 0);
    EXPECT_STREQ(settings.text, "--on");
}

TEST_F(Arguments, Operands)
{
    EXPECT_EQ(read({"a", "-", "-o", "", "--", "-c", "--"}), 5);
    EXPECT_EQ(operands, (std::vector<std::string>{"a", "-", "", "-c", "--"}));
    EXPECT_EQ(read({}), 0);
}

TEST_F(Arguments, WhatIsRefused)
{
    EXPECT_EQ(refuse({"--none"}), "program: --none is no option; see --help\n");
    EXPECT_EQ(refuse({"--o"}), "program: --o is no option; see --help\n");
    EXPECT_EQ(refuse({"-x"}), "program: -x is no option; see --help\n");
    EXPECT_EQ(refuse({"--on=1"}), "program: --on=1 takes no value\n");
    EXPECT_EQ(refuse({"-c"}), "program: -c needs a value\n");
    EXPECT_EQ(refuse({"-c11"}),
              "program: --count: \"11\" is not a number such as 100 or 20k, from 1 to 10\n");
    EXPECT_EQ(refuse({"-c0"}),
              "program: --count: \"0\" is not a number such as 100 or 20k, from 1 to 10\n");
    EXPECT_EQ(refuse({"--time", "x"}),
              "program: --time: \"x\" is not a time such as 90, 1m30s or 500ms\n");
    EXPECT_EQ(refuse({"--call", "bad"}), "program: --call: \"bad\" is not good\n");
    EXPECT_EQ(refuse({"--call", "gone"}, -ENOENT),
              "program: --call: gone: No such file or directory\n");
}

TEST_F(Arguments, Help)
{
    char *text = nullptr;
    size_t length = 0;
    FILE *output = open_memstream(&text, &length);
    arguments_help(options, output);
    fclose(output);
    EXPECT_EQ(std::string(text, length), "\nHeading:\n"
                                         "  -o, --on                     a switch\n"
                                         "  -c, --count N                from 1 to 10\n"
                                         "      --time TIME              in\n"
                                         "                               two lines\n"
                                         "      --size SIZE              bytes\n"
                                         "  -t, --text TEXT              text\n"
                                         "  -C, --call WHAT              called\n");
    free(text);
}

} // namespace
