// The head of a response as a function: fields in, bytes and framing out.

#include <gtest/gtest.h>

#include <climits>
#include <string>
#include <utility>
#include <vector>

extern "C" {
#include "response_head.h"
}

using Headers = std::vector<std::pair<std::string, std::string>>;

static const unsigned char *bytes(const std::string &s)
{
    return reinterpret_cast<const unsigned char *>(s.data());
}

static const std::string stamp_text = "Date: now\r\nServer: me\r\n";

class ResponseHead : public testing::Test {
  public:
    struct response_framing framing = {false, false, true, -1, RESPONSE_EMPTY};
    struct response_stamp stamp = {const_cast<unsigned char *>(bytes(stamp_text)), 11, 12};

    // The head, or "" where it is refused. Fails if it takes more than the room asked for.
    std::string write(const std::string &status, const Headers &headers,
                      const struct http_lines *lines = nullptr)
    {
        std::vector<struct http_header> fields;
        for (const auto &[name, value] : headers)
            fields.push_back({bytes(name), bytes(value), static_cast<uint32_t>(name.size()),
                              static_cast<uint32_t>(value.size())});
        struct http_response response = {static_cast<unsigned>(std::stoul(status)),
                                         bytes(status),
                                         static_cast<uint32_t>(status.size()),
                                         static_cast<uint32_t>(fields.size()),
                                         fields.data(),
                                         lines};
        std::vector<unsigned char> room(http_response_head_room(&response, &stamp));
        size_t length = http_response_head_write(&response, &stamp, &framing, room.data());
        EXPECT_LE(length, room.size());
        return std::string(reinterpret_cast<char *>(room.data()), length);
    }
};

TEST_F(ResponseHead, FieldsStampFraming)
{
    framing.length = 5;
    EXPECT_EQ(write("200 OK", {{"Content-Type", "text/plain"}, {"X-A", ""}}),
              "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-A: \r\nDate: now\r\n"
              "Server: me\r\nContent-Length: 5\r\n\r\n");
    EXPECT_EQ(framing.body, RESPONSE_SIZED);
    EXPECT_TRUE(framing.persistent);
}

TEST_F(ResponseHead, LinesStandBeforeTheHeaders)
{
    const std::string text = "date: D\r\nA: b\r\n";
    struct http_lines lines = {bytes(text), static_cast<uint32_t>(text.size()), true, false, -1};
    framing.length = 5;
    EXPECT_EQ(write("200 OK", {{"C", "d"}}, &lines),
              "HTTP/1.1 200 OK\r\n" + text + "C: d\r\nServer: me\r\nContent-Length: 5\r\n\r\n");
    lines.content_length = 6;
    lines.has_server = true;
    EXPECT_EQ(write("200 OK", {}, &lines),
              "HTTP/1.1 200 OK\r\n" + text + "Content-Length: 6\r\n\r\n");
    EXPECT_EQ(write("200 OK", {{"Content-Length", "7"}}, &lines), "");
    lines.length = 0;
    EXPECT_EQ(write("304 Not Modified", {}, &lines),
              "HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\n");
}

TEST_F(ResponseHead, OwnDateAndServerReplaceOurs)
{
    framing.length = 0;
    EXPECT_EQ(write("200 OK", {{"date", "D"}}),
              "HTTP/1.1 200 OK\r\ndate: D\r\nServer: me\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(write("200 OK", {{"SERVER", "S"}}),
              "HTTP/1.1 200 OK\r\nSERVER: S\r\nDate: now\r\nContent-Length: 0\r\n\r\n");
}

TEST_F(ResponseHead, NoServerName)
{
    stamp.server_length = 0;
    framing.length = 0;
    EXPECT_EQ(write("200 OK", {}), "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 0\r\n\r\n");
}

TEST_F(ResponseHead, HopByHopFieldsDoNotPass)
{
    framing.length = 0;
    for (const char *name : {"Connection", "keep-alive", "Transfer-Encoding", "TE", "Trailer",
                             "Upgrade", "Proxy-Connection"})
        EXPECT_EQ(write("200 OK", {{name, "close"}}),
                  "HTTP/1.1 200 OK\r\nDate: now\r\nServer: me\r\nContent-Length: 0\r\n\r\n")
            << name;
}

TEST_F(ResponseHead, ContentLengthOfTheHandlerComesFirst)
{
    framing.length = 5;
    EXPECT_EQ(write("200 OK", {{"content-length", "0012"}, {"Content-Length", "12"}}),
              "HTTP/1.1 200 OK\r\nDate: now\r\nServer: me\r\nContent-Length: 12\r\n\r\n");
    EXPECT_EQ(framing.length, 12);
    EXPECT_EQ(framing.body, RESPONSE_SIZED);
}

TEST_F(ResponseHead, ContentLengthAtTheEndOfItsRange)
{
    EXPECT_EQ(write("200 OK", {{"Content-Length", "9223372036854775799"}}),
              "HTTP/1.1 200 OK\r\nDate: now\r\nServer: me\r\nContent-Length: "
              "9223372036854775799\r\n\r\n");
    EXPECT_EQ(framing.length, INT64_MAX - 8);
    EXPECT_EQ(write("200 OK", {{"Content-Length", "9223372036854775800"}}), "");
}

