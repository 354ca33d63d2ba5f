// Servers that are slow, and what becomes of it. Time is that of fixture.h, which leaves out the
// machine's pauses.

#include "httpclient/fixture.h"

class Timeout : public ClientTest {
  public:
    Timeout()
    {
        client_options.timeouts = {};
    }

    // Run until the exchange has failed for that reason, no sooner than `least` ms from `since`.
    void expect_late(Exchange &exchange, enum httpclient_timeout late, uint64_t since,
                     uint64_t least)
    {
        EXPECT_TRUE(run_until_done(exchange));
        EXPECT_EQ(exchange.error(), "ETIMEDOUT");
        EXPECT_EQ(exchange.x.late, late);
        EXPECT_GE(exchange.x.times.end - since, least * millisecond);
    }
};

static const std::string ok = "HTTP/1.1 204 OK\r\n\r\n";

TEST_F(Timeout, ForAHead)
{
    client_options.timeouts.head = 30 * millisecond;
    auto [connection, peer] = connect();
    Exchange exchange;
    send(connection, exchange);
    expect_late(exchange, HTTPCLIENT_LATE_HEAD, exchange.x.times.sent, 30);
    EXPECT_EQ(connection.closed, "ETIMEDOUT");
    EXPECT_TRUE(httpclient_may_retry(&exchange.x));
}

TEST_F(Timeout, AHeadMayNotTrickle)
{
    client_options.timeouts.head = 50 * millisecond;
    auto [connection, peer] = connect();
    Exchange exchange;
    send(connection, exchange);
    const std::string endless =
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nA: " + std::string(5000, 'x');
    size_t at = 0;
    EXPECT_TRUE(run([&, &far = peer] {
        far.send(endless.substr(at++, 1));
        return exchange.done || at == endless.size();
    }));
    EXPECT_EQ(exchange.x.late, HTTPCLIENT_LATE_HEAD);
    EXPECT_GE(at, 10u);
}

TEST_F(Timeout, OfTheNextHeadCountsFromTheResponseBefore)
{
    client_options.timeouts.head = 60 * millisecond;
    client_options.depth = 2;
    auto [connection, peer] = connect();
    Exchange a, b;
    queue(connection, a);
    send(connection, b);
    run([] { return false; }, 40);
    peer.send(ok);
    EXPECT_TRUE(run_until_done(a));
    expect_late(b, HTTPCLIENT_LATE_HEAD, a.x.times.end, 60);
}

TEST_F(Timeout, ForABody)
{
    client_options.timeouts.body = 40 * millisecond;
    auto [connection, peer] = connect();
    Exchange exchange;
    send(connection, exchange);
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
    // Slow, but not that slow.
    for (int i = 0; i < 5; i++) {
        run([] { return false; }, 20);
        peer.send("x");
    }
    EXPECT_TRUE(run([&] { return exchange.body == "xxxxx"; }));
    uint64_t last = patient_clock();
    EXPECT_FALSE(exchange.done);
    expect_late(exchange, HTTPCLIENT_LATE_BODY, last, 30);
    EXPECT_FALSE(httpclient_may_retry(&exchange.x));
}

TEST_F(Timeout, ForAServerThatTakesNothing)
{
    client_options.timeouts.send = 30 * millisecond;
    auto [connection, peer] = connect();
    peer.stalled = true;
    const std::string content(20000000, 'x');
    Exchange exchange("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\n");
    exchange.message.content = content.data();
    send(connection, exchange);
    expect_late(exchange, HTTPCLIENT_LATE_SEND, exchange.x.times.begun, 30);
}

TEST_F(Timeout, AServerThatTakesSomeIsInTime)
{
    client_options.timeouts.send = 100 * millisecond;
    auto [connection, peer] = connect();
    peer.stalled = true;
    const std::string content(20000000, 'x');
    Exchange exchange("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\n");
    exchange.message.content = content.data();
    send(connection, exchange);
    uint64_t begun = patient_clock();
    std::string some(1000000, 'x');
    EXPECT_TRUE(run([&, &far = peer] {
        __real_recv(far.fd, some.data(), 30000, 0);
        return exchange.done || patient_clock() > begun + 400 * millisecond;
    }));
    EXPECT_FALSE(exchange.done);
}

