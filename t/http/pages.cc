// The pages are read line by line: prose, and blocks of messages and of events.

#include "http/pages.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <stdexcept>

namespace {

// -- Bytes as the pages write them

std::string unescape(const std::string &text)
{
    std::string bytes;
    for (size_t i = 0; i < text.size(); i++) {
        if (text[i] != '\\') {
            bytes += text[i];
            continue;
        }
        switch (text.at(++i)) {
        case 'r':
            bytes += '\r';
            break;
        case 'n':
            bytes += '\n';
            break;
        case 't':
            bytes += '\t';
            break;
        case 's':
            bytes += ' ';
            break;
        case '\\':
            bytes += '\\';
            break;
        case 'x':
            bytes += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
            i += 2;
            break;
        case '(': {
            size_t star = text.find('*', i), close = text.find(')', i);
            std::string piece = unescape(text.substr(star + 1, close - star - 1));
            for (int n = std::stoi(text.substr(i + 1)); n > 0; n--)
                bytes += piece;
            i = close;
            break;
        }
        default:
            throw std::runtime_error("bad escape in: " + text);
        }
    }
    return bytes;
}

// -- Pages

std::filesystem::path folder()
{
    const char *srcdir = std::getenv("srcdir");
    return std::filesystem::path(srcdir != nullptr ? srcdir : ".") / "t/http/golden";
}

// What stands behind the mark of a message: "http" or "response", and how it is read.
void set_options(Case *test, std::istringstream words)
{
    struct http_limits *limits = &test->limits;
    std::string word;
    words >> word;
    test->responses = word == "response";
    while (words >> word) {
        if (word == "head") {
            test->to_head = true;
            continue;
        }
        std::string name = word.substr(0, word.find('='));
        uint64_t value = std::stoull(word.substr(name.size() + 1));
        std::map<std::string, uint32_t *> known = {
            {"start_line", &limits->start_line},
            {"field", &limits->field},
            {"fields", &limits->fields},
            {"head", &limits->head},
            {"chunk_extension", &limits->chunk_extension},
            {"trailer", &limits->trailer},
        };
        if (name == "body")
            limits->body = value;
        else
            *known.at(name) = static_cast<uint32_t>(value);
    }
}

bool is_message(const std::string &line)
{
    return line.compare(0, 7, "```http") == 0 || line.compare(0, 11, "```response") == 0;
}

// The line under a heading, by which t/conformance goes.
bool is_source(const std::string &line)
{
    static const std::regex form("RFC [0-9]+, [0-9A-Z.]+(, (stricter|wider))?|own limit");
    return std::regex_match(line, form);
}

std::vector<Case> read_page(const std::filesystem::path &path,
                            const std::function<std::string(const Case &)> &rewrite)
{
    std::vector<Case> cases;
    std::string written, title;
    bool has_source = false;
    std::ifstream page(path);
    enum {
        PROSE,
        MESSAGE,
        EVENTS
    } where = PROSE;
    for (std::string line; std::getline(page, line);) {
        if (where == PROSE && line.compare(0, 3, "## ") == 0) {
            title = path.stem().string() + ": " + line.substr(3);
            has_source = false;
        } else if (where == PROSE && is_source(line))
            has_source = true;
        else if (where == PROSE && is_message(line)) {
            if (!has_source)
                throw std::runtime_error("no section of an RFC for " + title);
            where = MESSAGE;
            cases.emplace_back();
            cases.back().name = title;
            set_options(&cases.back(), std::istringstream(line.substr(3)));
        } else if (where == PROSE && line == "```events") {
            where = EVENTS;
            if (rewrite)
                written += line + "\n" + rewrite(cases.back());
        } else if (line == "```")
            where = PROSE;
        else if (where == MESSAGE)
            cases.back().bytes += unescape(line);
        else if (where == EVENTS)
            cases.back().events += line + "\n";
        if (where != EVENTS)
            written += line + "\n";
    }
    if (rewrite)
        std::ofstream(path) << written;
    return cases;
}

} // namespace

std::vector<Case> read_pages(const std::function<std::string(const Case &)> &rewrite)
{
    std::vector<std::filesystem::path> paths;
    for (const auto &entry : std::filesystem::directory_iterator(folder()))
        if (entry.path().extension() == ".md" && entry.path().stem() != "README")
            paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    std::vector<Case> cases;
    for (const auto &path : paths)
        for (const auto &test : read_page(path, rewrite))
            cases.push_back(test);
    return cases;
}

void PrintTo(const Case &test, std::ostream *out)
{
    *out << test.name;
}

std::string escape(const std::string &bytes)
{
    std::ostringstream text;
    for (size_t i = 0; i < bytes.size(); i++) {
        auto byte = static_cast<unsigned char>(bytes[i]);
        size_t run = std::min(bytes.find_first_not_of(bytes[i], i), bytes.size()) - i;
        if (run >= 20) {
            text << "\\(" << run << "*" << bytes[i] << ")";
            i += run - 1;
        } else if (byte == '\\')
            text << "\\\\";
        else if (byte == ' ' && (i == 0 || i + 1 == bytes.size()))
            text << "\\s";
        else if (byte == '\r' || byte == '\n' || byte == '\t')
            text << (byte == '\r' ? "\\r" : byte == '\n' ? "\\n" : "\\t");
        else if (byte < ' ' || byte > '~') {
            text << "\\x"
                 << "0123456789abcdef"[byte >> 4] << "0123456789abcdef"[byte & 15];
        } else
            text << bytes[i];
    }
    return text.str();
}
