// What a handler saw, and what the client got for it.

#ifndef FUZZ_ANSWERS_H
#define FUZZ_ANSWERS_H

#include <algorithm>
#include <string>
#include <vector>

#include <asynwsgi/http.h>

// What the handler was given of a request.
struct Seen {
    std::string method, target, body;
    struct http_framing framing;
    bool whole;
};

// Reads answers, which a handler's script may have cut short, but then nothing follows.
class AnswerReader {
  public:
    AnswerReader(const std::string &received, const std::vector<Seen> &its_seen)
        : text(received), seen(its_seen)
    {
    }

    // What is wrong.
    std::string read()
    {
        for (size_t number = 0; at < text.size() && problem.empty();) {
            if (is_over)
                return "something behind the last answer";
            size_t end = text.find("\r\n\r\n", at);
            if (end == std::string::npos)
                break;
            head = text.substr(at, end + 2 - at);
            at = end + 4;
            if (head.compare(0, 9, "HTTP/1.1 ") != 0)
                return "no answer where one should be";
            if (head.compare(9, 3, "100") != 0)
                body(number++);
        }
        return problem;
    }

  private:
    std::string value(const std::string &name) const
    {
        size_t start = head.find("\r\n" + name + ": ");
        if (start == std::string::npos)
            return "";
        start += name.size() + 4;
        return head.substr(start, head.find("\r\n", start) - start);
    }

    void body(size_t number)
    {
        std::string status = head.substr(9, 3), length = value("Content-Length");
        // Of a request that was refused the method is not known: a short answer is its last.
        bool none = status == "204" || status == "304" ||
                    (number < seen.size() && seen[number].method == "HEAD");
        is_over = value("Connection") == "close";
        if (none)
            return;
        if (value("Transfer-Encoding") == "chunked")
            chunks();
        else
            data(length.empty() ? std::string::npos : std::stoull(length), status);
        is_over |= length.empty() && value("Transfer-Encoding").empty();
    }

    void data(size_t length, const std::string &status)
    {
        size_t there = std::min(length, text.size() - at);
        bool ours = status == "200" || status == "599";
        if (ours && text.find_first_not_of('x', at) < at + there)
            problem = "a body that was not sent";
        at += there;
    }

    void chunks()
    {
        size_t size = 1;
        while (size > 0 && at < text.size() && problem.empty()) {
            size_t end = text.find("\r\n", at);
            if (end == std::string::npos)
                end = text.size();
            else if (end - at > 16 || end == at)
                problem = "a bad chunk";
            else
                size = std::stoul(text.substr(at, end - at), nullptr, 16);
            at = std::min(end + 2, text.size());
            data(size, "200");
            if (at < text.size() && text.compare(at, 2, "\r\n") != 0)
                problem = "a chunk without an end";
            at = std::min(at + 2, text.size());
        }
    }

    const std::string &text;
    const std::vector<Seen> &seen;
    size_t at = 0;
    std::string head, problem;
    bool is_over = false;
};

#endif
