// Drain, in each state a connection can be in.

#include "http/server_fixture.h"

static const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
static const std::string hello =
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";

class ServerDrain : public ServerTest {
  public:
    int drained = 0;

    void drain()
    {
        http_server_drain(
            server, [](void *self) { static_cast<ServerDrain *>(self)->drained++; }, this);
    }

    ~ServerDrain() override
    {
        pump();
        EXPECT_EQ(drained, 1);
    }
};

TEST_F(ServerDrain, WithoutConnections)
{
    start();
    drain();
    EXPECT_EQ(drained, 0); // never from within
    EXPECT_TRUE(until([&] { return drained == 1; }));
}

TEST_F(ServerDrain, TakesNoMoreConnections)
{
    Client &open = client();
    open.send("G");
    pump();
    drain();
    clients.emplace_back(address); // the kernel has it in its queue
    pump();
    EXPECT_EQ(connections(), 1u);
    EXPECT_EQ(drained, 0);
    open.close();
    EXPECT_TRUE(until([&] { return drained == 1; }));
}

TEST_F(ServerDrain, IdleOnesCloseNow)
{
    Client &fresh = client(), &used = client();
    used.send(get);
    EXPECT_TRUE(until([&] { return !used.received.empty(); }));
    drain();
    EXPECT_TRUE(until([&] { return fresh.ended && used.ended && drained == 1; }));
    EXPECT_EQ(undated(used.received), answer("hello"));
}

TEST_F(ServerDrain, WhatHasArrivedIsServed)
{
    Client &c = client();
    pump();
    c.send(get); // nobody has looked at it yet
    drain();
    EXPECT_TRUE(until([&] { return c.ended; }));
    EXPECT_EQ(undated(c.received), hello);
    c.close();
    EXPECT_TRUE(until([&] { return drained == 1; }));
}

// More than the loop hears of in one turn.
TEST_F(ServerDrain, WhatHasArrivedOnManyIsServed)
{
    const size_t n = 600;
    start();
    while (clients.size() < n)
        client();
    // Those that close are freed while the server looks at them.
    size_t i = 0;
    for (Client &c : clients)
        c.send(i++ % 2 ? get : "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    drain();
    for (Client &c : clients) {
        EXPECT_TRUE(until([&] { return c.closed(); }));
        EXPECT_FALSE(c.was_reset);
        EXPECT_EQ(undated(c.received), hello);
        c.close();
    }
    EXPECT_TRUE(until([&] { return drained == 1; }));
}

TEST_F(ServerDrain, HeadIsWaitedFor)
{
    Client &c = client();
    c.send(get.substr(0, 10));
    pump();
    drain();
    pump();
    EXPECT_FALSE(c.ended);
    c.send(get.substr(10) + get);
    EXPECT_TRUE(until([&] { return c.ended; }));
    EXPECT_EQ(undated(c.received), hello);
    c.close();
    EXPECT_TRUE(until([&] { return drained == 1; }));
}

TEST_F(ServerDrain, HeadThatDoesNotComeEndsWithItsTime)
{
    options.timeouts.head = 20 * millisecond;
    Client &c = client();
    c.send(get.substr(0, 10));
    pump();
    drain();
    EXPECT_TRUE(until([&] { return c.ended; }));
    EXPECT_EQ(c.received.find("HTTP/1.1 408 "), 0u);
    c.close();
    EXPECT_TRUE(until([&] { return drained == 1; }));
}

TEST_F(ServerDrain, BodyIsWaitedFor)
{
    on_request = [](auto *, const Request &) {};
    on_body = [](auto *c, const std::string &, bool last) {
        if (last)
            reply(c, "hello");
    };
    Client &c = client();
    c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
    pump();
    drain();
    pump();
    c.send("def");
    EXPECT_TRUE(until([&] { return c.ended; }));
    EXPECT_EQ(undated(c.received), hello);
    c.close();
    EXPECT_TRUE(until([&] { return drained == 1; }));
}

TEST_F(ServerDrain, ResponseIsWaitedFor)
{
    struct http_connection *open = nullptr;
    on_request = [&](auto *c, const Request &) {
        open = c;
        respond(c, "200 OK", {}, 5);
        http_flush(c);
    };
    Client &c = client();
    c.send(get + get);
    EXPECT_TRUE(until([&] { return open != nullptr; }));
    drain();
    pump();
    EXPECT_EQ(drained, 0);
    send(open, "hello");
    http_finish(open);
    EXPECT_TRUE(until([&] { return c.ended; }));
    EXPECT_EQ(undated(c.received), answer("hello")); // its head was out before
    c.close();
    EXPECT_TRUE(until([&] { return drained == 1; }));
    EXPECT_EQ(events.size(), 1u);
}

TEST_F(ServerDrain, OutputIsWaitedFor)
{
    std::string large(20000000, 'x');
    on_request = [&](auto *c, const Request &) { reply(c, large); };
    Client &c = client();
    c.stalled = true;
    c.send(get);
    pump();
    drain();
    pump();
    EXPECT_EQ(drained, 0);
    c.stalled = false;
    EXPECT_TRUE(until([&] { return c.closed(); }));
    EXPECT_FALSE(c.was_reset);
    EXPECT_EQ(undated(c.received), answer(large));
    c.close();
    EXPECT_TRUE(until([&] { return drained == 1; }));
}

TEST_F(ServerDrain, UnreadBodyIsNotWaitedFor)
{
    Client &c = client();
    c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
    EXPECT_TRUE(until([&] { return !c.received.empty(); }));
    drain();
    c.send("def");
    EXPECT_TRUE(until([&] { return c.closed(); }));
    c.close();
    EXPECT_TRUE(until([&] { return drained == 1; }));
}

TEST_F(ServerDrain, CalledByTheHandler)
{
    for (bool before : {true, false}) {
        stop();
        drained = 0;
        events.clear();
        on_request = [&](auto *c, const Request &) {
            if (before)
                drain();
            reply(c, "hello");
            if (!before)
                drain();
        };
        address.socket.v4.sin_port = 0;
        start();
        Client &c = client();
        c.send(get + get);
        EXPECT_TRUE(until([&] { return c.ended; }));
        EXPECT_EQ(undated(c.received).substr(0, hello.size()),
                  before ? hello : (answer("hello") + hello).substr(0, hello.size()));
        c.close();
        EXPECT_TRUE(until([&] { return drained == 1; }));
    }
}

TEST_F(ServerDrain, FreedWhenDrained)
{
    client();
    http_server_drain(
        server,
        [](void *context) {
            auto *self = static_cast<ServerDrain *>(context);
            self->drained++;
            http_server_free(self->server);
            self->server = nullptr;
        },
        this);
    EXPECT_TRUE(until([&] { return drained == 1; }));
}
