// Making a connection.

#include "tcpsocket/support.h"

struct Connect : tcpsocket_connect {
    int called = 0, result = 0;
    std::function<void()> then = [] {};

    Connect() : tcpsocket_connect{}
    {
        done = finished;
    }
    ~Connect()
    {
        tcpsocket_connect_cancel(this);
    }

    static void finished(tcpsocket_connect *connecting, int descriptor)
    {
        Connect *self = static_cast<Connect *>(connecting);
        self->called++;
        self->result = descriptor;
        self->then();
    }
};

class ConnectTest : public testing::Test {
  protected:
    int start(const tcpsocket_address &where, uint64_t deadline = DISPATCH_NEVER)
    {
        connect.called = 0;
        int error = tcpsocket_connect_start(&connect, loop, &where, deadline);
        EXPECT_EQ(connect.called, 0) << "called from within";
        return error;
    }

    bool finish()
    {
        return loop.run_until([&] { return connect.called > 0; });
    }

    Loop loop;
    Connect connect;
};

TEST_F(ConnectTest, Succeeds)
{
    Folder folder;
    for (std::string where :
         {std::string("127.0.0.1:0"), std::string("[::1]:0"), "unix:" + folder / "s",
          "unix:@asynwsgi test " + std::to_string(getpid())}) {
        int fd = listening(where);
        ASSERT_EQ(start(bound(fd)), 0);
        ASSERT_TRUE(finish());
        ASSERT_GE(connect.result, 0) << strerror(-connect.result);
        expect_flags(connect.result);
        if (where[0] != 'u') {
            EXPECT_EQ(option(connect.result, IPPROTO_TCP, TCP_NODELAY), 1);
        }

        char c = 0;
        int other = accept(fd, nullptr, nullptr);
        EXPECT_EQ(send(connect.result, "x", 1, 0), 1);
        EXPECT_EQ(recv(other, &c, 1, 0), 1);
        loop.turn();
        EXPECT_EQ(connect.called, 1);
        close(other);
        close(connect.result);
        close(fd);
    }
}

TEST_F(ConnectTest, IsRefused)
{
    int fd = listening("127.0.0.1:0");
    tcpsocket_address where = bound(fd);
    close(fd);
    ASSERT_EQ(start(where), 0);
    ASSERT_TRUE(finish());
    EXPECT_EQ(connect.result, -ECONNREFUSED);
    loop.turn();
    EXPECT_EQ(connect.called, 1);
}

TEST_F(ConnectTest, UnixIsRefusedAtOnce)
{
    Folder folder;
    EXPECT_EQ(start(address("unix:" + folder / "s")), -ENOENT);
    int fd = listening("unix:" + folder / "s", 0);
    int client = connected(fd);
    EXPECT_EQ(start(bound(fd)), -EAGAIN) << "its queue is full";
    tcpsocket_address where = bound(fd);
    close(client);
    close(fd);
    EXPECT_EQ(start(where), -ECONNREFUSED);
    loop.turn();
    EXPECT_EQ(connect.called, 0);
}

// A listener whose queue is full drops what else comes.
class Deaf {
  public:
    Deaf()
    {
        for (int i = 0; i < 4; i++) {
            int client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
            tcpsocket_address a = bound(fd);
            connect(client, &a.socket.any, a.length);
            clients.push_back(client);
        }
    }

    ~Deaf()
    {
        for (int client : clients)
            close(client);
        close(fd);
    }

    int fd = listening("127.0.0.1:0", 0);

  private:
    std::vector<int> clients;
};

TEST_F(ConnectTest, TimesOut)
{
    Deaf deaf;
    uint64_t deadline = loop.now() + 20'000'000;
    ASSERT_EQ(start(bound(deaf.fd), deadline), 0);
    ASSERT_TRUE(finish());
    EXPECT_EQ(connect.result, -ETIMEDOUT);
    EXPECT_GE(loop.now(), deadline);
}

TEST_F(ConnectTest, DeadlineMayBePast)
{
    Deaf deaf;
    ASSERT_EQ(start(bound(deaf.fd), 0), 0);
    loop.turn();
    EXPECT_EQ(connect.result, -ETIMEDOUT);
}

TEST_F(ConnectTest, DeadlineIsOffAfterSuccess)
{
    int fd = listening("127.0.0.1:0");
    ASSERT_EQ(start(bound(fd), loop.now() + 50'000'000), 0);
    ASSERT_TRUE(finish());
    ASSERT_GE(connect.result, 0);
    loop.run_for(70);
    EXPECT_EQ(connect.called, 1);
    close(connect.result);
    close(fd);
}

TEST_F(ConnectTest, IsCancelled)
{
    int fd = listening("127.0.0.1:0");
    ASSERT_EQ(start(bound(fd), loop.now()), 0);
    tcpsocket_connect_cancel(&connect);
    tcpsocket_connect_cancel(&connect);
    loop.run_for(5);
    EXPECT_EQ(connect.called, 0);
    close(fd);

    tcpsocket_connect never{};
    tcpsocket_connect_cancel(&never);
}

TEST_F(ConnectTest, MayBeFreedByItsCallback)
{
    int fd = listening("127.0.0.1:0");
    tcpsocket_address there = bound(fd);
    Deaf deaf;
    tcpsocket_address nowhere = bound(deaf.fd);
    for (const auto &where : {there, nowhere}) {
        Connect *other = new Connect;
        bool done = false;
        other->then = [&] {
            done = true;
            if (other->result >= 0)
                close(other->result);
            delete other;
        };
        ASSERT_EQ(tcpsocket_connect_start(other, loop, &where, loop.now() + 50'000'000), 0);
        ASSERT_TRUE(loop.run_until([&] { return done; }));
    }
    close(fd);
}

TEST_F(ConnectTest, WithoutDescriptors)
{
    calls.socket.errors = {EMFILE};
    EXPECT_EQ(start(address("127.0.0.1:1")), -EMFILE);
    tcpsocket_connect_cancel(&connect);
}

TEST_F(ConnectTest, CantBeWatched)
{
    if (test_backend() != std::string("epoll"))
        GTEST_SKIP() << "poll watches anything";
    Deaf deaf;
    calls.watch.errors = {ENOSPC};
    ASSERT_EQ(start(bound(deaf.fd)), 0);
    ASSERT_TRUE(finish());
    EXPECT_EQ(connect.result, -EIO);
}

TEST_F(ConnectTest, WithoutMemory)
{
    int fd = listening("127.0.0.1:0"), failures = 0;
    std::vector<std::unique_ptr<Connect>> many; // until the loop's tables must grow
    while (failures == 0 && many.size() < 1000) {
        tcpsocket_address where = bound(fd);
        many.push_back(std::make_unique<Connect>());
        test_fail_allocation(1);
        int error = tcpsocket_connect_start(many.back().get(), loop, &where, DISPATCH_NEVER);
        test_fail_allocation(0);
        if (error) {
            EXPECT_EQ(error, -ENOMEM);
            failures++;
        }
    }
    EXPECT_EQ(failures, 1);
    many.clear();
    close(fd);
}
