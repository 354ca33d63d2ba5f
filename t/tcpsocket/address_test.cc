// Addresses as text, both ways.

#include "tcpsocket/support.h"

TEST(Address, IsReadAndWritten)
{
    std::string path(107, 'p');
    const struct {
        std::string text, written;
        int family;
    } table[] = {
        {"127.0.0.1:80", "127.0.0.1:80", AF_INET},
        {"192.0.2.255:65535", "192.0.2.255:65535", AF_INET},
        {"127.0.0.1:0", "127.0.0.1:0", AF_INET},
        {"127.0.0.1:0080", "127.0.0.1:80", AF_INET},
        {":8000", "0.0.0.0:8000", AF_INET},
        {"[::1]:443", "[::1]:443", AF_INET6},
        {"[::]:8000", "[::]:8000", AF_INET6},
        {"[2001:DB8:0:0:0:0:0:1]:1", "[2001:db8::1]:1", AF_INET6},
        {"[::ffff:192.0.2.1]:1", "[::ffff:192.0.2.1]:1", AF_INET6},
        {"[fe80::1%4294967295]:9", "[fe80::1%4294967295]:9", AF_INET6},
        {"unix:/run/x.sock", "unix:/run/x.sock", AF_UNIX},
        {"unix:relative", "unix:relative", AF_UNIX},
        {"unix:a:80", "unix:a:80", AF_UNIX},
        {"unix:./@file", "unix:./@file", AF_UNIX},
        {"unix:" + path, "unix:" + path, AF_UNIX},
        {"unix:@name", "unix:@name", AF_UNIX},
        {"unix:@" + path, "unix:@" + path, AF_UNIX},
    };
    for (const auto &row : table) {
        tcpsocket_address a = address(row.text);
        EXPECT_EQ(a.socket.any.sa_family, row.family) << row.text;
        EXPECT_EQ(text(&a.socket.any, a.length), row.written);
    }
}

TEST(Address, HasItsExactLength)
{
    EXPECT_EQ(address(":1").length, sizeof(sockaddr_in));
    EXPECT_EQ(address("[::]:1").length, sizeof(sockaddr_in6));
    EXPECT_EQ(address("unix:ab").length, offsetof(sockaddr_un, sun_path) + 3);
    // No NUL at the end: it would be part of the name (unix(7)).
    EXPECT_EQ(address("unix:@ab").length, offsetof(sockaddr_un, sun_path) + 3);
}

TEST(Address, NameIsResolved)
{
    tcpsocket_address a = address("localhost:80");
    std::string written = text(&a.socket.any, a.length);
    EXPECT_TRUE(written == "127.0.0.1:80" || written == "[::1]:80") << written;
}

TEST(Address, IsRefused)
{
    const struct {
        std::string text;
        int error;
    } table[] = {
        {"", -EINVAL},
        {"8000", -EINVAL},
        {"127.0.0.1", -EINVAL},
        {"127.0.0.1:", -EINVAL},
        {":", -EINVAL},
        {"127.0.0.1:x", -EINVAL},
        {"127.0.0.1:80x", -EINVAL},
        {"127.0.0.1: 80", -EINVAL},
        {"127.0.0.1:80 ", -EINVAL},
        {"127.0.0.1:+80", -EINVAL},
        {"127.0.0.1:-1", -EINVAL},
        {"127.0.0.1:0x50", -EINVAL},
        {"::1:80", -EINVAL},
        {"::", -EINVAL},
        {"[]:80", -EINVAL},
        {"[::1:80", -EINVAL},
        {"[::1]80", -EINVAL},
        {"[::1]", -EINVAL},
        {"::1]:80", -EINVAL},
        {"[::1]x:80", -EINVAL},
        {"[127.0.0.1]:80", -EINVAL},
        {"[localhost]:80", -EINVAL},
        {"[::g]:80", -EINVAL},
        {std::string(300, 'a') + ":80", -EINVAL},
        {"127.0.0.1:65536", -ERANGE},
        {"127.0.0.1:4294967376", -ERANGE},
        {"127.0.0.1:99999999999999999999999", -ERANGE},
        {"unix:", -EINVAL},
        {"unix:@", -EINVAL},
        {"unix:" + std::string(108, 'p'), -ENAMETOOLONG},
        {"unix:@" + std::string(108, 'p'), -ENAMETOOLONG},
        {"no..such:80", -ENOENT},
    };
    for (const auto &row : table) {
        tcpsocket_address a;
        memset(&a, 0x5a, sizeof a);
        tcpsocket_address untouched = a;
        EXPECT_EQ(tcpsocket_address_parse(row.text.c_str(), &a), row.error) << row.text;
        EXPECT_EQ(memcmp(&a, &untouched, sizeof a), 0) << row.text;
    }
}

TEST(Address, OfAPeerWithoutAName)
{
    sockaddr_un peer{};
    peer.sun_family = AF_UNIX;
    peer.sun_path[0] = 'x'; // beyond the length
    EXPECT_EQ(text(reinterpret_cast<sockaddr *>(&peer), offsetof(sockaddr_un, sun_path)), "unix:");
}

TEST(Address, PathMayFillItsPlace)
{
    sockaddr_un peer{};
    peer.sun_family = AF_UNIX;
    memset(peer.sun_path, 'p', sizeof peer.sun_path);
    EXPECT_EQ(text(reinterpret_cast<sockaddr *>(&peer), sizeof peer),
              "unix:" + std::string(108, 'p'));
    EXPECT_EQ(text(reinterpret_cast<sockaddr *>(&peer), 1000), "unix:" + std::string(108, 'p'));
}

TEST(Address, AbstractNameMayHoldNuls)
{
    sockaddr_un peer{};
    peer.sun_family = AF_UNIX;
    memcpy(peer.sun_path, "\0a\0b", 4);
    EXPECT_EQ(text(reinterpret_cast<sockaddr *>(&peer), offsetof(sockaddr_un, sun_path) + 4),
              "unix:@a@b");
}

TEST(Address, HostAndPortAlone)
{
    const struct {
        const char *text, *host;
        unsigned port;
    } table[] = {
        {"192.0.2.1:8080", "192.0.2.1", 8080},
        {"[2001:db8::1]:65535", "2001:db8::1", 65535},
        {"unix:/x", "", 0},
    };
    for (const auto &row : table) {
        tcpsocket_address a = address(row.text);
        char host[TCPSOCKET_ADDRESS_TEXT] = "?";
        EXPECT_EQ(tcpsocket_address_host(&a.socket.any, host), strlen(row.host));
        EXPECT_STREQ(host, row.host);
        EXPECT_EQ(tcpsocket_address_port(&a.socket.any), row.port);
    }
}
