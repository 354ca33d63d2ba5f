// The listening sockets.

#include "server/support.h"

#include <cstring>
#include <fcntl.h>
#include <set>
#include <sys/socket.h>
#include <unistd.h>

extern "C" {
#include "listeners.h"
}

class Listeners : public testing::Test {
  protected:
    const std::string abstract = "unix:@asynwsgi-test-" + std::to_string(getpid());
    Folder folder;
    std::string log_file = folder / "log";
    server_log log = {-1, SERVER_LOG_DEBUG};
    server_listeners listeners = {};

    Listeners()
    {
        EXPECT_EQ(server_log_open(log_file.c_str(), 2, &log.fd), 0);
    }

    ~Listeners()
    {
        server_listeners_close(&listeners);
        server_log_close(log.fd);
    }

    server_status open(std::vector<std::string> addresses, unsigned workers, server_listeners *into)
    {
        std::vector<const char *> binds;
        server_options options = {};

        for (const std::string &address : addresses)
            binds.push_back(address.c_str());
        binds.push_back(nullptr);
        options.binds = binds.data();
        options.workers = workers;
        options.backlog = 16;
        return server_listeners_open(into, &options, &log);
    }

    server_status open(std::vector<std::string> addresses, unsigned workers = 1)
    {
        return open(addresses, workers, &listeners);
    }

    std::string url(size_t i)
    {
        char text[SERVER_URL];

        server_listener_url(&listeners.items[i], text);
        return text;
    }

    int descriptor(size_t i, unsigned slot)
    {
        return server_listener_descriptor(&listeners.items[i], slot);
    }

    // Whether a client can connect.
    bool served(size_t i)
    {
        const tcpsocket_address &address = listeners.items[i].address;
        int fd = socket(address.socket.any.sa_family, SOCK_STREAM, 0);
        bool connected = connect(fd, &address.socket.any, address.length) == 0;

        close(fd);
        return connected;
    }
};

static uint16_t port_of(int descriptor)
{
    sockaddr_in address = {};
    socklen_t length = sizeof address;

    EXPECT_EQ(getsockname(descriptor, (sockaddr *)&address, &length), 0);
    return ntohs(address.sin_port);
}

TEST_F(Listeners, EachWorkerHasItsOwnSocketOnOnePort)
{
    std::set<int> descriptors;

    ASSERT_EQ(open({"127.0.0.1:0"}, 4), SERVER_OK);
    uint16_t port = port_of(descriptor(0, 0));
    EXPECT_NE(port, 0);
    EXPECT_EQ(url(0), "http://127.0.0.1:" + std::to_string(port));
    for (unsigned slot = 0; slot < 4; slot++) {
        descriptors.insert(descriptor(0, slot));
        EXPECT_EQ(port_of(descriptor(0, slot)), port);
        EXPECT_EQ(fcntl(descriptor(0, slot), F_GETFD), FD_CLOEXEC);
    }
    EXPECT_EQ(descriptors.size(), 4u);
}

TEST_F(Listeners, UnixSocketsAreShared)
{
    ASSERT_EQ(open({"unix:" + folder / "s", abstract}, 3), SERVER_OK);
    EXPECT_EQ(descriptor(0, 0), descriptor(0, 2));
    EXPECT_EQ(descriptor(1, 0), descriptor(1, 2));
    EXPECT_EQ(url(0), "unix:" + folder / "s");
    EXPECT_EQ(url(1), abstract);
    EXPECT_TRUE(served(0));
    EXPECT_TRUE(served(1));
}

TEST_F(Listeners, FilesOfUnixSocketsGo)
{
    ASSERT_EQ(open({"unix:" + folder / "s"}), SERVER_OK);
    EXPECT_TRUE(std::filesystem::exists(folder / "s"));
    server_listeners_end(&listeners);
    EXPECT_FALSE(std::filesystem::exists(folder / "s"));
}

TEST_F(Listeners, AFileThatAnotherHasMadeStays)
{
    ASSERT_EQ(open({"unix:" + folder / "s"}), SERVER_OK);
    std::filesystem::rename(folder / "s", folder / "moved"); // keeps the inode in use
    std::ofstream(folder / "s") << "theirs";
    server_listeners_end(&listeners);
    EXPECT_EQ(contents(folder / "s"), "theirs");
}