TEST_F(ResponseHead, RoomForLongNamesAndValues)
{
    const std::string name(500, 'n'), value(500, 'v');
    std::string head = write("200 OK", {{name, "v"}, {"n", value}, {name, value}});
    EXPECT_NE(
        head.find("\r\n" + name + ": v\r\nn: " + value + "\r\n" + name + ": " + value + "\r\n"),
        std::string::npos);
    head = write("200 " + name, {});
    EXPECT_EQ(head.find("HTTP/1.1 200 " + name + "\r\n"), 0u);
}

TEST_F(ResponseHead, BadContentLengths)
{
    for (const char *value :
         {"", " 1", "1 ", "-1", "+1", "1,1", "0x1", "1a", "99999999999999999999"})
        EXPECT_EQ(write("200 OK", {{"Content-Length", value}}), "") << value;
    EXPECT_EQ(write("200 OK", {{"Content-Length", "1"}, {"Content-Length", "2"}}), "");
}

TEST_F(ResponseHead, AFieldCalledCIsNoContentLength)
{
    framing.length = 3;
    EXPECT_EQ(write("200 OK", {{"C", "9"}, {"Content-Lengt", "9"}}),
              "HTTP/1.1 200 OK\r\nC: 9\r\nContent-Lengt: 9\r\nDate: now\r\nServer: me\r\n"
              "Content-Length: 3\r\n\r\n");
}

TEST_F(ResponseHead, UnknownLengthIsChunked)
{
    EXPECT_EQ(write("200 OK", {}), "HTTP/1.1 200 OK\r\nDate: now\r\nServer: me\r\n"
                                   "Transfer-Encoding: chunked\r\n\r\n");
    EXPECT_EQ(framing.body, RESPONSE_CHUNKED);
    EXPECT_TRUE(framing.persistent);
}

TEST_F(ResponseHead, UnknownLengthToHttp10IsTheRestOfTheConnection)
{
    framing.to_http_10 = true;
    EXPECT_EQ(write("200 OK", {}),
              "HTTP/1.1 200 OK\r\nDate: now\r\nServer: me\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(framing.body, RESPONSE_CLOSED);
    EXPECT_FALSE(framing.persistent);
}

TEST_F(ResponseHead, ConnectionSaysWhatBecomesOfIt)
{
    framing.length = 1;
    framing.to_http_10 = true;
    EXPECT_NE(write("200 OK", {}).find("\r\nConnection: keep-alive\r\n"), std::string::npos);
    framing.persistent = false;
    EXPECT_NE(write("200 OK", {}).find("\r\nConnection: close\r\n"), std::string::npos);
    framing.to_http_10 = false;
    EXPECT_NE(write("200 OK", {}).find("\r\nConnection: close\r\n"), std::string::npos);
    framing.persistent = true;
    EXPECT_EQ(write("200 OK", {}).find("Connection"), std::string::npos);
}

TEST_F(ResponseHead, NoLengthWith204And1xx)
{
    for (const char *status : {"204 No Content", "101 Switching Protocols", "103 Early Hints"}) {
        framing = {false, false, false, 7, RESPONSE_CHUNKED};
        EXPECT_EQ(write(status, {{"Content-Length", "7"}}),
                  std::string("HTTP/1.1 ") + status +
                      "\r\nDate: now\r\nServer: me\r\nConnection: close\r\n\r\n");
        EXPECT_EQ(framing.body, RESPONSE_EMPTY);
    }
}

TEST_F(ResponseHead, ResetContentSaysThatThereIsNone)
{
    framing.length = 7;
    EXPECT_EQ(write("205 Reset Content", {{"Content-Length", "7"}}),
              "HTTP/1.1 205 Reset Content\r\nDate: now\r\nServer: me\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(framing.body, RESPONSE_EMPTY);
}

TEST_F(ResponseHead, OnlyA1xxEndsTheConnection)
{
    write("204 No Content", {});
    EXPECT_TRUE(framing.persistent);
    write("101 Switching Protocols", {});
    EXPECT_FALSE(framing.persistent);
}

TEST_F(ResponseHead, NotModifiedHasOnlyTheLengthItIsGiven)
{
    const std::string head = "HTTP/1.1 304 Not Modified\r\nDate: now\r\nServer: me\r\n";

    framing.length = 0;
    EXPECT_EQ(write("304 Not Modified", {}), head + "\r\n");
    EXPECT_EQ(write("304 Not Modified", {{"Content-Length", "9"}}),
              head + "Content-Length: 9\r\n\r\n");
    EXPECT_EQ(framing.body, RESPONSE_EMPTY);
}

TEST_F(ResponseHead, HeadHasALengthWhereItIsKnown)
{
    const std::string head = "HTTP/1.1 200 OK\r\nDate: now\r\nServer: me\r\n";

    framing.to_head = true;
    EXPECT_EQ(write("200 OK", {}), head + "\r\n");
    EXPECT_EQ(framing.body, RESPONSE_EMPTY);
    framing.length = 6;
    EXPECT_EQ(write("200 OK", {}), head + "Content-Length: 6\r\n\r\n");
    EXPECT_EQ(write("200 OK", {{"Content-Length", "9"}}), head + "Content-Length: 9\r\n\r\n");
    EXPECT_EQ(framing.body, RESPONSE_EMPTY);
}
