#include "harness/harness.h"

#include <string>

#include <asynwsgi/http.h>

static const unsigned char *bytes(const std::string &text)
{
    return reinterpret_cast<const unsigned char *>(text.data());
}

static const struct {
    const char *name;
    enum http_field_name known;
    bool hop_by_hop;
} fields[] = {
    {"Authorization", HTTP_FIELD_AUTHORIZATION, false},
    {"Connection", HTTP_FIELD_CONNECTION, true},
    {"Content-Length", HTTP_FIELD_CONTENT_LENGTH, false},
    {"Content-Range", HTTP_FIELD_CONTENT_RANGE, false},
    {"Content-Type", HTTP_FIELD_CONTENT_TYPE, false},
    {"Date", HTTP_FIELD_DATE, false},
    {"Expect", HTTP_FIELD_EXPECT, false},
    {"Host", HTTP_FIELD_HOST, false},
    {"If-Modified-Since", HTTP_FIELD_IF_MODIFIED_SINCE, false},
    {"If-Range", HTTP_FIELD_IF_RANGE, false},
    {"If-Unmodified-Since", HTTP_FIELD_IF_UNMODIFIED_SINCE, false},
    {"Keep-Alive", HTTP_FIELD_KEEP_ALIVE, true},
    {"Proxy-Authenticate", HTTP_FIELD_PROXY_AUTHENTICATE, true},
    {"Proxy-Authorization", HTTP_FIELD_PROXY_AUTHORIZATION, true},
    {"Proxy-Connection", HTTP_FIELD_PROXY_CONNECTION, true},
    {"Range", HTTP_FIELD_RANGE, false},
    {"Server", HTTP_FIELD_SERVER, false},
    {"TE", HTTP_FIELD_TE, true},
    {"Trailer", HTTP_FIELD_TRAILER, true},
    {"Transfer-Encoding", HTTP_FIELD_TRANSFER_ENCODING, true},
    {"Upgrade", HTTP_FIELD_UPGRADE, true},
};

static enum http_field_name known(const std::string &name)
{
    return http_field_name(bytes(name), name.size());
}

TEST(Field, NamesInAnyCase)
{
    for (const auto &field : fields) {
        std::string name = field.name, lower = name, upper = name;
        for (char &c : lower)
            c = static_cast<char>(std::tolower(c));
        for (char &c : upper)
            c = static_cast<char>(std::toupper(c));
        EXPECT_EQ(known(name), field.known) << name;
        EXPECT_EQ(known(lower), field.known) << lower;
        EXPECT_EQ(known(upper), field.known) << upper;
        EXPECT_EQ(http_field_is_hop_by_hop(field.known), field.hop_by_hop) << name;
    }
    EXPECT_FALSE(http_field_is_hop_by_hop(HTTP_FIELD_OTHER));
}

// A name that differs in one byte is another one, and so is one that only begins or ends like it.
TEST(Field, NamesThatAreNearlyKnown)
{
    for (const auto &field : fields) {
        std::string name = field.name;
        EXPECT_EQ(known(name + "s"), HTTP_FIELD_OTHER);
        EXPECT_EQ(known("X" + name), HTTP_FIELD_OTHER);
        EXPECT_EQ(known(name.substr(1)), HTTP_FIELD_OTHER);
        EXPECT_EQ(known(name.substr(0, name.size() - 1)), HTTP_FIELD_OTHER);
        for (size_t i = 0; i < name.size(); i++)
            for (int byte = 0; byte < 256; byte++) {
                std::string other = name;
                other[i] = static_cast<char>(byte);
                bool same = std::isalpha(static_cast<unsigned char>(name[i]))
                                ? byte < 128 && std::tolower(byte) == std::tolower(name[i])
                                : other == name;
                ASSERT_EQ(known(other), same ? field.known : HTTP_FIELD_OTHER) << other;
            }
    }
    EXPECT_EQ(known(""), HTTP_FIELD_OTHER);
    EXPECT_EQ(known("C"), HTTP_FIELD_OTHER);
    EXPECT_EQ(known(std::string(70000, 'a')), HTTP_FIELD_OTHER);
}

TEST(Field, ValidNames)
{
    auto valid = [](const std::string &name) {
        return http_field_name_valid(bytes(name), name.size());
    };
    const std::string signs = "!#$%&'*+-.^_`|~"; // RFC 9110, 5.6.2
    for (int byte = 0; byte < 256; byte++) {
        auto c = static_cast<char>(byte);
        bool tchar =
            (byte < 128 && std::isalnum(byte)) || (byte != 0 && signs.find(c) != std::string::npos);
        EXPECT_EQ(valid(std::string("X-") + c + "a"), tchar) << byte;
    }
    EXPECT_FALSE(valid(""));
}

TEST(Field, ValidValues)
{
    for (int byte = 0; byte < 256; byte++) {
        std::string value = "value with some length and " + std::string(1, static_cast<char>(byte));
        EXPECT_EQ(http_field_value_valid(bytes(value), value.size()),
                  byte == '\t' || (byte >= ' ' && byte != 0x7f))
            << byte;
    }
    EXPECT_TRUE(http_field_value_valid(bytes(""), 0));
}
