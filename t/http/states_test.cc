// Each machine judges every byte in every state that it can come to: none is neither taken nor a
// fault. Whole messages show that of the states that somebody thought of only.

#include "harness/harness.h"

#include <map>
#include <string>
#include <vector>

#include <asynwsgi/http.h>

namespace {

const size_t room = 40; // fields of a head

// Goes on from `parser`, which has read `text` but for its last byte.
template <typename Head>
enum http_fault head(enum http_fault (*parse)(struct http_head_parser *, const struct http_limits *,
                                              const unsigned char *, size_t, Head *),
                     struct http_head_parser *parser, const std::string &text)
{
    struct http_field fields[room];
    struct http_limits limits = http_limits_default;
    limits.fields = room;
    Head result;
    result.fields = fields;
    enum http_fault fault = parse(
        parser, &limits, reinterpret_cast<const unsigned char *>(&text[0]), text.size(), &result);
    if (fault == HTTP_INCOMPLETE) {
        EXPECT_EQ(parser->position, text.size()) << testing::PrintToString(text);
    }
    return fault;
}

template <typename Head>
size_t walk(enum http_fault (*parse)(struct http_head_parser *, const struct http_limits *,
                                     const unsigned char *, size_t, Head *),
            struct http_head_parser start)
{
    std::map<int, std::pair<std::string, struct http_head_parser>> states;
    std::vector<int> next = {start.state};
    states[start.state] = {"", start};
    while (!next.empty()) {
        auto [text, parser] = states[next.back()];
        next.pop_back();
        for (int byte = 0; byte < 256; byte++) {
            struct http_head_parser there = parser;
            std::string longer = text + static_cast<char>(byte);
            if (head(parse, &there, longer) == HTTP_INCOMPLETE && states.count(there.state) == 0) {
                states[there.state] = {longer, there};
                next.push_back(there.state);
            }
        }
    }
    return states.size();
}

TEST(States, OfTheRequestHead)
{
    struct http_head_parser parser;
    http_request_parser_init(&parser);
    EXPECT_GT(walk(http_request_parse, parser), 50U);
}

TEST(States, OfTheResponseHead)
{
    struct http_head_parser parser;
    http_response_parser_init(&parser);
    EXPECT_GE(walk(http_response_parse, parser), 19U);
}

TEST(States, OfTheChunkedCoding)
{
    std::map<int, std::pair<std::string, struct http_chunked>> states;
    struct http_chunked start;
    http_chunked_init(&start);
    states[start.state] = {"", start};
    std::vector<int> next = {start.state};
    while (!next.empty()) {
        auto [text, chunked] = states[next.back()];
        next.pop_back();
        for (int byte = 0; byte < 256; byte++) {
            struct http_chunked there = chunked;
            struct http_piece piece;
            auto c = static_cast<unsigned char>(byte);
            enum http_fault fault = http_chunked_parse(&there, &http_limits_default, &c, 1, &piece);
            if (fault != HTTP_INCOMPLETE)
                continue;
            EXPECT_EQ(piece.consumed, 1U) << testing::PrintToString(text) << " and " << byte;
            there.remaining = 0; // as if the data were there
            if (states.count(there.state) == 0) {
                states[there.state] = {text + static_cast<char>(byte), there};
                next.push_back(there.state);
            }
        }
    }
    EXPECT_GT(states.size(), 20U);
}

} // namespace
