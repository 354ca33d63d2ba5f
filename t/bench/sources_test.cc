// Local addresses: which there are, how many it takes, and whether a server is on this machine.

#include "harness/harness.h"

#include <string>

extern "C" {
#include "sources.h"
}

static tcpsocket_address parse(const char *text)
{
    tcpsocket_address address;

    EXPECT_EQ(tcpsocket_address_parse(text, &address), 0) << text;
    return address;
}

static std::string source(uint64_t index)
{
    tcpsocket_address address;
    char text[TCPSOCKET_ADDRESS_TEXT];

    sources_address(index, &address);
    return std::string(text, tcpsocket_address_format(&address.socket.any, address.length, text));
}

TEST(Sources, BeginWithTheUsualOne)
{
    EXPECT_EQ(source(0), "127.0.0.1:0");
    EXPECT_EQ(source(1), "127.0.0.2:0");
    EXPECT_EQ(source(255), "127.0.1.0:0");
    EXPECT_EQ(source(SOURCES_MAX - 1), "127.255.255.254:0") << "behind it is the broadcast address";
}

TEST(Sources, HalfOfThePortsOfEachAreUsed)
{
    auto server = parse("127.0.0.1:80");

    EXPECT_EQ(sources_needed(&server, 0, 28232), 1u);
    EXPECT_EQ(sources_needed(&server, 14116, 28232), 1u);
    EXPECT_EQ(sources_needed(&server, 14117, 28232), 2u);
    EXPECT_EQ(sources_needed(&server, 100000, 28232), 8u);
    EXPECT_EQ(sources_needed(&server, 5, 1), 5u) << "a single port each";
    EXPECT_EQ(sources_needed(&server, UINT64_MAX, 2), SOURCES_MAX);
}

TEST(Sources, ThereAreOthersForIPv4LoopbackOnly)
{
    for (const char *text : {"[::1]:80", "192.0.2.1:80", "unix:@name"}) {
        auto server = parse(text);

        EXPECT_EQ(sources_needed(&server, 1000000, 28232), 1u) << text;
    }
}

TEST(Sources, LoopbackIsWhatStaysHere)
{
    for (const char *text : {"127.0.0.1:80", "127.255.255.254:80", "[::1]:80",
                             "[::ffff:127.0.0.1]:80", "unix:/path", "unix:@name"}) {
        auto server = parse(text);

        EXPECT_TRUE(sources_is_loopback(&server)) << text;
    }
    for (const char *text : {"126.255.255.255:80", "128.0.0.1:80", "0.0.0.0:80", "192.0.2.1:80",
                             "10.0.0.1:80", "[::]:80", "[2001:db8::1]:80", "[fe80::1]:80",
                             "[::ffff:192.0.2.1]:80", "[::127.0.0.1]:80"}) {
        auto server = parse(text);

        EXPECT_FALSE(sources_is_loopback(&server)) << text;
    }
}
