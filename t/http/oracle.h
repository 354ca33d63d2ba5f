// A second reader of HTTP/1.1 requests, to which the parsers are compared: slow, plain, and made
// from RFC 9110 and RFC 9112 and from what <asynwsgi/http.h> says we are stricter in. It takes
// nothing from http/ but the names of things.

#ifndef HTTP_ORACLE_H
#define HTTP_ORACLE_H

#include <set>
#include <string>
#include <utility>
#include <vector>

#include <asynwsgi/http.h>

// A request whose head is sound.
struct Message {
    std::string method, target, authority, path, query;
    enum http_target_form form = HTTP_TARGET_ORIGIN;
    int minor = 0;
    std::vector<std::pair<std::string, std::string>> fields;

    enum http_body body = HTTP_BODY_NONE;
    uint64_t length = 0; // of a sized body
    bool persistent = false;
    bool expects_continue = false;

    std::string content;          // what came of it
    std::vector<uint64_t> chunks; // their sizes
    std::string trailer;          // the field lines behind them
    bool whole = false;           // all of the body came
};

// How the reading of a connection ended.
enum class End {
    CLEAN,      // behind a message, where another could follow
    UNREAD,     // behind a message that was the last; nothing after it is a request
    INCOMPLETE, // within a message
    REFUSED     // at a fault; nothing after it is interpreted
};

struct Reading {
    std::vector<Message> messages;
    End end = End::CLEAN;
    // The rules that what was refused broke. A head that is whole may break several, and any one of
    // them is a right answer.
    std::set<enum http_fault> faults;
    size_t position = 0; // behind the last whole message
};

// Reads all the bytes of a connection.
Reading oracle_read(const std::string &bytes, const struct http_limits &limits);

// Reads a chunked body: that of the one message it gives, of whose head nothing is told.
Reading oracle_read_chunked(const std::string &bytes, const struct http_limits &limits);

// A page for a person; two readings are the same if it is, but for the faults.
std::string describe(const Reading &reading);

#endif
