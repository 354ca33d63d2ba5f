// The error log.

#include "server/support.h"

#include <cerrno>
#include <csignal>
#include <regex>
#include <sys/wait.h>
#include <unistd.h>

extern "C" {
#include "log.h"
}

class Log : public testing::Test {
  protected:
    Folder folder;
    std::string file = folder / "log";
    server_log log = {-1, SERVER_LOG_DEBUG};

    Log()
    {
        EXPECT_EQ(server_log_open(file.c_str(), 2, &log.fd), 0);
    }
    ~Log()
    {
        server_log_close(log.fd);
    }

    // The lines after their prefixes, which are checked.
    std::vector<std::string> lines()
    {
        static const std::regex form("\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d [+-]\\d{4} "
                                     "\\[\\d+\\] (\\[(debug|info|warning|error|critical)\\] .*)");
        std::istringstream text(contents(file));
        std::vector<std::string> found;
        std::smatch match;

        for (std::string line; std::getline(text, line);) {
            EXPECT_TRUE(std::regex_match(line, match, form)) << line;
            found.push_back(match[1]);
        }
        return found;
    }
};

using Strings = std::vector<std::string>;

TEST_F(Log, HasALineForEachMessage)
{
    server_log_print(&log, SERVER_LOG_INFO, "one %d", 1);
    server_log_print(&log, SERVER_LOG_CRITICAL, "two\nlines");
    EXPECT_EQ(lines(), (Strings{"[info] one 1", "[critical] two\\x0Alines"}));
}

TEST_F(Log, LeavesOutWhatIsBelowItsLevel)
{
    log.level = SERVER_LOG_WARNING;
    for (int level = SERVER_LOG_DEBUG; level <= SERVER_LOG_CRITICAL; level++)
        server_log_print(&log, (server_log_level)level, "x");
    EXPECT_EQ(lines(), (Strings{"[warning] x", "[error] x", "[critical] x"}));
}

TEST_F(Log, LevelsHaveNames)
{
    int count = 0;

    while (server_log_levels[count])
        count++;
    EXPECT_EQ(count, SERVER_LOG_CRITICAL + 1);
}

TEST_F(Log, LongTextBecomesSeveralLines)
{
    std::string text(10000, 'x'), joined;

    server_log_text(&log, SERVER_LOG_ERROR, text.data(), text.size());
    server_log_text(&log, SERVER_LOG_ERROR, "", 0);
    for (const std::string &line : lines())
        joined += line.substr(8);
    EXPECT_EQ(joined, text);
    EXPECT_EQ(lines().size(), 4u);
}

TEST_F(Log, LongMessagesAreCut)
{
    server_log_print(&log, SERVER_LOG_INFO, "%s", std::string(5000, 'x').c_str());
    EXPECT_EQ(lines().size(), 1u);
}

TEST_F(Log, AppendsAndKeepsErrno)
{
    int second;

    EXPECT_EQ(server_log_open(file.c_str(), 2, &second), 0);
    const server_log other = {second, SERVER_LOG_DEBUG};
    errno = EDOM;
    server_log_print(&log, SERVER_LOG_INFO, "a");
    server_log_print(&other, SERVER_LOG_INFO, "b");
    server_log_print(&log, SERVER_LOG_INFO, "c");
    EXPECT_EQ(errno, EDOM);
    server_log_close(second);
    EXPECT_EQ(lines(), (Strings{"[info] a", "[info] b", "[info] c"}));
}

TEST_F(Log, LinesOfSeveralProcessesStayWhole)
{
    enum {
        PROCESSES = 4,
        LINES = 200
    };

    for (int i = 0; i < PROCESSES; i++)
        if (fork() == 0) {
            std::string text(1000, (char)('a' + i));

            for (int j = 0; j < LINES; j++)
                server_log_text(&log, SERVER_LOG_INFO, text.data(), text.size());
            _exit(0);
        }
    for (int i = 0; i < PROCESSES; i++)
        wait(nullptr);
    Strings all = lines();
    EXPECT_EQ(all.size(), (size_t)PROCESSES * LINES);
    for (const std::string &line : all)
        EXPECT_EQ(line, "[info] " + std::string(1000, line.back()));
}

TEST_F(Log, ADescriptorThatTakesNothingIsNoTrouble)
{
    int full;

    EXPECT_EQ(server_log_open("/dev/full", 2, &full), 0);
    const server_log lost = {full, SERVER_LOG_DEBUG};
    server_log_print(&lost, SERVER_LOG_INFO, "x");
    server_log_close(full);
}

TEST(LogFile, StandardDescriptorsAreNotOpenedOrClosed)
{
    int fd = -1;

    EXPECT_EQ(server_log_open("-", 1, &fd), 0);
    EXPECT_EQ(fd, 1);
    server_log_close(fd);
    server_log_close(-1);
    EXPECT_EQ(server_log_open("/nowhere/log", 1, &fd), -ENOENT);
    EXPECT_EQ(fd, 1);
}