TEST_F(Timeout, ForAWholeExchange)
{
    client_options.timeouts.exchange = 60 * millisecond;
    auto [connection, peer] = connect();
    Exchange exchange;
    send(connection, exchange);
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n");
    EXPECT_TRUE(run([&, &far = peer] {
        far.send("x");
        return exchange.done || exchange.body.size() > 5000;
    }));
    EXPECT_EQ(exchange.x.late, HTTPCLIENT_LATE_EXCHANGE);
    EXPECT_GE(exchange.x.times.end - exchange.x.times.queued, 60 * millisecond);
}

// Input in each turn of the loop, at whose end the deadline is looked at.
TEST_F(Timeout, AFloodPutsNothingOff)
{
    client_options.timeouts.exchange = 60 * millisecond;
    client_options.limits.body = 0;
    auto [connection, peer] = connect();
    Exchange exchange;
    exchange.on_body = [&](const struct http_piece *) { exchange.body.clear(); };
    send(connection, exchange);
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n");
    const std::string much(1 << 20, 'x');
    unsigned late_turns = 0;
    EXPECT_TRUE(run([&, &far = peer] {
        if (far.unsent.size() < much.size())
            far.unsent += much;
        late_turns += dispatch_now(loop) > exchange.x.times.queued + 60 * millisecond;
        return exchange.done;
    }));
    EXPECT_EQ(exchange.x.late, HTTPCLIENT_LATE_EXCHANGE);
    EXPECT_LE(late_turns, 3u);
}

TEST_F(Timeout, OfAnExchangeThatIsNotConnected)
{
    client_options.timeouts.exchange = 30 * millisecond;
    listen_raw();
    ASSERT_EQ(::listen(raw, 0), 0);
    // The queue is full: a connection that is not answered.
    Client first(address);
    Connection &connection = open(), &other = open();
    Exchange exchange;
    send(other, exchange);
    EXPECT_TRUE(until([&] { return exchange.done; }));
    EXPECT_EQ(exchange.x.late, HTTPCLIENT_LATE_EXCHANGE);
    EXPECT_EQ(exchange.x.progress, HTTPCLIENT_QUEUED);
    EXPECT_TRUE(httpclient_may_retry(&exchange.x));
    EXPECT_EQ(other.closed, "ETIMEDOUT");
    EXPECT_EQ(connection.closed, "");
}

TEST_F(Timeout, ForConnecting)
{
    client_options.timeouts.connect = 30 * millisecond;
    listen_raw();
    ASSERT_EQ(::listen(raw, 0), 0);
    Client first(address);
    uint64_t begun = dispatch_clock();
    Connection &connection = open();
    Exchange exchange;
    send(connection, exchange);
    EXPECT_TRUE(until([&] { return exchange.done; }));
    EXPECT_EQ(exchange.error(), "ETIMEDOUT");
    EXPECT_EQ(exchange.x.late, HTTPCLIENT_LATE_CONNECT);
    EXPECT_EQ(connection.closed, "ETIMEDOUT");
    EXPECT_GE(exchange.x.times.end - begun, 30 * millisecond);
}

TEST_F(Timeout, OfAnIdleConnectionIsNoFailure)
{
    client_options.timeouts.idle = 30 * millisecond;
    auto [connection, peer] = connect();
    Exchange exchange;
    send(connection, exchange);
    run([] { return false; }, 60);
    EXPECT_EQ(connection.closed, "");
    peer.send(ok);
    EXPECT_TRUE(run_until_done(exchange));
    EXPECT_TRUE(run([&, &far = connection] { return !far.closed.empty(); }));
    EXPECT_EQ(connection.closed, "0");
    EXPECT_GE(patient_clock() - exchange.x.times.end, 30 * millisecond);
}

TEST_F(Timeout, NoneCountsWhileTheCallerIsWaitedFor)
{
    client_options.timeouts.head = client_options.timeouts.body = client_options.timeouts.send =
        30 * millisecond;
    auto [connection, peer] = connect();
    Exchange exchange("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    send(connection, exchange);
    run([] { return false; }, 80);
    EXPECT_FALSE(exchange.done);
    EXPECT_EQ(httpclient_produce(&exchange.x, "a", 1), 0);
    EXPECT_EQ(httpclient_produce_end(&exchange.x), 0);
    exchange.on_response = [&, &far = connection](const auto *) { httpclient_hold(&far.c); };
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n");
    run([] { return false; }, 80);
    EXPECT_FALSE(exchange.done);
    httpclient_release(&connection.c);
    expect_late(exchange, HTTPCLIENT_LATE_BODY, patient_clock(), 25);
}
