// The golden pages; t/http/golden/README.md describes them.

#ifndef HTTP_PAGES_H
#define HTTP_PAGES_H

#include <functional>
#include <string>
#include <vector>

#include <asynwsgi/http.h>

struct Case {
    std::string name;
    struct http_limits limits = http_limits_default;
    bool responses = false;
    bool to_head = false; // the responses are to HEAD
    std::string bytes;
    std::string events;
};

// All cases of all pages, which lie in $srcdir. With `rewrite`, the pages get the events it gives.
std::vector<Case> read_pages(const std::function<std::string(const Case &)> &rewrite = nullptr);

// How GoogleTest names a case.
void PrintTo(const Case &test, std::ostream *out);

// Bytes as the pages write them.
std::string escape(const std::string &bytes);

#endif
