// The table of options: what is read from the command line and from the environment.

#include "harness/harness.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string>
#include <vector>

extern "C" {
#include "options.h"
}

class Options : public testing::Test {
  protected:
    cli_settings settings;
    std::string explanation;

    Options()
    {
        cli_settings_init(&settings);
    }

    ~Options()
    {
        cli_settings_fini(&settings);
        for (const std::string &name : names)
            unsetenv(name.c_str());
    }

    void variable(const std::string &name, const std::string &value)
    {
        names.insert(name);
        setenv(name.c_str(), value.c_str(), 1);
    }

    // The arguments stay where they are for as long as the settings.
    int read(std::vector<std::string> arguments)
    {
        char text[CLI_EXPLANATION] = "";

        kept = std::move(arguments);
        pointers = {(char *)"asynwsgi"};
        for (std::string &argument : kept)
            pointers.push_back(argument.data());
        pointers.push_back(nullptr);
        int error = cli_options_read(&settings, (int)pointers.size() - 1, pointers.data(), text);
        explanation = text;
        return error;
    }

    static std::vector<std::string> texts(const cli_list &list)
    {
        return {list.items, list.items + list.count};
    }

  private:
    std::vector<std::string> kept;
    std::vector<char *> pointers;
    std::set<std::string> names;
};

using Strings = std::vector<std::string>;

TEST_F(Options, ValuesAreJoinedOrApart)
{
    EXPECT_EQ(read({"-w", "2", "--backlog=7", "-b127.0.0.1:1", "--bind", "[::1]:2", "app:x",
                    "--log-level", "error", "--timeout-head=5", "--switch-interval=250us",
                    "--profile", "here"}),
              0);
    EXPECT_EQ(settings.server.workers, 2u);
    EXPECT_EQ(settings.server.backlog, 7);
    EXPECT_STREQ(settings.server.wsgi.application, "app:x");
    EXPECT_EQ(settings.server.log_level, SERVER_LOG_ERROR);
    EXPECT_EQ(settings.server.timeouts.head, 5000000000u);
    EXPECT_EQ(settings.server.wsgi.switch_interval, 250000u);
    EXPECT_STREQ(settings.server.wsgi.profile, "here");
}

TEST_F(Options, AJoinedValueCanBeEmpty)
{
    EXPECT_EQ(read({"--timeout-head=", "5"}), -EINVAL);
    EXPECT_EQ(explanation.find("--timeout-head: \"\" is not"), 0u);
}

TEST_F(Options, AfterTwoDashesThereAreNone)
{
    EXPECT_EQ(read({"--", "--workers"}), 0);
    EXPECT_STREQ(settings.server.wsgi.application, "--workers");
}

TEST_F(Options, OneDashIsNoOption)
{
    EXPECT_EQ(read({"--access-logfile", "-", "app"}), 0);
    EXPECT_STREQ(settings.server.access_log, "-");
}

TEST_F(Options, ListsGrow)
{
    EXPECT_EQ(read({"-b", "one:1", "-b", "two:2", "--pythonpath", "/a:/b::", "--pythonpath", "c"}),
              0);
    EXPECT_EQ(texts(settings.binds), (Strings{"one:1", "two:2"}));
    EXPECT_EQ(texts(settings.python_path), (Strings{"/a", "/b", "c"}));
    EXPECT_EQ(settings.binds.items[2], nullptr);
}

TEST_F(Options, TheEnvironmentComesSecond)
{
    variable("ASYNWSGI_WORKERS", "3");
    variable("ASYNWSGI_BACKLOG", "9");
    variable("ASYNWSGI_BIND", "  a:1 b:2\n");
    variable("WEB_CONCURRENCY", "4");
    EXPECT_EQ(read({"-w", "2"}), 0);
    EXPECT_EQ(settings.server.workers, 2u);
    EXPECT_EQ(settings.server.backlog, 9);
    EXPECT_EQ(texts(settings.binds), (Strings{"a:1", "b:2"}));
}

TEST_F(Options, AListOnTheCommandLineReplacesTheEnvironments)
{
    variable("ASYNWSGI_BIND", "a:1 b:2");
    EXPECT_EQ(read({"-b", "c:3"}), 0);
    EXPECT_EQ(texts(settings.binds), Strings{"c:3"});
}

TEST_F(Options, OursComesBeforeWhatOthersKnowItBy)
{
    variable("WEB_CONCURRENCY", "4");
    EXPECT_EQ(read({}), 0);
    EXPECT_EQ(settings.server.workers, 4u);
    variable("ASYNWSGI_WORKERS", "3");
    EXPECT_EQ(read({}), 0);
    EXPECT_EQ(settings.server.workers, 3u);
}

TEST_F(Options, EmptyVariablesSayNothing)
{
    variable("ASYNWSGI_WORKERS", "");
    variable("WEB_CONCURRENCY", "");
    variable("ASYNWSGI_ACCESS_LOGFILE", "");
    EXPECT_EQ(read({}), 0);
    EXPECT_EQ(settings.server.workers, 1u);
    EXPECT_EQ(settings.server.access_log, nullptr);
}

