// Opening sockets that listen.

#include "tcpsocket/support.h"

#include <fstream>
#include <sys/stat.h>

static int listen_error(const std::string &where, bool shared = false)
{
    tcpsocket_address a = address(where);
    int fd = -7;
    int error = tcpsocket_listen(&a, 16, shared, &fd);
    EXPECT_TRUE(error == 0 || fd == -7) << "written although it failed";
    if (error == 0)
        close(fd);
    return error;
}

static std::string own_address(int fd)
{
    tcpsocket_address a = bound(fd);
    return text(&a.socket.any, a.length);
}

TEST(Listen, Tcp)
{
    for (const char *where : {"127.0.0.1:0", ":0", "[::1]:0"}) {
        int fd = listening(where);
        expect_flags(fd);
        EXPECT_EQ(option(fd, SOL_SOCKET, SO_ACCEPTCONN), 1);
        tcpsocket_address a = bound(fd);
        EXPECT_NE(tcpsocket_address_port(&a.socket.any), 0u);
        close(connected(fd));
        close(fd);
    }
}

TEST(Listen, AllOfV6IsNotAllOfV4)
{
    int v6 = listening("[::]:0");
    EXPECT_EQ(option(v6, IPPROTO_IPV6, IPV6_V6ONLY), 1);
    tcpsocket_address a = bound(v6);
    EXPECT_EQ(listen_error(":" + std::to_string(tcpsocket_address_port(&a.socket.any))), 0);
    close(v6);
}

TEST(Listen, TakenAddress)
{
    int fd = listening("127.0.0.1:0");
    EXPECT_EQ(listen_error(own_address(fd)), -EADDRINUSE);
    EXPECT_EQ(listen_error(own_address(fd), true), -EADDRINUSE);
    close(fd);
    EXPECT_EQ(listen_error("192.0.2.1:0"), -EADDRNOTAVAIL);
}

TEST(Listen, SharedAddress)
{
    tcpsocket_address a = address("127.0.0.1:0");
    int first, second;
    ASSERT_EQ(tcpsocket_listen(&a, 16, true, &first), 0);
    a = bound(first);
    ASSERT_EQ(tcpsocket_listen(&a, 16, true, &second), 0);
    EXPECT_EQ(own_address(second), own_address(first));
    EXPECT_EQ(listen_error(own_address(first), false), -EADDRINUSE);
    close(first);
    close(second);
}

// SO_REUSEADDR: connections of the former process linger in TIME_WAIT.
TEST(Listen, AddressOfAFormerServer)
{
    int fd = listening("127.0.0.1:0"), client = connected(fd);
    std::string where = own_address(fd);
    close(accept(fd, nullptr, nullptr));
    close(client);
    close(fd);
    EXPECT_EQ(listen_error(where), 0);
}

TEST(Listen, Unix)
{
    Folder folder;
    int fd = listening("unix:" + folder / "s");
    expect_flags(fd);
    close(connected(fd));
    close(fd);
    fd = listening("unix:@asynwsgi test " + std::to_string(getpid()));
    close(connected(fd));
    close(fd);
    EXPECT_EQ(listen_error("unix:" + folder / "none/s"), -ENOENT);
}

TEST(Listen, StaleUnixSocketIsReplaced)
{
    Folder folder;
    close(listening("unix:" + folder / "s"));
    int fd = listening("unix:" + folder / "s");
    close(connected(fd));
    close(fd);
}

TEST(Listen, ServedUnixSocketIsNot)
{
    Folder folder;
    for (std::string where :
         {"unix:" + folder / "s", "unix:@asynwsgi test " + std::to_string(getpid())}) {
        int fd = listening(where);
        EXPECT_EQ(listen_error(where), -EADDRINUSE);
        EXPECT_EQ(listen_error(where, true), -EADDRINUSE);
        close(connected(fd));
        close(fd);
    }
}

// connect(2) says EAGAIN, which isn't "refused".
TEST(Listen, ServedUnixSocketWithAFullQueueIsNot)
{
    Folder folder;
    int fd = listening("unix:" + folder / "s", 0), client = connected(fd);
    EXPECT_EQ(listen_error("unix:" + folder / "s"), -EADDRINUSE);
    EXPECT_EQ(access((folder / "s").c_str(), F_OK), 0);
    close(client);
    close(fd);
}

TEST(Listen, UnixDatagramSocketIsNot)
{
    Folder folder;
    tcpsocket_address a = address("unix:" + folder / "s");
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(bind(fd, &a.socket.any, a.length), 0);
    EXPECT_EQ(listen_error("unix:" + folder / "s"), -EADDRINUSE);
    close(fd);
}

TEST(Listen, FileThatIsNoSocketStays)
{
    Folder folder;
    std::ofstream(folder / "f") << "content";
    close(listening("unix:" + folder / "s"));
    ASSERT_EQ(symlink("s", (folder / "l").c_str()), 0);
    ASSERT_EQ(mkdir((folder / "d").c_str(), 0700), 0);
    for (const char *name : {"f", "l", "d"})
        EXPECT_EQ(listen_error("unix:" + folder / name), -EEXIST) << name;
    std::string content;
    std::ifstream(folder / "f") >> content;
    EXPECT_EQ(content, "content");
    EXPECT_EQ(access((folder / "s").c_str(), F_OK), 0);
}

TEST(Listen, WithoutDescriptors)
{
    calls.socket.errors = {EMFILE};
    EXPECT_EQ(listen_error("127.0.0.1:0"), -EMFILE);
}

static bool readable(int fd, int milliseconds)
{
    struct pollfd p = {fd, POLLIN, 0};
    return poll(&p, 1, milliseconds) == 1;
}

TEST(Listen, DeferredUntilThereIsInput)
{
    int fd = listening("127.0.0.1:0");
    tcpsocket_listen_defer(fd);
    int client = connected(fd);
    EXPECT_FALSE(readable(fd, 20));
    ASSERT_EQ(send(client, "x", 1, 0), 1);
    ASSERT_TRUE(readable(fd, 10000));
    int accepted = accept(fd, nullptr, nullptr);
    char c;
    EXPECT_EQ(recv(accepted, &c, 1, MSG_DONTWAIT), 1);
    close(accepted);
    close(client);

    client = connected(fd);
    shutdown(client, SHUT_WR);
    EXPECT_TRUE(readable(fd, 10000)) << "the end is something, too";
    close(client);
    close(fd);
}

TEST(Listen, DeferredButNotForGood)
{
    int fd = listening("127.0.0.1:0"), client = connected(fd);
    close(accept(fd, nullptr, nullptr));
    close(client);
    tcpsocket_listen_defer(fd);
    client = connected(fd);
    EXPECT_FALSE(readable(fd, 20));
    EXPECT_TRUE(readable(fd, 30000)) << "a client that is silent";
    close(client);
    close(fd);
}

TEST(Listen, DeferredOfNoConsequenceElsewhere)
{
    Folder folder;
    int fd = listening("unix:" + folder / "s");
    tcpsocket_listen_defer(fd);
    int client = connected(fd);
    EXPECT_TRUE(readable(fd, 0));
    close(client);
    close(fd);
}
