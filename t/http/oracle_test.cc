// The parsers and the oracle read the golden pages alike.

#include "harness/harness.h"
#include "http/oracle.h"
#include "http/pages.h"
#include "http/parsed.h"

static std::vector<Case> request_pages()
{
    std::vector<Case> cases;
    for (const Case &test : read_pages())
        if (!test.responses)
            cases.push_back(test);
    return cases;
}

TEST(Oracle, ReadsThePagesAsTheParsersDo)
{
    std::vector<Case> cases = request_pages();
    EXPECT_GT(cases.size(), 300u);
    for (const Case &test : cases) {
        std::string difference;
        EXPECT_TRUE(agree(parsed(test.bytes, {}, test.limits), oracle_read(test.bytes, test.limits),
                          &difference))
            << test.name << "\n"
            << escape(test.bytes) << "\n"
            << difference;
    }
}

// Each page ends where it does for many reasons: in each of them the two agree too.
TEST(Oracle, ReadsWhatIsCutShortAsTheParsersDo)
{
    for (const Case &test : request_pages())
        for (size_t length = 0; length < test.bytes.size() && length < 400; length++) {
            std::string bytes = test.bytes.substr(0, length), difference;
            ASSERT_TRUE(
                agree(parsed(bytes, {}, test.limits), oracle_read(bytes, test.limits), &difference))
                << test.name << "\n"
                << escape(bytes) << "\n"
                << difference;
        }
}

// A verdict of the oracle's own on what it is there for; the pages have the rest.
TEST(Oracle, KnowsWhatIsSmuggled)
{
    Reading reading = oracle_read("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
                                  "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                                  http_limits_default);
    EXPECT_TRUE(reading.messages.empty());
    EXPECT_EQ(reading.end, End::REFUSED);
    EXPECT_EQ(reading.faults, std::set<enum http_fault>{HTTP_AMBIGUOUS_LENGTH});

    reading = oracle_read("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"
                          "0\r\n\r\nGET / HTTP/1.1\r\nHost: b\r\n\r\n",
                          http_limits_default);
    ASSERT_EQ(reading.messages.size(), 1u);
    EXPECT_EQ(reading.messages[0].content, "0\r\n\r");
    EXPECT_EQ(reading.faults, std::set<enum http_fault>{HTTP_BAD_LINE_END});
    EXPECT_EQ(reading.position, 51u);
}
