// The memory that connections may hold in all: what happens when it is spent, and after that.

#include "http/server_fixture.h"

extern "C" {
#include "connection.h"
}

static const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
static const std::string part = "GET / HTTP/1.1\r\nX: " + std::string(3000, 'x');

class ServerBudget : public ServerTest {
  public:
    ServerBudget()
    {
        options.memory = 20000;
        options.spent = [](void *context, bool spent) {
            static_cast<ServerBudget *>(context)->changes += spent ? '+' : '-';
        };
        options.spent_context = this;
    }

    ~ServerBudget() override
    {
        stop(); // it notes changes
    }

    // Clients that stall in a head, until there are enough.
    void spend()
    {
        while (changes.empty() || changes.back() == '-') {
            client().send(part);
            pump();
        }
        EXPECT_TRUE(server->spent);
    }

    // Bytes that count, less the present.
    size_t left()
    {
        return options.memory - http_server_memory(server);
    }

    std::string changes;
};

TEST_F(ServerBudget, NobodyIsAcceptedUntilThereIsSome)
{
    spend();
    size_t stalled = connections();
    EXPECT_GE(stalled, 5u);
    EXPECT_LT(http_server_memory(server), options.memory + 2 * part.size());
    clients.emplace_back(address);
    Client &late = clients.back();
    late.send(get);
    run_for(20);
    EXPECT_EQ(connections(), stalled);
    clients.front().reset();
    std::next(clients.begin())->reset();
    EXPECT_TRUE(until([&] { return !late.received.empty(); }));
    EXPECT_EQ(undated(late.received), answer("hello"));
    EXPECT_EQ(changes, "+-");
}

TEST_F(ServerBudget, IdleConnectionsGoFirst)
{
    options.memory = 6000;
    for (int i = 0; i < 20; i++)
        client().send(get);
    EXPECT_TRUE(until([&] { return events.size() == 20; }));
    pump();
    EXPECT_EQ(changes, "");
    Client &stalled = client();
    stalled.send(part);
    EXPECT_TRUE(until([&] {
        clients.remove_if([](const Client &c) { return c.ended; }); // as clients do
        return connections() == 1;
    }));
    EXPECT_FALSE(stalled.ended);
    client().send(part);
    EXPECT_TRUE(until([&] { return changes == "+-"; }));
}

// What came meanwhile is answered after it.
TEST_F(ServerBudget, NoRequestIsBegunUntilThereIsSome)
{
    Client &fresh = client();
    Client &pipelining = client();
    struct http_connection *open = nullptr;
    on_request = [&](auto *c, const Request &r) {
        if (r.target == "/wait")
            open = c;
        else
            reply(c, "hello");
    };
    pipelining.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n" + get);
    pump();
    ASSERT_NE(open, nullptr);
    spend();
    fresh.send(get);
    reply(open, "first");
    pump();
    EXPECT_EQ(undated(pipelining.received), answer("first"));
    EXPECT_EQ(fresh.received, "");
    clients.back().reset();
    std::prev(clients.end(), 2)->reset();
    EXPECT_TRUE(until([&] { return !fresh.received.empty() && events.size() == 3; }));
    pump();
    EXPECT_EQ(undated(fresh.received), answer("hello"));
    EXPECT_EQ(undated(pipelining.received), answer("first") + answer("hello"));
}

// Who is served while memory is spent is told not to wait for another turn.
TEST_F(ServerBudget, ServedClientsDoNotStay)
{
    Client &c = client();
    struct http_connection *open = nullptr;
    on_request = [&](auto *connection, const Request &) { open = connection; };
    c.send(get);
    pump();
    ASSERT_NE(open, nullptr);
    spend();
    reply(open, "hello");
    EXPECT_TRUE(until([&] { return c.ended; }));
    EXPECT_NE(c.received.find("\r\nConnection: close\r\n"), std::string::npos);
}

