// Serving a listening socket.

#include "tcpsocket/support.h"

#include <sys/resource.h>

struct Listener : tcpsocket_listener {
    std::vector<int> descriptors;
    std::vector<uint64_t> turns; // in which each was accepted
    std::string last_peer;
    std::function<void()> then = [] {};

    Listener() : tcpsocket_listener{}
    {
        accepted = took;
    }

    ~Listener()
    {
        tcpsocket_listener_close(this);
        for (int fd : descriptors)
            close(fd);
    }

    static void took(tcpsocket_listener *listener, int fd, const sockaddr *peer, socklen_t length)
    {
        Listener *self = static_cast<Listener *>(listener);
        self->descriptors.push_back(fd);
        self->turns.push_back(dispatch_now(self->target.loop));
        self->last_peer = text(peer, length);
        self->then();
    }

    size_t count() const
    {
        return descriptors.size();
    }
};

class ListenerTest : public testing::Test {
  protected:
    ListenerTest()
    {
        EXPECT_EQ(tcpsocket_listener_open(&listener, loop, fd), 0);
    }

    ~ListenerTest() override
    {
        for (int client : clients)
            close(client);
        close(fd);
    }

    void connect(int n)
    {
        while (n-- > 0)
            clients.push_back(connected(fd));
    }

    Loop loop;
    int fd = listening("127.0.0.1:0");
    std::vector<int> clients;
    Listener listener;
};

TEST_F(ListenerTest, AcceptsOneATurn)
{
    connect(5);
    ASSERT_TRUE(loop.run_until([&] { return listener.count() == 5; }));
    for (size_t i = 1; i < 5; i++)
        EXPECT_GT(listener.turns[i], listener.turns[i - 1]);
    loop.turn();
    EXPECT_EQ(calls.accept.count, 5u) << "one was called for nothing";
}

TEST_F(ListenerTest, HandsOverAConnection)
{
    connect(1);
    loop.turn();
    ASSERT_EQ(listener.count(), 1u);
    expect_flags(listener.descriptors[0]);
    EXPECT_EQ(option(listener.descriptors[0], IPPROTO_TCP, TCP_NODELAY), 1);
    tcpsocket_address client = bound(clients[0]);
    EXPECT_EQ(listener.last_peer, text(&client.socket.any, client.length));
}

// A socket that was not opened here: from systemd, say.
TEST_F(ListenerTest, ServesAnyListeningSocket)
{
    int foreign = socket(AF_INET, SOCK_STREAM, 0);
    ASSERT_EQ(listen(foreign, 5), 0);
    {
        Listener other;
        ASSERT_EQ(tcpsocket_listener_open(&other, loop, foreign), 0);
        EXPECT_TRUE(fcntl(foreign, F_GETFL) & O_NONBLOCK);
        close(connected(foreign));
        loop.turn();
        ASSERT_EQ(other.count(), 1u);
        EXPECT_EQ(option(other.descriptors[0], IPPROTO_TCP, TCP_NODELAY), 1);
    }
    EXPECT_EQ(fcntl(foreign, F_GETFD), 0) << "it is the caller's";
    close(foreign);
}

TEST_F(ListenerTest, ServesUnixSockets)
{
    Folder folder;
    int local = listening("unix:" + folder / "s");
    {
        Listener other;
        ASSERT_EQ(tcpsocket_listener_open(&other, loop, local), 0);
        close(connected(local));
        loop.turn();
        ASSERT_EQ(other.count(), 1u);
        EXPECT_EQ(other.last_peer, "unix:");
    }
    close(local);
}

TEST_F(ListenerTest, GoesOnAfterPassingErrors)
{
    for (int error : {EAGAIN, EINTR, ECONNABORTED, EPERM, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN,
                      ENONET, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH}) {
        size_t before = listener.count();
        connect(1);
        calls.accept.errors = {error};
        loop.turn();
        EXPECT_EQ(listener.count(), before) << strerror(error);
        loop.turn();
        EXPECT_EQ(listener.count(), before + 1) << strerror(error);
    }
    EXPECT_EQ(listener.shed, 0u);
}

// All descriptors of the process are in use.
TEST_F(ListenerTest, ShedsWhenOutOfDescriptors)
{
    connect(3);
    struct rlimit before, low;
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    int lowest = dup(0);
    low = {static_cast<rlim_t>(lowest), before.rlim_max};
    close(lowest);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);

    loop.run_for(20);
    EXPECT_EQ(listener.count(), 0u);
    // Under Valgrind a call that gives EMFILE has taken the connection.
    EXPECT_GE(listener.shed, 1u);
    EXPECT_LE(calls.accept.count, 6u);
    for (int client : clients)
        EXPECT_EQ(far_state(client), Far::Ended);

    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    connect(1);
    loop.turn();
    EXPECT_EQ(listener.count(), 1u);
}

TEST_F(ListenerTest, ShedsWhenTheSystemIsOutOfDescriptors)
{
    connect(2);
    calls.accept.errors = {ENFILE};
    loop.turn();
    EXPECT_EQ(listener.shed, 1u);
    EXPECT_EQ(far_state(clients[0]), Far::Ended);
    loop.turn();
    EXPECT_EQ(listener.count(), 1u);
}

