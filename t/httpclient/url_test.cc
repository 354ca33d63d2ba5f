// URLs, references and redirects: functions from text to results.

#include "harness/harness.h"

#include <asynwsgi/httpclient.h>

#include <cerrno>
#include <cstring>
#include <string>

// "host port authority target", or the error.
static std::string parsed(const std::string &text)
{
    struct httpclient_url url;
    int error = httpclient_url_parse(text.data(), text.size(), &url);
    if (error != 0)
        return strerrorname_np(-error);
    return std::string(url.host, url.host_length) + " " + std::to_string(url.port) + " " +
           std::string(url.authority, url.authority_length) + " " +
           std::string(url.target, url.target_length);
}

TEST(Url, IsTakenApart)
{
    EXPECT_EQ(parsed("http://a/"), "a 80 a /");
    EXPECT_EQ(parsed("http://a"), "a 80 a ");
    EXPECT_EQ(parsed("HTTP://A.example:8080/b/c?d=e/f?g"),
              "A.example 8080 A.example:8080 /b/c?d=e/f?g");
    EXPECT_EQ(parsed("http://a?b"), "a 80 a ?b");
    EXPECT_EQ(parsed("http://a/?"), "a 80 a /?");
    EXPECT_EQ(parsed("http://a#b"), "a 80 a ");
    EXPECT_EQ(parsed("http://a/b?c#d?e"), "a 80 a /b?c");
    EXPECT_EQ(parsed("http://127.0.0.1:1/"), "127.0.0.1 1 127.0.0.1:1 /");
    EXPECT_EQ(parsed("http://a:65535/"), "a 65535 a:65535 /");
    EXPECT_EQ(parsed("http://a:0080/"), "a 80 a:0080 /");
}

TEST(Url, AnEmptyPortIsNone)
{
    EXPECT_EQ(parsed("http://a:/b"), "a 80 a /b");
    EXPECT_EQ(parsed("http://[::1]:/b"), "::1 80 [::1] /b");
}

TEST(Url, HasIpv6Literals)
{
    EXPECT_EQ(parsed("http://[::1]/"), "::1 80 [::1] /");
    EXPECT_EQ(parsed("http://[2001:db8::1]:81/x"), "2001:db8::1 81 [2001:db8::1]:81 /x");
    EXPECT_EQ(parsed("http://[::ffff:192.0.2.1]/"), "::ffff:192.0.2.1 80 [::ffff:192.0.2.1] /");
    for (const char *bad :
         {"http://[::1", "http://[]/", "http://[1]/", "http://[::1]x/", "http://[fe80::1%25eth0]/",
          "http://[v1.a]/", "http://[::1]]/", "http://::1/", "http://[1:2:3:4:5:6:7:8:9]/"})
        EXPECT_EQ(parsed(bad), "EINVAL") << bad;
    std::string zeros = "http://[" + std::string(60, '0') + "::1]/";
    EXPECT_EQ(parsed(zeros), "EINVAL");
    EXPECT_EQ(parsed(std::string("http://[::1\0]/", 14)), "EINVAL");
}

TEST(Url, OtherSchemesAreToldFromNonsense)
{
    for (const char *other : {"https://a/", "ftp://a/", "unix:/run/a", "a:b", "httpx://a/"})
        EXPECT_EQ(parsed(other), "EPROTONOSUPPORT") << other;
    for (const char *bad :
         {"", "a", "/a", "//a/", "http:", "http:a", "http:/a", "http://", "http:///a", "http://?",
          "http://:80/", "http//a/", "1http://a/", "://a"})
        EXPECT_EQ(parsed(bad), "EINVAL") << bad;
}

TEST(Url, RefusesWhatItCannotSend)
{
    for (const char *bad :
         {"http://user@a/", "http://user:pass@a/", "http://a@b@c/", "http://a /", "http://a/ b",
          "http://a/\t", "http://a/\n", "http://a/\x7f", "http://a/\xc3\xa4", "http://\xc3\xa4/",
          "http://a%41/", "http://a\\b/", "http://a:8x/", "http://a:+8/", "http://a:8:9/"})
        EXPECT_EQ(parsed(bad), "EINVAL") << bad;
    EXPECT_EQ(parsed(std::string("http://a/\0b", 11)), "EINVAL");
    EXPECT_EQ(parsed(std::string("http://a\0b/", 11)), "EINVAL");
    for (const char *port : {"http://a:0/", "http://a:65536/", "http://a:99999999999999999999/"})
        EXPECT_EQ(parsed(port), "ERANGE") << port;
}

static std::string resolved(const std::string &base, const std::string &reference)
{
    // Exactly the room that always is enough, for the sanitizers to see that it is.
    std::string output(base.size() + reference.size() + 2, '!');
    size_t length = 0;
    int error = httpclient_url_resolve(base.data(), base.size(), reference.data(), reference.size(),
                                       output.data(), output.size(), &length);
    if (error != 0)
        return strerrorname_np(-error);
    return output.substr(0, length);
}

