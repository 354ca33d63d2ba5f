// What an exchange costs: system calls, memory; and running out of memory.

#include "httpclient/fixture.h"

class Steady : public ClientTest {};

static const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

TEST_F(Steady, AConnectionIsSmall)
{
    EXPECT_LE(sizeof(struct httpclient_connection), 304u);
    EXPECT_LE(sizeof(struct httpclient_exchange), 144u);
}

TEST_F(Steady, AKeptExchangeIsOneSendAndOneReceive)
{
    auto [connection, peer] = connect();
    Exchange exchange;
    exchange.events.reserve(1000);
    exchange.body.reserve(1000);
    peer.received.reserve(10000);
    send(connection, exchange);
    peer.send(ok);
    EXPECT_TRUE(run_until_done(exchange));
    calls = {};
    unsigned long allocations = test_allocations();
    for (int i = 0; i < 100; i++) {
        exchange.done = false;
        send(connection, exchange);
        peer.send(ok);
        EXPECT_TRUE(run_until_done(exchange));
    }
    EXPECT_EQ(calls.send, 100u);
    EXPECT_EQ(calls.recv, 100u);
    EXPECT_EQ(calls.epoll_ctl, 0u);
    EXPECT_EQ(test_allocations(), allocations);
    EXPECT_EQ(httpclient_memory(client), 0u);
}

TEST_F(Steady, PipelinedExchangesShareTheirCalls)
{
    client_options.depth = 16;
    auto [connection, peer] = connect();
    std::list<Exchange> exchanges(16);
    std::string answers;
    int left = 0;
    for (Exchange &exchange : exchanges) {
        answers += ok;
        exchange.on_done = [&, &c = connection] {
            exchange.done = false;
            exchange.body.clear();
            exchange.events.clear();
            left--;
            EXPECT_EQ(httpclient_queue(&c.c, &exchange.x), 0);
        };
        queue(connection, exchange);
    }
    httpclient_flush(&connection.c);
    settle();
    calls = {};
    for (int i = 0; i < 20; i++) {
        left = 16;
        peer.send(answers);
        EXPECT_TRUE(run([&, &far = peer] {
            return left == 0 && far.received.size() == (i + 2u) * 16 * get.size();
        }));
    }
    EXPECT_EQ(calls.send, 20u);
    EXPECT_EQ(calls.recv, 20u);
}

TEST_F(Steady, ReopeningAllocatesNothing)
{
    Connection &connection = open();
    Exchange exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    auto session = [&] {
        connection.closed.clear();
        exchange.done = false;
        exchange.events.clear();
        exchange.body.clear();
        send(connection, exchange);
        EXPECT_TRUE(run([&] { return !peers.empty() && peers.back().received == exchange.bytes; }));
        peers.back().send(ok);
        EXPECT_TRUE(run([&] { return !connection.closed.empty(); }));
        EXPECT_EQ(exchange.error(), "0");
        peers.clear();
    };
    session();
    EXPECT_EQ(httpclient_connection_open(&connection.c, client, &address, 1), 0);
    session();
    unsigned long before = test_allocations();
    for (int i = 0; i < 20; i++) {
        EXPECT_EQ(httpclient_connection_open(&connection.c, client, &address, 1), 0);
        session();
    }
    EXPECT_EQ(test_allocations(), before);
}

TEST_F(Steady, IdleConnectionsHoldNoBuffers)
{
    for (int i = 0; i < 100; i++) {
        auto [connection, peer] = connect();
        Exchange exchange;
        send(connection, exchange);
        peer.send(ok);
        EXPECT_TRUE(run_until_done(exchange));
    }
    EXPECT_EQ(httpclient_memory(client), 0u);
}

TEST_F(Steady, NeedsWhatTheLimitsAllow)
{
    client_options.limits.fields = HTTP_FIELDS_MAX + 1;
    EXPECT_EQ(httpclient_new(&client_options, &client), -EINVAL);
    client_options.limits.fields = HTTP_FIELDS_MAX;
    int error = -ENOMEM;
    unsigned long n = 0;
    while (error == -ENOMEM && n < 20) {
        test_fail_allocation(++n);
        error = httpclient_new(&client_options, &client);
        test_fail_allocation(0);
    }
    EXPECT_EQ(error, 0);
    EXPECT_GE(n, 4u);
    httpclient_free(nullptr);
}

// A session with heads and bodies in pieces, output that waits, a chunked body and pipelining. Each
// of its allocations fails once: every exchange ends, and so does the connection.
TEST_F(Steady, AnyAllocationOfASessionMayFail)
{
    client_options.depth = 4;
    const std::string chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    const std::string large(20000000, 'x');
    unsigned long needed = 0, failures = 0;
    listen_raw();
    the_client();
    for (unsigned long n = 0; n <= needed; n++) {
        SCOPED_TRACE(n);
        Exchange a, b, c(chunked);
        Connection connection;
        int produced = 0;
        c.on_produce = [&] {
            int error = produced++ == 0 ? httpclient_produce(&c.x, large.data(), large.size())
                                        : httpclient_produce_end(&c.x);
            EXPECT_TRUE(error == 0 || error == -ENOMEM) << error;
        };
        unsigned long before = test_allocations();
        test_fail_allocation(n);
        int error = httpclient_connection_open(&connection.c, client, &address, 1);
        if (error != 0) {
            EXPECT_EQ(error, -ENOMEM);
            failures++;
            continue;
        }
        for (Exchange *exchange : {&a, &b, &c})
            EXPECT_EQ(httpclient_queue(&connection.c, &exchange->x), 0);
        httpclient_flush(&connection.c);
        size_t had = peers.size();
        run([&] { return peers.size() > had || a.done; });
        if (peers.size() > had) {
            Peer &peer = peers.back();
            for (const char *piece : {"HTTP/1.1 200 O", "K\r\nContent-Length: 4\r\n\r\nab",
                                      "cdHTTP/1.1 2", "04 No\r\n\r\n"}) {
                peer.send(piece);
                settle();
            }
            run([&] {
                return c.done ||
                       (peer.received.size() > large.size() && peer.unsent.empty() &&
                        peer.received.compare(peer.received.size() - 5, 5, "0\r\n\r\n") == 0);
            });
            peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1");
            settle();
            peer.send("\r\na\r\n0\r\n\r\n");
            settle();
            peer.close();
        }
        EXPECT_TRUE(run([&] { return !connection.closed.empty(); }));
        unsigned long used = test_allocations() - before;
        test_fail_allocation(0);
        EXPECT_TRUE(a.done && b.done && c.done);
        if (n == 0) {
            needed = used;
            EXPECT_GE(needed, 3u);
            EXPECT_EQ(a.body + b.error() + c.body, "abcd0a");
            EXPECT_EQ(connection.closed, "0");
        }
        failures += a.x.error != 0 || b.x.error != 0 || c.x.error != 0;
    }
    EXPECT_GE(failures, 3u) << needed;
    EXPECT_EQ(httpclient_memory(client), 0u);
}
