// Finding the application: how it may be named, and what is said when it isn't there.

#include "wsgi/fixture.h"

#include <csignal>
#include <filesystem>
#include <fstream>

namespace {

class Load : public testing::Test {
  protected:
    std::filesystem::path folder =
        std::filesystem::temp_directory_path() / ("asynwsgi-load-test-" + std::to_string(getpid()));

    void SetUp() override
    {
        std::filesystem::create_directories(folder / "pack");
        options.factory = false;
        define("import sys; sys.path.insert(0, '" + folder.string() +
               "'); sys.dont_write_bytecode = True");
        write("good.py", R"py(
def application(e, s): return 'application'
def app(e, s): return 'app'
class Site:
    class inner:
        @staticmethod
        def app(e, s): return 'inner'
number = 5
def factory(): return app
def useless(): return 3
def broken(): raise ValueError('in factory')
def fatal(): raise SystemExit(7)
)py");
        write("only_app.py", "app = lambda e, s: 'only'");
        write("neither.py", "x = 1");
        write("empty_app.py", "app = None");
        write("raises.py", "raise ValueError('at import')");
        write("leaves.py", "import sys; sys.exit(3)");
        write("syntax.py", "def x(:");
        write("needs.py", "import not_installed");
        write("needs_part.py", "import good.part");
        write("lazy.py", "def __getattr__(name):\n  if name == 'app': raise ValueError('lazy')\n"
                         "  raise AttributeError(name)");
        write("pack/__init__.py", "");
        write("pack/site.py", "def app(e, s): return 'pack'");
    }

    void TearDown() override
    {
        define("sys.path.pop(0)\nfor m in ('good', 'only_app', 'neither', 'empty_app', 'lazy', "
               "'pack', 'pack.site'): sys.modules.pop(m, None)");
        std::filesystem::remove_all(folder);
    }

    void write(const char *name, const std::string &source)
    {
        std::ofstream(folder / name) << source;
    }

    int load(const char *name)
    {
        logged.clear();
        options.application = name;
        return wsgi_load(wsgi);
    }
};

TEST_F(Load, Found)
{
    for (const char *name :
         {"good", "good:application", "good:app", "good:Site.inner.app", "good:factory()",
          "only_app", "pack.site", "pack.site:app", "only_app:app.__call__"}) {
        EXPECT_EQ(load(name), 0) << name << log_text();
        EXPECT_TRUE(logged.empty()) << log_text();
    }
    options.factory = true;
    EXPECT_EQ(load("good:factory"), 0);
    EXPECT_EQ(load("good:factory()"), 0);
}

// A name that is wrong gives one line.
TEST_F(Load, NotFound)
{
    std::string here = std::filesystem::current_path();
    struct {
        const char *name;
        std::string line;
    } cases[] = {
        {"", ": an application is named as MODULE, MODULE:OBJECT or MODULE:FACTORY()"},
        {":app", ":app: an application is named as"},
        {"good:", "good:: an application is named as"},
        {"good:()", "good:(): an application is named as"},
        {"good:app:b", "good:app:b: an application is named as"},
        {"good:f(1)", "good:f(1): an application is named as"},
        {"good: app", "good: app: an application is named as"},
        {"absent", "no module named 'absent' in " + here + " or elsewhere on sys.path"},
        {"absent:app", "no module named 'absent' in " + here + " or elsewhere on sys.path"},
        {"pack.absent", "no module named 'pack.absent' in " + here},
        {"absent.part", "no module named 'absent.part' in " + here},
        {"good.part", "no module named 'good.part' in " + here},
        {"absent.py", "no module named 'absent.py' in " + here +
                          " or elsewhere on sys.path; a module is named as in an import"},
        {"./good", "no module named './good' in " + here +
                       " or elsewhere on sys.path; a module is named as in an import"},
        {"good:absent", "good:absent: there is no 'absent' in module 'good'"},
        {"good:Site.absent", "good:Site.absent: there is no 'absent' in module 'good'"},
        {"good:.app", "good:.app: there is no '' in module 'good'"},
        {"good:number", "good:number is no application: int cannot be called"},
        {"good:number()", "good:number() is no application: int cannot be called"},
        {"good:useless()", "good:useless() did not make an application: int cannot be called"},
        {"neither", "module 'neither' has neither 'application' nor 'app'; name another as "
                    "neither:OBJECT"},
        {"empty_app", "empty_app is no application: NoneType cannot be called"},
    };
    for (auto &c : cases) {
        EXPECT_EQ(load(c.name), -ENOENT) << c.name;
        ASSERT_EQ(logged.size(), 1u) << c.name << ": " << log_text();
        EXPECT_EQ(logged[0].substr(0, c.line.size()), c.line);
        EXPECT_FALSE(PyErr_Occurred());
    }
}

// What goes wrong in the application's own code gives its traceback.
TEST_F(Load, Fails)
{
    struct {
        const char *name, *last;
    } cases[] = {
        {"raises", "ValueError: at import"},
        {"raises:app", "ValueError: at import"},
        {"leaves", "SystemExit: 3"},
        {"syntax", "SyntaxError: invalid syntax"},
        {"needs", "ModuleNotFoundError: No module named 'not_installed'"},
        {"needs_part", "ModuleNotFoundError: No module named 'good.part'; 'good' is not a package"},
        {"good:broken()", "ValueError: in factory"},
        {"good:fatal()", "SystemExit: 7"},
        {"lazy", "ValueError: lazy"},
    };
    for (auto &c : cases) {
        EXPECT_EQ(load(c.name), -ENOENT) << c.name;
        ASSERT_GT(logged.size(), 2u) << c.name;
        EXPECT_EQ(logged[0], std::string(c.name) + ": exception while it was loaded");
        EXPECT_TRUE(log_has("Traceback (most recent call last):") || log_has("syntax.py"));
        EXPECT_EQ(logged.back(), c.last) << log_text();
        EXPECT_FALSE(PyErr_Occurred());
    }
}

TEST_F(Load, PathBeginsWithTheCurrentFolder)
{
    define("folder = sys.path.pop(0)");
    EXPECT_EQ(value("sys.path[0]"), std::filesystem::current_path().string());
    define("sys.path.insert(0, folder)");
}

TEST_F(Load, PythonIsTheOneOfTheBuild)
{
    EXPECT_EQ(value("'%d.%d' % sys.version_info[:2]"), wsgi_python_version);
    EXPECT_EQ(value("__import__('os').path.exists(sys.executable)"), "True");
    EXPECT_EQ(value("sys.prefix == sys.base_prefix"), "True");
}

TEST_F(Load, SignalsThatWouldEndTheProcessAreIgnored)
{
    struct sigaction now;

    for (int number : {SIGPIPE, SIGXFSZ}) {
        sigaction(number, nullptr, &now);
        EXPECT_EQ(now.sa_handler, SIG_IGN);
    }
}

} // namespace