TEST_F(ListenerTest, ShedsNothingWhereNothingWaits)
{
    connect(1);
    calls.accept.errors = {EMFILE, EAGAIN};
    loop.turn();
    EXPECT_EQ(listener.shed, 0u);
    loop.turn();
    EXPECT_EQ(listener.count(), 1u);
}

// Runs it for some time, in which it should leave accept alone, and until it is back.
static void expect_rest(Loop &loop, Listener &listener)
{
    unsigned long before = calls.accept.count;
    uint64_t start = loop.now();
    loop.run_for(30);
    EXPECT_EQ(calls.accept.count, before);
    EXPECT_EQ(listener.count(), 0u);
    ASSERT_TRUE(loop.run_until([&] { return listener.count() > 0; }));
    EXPECT_GE(loop.now() - start, 90'000'000u);
    EXPECT_EQ(calls.accept.count, before + 1);
}

TEST_F(ListenerTest, RestsWithoutMemory)
{
    for (int error : {ENOMEM, ENOBUFS}) {
        connect(1);
        calls.accept.errors = {error};
        loop.turn();
        expect_rest(loop, listener);
        close(listener.descriptors[0]);
        listener.descriptors.clear();
    }
}

TEST_F(ListenerTest, RestsWhenSheddingFails)
{
    connect(1);
    calls.accept.errors = {ENFILE, ENFILE};
    loop.turn();
    expect_rest(loop, listener);
}

// Another thread took the descriptor.
TEST_F(ListenerTest, RestsWithoutReserve)
{
    connect(2);
    calls.accept.errors = {EMFILE};
    calls.socket.errors = {EMFILE};
    loop.turn();
    EXPECT_EQ(listener.shed, 1u);
    EXPECT_EQ(listener.reserve, -1);
    expect_rest(loop, listener);
    EXPECT_GE(listener.reserve, 0);
}

TEST_F(ListenerTest, RestsWhenTheSocketIsShut)
{
    shutdown(fd, SHUT_RDWR);
    loop.turn();
    EXPECT_EQ(listener.target.loop, nullptr);
    loop.run_for(150);
    EXPECT_EQ(listener.count(), 0u);
    EXPECT_LE(calls.accept.count, 2u);
}

TEST_F(ListenerTest, RestsWhenTheSocketCantBeWatched)
{
    if (test_backend() != std::string("epoll"))
        GTEST_SKIP() << "poll watches anything";
    tcpsocket_listener_close(&listener);
    calls.watch.errors = {ENOSPC};
    ASSERT_EQ(tcpsocket_listener_open(&listener, loop, fd), 0);
    loop.turn();
    EXPECT_EQ(listener.target.loop, nullptr);
    connect(1);
    EXPECT_TRUE(loop.run_until([&] { return listener.count() == 1; }));
}

TEST_F(ListenerTest, Pauses)
{
    connect(2);
    tcpsocket_listener_pause(&listener);
    loop.turn();
    EXPECT_EQ(listener.count(), 0u);
    tcpsocket_listener_resume(&listener);
    loop.turn();
    EXPECT_EQ(listener.count(), 1u);

    calls.accept.errors = {ENOMEM};
    loop.turn();
    tcpsocket_listener_pause(&listener); // while it rests
    loop.run_for(120);
    EXPECT_EQ(listener.count(), 1u);
    tcpsocket_listener_resume(&listener);
    loop.turn();
    EXPECT_EQ(listener.count(), 2u);

    connect(1);
    calls.accept.errors = {ENOMEM};
    loop.turn();
    tcpsocket_listener_pause(&listener);
    tcpsocket_listener_resume(&listener);
    loop.run_for(120);
    EXPECT_EQ(listener.count(), 3u);
}

TEST_F(ListenerTest, MayBeClosedAndFreedByItsCallback)
{
    int local = listening("127.0.0.1:0"), client = connected(local);
    Listener *other = new Listener;
    bool done = false;
    other->then = [&] {
        done = true; // what is captured goes with it
        delete other;
    };
    ASSERT_EQ(tcpsocket_listener_open(other, loop, local), 0);
    loop.turn();
    EXPECT_TRUE(done);
    close(client);
    close(local);
}

TEST_F(ListenerTest, CloseAndOpenAgain)
{
    tcpsocket_listener_close(&listener);
    tcpsocket_listener_close(&listener);
    connect(1);
    loop.turn();
    EXPECT_EQ(listener.count(), 0u);
    ASSERT_EQ(tcpsocket_listener_open(&listener, loop, fd), 0);
    loop.turn();
    EXPECT_EQ(listener.count(), 1u);
}

TEST_F(ListenerTest, CloseWithoutOpenIsHarmless)
{
    tcpsocket_listener never{};
    tcpsocket_listener_close(&never);
    EXPECT_EQ(fcntl(0, F_GETFD), 0) << "it closed standard input";
}

TEST_F(ListenerTest, FailsToOpen)
{
    Listener other;
    EXPECT_EQ(tcpsocket_listener_open(&other, loop, -1), -EBADF);
    EXPECT_EQ(tcpsocket_listener_open(&other, loop, fd), -EEXIST);
    EXPECT_EQ(other.timer.loop, nullptr);
    calls.socket.errors = {EMFILE};
    EXPECT_EQ(tcpsocket_listener_open(&other, loop, fd), -EMFILE);
}