TEST_F(Options, SwitchesInTheEnvironment)
{
    for (const char *yes : {"1", "yes", "TRUE", "on"}) {
        variable("ASYNWSGI_FACTORY", yes);
        EXPECT_EQ(read({}), 0);
        EXPECT_TRUE(settings.server.wsgi.factory) << yes;
    }
    for (const char *no : {"0", "No", "false", "off"}) {
        variable("ASYNWSGI_FACTORY", no);
        EXPECT_EQ(read({}), 0);
        EXPECT_FALSE(settings.server.wsgi.factory) << no;
    }
    variable("ASYNWSGI_FACTORY", "1");
    variable("ASYNWSGI_HELP", "1");
    variable("ASYNWSGI_VERSION", "1");
    EXPECT_EQ(read({}), 0);
    EXPECT_FALSE(settings.help || settings.version);
}

// A value each that is not the default.
static std::string sample(const cli_option &option)
{
    if (option.kind == &cli_kind_switch)
        return "1";
    if (option.kind == &cli_kind_level)
        return "debug";
    if (option.kind == &cli_kind_backend)
        return "poll";
    if (option.kind == &cli_kind_variables)
        return "A=B";
    if (option.kind == &cli_kind_prefixes)
        return "/77";
    return option.least > 77 ? "77m" : "77";
}

TEST_F(Options, EveryOneIsReadFromTheEnvironmentAsFromTheCommandLine)
{
    for (size_t i = 0; i < cli_options_count; i++) {
        const cli_option &option = cli_options[i];
        cli_settings initial, given;

        if (!option.name || option.local)
            continue;
        std::string name = "ASYNWSGI_" + std::string(option.name), value = sample(option);
        for (char &c : name)
            c = c == '-' ? '_' : (char)toupper(c);

        cli_settings_init(&initial);
        cli_settings_fini(&settings);
        cli_settings_init(&settings);
        variable(name, value);
        EXPECT_EQ(read({}), 0) << explanation;
        unsetenv(name.c_str());
        const char *place = (const char *)&settings + option.place;
        EXPECT_NE(std::memcmp(place, (char *)&initial + option.place, option.width), 0) << name;

        given = settings;
        cli_settings_init(&settings);
        Strings arguments = {"--" + std::string(option.name)};
        if (!option.kind->is_switch)
            arguments.push_back(value);
        EXPECT_EQ(read(arguments), 0) << explanation;
        if (option.kind->is_list) {
            EXPECT_EQ(texts(*(const cli_list *)place), Strings{value});
        } else if (option.kind != &cli_kind_text && option.kind != &cli_kind_backend) {
            EXPECT_EQ(std::memcmp(place, (char *)&given + option.place, option.width), 0) << name;
        }
        cli_settings_fini(&given);
    }
}

TEST_F(Options, NamesAndLettersAreUnique)
{
    std::set<std::string> long_names;
    std::set<char> letters;

    for (size_t i = 0; i < cli_options_count; i++) {
        if (!cli_options[i].name)
            continue;
        EXPECT_TRUE(long_names.insert(cli_options[i].name).second) << cli_options[i].name;
        if (cli_options[i].letter) {
            EXPECT_TRUE(letters.insert(cli_options[i].letter).second) << cli_options[i].letter;
        }
        EXPECT_EQ(cli_options[i].value == nullptr, cli_options[i].kind->is_switch);
    }
    EXPECT_LE(cli_options_count, 64u) << "struct reading remembers no more";
}

TEST_F(Options, MistakesAreNamed)
{
    EXPECT_EQ(read({"-w", "0"}), -EINVAL);
    EXPECT_EQ(explanation, "--workers: \"0\" is not \"auto\" or a number, from 1 to 1024");
    variable("WEB_CONCURRENCY", "x");
    EXPECT_EQ(read({}), -EINVAL);
    EXPECT_EQ(explanation, "WEB_CONCURRENCY: \"x\" is not \"auto\" or a number, from 1 to 1024");
    EXPECT_EQ(read({"--workers"}), -EINVAL);
    EXPECT_EQ(explanation, "--workers needs a value");
    EXPECT_EQ(read({"--timeout-head", std::string(5000, 'x')}), -EINVAL);
    EXPECT_LT(explanation.size(), 700u);
    EXPECT_EQ(read({"--" + std::string(5000, 'x')}), -EINVAL);
    EXPECT_EQ(read({std::string(5000, 'x'), std::string(5000, 'y')}), -EINVAL);
}

static std::string guess(const char *name)
{
    const cli_option *option = cli_options_guess(name, std::strlen(name));

    return option ? option->name : "";
}

TEST(Guess, IsTheNearest)
{
    EXPECT_EQ(guess("wrokers"), "workers");
    EXPECT_EQ(guess("worker"), "workers");
    EXPECT_EQ(guess("timeout-heda"), "timeout-head");
    EXPECT_EQ(guess("log"), "log-level");
    EXPECT_EQ(guess("keep-alive"), "timeout-idle");
    EXPECT_EQ(guess("port"), "bind");
    EXPECT_EQ(guess("nothing"), "");
    EXPECT_EQ(guess(""), "");
    EXPECT_EQ(guess(std::string(1000, 'a').c_str()), "");
}

TEST_F(Options, OutOfMemoryIsReported)
{
    for (unsigned long n = 1;; n++) {
        cli_settings_fini(&settings);
        cli_settings_init(&settings);
        variable("ASYNWSGI_BIND", "a:1 b:2");
        test_fail_allocation(n);
        int error = read({"--pythonpath", "/a:/b"});
        bool enough = error == 0;
        test_fail_allocation(0);
        if (enough)
            break;
        ASSERT_EQ(error, -ENOMEM) << n;
    }
    EXPECT_EQ(texts(settings.binds), (Strings{"a:1", "b:2"}));
}
