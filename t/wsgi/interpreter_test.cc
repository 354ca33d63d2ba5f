// Starting and ending the interpreter. A process can have it once, so each test has a process.

#include "harness/harness.h"

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <asynwsgi/wsgi.h>
#include <config.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace {

wsgi_options options;

// What a child process logs and writes to stdout, "log: " before the lines of the log; its exit
// status at the end.
std::string in_child(const std::function<int()> &run)
{
    std::string output;
    char buffer[4096];
    int ends[2], status;
    ssize_t n;

    EXPECT_EQ(pipe(ends), 0);
    options = wsgi_options();
    options.log = [](void *, const char *line, size_t length) {
        std::string text = "log: " + std::string(line, length) + "\n";
        EXPECT_GT(write(1, text.data(), text.size()), 0);
    };
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], 1);
        close(ends[0]);
        close(ends[1]);
        alarm(20);
        _exit(run());
    }
    close(ends[1]);
    while ((n = read(ends[0], buffer, sizeof buffer)) > 0)
        output.append(buffer, static_cast<size_t>(n));
    close(ends[0]);
    waitpid(pid, &status, 0);
    if (WIFSIGNALED(status))
        return output + "signal " + std::to_string(WTERMSIG(status));
    return output + "exit " + std::to_string(WEXITSTATUS(status));
}

// Run source between wsgi_new() and wsgi_free().
int with_python(const char *source)
{
    struct wsgi *wsgi;
    int status;

    if (wsgi_new(&options, &wsgi) < 0)
        return 9;
    status = PyRun_SimpleString(source) == 0 ? 0 : 1;
    wsgi_free(wsgi);
    return status;
}

class Interpreter : public testing::Test {
  protected:
    std::filesystem::path folder = std::filesystem::temp_directory_path() /
                                   ("asynwsgi-interpreter-test-" + std::to_string(getpid()));

    void SetUp() override
    {
        std::filesystem::create_directories(folder);
        folder = std::filesystem::canonical(folder);
    }
    void TearDown() override
    {
        std::filesystem::remove_all(folder);
    }
};

TEST_F(Interpreter, FlushesWhatWasPrinted)
{
    EXPECT_EQ(in_child([] { return with_python("print('out', end='')"); }), "outexit 0");
}

TEST_F(Interpreter, PathIsExtended)
{
    std::string extra = folder.string(), here = std::filesystem::current_path();
    EXPECT_EQ(in_child([&] {
                  const char *const paths[] = {extra.c_str(), "/second", nullptr};
                  options.python_path = paths;
                  return with_python("import sys; print(sys.path[:3])");
              }),
              "['" + here + "', '" + extra + "', '/second']\nexit 0");
}

TEST_F(Interpreter, FunctionsAtExitRun)
{
    EXPECT_EQ(in_child([] {
                  struct wsgi *wsgi;

                  options.application = "__main__:app";
                  if (wsgi_new(&options, &wsgi) < 0)
                      return 9;
                  PyRun_SimpleString("import atexit, asynwsgi\n"
                                     "def app(e, s): pass\n"
                                     "atexit.register(lambda: print('at exit'))\n");
                  if (wsgi_load(wsgi) < 0)
                      return 8;
                  wsgi_free(wsgi);
                  return 0;
              }),
              "at exit\nexit 0");
}

TEST_F(Interpreter, VirtualEnvironment)
{
    std::string make = std::string(ASYNWSGI_PYTHON) + " -m venv --without-pip " + folder.string() +
                       " >/dev/null 2>&1";
    std::string here = folder.string();
    char explanation[WSGI_EXPLANATION];

    if (system(make.c_str()) != 0)
        GTEST_SKIP() << "this Python cannot make a virtual environment";
    ASSERT_EQ(wsgi_virtual_env_check(here.c_str(), explanation), 0) << explanation;
    std::ofstream(folder / "lib" / ("python" + std::string(wsgi_python_version)) / "site-packages" /
                  "only_here.py")
        << "found = True";
    EXPECT_EQ(in_child([&] {
                  options.virtual_env = here.c_str();
                  return with_python("import sys, only_here\n"
                                     "print(sys.prefix, sys.executable, only_here.found)\n"
                                     "print(sys.base_prefix != sys.prefix)");
              }),
              here + " " + here + "/bin/python True\nTrue\nexit 0");
    EXPECT_EQ(in_child([&] {
                  if (chdir("/") < 0)
                      return 7;
                  return with_python("import only_here");
              }).substr(0, 6),
              "exit 1");
}

