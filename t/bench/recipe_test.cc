// Recipes: headers as they are written on a command line, and the requests that come of them.

#include "harness/harness.h"

#include <vector>

extern "C" {
#include "recipe.h"
}

namespace {

class Recipe : public testing::Test {
  public:
    struct recipe r = {};
    struct httpclient_message message = {};

    ~Recipe() override
    {
        recipe_fini(&r);
    }

    // The head for a URL.
    std::string write(const std::string &text)
    {
        struct httpclient_url url;
        EXPECT_EQ(httpclient_url_parse(text.data(), text.size(), &url), 0);
        std::vector<unsigned char> room(recipe_room(&r, &url));
        if (recipe_write(&r, &url, room.data(), room.size(), &message) != 0)
            return "none";
        return std::string(reinterpret_cast<char *>(room.data()), message.head_length);
    }
};

TEST_F(Recipe, AsksForAUrl)
{
    EXPECT_EQ(write("http://a:81/b?c#d"), "GET /b?c HTTP/1.1\r\nHost: a:81\r\n\r\n");
    EXPECT_EQ(write("http://e"), "GET / HTTP/1.1\r\nHost: e\r\n\r\n");
}

TEST_F(Recipe, HasHeaders)
{
    EXPECT_EQ(recipe_header(&r, "A:b"), 0);
    EXPECT_EQ(recipe_header(&r, "C: \t d e \t"), 0);
    EXPECT_EQ(recipe_header(&r, "host: me"), 0);
    EXPECT_EQ(write("http://a/"), "GET / HTTP/1.1\r\nHost: me\r\nA: b\r\nC: d e\r\n\r\n");
}

TEST_F(Recipe, HasDefaults)
{
    EXPECT_EQ(recipe_header(&r, "a: mine"), 0);
    EXPECT_EQ(recipe_header(&r, "B:"), 0);
    for (const char *name : {"a", "b", "c"}) {
        static char lines[3][16];
        char *line = lines[name[0] - 'a'];
        snprintf(line, sizeof lines[0], "%s: default", name);
        EXPECT_EQ(recipe_default(&r, name, line), 0);
    }
    EXPECT_EQ(write("http://a/"), "GET / HTTP/1.1\r\nHost: a\r\na: mine\r\nc: default\r\n\r\n");
}

TEST_F(Recipe, RefusesWhatIsNoHeader)
{
    for (const char *line :
         {"", ":", "a", ": b", "a b: c", "a: b\nc", "a: b\rc", "Content-Length: 1",
          "transfer-encoding: chunked", "Expect: 100-continue"})
        EXPECT_EQ(recipe_header(&r, line), -EINVAL) << line;
    EXPECT_EQ(write("http://a/"), "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
}

TEST_F(Recipe, HasABody)
{
    r.request.body = HTTP_BODY_SIZED;
    r.request.body_length = 3;
    r.request.content = "abc";
    EXPECT_EQ(write("http://a/"), "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n");
    EXPECT_EQ(message.body_length, 3u);
    r.request.method = "PUT";
    EXPECT_EQ(write("http://a/").substr(0, 4), "PUT ");
}

TEST_F(Recipe, HasRoomForManyHeaders)
{
    static const std::string line = "Name: " + std::string(100, 'x');
    for (int i = 0; i < 500; i++)
        EXPECT_EQ(recipe_header(&r, line.c_str()), 0);
    EXPECT_EQ(write("http://a/").size(), 27 + 500 * (line.size() + 2));
}

TEST_F(Recipe, WritesNoRequestThatIsNone)
{
    r.request.method = "A B";
    EXPECT_EQ(write("http://a/"), "none");
}

} // namespace
