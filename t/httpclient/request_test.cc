// Requests: what is written for them, what is refused, and what there is to know of one in bytes.

#include "harness/harness.h"

#include <asynwsgi/httpclient.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

// A request that a test changes, and what came of writing it.
struct Writing {
    std::string target = "/", authority = "a";
    std::vector<std::pair<std::string, std::string>> headers;
    struct httpclient_request request = {};
    struct httpclient_message message = {};

    // The text, or the name of the error.
    std::string written(size_t room = 4096)
    {
        auto bytes = [](const std::string &s) {
            return reinterpret_cast<const unsigned char *>(s.data());
        };
        std::vector<struct http_header> fields;
        for (const auto &[name, value] : headers)
            fields.push_back({bytes(name), bytes(value), static_cast<uint32_t>(name.size()),
                              static_cast<uint32_t>(value.size())});
        if (request.method == nullptr)
            request.method = "GET";
        request.target = target.data();
        request.target_length = target.size();
        request.authority = authority.data();
        request.authority_length = authority.size();
        request.headers = fields.data();
        request.header_count = fields.size();
        buffer.assign(room, '!');
        int error = httpclient_request_write(&request, buffer.data(), room, &message);
        if (error != 0)
            return strerrorname_np(-error);
        EXPECT_EQ(static_cast<const void *>(message.head), buffer.data());
        return buffer.substr(0, message.head_length);
    }

  private:
    std::string buffer;
};