TEST_F(Interpreter, SaysWhyItDidNotStart)
{
    EXPECT_EQ(in_child([] {
                  options.virtual_env = "/nonexistent";
                  return with_python("");
              }),
              "log: /nonexistent: No such file or directory\nexit 9");
    std::string output = in_child([] {
        setenv("PYTHONHOME", "/nonexistent", 1);
        freopen("/dev/null", "w", stderr);
        return with_python("");
    });
    EXPECT_EQ(output.substr(0, 25), "log: Python did not start") << output;
    EXPECT_EQ(output.substr(output.size() - 6), "exit 9");
}

TEST_F(Interpreter, EnvironmentVariablesCount)
{
    EXPECT_EQ(in_child([] {
                  setenv("PYTHONOPTIMIZE", "2", 1);
                  setenv("PYTHONPATH", "/from/env", 1);
                  return with_python(
                      "import sys; print(sys.flags.optimize, '/from/env' in sys.path)");
              }),
              "2 True\nexit 0");
}

// -- The lock while the loop waits ----------------------------------------------------------------

// Run a loop for a tenth of a second, with something done at half that time, a wait before the end.
int with_loop(const char *source, const std::function<void()> &halfway)
{
    static const std::function<void()> *the_halfway;
    static dispatch_timer half, end;
    struct dispatch *loop;
    struct wsgi *wsgi;

    the_halfway = &halfway;
    half.fired = [](dispatch_timer *timer) {
        (*the_halfway)();
        dispatch_timer_set(&end, dispatch_now(timer->loop) + 50000000);
    };
    end.fired = [](dispatch_timer *timer) { dispatch_stop(timer->loop, 0); };
    if (wsgi_new(&options, &wsgi) < 0 || dispatch_new(test_backend(), &loop) < 0 ||
        dispatch_timer_add(loop, &half) < 0 || dispatch_timer_add(loop, &end) < 0)
        return 9;
    PyRun_SimpleString(source);
    if (wsgi_attach(wsgi, loop) < 0)
        return 8;
    dispatch_timer_set(&half, dispatch_now(loop) + 50000000);
    dispatch_run(loop);
    PyRun_SimpleString("finish()");
    wsgi_free(wsgi);
    dispatch_timer_remove(&half);
    dispatch_timer_remove(&end);
    dispatch_free(loop);
    return 0;
}

TEST_F(Interpreter, ThreadsRunWhileTheLoopWaits)
{
    EXPECT_EQ(in_child([] {
                  return with_loop("import threading, time\n"
                                   "count = 0\n"
                                   "def run():\n"
                                   "    global count\n"
                                   "    while count < 10: count += 1; time.sleep(0.001)\n"
                                   "thread = threading.Thread(target=run)\n"
                                   "thread.start()\n"
                                   "def finish(): print(count)\n",
                                   [] {});
              }),
              "10\nexit 0");
}

TEST_F(Interpreter, SignalHandlersOfTheApplicationRun)
{
    std::string output = in_child([] {
        return with_loop("import signal\n"
                         "def caught(number, frame):\n"
                         "    raise ValueError('in handler')\n"
                         "signal.signal(signal.SIGUSR1, caught)\n"
                         "def finish(): print('finished')\n",
                         [] { kill(getpid(), SIGUSR1); });
    });
    EXPECT_EQ(output.substr(0, 59), "log: exception in a signal handler of the application\nlog: ");
    EXPECT_NE(output.find("\nlog: ValueError: in handler\n"), std::string::npos) << output;
    EXPECT_NE(output.find("finished\nexit 0"), std::string::npos) << output;
}

} // namespace
