// Virtual environments: whether a folder is one, and of which Python.

#include "harness/harness.h"

#include <asynwsgi/wsgi.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

namespace {

class Venv : public testing::Test {
  protected:
    std::filesystem::path folder =
        std::filesystem::temp_directory_path() / ("asynwsgi-venv-test-" + std::to_string(getpid()));
    char explanation[WSGI_EXPLANATION] = "";

    void SetUp() override
    {
        std::filesystem::create_directory(folder);
    }
    void TearDown() override
    {
        std::filesystem::remove_all(folder);
    }

    int check(const std::string &configuration)
    {
        std::ofstream(folder / "pyvenv.cfg") << configuration;
        return wsgi_virtual_env_check(folder.c_str(), explanation);
    }
};

TEST_F(Venv, OfThisPython)
{
    std::string version = wsgi_python_version;

    EXPECT_EQ(check("home = /usr/bin\nversion = " + version + ".2\n"), 0);
    EXPECT_EQ(check("home = /usr/bin\nversion = " + version + "\n"), 0);
    EXPECT_EQ(check("version=" + version + ".2\r\n"), 0);
    EXPECT_EQ(check("version_info = " + version + ".2.final.0\nhome = x\n"), 0);
}

TEST_F(Venv, OfAnother)
{
    EXPECT_EQ(check("home = /usr/bin\nversion = 3.2.1\n"), -EINVAL);
    EXPECT_EQ(std::string(explanation), "the virtual environment " + folder.string() +
                                            " is of Python 3.2.1, and asynwsgi runs Python " +
                                            wsgi_python_version);
    EXPECT_EQ(check("version = " + std::string(wsgi_python_version) + "0.1\n"), -EINVAL);
    EXPECT_EQ(check("version_info = 3.1\n"), -EINVAL);
}

TEST_F(Venv, ThatDoesNotSay)
{
    EXPECT_EQ(check(""), 0);
    EXPECT_EQ(check("versions = 2\nver = 2\nversion_ = 2\nversion\n"), 0);
    EXPECT_EQ(check(std::string(5000, 'x')), 0);
}

TEST_F(Venv, IsNone)
{
    EXPECT_EQ(wsgi_virtual_env_check(folder.c_str(), explanation), -ENOENT);
    EXPECT_EQ(std::string(explanation),
              folder.string() +
                  " is no virtual environment: it has no pyvenv.cfg that can be read");
    EXPECT_EQ(wsgi_virtual_env_check("/nonexistent", explanation), -ENOENT);
    EXPECT_EQ(wsgi_virtual_env_check(std::string(5000, 'x').c_str(), explanation), -ENOENT);
}

} // namespace
