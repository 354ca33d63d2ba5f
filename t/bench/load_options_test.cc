// The command line of asynwsgi-load: what is taken, what is left to the defaults, what is refused.

#include "harness/harness.h"

#include <string>
#include <vector>

extern "C" {
#include "load_options.h"
}

class LoadOptions : public ::testing::Test {
  protected:
    load_options options{};
    std::vector<std::string> words;
    std::vector<char *> argv;

    int read(const std::vector<std::string> &arguments)
    {
        load_options_fini(&options);
        words = arguments;
        words.insert(words.begin(), "asynwsgi-load");
        argv.clear();
        for (std::string &word : words)
            argv.push_back(word.data());
        argv.push_back(nullptr);
        return load_options_read(&options, argv.data());
    }

    // What is said of arguments that are refused.
    std::string refusal(const std::vector<std::string> &arguments)
    {
        testing::internal::CaptureStderr();
        EXPECT_LT(read(arguments), 0);
        return testing::internal::GetCapturedStderr();
    }

    void TearDown() override
    {
        load_options_fini(&options);
    }
};

static const uint64_t second = 1000000000;

TEST_F(LoadOptions, AUrlIsEnough)
{
    ASSERT_EQ(read({"http://a/"}), 0);
    ASSERT_EQ(options.url_count, 1u);
    EXPECT_STREQ(options.urls[0], "http://a/");
    EXPECT_EQ(options.connections, 10u);
    EXPECT_EQ(options.duration, 10 * second);
    EXPECT_EQ(options.requests, 0u);
    EXPECT_EQ(options.rate, 0u);
    EXPECT_EQ(options.pipeline, 1u);
    EXPECT_EQ(options.warmup, 0u);
    EXPECT_EQ(options.timeout, 10 * second);
    EXPECT_EQ(options.interval, second);
    EXPECT_STREQ(options.recipe.request.method, "GET");
    EXPECT_FALSE(options.recipe.request.closes);
}

TEST_F(LoadOptions, HaveWrksLetters)
{
    ASSERT_EQ(
        read({"-c20", "http://a/", "-n", "1k", "-R2M", "-H", "Accept: b", "-mPUT", "http://a/b"}),
        0);
    EXPECT_EQ(options.connections, 20u);
    EXPECT_EQ(options.requests, 1000u);
    EXPECT_EQ(options.rate, 2000000u);
    EXPECT_EQ(options.duration, 0u) << "as long as the requests take";
    EXPECT_EQ(options.recipe.request.header_count, 1u);
    EXPECT_STREQ(options.recipe.request.method, "PUT");
    EXPECT_EQ(options.url_count, 2u);
    ASSERT_EQ(read({"-d", "1m30s", "-n", "5", "http://a/"}), 0);
    EXPECT_EQ(options.duration, 90 * second);
    EXPECT_EQ(options.requests, 5u);
}

TEST_F(LoadOptions, ABodyIsPosted)
{
    for (const char *body : {"--body=", "--body-file=x", "--body-size=3k", "--synthesize-post=7"}) {
        ASSERT_EQ(read({body, "http://a/"}), 0);
        EXPECT_STREQ(options.recipe.request.method, "POST") << body;
    }
    EXPECT_EQ(options.chunks, 7u);
    EXPECT_EQ(options.chunk_size, 16384u);
    ASSERT_EQ(read({"--body=x", "-m", "PATCH", "http://a/"}), 0);
    EXPECT_STREQ(options.recipe.request.method, "PATCH");
}

TEST_F(LoadOptions, HostOverridesTheUrl)
{
    ASSERT_EQ(read({"-H", "host:  b:80", "http://a/"}), 0);
    EXPECT_STREQ(options.recipe.request.authority, "b:80");
    EXPECT_EQ(options.recipe.request.header_count, 0u);
}

TEST_F(LoadOptions, WithoutKeepAliveTheServerIsTold)
{
    ASSERT_EQ(read({"--no-keepalive", "http://a/"}), 0);
    EXPECT_TRUE(options.recipe.request.closes);
}

TEST_F(LoadOptions, RefusesWhatMakesNoSense)
{
    const struct {
        std::vector<std::string> arguments;
        const char *said;
    } cases[] = {
        {{}, "which URL?"},
        {{"--body=a", "--body-size=3", "http://a/"}, "exclude each other"},
        {{"--body-file=a", "--synthesize-post=3", "http://a/"}, "exclude each other"},
        {{"--check-digest", "http://a/"}, "--check-digest is for --synthesize-post"},
        {{"--no-keepalive", "--pipeline=2", "http://a/"}, "--no-keepalive leaves nothing"},
        {{"-c", "0", "http://a/"}, "--connections: \"0\""},
        {{"-R", "0", "http://a/"}, "--rate: \"0\""},
        {{"-d", "0", "http://a/"}, "--duration: \"0\""},
        {{"-d", "soon", "http://a/"}, "--duration: \"soon\""},
        {{"--interval", "1ms", "http://a/"}, "--interval: \"1ms\""},
        {{"-H", "x", "http://a/"}, "--header: \"x\""},
        {{"-H", "Content-Length: 3", "http://a/"}, "--header: \"Content-Length: 3\""},
        {{"--nonsense", "http://a/"}, "--nonsense"},
        {{"http://a/", "-c"}, "-c needs a value"},
    };

    for (const auto &c : cases)
        EXPECT_NE(refusal(c.arguments).find(c.said), std::string::npos) << c.said;
}

TEST_F(LoadOptions, HelpNeedsNoUrl)
{
    ASSERT_EQ(read({"--help"}), 0);
    EXPECT_TRUE(options.help);
    ASSERT_EQ(read({"--version"}), 0);
    EXPECT_TRUE(options.version);
}