// The head of such a response may have gone out before.
TEST_F(ServerBudget, NorThoseWhoseResponseHadBegun)
{
    Client &c = client();
    struct http_connection *open = nullptr;
    on_request = [&](auto *connection, const Request &) {
        open = connection;
        respond(connection, "200 OK", {}, 5);
        http_flush(connection);
    };
    c.send(get);
    pump();
    ASSERT_NE(open, nullptr);
    spend();
    send(open, "hello");
    http_finish(open);
    EXPECT_TRUE(until([&] { return c.ended; }));
}

// What a response has sent is not lost to a request that came too late.
TEST_F(ServerBudget, AnIdleClientStillGetsItsResponse)
{
    std::string large(1000000, 'x');
    on_request = [&](auto *c, const Request &) { reply(c, large); };
    Client &c = client();
    c.stalled = true;
    c.send(get);
    pump();
    spend();
    c.send(get);
    pump();
    c.stalled = false;
    EXPECT_TRUE(until([&] { return c.ended; }));
    EXPECT_FALSE(c.was_reset);
    EXPECT_GT(c.received.size(), large.size());
}

// The time-outs of those that stall go on while memory comes and goes.
TEST_F(ServerBudget, ChangesRenewNoTimeOut)
{
    options.timeouts = {};
    options.timeouts.head = 100 * millisecond;
    spend();
    Client &first = clients.front();
    EXPECT_TRUE(until([&] {
        clients.back().reset();
        clients.pop_back();
        run_for(3);
        if (!first.ended)
            spend();
        return first.ended || changes.size() > 400;
    }));
    EXPECT_TRUE(first.ended);
    EXPECT_LE(changes.size(), 100u);
}

TEST_F(ServerBudget, DrainingClosesThosePaused)
{
    options.timeouts = {};
    client();
    spend();
    bool drained = false;
    http_server_drain(
        server, [](void *context) { *static_cast<bool *>(context) = true; }, &drained);
    pump();
    while (clients.size() > 1) {
        clients.back().reset();
        clients.pop_back();
    }
    EXPECT_TRUE(until([&] { return drained; }));
}

// A request that was begun can come to its end.
TEST_F(ServerBudget, BodiesAreRead)
{
    Client &c = client();
    on_request = [](auto *, const Request &) {};
    on_body = [](auto *connection, const std::string &, bool last) {
        if (last)
            reply(connection, "thanks");
    };
    c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab");
    pump();
    spend();
    c.send("cd");
    EXPECT_TRUE(until([&] { return !c.received.empty(); }));
    EXPECT_EQ(undated(c.received),
              "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nthanks");
}

TEST_F(ServerBudget, WhatAHandlerHoldsCounts)
{
    struct http_connection *open = nullptr;
    on_request = [&](auto *c, const Request &) { open = c; };
    client().send(get);
    pump();
    ASSERT_NE(open, nullptr);
    EXPECT_FALSE(http_hold_memory(open, left()));
    http_want_body(open); // any call sees to the rest
    client();
    EXPECT_EQ(changes, "+");
    EXPECT_TRUE(http_hold_memory(open, options.memory / 2));
    pump();
    reply(open, "hello");
    EXPECT_EQ(changes, "+-");
    EXPECT_EQ(http_server_memory(server), 2 * sizeof(struct http_connection));
}

TEST_F(ServerBudget, WhatAHandlerHeldEndsWithTheExchange)
{
    on_request = [](auto *, const Request &) {};
    on_body = [&](auto *c, const std::string &, bool) { http_hold_memory(c, 15000); };
    Client &c = client();
    c.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\nXX");
    EXPECT_TRUE(until([&] { return c.ended; }));
    EXPECT_EQ(connections(), 1u); // it lingers
    EXPECT_LT(http_server_memory(server), 1000u);
}

TEST_F(ServerBudget, ZeroIsNone)
{
    options.memory = 0;
    for (int i = 0; i < 30; i++)
        client().send(part);
    pump();
    EXPECT_EQ(connections(), 30u);
    EXPECT_EQ(changes, "");
}

TEST_F(ServerBudget, TheServerMayGo)
{
    spend();
    stop();
    EXPECT_EQ(changes, "+-");
}
