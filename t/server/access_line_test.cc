// Lines of the access log.

#include "harness/harness.h"

#include <arpa/inet.h>
#include <cstdlib>
#include <ctime>
#include <netinet/in.h>
#include <string>
#include <sys/un.h>
#include <vector>

extern "C" {
#include "access_line.h"
}

// A parsed request; what it says is kept with it.
struct Request : http_request {
    std::string text;
    std::vector<http_field> room = std::vector<http_field>(20);

    explicit Request(const std::string &head) : http_request{}, text(head + "\r\n\r\n")
    {
        http_head_parser parser;
        http_limits limits = http_limits_default;

        limits.fields = 20;
        fields = room.data();
        http_request_parser_init(&parser);
        EXPECT_EQ(http_request_parse(&parser, &limits, (const unsigned char *)text.data(),
                                     text.size(), this),
                  HTTP_COMPLETE);
    }
    Request(const Request &) = delete;
};

static std::string line(const http_request *request, unsigned status = 200, uint64_t bytes = 12,
                        const char *host = "192.0.2.1")
{
    std::vector<char> room(SERVER_ACCESS_LINE);
    sockaddr_in peer = {};
    char *output = room.data();

    peer.sin_family = AF_INET;
    inet_pton(AF_INET, host, &peer.sin_addr);
    output += server_access_line_before(output, (sockaddr *)&peer, "DATE", request);
    output += server_access_line_result(output, status, bytes);
    output += server_access_line_after(output, request);
    EXPECT_LE(output - room.data(), SERVER_ACCESS_LINE);
    return {room.data(), output};
}

TEST(AccessLine, IsInTheCombinedFormat)
{
    Request request("GET /a?b HTTP/1.1\r\nHost: x\r\nReferer: http://y/\r\nUser-Agent: curl/8");

    EXPECT_EQ(line(&request),
              "192.0.2.1 - - [DATE] \"GET /a?b HTTP/1.1\" 200 12 \"http://y/\" \"curl/8\"\n");
}

TEST(AccessLine, WhatIsMissingIsADash)
{
    Request request("HEAD / HTTP/1.0");

    EXPECT_EQ(line(&request, 404, 0),
              "192.0.2.1 - - [DATE] \"HEAD / HTTP/1.0\" 404 0 \"-\" \"-\"\n");
    EXPECT_EQ(line(nullptr, 400, 5), "192.0.2.1 - - [DATE] \"-\" 400 5 \"-\" \"-\"\n");
}

TEST(AccessLine, ARequestWithoutAnAnswerIs499)
{
    Request request("GET / HTTP/1.1\r\nHost: x");

    EXPECT_EQ(line(&request, 0, 0), "192.0.2.1 - - [DATE] \"GET / HTTP/1.1\" 499 0 \"-\" \"-\"\n");
}

TEST(AccessLine, CannotBeForged)
{
    Request request(
        "GET /\"\\ HTTP/1.1\r\nHost: x\r\nreFERer: a\" 200 1 \"\r\nUSER-AGENT: \xff\t\\");

    EXPECT_EQ(line(&request), "192.0.2.1 - - [DATE] \"GET /\\x22\\x5C HTTP/1.1\" 200 12 "
                              "\"a\\x22 200 1 \\x22\" \"\\xFF\\x09\\x5C\"\n");
}

TEST(AccessLine, IsCutWhereItIsLong)
{
    std::string path(5000, '\\'), referer(3000, '"'), agent(3000, 'a');
    Request request("GET /" + path + " HTTP/1.1\r\nHost: x\r\nReferer: " + referer +
                    "\r\nUser-Agent: " + agent);
    std::string text = line(&request, 999, UINT64_MAX);

    EXPECT_NE(text.find("... HTTP/1.1\" 999 18446744073709551615 \"\\x22"), text.npos);
    EXPECT_NE(text.find("...\" \"aaa"), text.npos);
    EXPECT_EQ(text.substr(text.size() - 6), "a...\"\n");
    EXPECT_GT(text.size(), 3000u);
}

TEST(AccessLine, Peers)
{
    std::vector<char> room(SERVER_ACCESS_LINE);
    sockaddr_un local = {};
    sockaddr_in6 v6 = {};

    local.sun_family = AF_UNIX;
    size_t length = server_access_line_before(room.data(), (sockaddr *)&local, "DATE", nullptr);
    EXPECT_EQ(std::string(room.data(), length), "- - - [DATE] \"-\" ");
    v6.sin6_family = AF_INET6;
    inet_pton(AF_INET6, "2001:db8::1", &v6.sin6_addr);
    length = server_access_line_before(room.data(), (sockaddr *)&v6, "DATE", nullptr);
    EXPECT_EQ(std::string(room.data(), length), "2001:db8::1 - - [DATE] \"-\" ");
}

TEST(AccessLine, Dates)
{
    char date[SERVER_ACCESS_DATE];

    setenv("TZ", "UTC0", 1);
    tzset();
    server_access_date(1795378501, date);
    EXPECT_STREQ(date, "22/Nov/2026:20:15:01 +0000");
    setenv("TZ", "XXX-5:30", 1);
    tzset();
    server_access_date(1798741801, date);
    EXPECT_STREQ(date, "01/Jan/2027:00:00:01 +0530");
    unsetenv("TZ");
    tzset();
}