TEST_F(Listeners, EndEndsThemInEveryProcess)
{
    ASSERT_EQ(open({"127.0.0.1:0", abstract}, 2), SERVER_OK);
    int held = dup(descriptor(0, 1));
    EXPECT_TRUE(served(0));
    server_listeners_end(&listeners);
    EXPECT_FALSE(served(0));
    EXPECT_FALSE(served(1));
    close(held);
}

TEST_F(Listeners, AWorkerKeepsItsOwn)
{
    ASSERT_EQ(open({"127.0.0.1:0", abstract}, 3), SERVER_OK);
    int first = descriptor(0, 0), own = descriptor(0, 1), shared = descriptor(1, 1);
    server_listeners_keep(&listeners, 1);
    EXPECT_EQ(fcntl(first, F_GETFD), -1);
    for (unsigned slot = 0; slot < 3; slot++) {
        EXPECT_EQ(descriptor(0, slot), own);
        EXPECT_EQ(descriptor(1, slot), shared);
    }
    EXPECT_TRUE(served(1));
}

TEST_F(Listeners, InheritedDescriptorsAreChecked)
{
    int ours;
    tcpsocket_address address;

    ASSERT_EQ(tcpsocket_address_parse("127.0.0.1:0", &address), 0);
    ASSERT_EQ(tcpsocket_listen(&address, 1, false, &ours), 0);
    int kept = dup(ours);
    ASSERT_EQ(open({"fd://" + std::to_string(ours)}, 2), SERVER_OK);
    EXPECT_EQ(url(0), "http://127.0.0.1:" + std::to_string(port_of(kept)));
    EXPECT_EQ(descriptor(0, 0), ours);
    EXPECT_EQ(descriptor(0, 1), ours);
    server_listeners_end(&listeners);
    EXPECT_TRUE(served(0)) << "it is not ours to end";
    server_listeners_close(&listeners);

    std::ofstream(folder / "file") << "x";
    int file = ::open((folder / "file").c_str(), O_RDONLY);
    EXPECT_EQ(open({"fd://" + std::to_string(file)}), SERVER_FAILED);
    EXPECT_EQ(open({"fd://4999"}), SERVER_FAILED);
    EXPECT_EQ(open({"fd://-1"}), SERVER_USAGE);
    EXPECT_EQ(open({"fd://"}), SERVER_USAGE);
    EXPECT_EQ(open({"fd://99999999999999999999"}), SERVER_USAGE);
    close(file);
    close(kept);
}

TEST_F(Listeners, AnAddressInUseIsRefusedHoweverItIsUsed)
{
    for (unsigned theirs : {1u, 2u})
        for (unsigned ours : {1u, 2u}) {
            server_listeners second = {};

            ASSERT_EQ(open({"127.0.0.1:0"}, theirs), SERVER_OK);
            std::string address = url(0).substr(7);
            EXPECT_EQ(open({address}, ours, &second), SERVER_FAILED);
            EXPECT_NE(contents(log_file).find("cannot listen at " + address +
                                              ": Address already in use\n"),
                      std::string::npos);
            EXPECT_EQ(second.count, 0u);
            server_listeners_close(&listeners);
        }
}

TEST_F(Listeners, AFailureLeavesNothingOpen)
{
    EXPECT_EQ(open({"127.0.0.1:0", "unix:" + folder / "s", "unix:/nowhere/s"}, 2), SERVER_FAILED);
    EXPECT_FALSE(std::filesystem::exists(folder / "s"));
    EXPECT_NE(contents(log_file).find("unix:/nowhere/s: No such file or directory"),
              std::string::npos);
}

TEST_F(Listeners, AddressesAreCheckedWithoutBeingOpened)
{
    const char *good[] = {"127.0.0.1:1", "[::1]:1", "unix:/nowhere/s", "unix:@x", "fd://77", NULL};
    const char *bad[] = {"127.0.0.1:1", "what", NULL};

    EXPECT_EQ(server_listeners_check(good, &log), SERVER_OK);
    EXPECT_EQ(contents(log_file), "");
    EXPECT_EQ(server_listeners_check(bad, &log), SERVER_USAGE);
    EXPECT_NE(contents(log_file).find("cannot listen at what: "), std::string::npos);
}