TEST(Request, IsWritten)
{
    Writing w;
    EXPECT_EQ(w.written(), "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(w.message.body, HTTP_BODY_NONE);
    EXPECT_TRUE(w.message.is_idempotent);
    EXPECT_FALSE(w.message.is_head || w.message.is_connect || w.message.closes);
    w.headers = {{"Accept", "*/*"}, {"X", ""}};
    w.target = "/b?c";
    w.request.closes = true;
    EXPECT_EQ(w.written(), "GET /b?c HTTP/1.1\r\nHost: a\r\nAccept: */*\r\nX: \r\n"
                           "Connection: close\r\n\r\n");
    EXPECT_TRUE(w.message.closes);
}

TEST(Request, TheTargetOfAUrlBecomesAPath)
{
    Writing w;
    w.target = "";
    EXPECT_EQ(w.written(), "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    w.target = "?b";
    EXPECT_EQ(w.written(), "GET /?b HTTP/1.1\r\nHost: a\r\n\r\n");
}

TEST(Request, FramesItsBody)
{
    Writing w;
    w.request.method = "POST";
    w.request.body = HTTP_BODY_SIZED;
    w.request.body_length = 18446744073709551;
    EXPECT_EQ(w.written(),
              "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551\r\n\r\n");
    EXPECT_EQ(w.message.body, HTTP_BODY_SIZED);
    EXPECT_EQ(w.message.body_length, 18446744073709551u);
    EXPECT_EQ(w.message.content, nullptr);
    EXPECT_FALSE(w.message.is_idempotent);
    w.request.body_length = 3;
    w.request.content = "abc";
    w.request.expects_continue = true;
    EXPECT_EQ(w.written(),
              "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(w.message.content, w.request.content);
    EXPECT_TRUE(w.message.expects_continue);
    w.request.body = HTTP_BODY_CHUNKED;
    w.request.content = nullptr;
    w.request.expects_continue = false;
    EXPECT_EQ(w.written(), "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    EXPECT_EQ(w.message.body, HTTP_BODY_CHUNKED);
    w.request.body = HTTP_BODY_SIZED;
    w.request.body_length = 0;
    EXPECT_EQ(w.written(), "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(w.message.body, HTTP_BODY_NONE);
}

TEST(Request, OtherForms)
{
    Writing w;
    w.request.method = "OPTIONS";
    w.target = "*";
    EXPECT_EQ(w.written(), "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    w.request.method = "CONNECT";
    w.target = w.authority = "a:1";
    EXPECT_EQ(w.written(), "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n");
    EXPECT_TRUE(w.message.is_connect);
    EXPECT_FALSE(w.message.is_idempotent);
    w.request.method = "HEAD";
    w.target = "http://b/";
    w.authority = "b";
    EXPECT_EQ(w.written(), "HEAD http://b/ HTTP/1.1\r\nHost: b\r\n\r\n");
    EXPECT_TRUE(w.message.is_head);
}

// A line break that gets in anywhere would be another field, or another request.
TEST(Request, CannotBeInjectedInto)
{
    const std::string breaks[] = {"\r\nX: y",
                                  "\nX: y",
                                  "\rX",
                                  " HTTP/1.1\r\nX: y",
                                  "\r\n\r\nGET / HTTP/1.1\r\nHost: a",
                                  std::string("\0", 1)};
    for (const std::string &bad : breaks) {
        Writing target, authority, name, value, method;
        target.target += bad;
        EXPECT_EQ(target.written(), "EINVAL") << bad;
        authority.authority += bad;
        EXPECT_EQ(authority.written(), "EINVAL") << bad;
        name.headers = {{"A" + bad, "b"}};
        EXPECT_EQ(name.written(), "EINVAL") << bad;
        value.headers = {{"A", "b" + bad}};
        EXPECT_EQ(value.written(), bad[0] == ' ' ? "EINVAL" : "EINVAL") << bad;
        if (bad[0] == '\0')
            continue;
        std::string text = "GET" + bad, before = bad + "GET";
        method.request.method = text.c_str();
        EXPECT_EQ(method.written(), "EINVAL") << bad;
        method.request.method = before.c_str();
        EXPECT_EQ(method.written(), "EINVAL") << bad;
    }
}

TEST(Request, RefusesWhatAServerWould)
{
    for (const char *bad : {"a", "*", "/ b", "/\xc3\xa4", "/%00", "/%4", "/#b", "ftp://a/"}) {
        Writing w;
        w.target = bad;
        EXPECT_EQ(w.written(), "EINVAL") << bad;
    }
    for (const char *bad : {"a b", "a/b", "@", "a@b", "a:b", "[::1"}) {
        Writing w;
        w.authority = bad;
        EXPECT_EQ(w.written(), "EINVAL") << bad;
    }
    for (const char *bad : {"", "G T", "GET:", "GE\tT"}) {
        Writing w;
        w.request.method = bad;
        EXPECT_EQ(w.written(), "EINVAL") << bad;
    }
    for (const char *bad :
         {"Host", "host", "Content-Length", "Transfer-Encoding", "Expect", "", "A B"}) {
        Writing w;
        w.headers = {{bad, "a"}};
        EXPECT_EQ(w.written(), "EINVAL") << bad;
    }
    Writing expects, closed;
    expects.request.expects_continue = true;
    EXPECT_EQ(expects.written(), "EINVAL");
    closed.request.body = HTTP_BODY_CLOSED;
    EXPECT_EQ(closed.written(), "EINVAL");
}

TEST(Request, NeedsRoom)
{
    Writing w;
    size_t length = w.written().size();
    for (size_t room = 0; room < length; room++)
        EXPECT_EQ(w.written(room), "ENOBUFS") << room;
    EXPECT_EQ(w.written(length).size(), length);
}

TEST(Message, IsReadFromBytes)
{
    auto read = [](const std::string &text, struct httpclient_message &message) {
        return httpclient_message_read(text.data(), text.size(), &message);
    };
    struct httpclient_message m = {};
    const std::string post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
    EXPECT_EQ(read(post, m), HTTP_COMPLETE);
    EXPECT_EQ(m.body, HTTP_BODY_SIZED);
    EXPECT_EQ(m.body_length, 3u);
    EXPECT_EQ(read(post + "abc", m), HTTP_COMPLETE);
    EXPECT_EQ(m.body, HTTP_BODY_NONE);
    EXPECT_EQ(m.head_length, post.size() + 3);
    EXPECT_EQ(read(post + "ab", m), HTTP_INCOMPLETE);
    EXPECT_EQ(read(post + "abcd", m), HTTP_INCOMPLETE);
    EXPECT_EQ(read("GET / HTTP/1.1\r\nHost: a\r\n", m), HTTP_INCOMPLETE);
    EXPECT_EQ(read("", m), HTTP_INCOMPLETE);
    EXPECT_EQ(read("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET", m), HTTP_INCOMPLETE);
    EXPECT_EQ(read("GET / HTTP/1.1\r\n\r\n", m), HTTP_BAD_HOST);
    EXPECT_EQ(read("GET / HTTP/1.0\r\n\r\n", m), HTTP_COMPLETE);
    EXPECT_TRUE(m.closes);
    EXPECT_EQ(read("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", m), HTTP_COMPLETE);
    EXPECT_FALSE(m.closes);
}

// RFC 9110, 9.2.2
TEST(Message, KnowsTheIdempotentMethods)
{
    const std::pair<const char *, bool> methods[] = {
        {"GET", true},     {"HEAD", true},  {"PUT", true},     {"DELETE", true},
        {"OPTIONS", true}, {"TRACE", true}, {"POST", false},   {"PATCH", false},
        {"get", false},    {"GETS", false}, {"PROPFIND", true}};
    for (const auto &[method, idempotent] : methods) {
        std::string text = std::string(method) + " / HTTP/1.1\r\nHost: a\r\n\r\n";
        struct httpclient_message m = {};
        EXPECT_EQ(httpclient_message_read(text.data(), text.size(), &m), HTTP_COMPLETE);
        EXPECT_EQ(m.is_idempotent, idempotent) << method;
    }
}