// The examples of RFC 3986, 5.4, all of them.
TEST(Reference, ResolvesTheExamplesOfTheStandard)
{
    const char *const examples[][2] = {
        {"g:h", "g:h"},
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},
        {"#s", "http://a/b/c/d;p?q#s"},
        {"g#s", "http://a/b/c/g#s"},
        {"g?y#s", "http://a/b/c/g?y#s"},
        {";x", "http://a/b/c/;x"},
        {"g;x", "http://a/b/c/g;x"},
        {"g;x?y#s", "http://a/b/c/g;x?y#s"},
        {"", "http://a/b/c/d;p?q"},
        {".", "http://a/b/c/"},
        {"./", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../..", "http://a/"},
        {"../../", "http://a/"},
        {"../../g", "http://a/g"},
        {"../../../g", "http://a/g"},
        {"../../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"/../g", "http://a/g"},
        {"g.", "http://a/b/c/g."},
        {".g", "http://a/b/c/.g"},
        {"g..", "http://a/b/c/g.."},
        {"..g", "http://a/b/c/..g"},
        {"./../g", "http://a/b/g"},
        {"./g/.", "http://a/b/c/g/"},
        {"g/./h", "http://a/b/c/g/h"},
        {"g/../h", "http://a/b/c/h"},
        {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
        {"g;x=1/../y", "http://a/b/c/y"},
        {"g?y/./x", "http://a/b/c/g?y/./x"},
        {"g?y/../x", "http://a/b/c/g?y/../x"},
        {"g#s/./x", "http://a/b/c/g#s/./x"},
        {"g#s/../x", "http://a/b/c/g#s/../x"},
        {"http:g", "http:g"},
    };
    for (const auto &[reference, expected] : examples)
        EXPECT_EQ(resolved("http://a/b/c/d;p?q", reference), expected) << reference;
}

TEST(Reference, ResolvesAgainstShortBases)
{
    EXPECT_EQ(resolved("http://a", "b"), "http://a/b");
    EXPECT_EQ(resolved("http://a", "?b"), "http://a?b");
    EXPECT_EQ(resolved("http://a?x", "b"), "http://a/b");
    EXPECT_EQ(resolved("http://a/b/", "c"), "http://a/b/c");
    EXPECT_EQ(resolved("http://a/b", "https://c/../d"), "https://c/d");
    EXPECT_EQ(resolved("http://a/b", "//c:81?d"), "http://c:81?d");
}

// RFC 9110, 10.2.2
TEST(Reference, InheritsTheFragment)
{
    EXPECT_EQ(resolved("http://a/b#f", "c"), "http://a/c#f");
    EXPECT_EQ(resolved("http://a/b#f", "c#g"), "http://a/c#g");
    EXPECT_EQ(resolved("http://a/b#f", "c#"), "http://a/c#");
}

TEST(Reference, NeedsABaseAndRoom)
{
    EXPECT_EQ(resolved("a/b", "c"), "EINVAL");
    char output[11];
    size_t length = 0;
    EXPECT_EQ(httpclient_url_resolve("http://a/b", 10, "cc", 2, output, 10, &length), -ENOBUFS);
    EXPECT_EQ(httpclient_url_resolve("http://a/b", 10, "cc", 2, output, 11, &length), 0);
    EXPECT_EQ(length, 11u);
}

TEST(Redirect, FollowsTheMethodTable)
{
    auto rule = [](unsigned status, const std::string &method) {
        return httpclient_redirect(status, method.data(), method.size());
    };
    for (unsigned status : {301u, 302u}) {
        EXPECT_EQ(rule(status, "GET"), HTTPCLIENT_AGAIN);
        EXPECT_EQ(rule(status, "HEAD"), HTTPCLIENT_AGAIN);
        EXPECT_EQ(rule(status, "POST"), HTTPCLIENT_AGAIN_AS_GET);
        EXPECT_EQ(rule(status, "PUT"), HTTPCLIENT_AGAIN);
    }
    EXPECT_EQ(rule(303, "GET"), HTTPCLIENT_AGAIN);
    EXPECT_EQ(rule(303, "HEAD"), HTTPCLIENT_AGAIN);
    EXPECT_EQ(rule(303, "POST"), HTTPCLIENT_AGAIN_AS_GET);
    EXPECT_EQ(rule(303, "DELETE"), HTTPCLIENT_AGAIN_AS_GET);
    for (unsigned status : {307u, 308u})
        for (const char *method : {"GET", "POST", "PUT"})
            EXPECT_EQ(rule(status, method), HTTPCLIENT_AGAIN);
    for (unsigned status : {200u, 201u, 204u, 300u, 304u, 305u, 306u, 309u, 400u})
        EXPECT_EQ(rule(status, "GET"), HTTPCLIENT_STAY);
}
