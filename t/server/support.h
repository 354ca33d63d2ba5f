// What the tests of server share: a folder of their own, and its files.

#ifndef SERVER_SUPPORT_H
#define SERVER_SUPPORT_H

#include "harness/harness.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

struct Folder {
    std::string path;

    Folder()
    {
        char name[] = "/tmp/asynwsgi-test-XXXXXX";

        path = mkdtemp(name);
    }
    ~Folder()
    {
        std::filesystem::remove_all(path);
    }

    std::string operator/(const std::string &name) const
    {
        return path + "/" + name;
    }
};

inline std::string contents(const std::string &path)
{
    std::ifstream file(path);
    std::stringstream text;

    text << file.rdbuf();
    return text.str();
}

#endif
