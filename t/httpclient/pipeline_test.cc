// Exchanges that follow each other on a connection: in turn, pipelined, and behind one that fails.

#include "httpclient/fixture.h"

class Pipeline : public ClientTest {};

static const std::string post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx";
static const std::string last = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

static std::string ok(const std::string &body)
{
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

TEST_F(Pipeline, WithoutItOneIsSentAtATime)
{
    auto [connection, peer] = connect();
    Exchange a, b;
    queue(connection, a);
    send(connection, b);
    settle();
    EXPECT_EQ(peer.received, get);
    EXPECT_EQ(b.x.progress, HTTPCLIENT_QUEUED);
    peer.send(ok("a"));
    EXPECT_TRUE(run_until_done(a));
    settle();
    EXPECT_EQ(peer.received, get + get);
    peer.send(ok("b"));
    EXPECT_TRUE(run_until_done(b));
    EXPECT_EQ(a.body + b.body, "ab");
}

TEST_F(Pipeline, SendsUpToItsDepth)
{
    client_options.depth = 3;
    auto [connection, peer] = connect();
    std::list<Exchange> exchanges(5);
    for (Exchange &exchange : exchanges)
        queue(connection, exchange);
    httpclient_flush(&connection.c);
    settle();
    EXPECT_EQ(peer.received, get + get + get);
    peer.send(ok("1"));
    settle();
    EXPECT_EQ(peer.received, get + get + get + get);
    peer.send(ok("2") + ok("3") + ok("4"));
    settle();
    peer.send(ok("5"));
    EXPECT_TRUE(run_until_done(exchanges.back()));
    std::string bodies;
    for (Exchange &exchange : exchanges) {
        EXPECT_EQ(exchange.error(), "0");
        bodies += exchange.body;
    }
    EXPECT_EQ(bodies, "12345");
    EXPECT_EQ(connection.closed, "");
}

TEST_F(Pipeline, WhatIsQueuedBeforeItIsConnectedGoesOutTogether)
{
    client_options.depth = 16;
    Connection &connection = open();
    std::list<Exchange> exchanges(10);
    for (Exchange &exchange : exchanges)
        queue(connection, exchange);
    calls.send = 0;
    EXPECT_TRUE(
        run([&] { return !peers.empty() && peers.back().received.size() == 10 * get.size(); }));
    EXPECT_EQ(calls.send, 1u);
}

// RFC 9112, 9.3.2
TEST_F(Pipeline, NothingIsSentBehindWhatIsNotIdempotent)
{
    client_options.depth = 16;
    auto [connection, peer] = connect();
    Exchange a, b(post), c, d;
    for (Exchange *exchange : {&a, &b, &c})
        queue(connection, *exchange);
    send(connection, d);
    settle();
    EXPECT_EQ(peer.received, get + post);
    peer.send(ok("a"));
    settle();
    EXPECT_EQ(peer.received, get + post);
    peer.send(ok("b"));
    settle();
    EXPECT_EQ(peer.received, get + post + get + get);
}

TEST_F(Pipeline, ItsResponsesMayComeInAnyPieces)
{
    client_options.depth = 3;
    const std::string responses = ok("a") + "HTTP/1.1 204 B\r\n\r\n" +
                                  "HTTP/1.1 200 C\r\nTransfer-Encoding: chunked\r\n\r\n"
                                  "1\r\nc\r\n0\r\n\r\n";
    auto [connection, peer] = connect();
    for (size_t split = 1; split < responses.size(); split++) {
        Exchange a, b, c;
        queue(connection, a);
        queue(connection, b);
        send(connection, c);
        peer.send(responses.substr(0, split));
        settle();
        peer.send(responses.substr(split));
        ASSERT_TRUE(run_until_done(c)) << split;
        EXPECT_EQ(a.body + b.heard() + c.body, "aresponse 204 none, done 0c");
    }
    EXPECT_EQ(connection.closed, "");
}

// RFC 9110, 9.2.2; RFC 9112, 9.3.1
TEST_F(Pipeline, ThoseBehindAFailureAreToldWhatCameOfThem)
{
    client_options.depth = 3;
    auto [connection, peer] = connect();
    Exchange a, b, c(post), d;
    for (Exchange *exchange : {&a, &b, &c})
        queue(connection, *exchange);
    send(connection, d);
    EXPECT_TRUE(run([&, &far = peer] { return far.received == get + get + post; }));
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
    peer.close();
    EXPECT_TRUE(run([&, &far = connection] { return !far.closed.empty(); }));
    EXPECT_EQ(a.error(), "ECONNRESET");
    EXPECT_EQ(a.x.progress, HTTPCLIENT_ANSWERED);
    EXPECT_FALSE(httpclient_may_retry(&a.x));
    EXPECT_EQ(b.error(), "ECONNABORTED");
    EXPECT_EQ(b.x.progress, HTTPCLIENT_SENT);
    EXPECT_TRUE(httpclient_may_retry(&b.x));
    EXPECT_EQ(c.error(), "ECONNABORTED");
    EXPECT_EQ(c.x.progress, HTTPCLIENT_SENT);
    EXPECT_FALSE(httpclient_may_retry(&c.x));
    EXPECT_EQ(d.x.progress, HTTPCLIENT_QUEUED);
    EXPECT_TRUE(httpclient_may_retry(&d.x));
    EXPECT_EQ(connection.closed, "ECONNRESET");
}

// RFC 9112, 9.6
TEST_F(Pipeline, EndsBehindAResponseThatCloses)
{
    client_options.depth = 2;
    auto [connection, peer] = connect();
    Exchange a, b, c;
    queue(connection, a);
    queue(connection, b);
    send(connection, c);
    peer.send("HTTP/1.1 204 A\r\nConnection: close\r\n\r\nHTTP/1.1 204 B\r\n\r\n");
    EXPECT_TRUE(run([&, &far = connection] { return !far.closed.empty(); }));
    EXPECT_EQ(a.error(), "0");
    EXPECT_EQ(b.error(), "ECONNABORTED");
    EXPECT_EQ(b.x.progress, HTTPCLIENT_SENT);
    EXPECT_EQ(c.x.progress, HTTPCLIENT_QUEUED);
    EXPECT_EQ(connection.closed, "0");
}

TEST_F(Pipeline, EndsBehindARequestThatCloses)
{
    client_options.depth = 4;
    auto [connection, peer] = connect();
    Exchange a, b(last), c;
    queue(connection, a);
    queue(connection, b);
    send(connection, c);
    EXPECT_EQ(httpclient_queue(&connection.c, &c.x), -ESHUTDOWN);
    settle();
    EXPECT_EQ(peer.received, get + last);
    peer.send(ok("a") + ok("b"));
    EXPECT_TRUE(run([&, &far = connection] { return !far.closed.empty(); }));
    EXPECT_EQ(a.error() + b.error() + c.error(), "00ECONNABORTED");
    EXPECT_TRUE(httpclient_may_retry(&c.x));
    EXPECT_TRUE(run([&, &far = peer] { return far.ended; }));
}

TEST_F(Pipeline, AnExchangeMayBeQueuedAgainWhenItIsDone)
{
    auto [connection, peer] = connect();
    Exchange exchange;
    int left = 5;
    exchange.on_done = [&, &c = connection] {
        exchange.done = --left == 0;
        if (left > 0) {
            EXPECT_EQ(httpclient_queue(&c.c, &exchange.x), 0);
        }
    };
    send(connection, exchange);
    for (int i = 0; i < 5; i++) {
        settle();
        peer.send(ok("x"));
    }
    EXPECT_TRUE(run_until_done(exchange));
    EXPECT_EQ(exchange.body, "xxxxx");
    EXPECT_EQ(peer.received, get + get + get + get + get);
}

TEST_F(Pipeline, AConnectionMayBeOpenedAgainWhenItIsClosed)
{
    Connection &connection = open();
    Exchange exchange(last);
    int left = 3;
    auto again = [&] {
        exchange.done = false;
        if (--left == 0)
            return;
        connection.closed.clear();
        EXPECT_EQ(httpclient_connection_open(&connection.c, client, &address, 1), 0);
        queue(connection, exchange);
    };
    connection.on_closed = [&](int) { again(); };
    queue(connection, exchange);
    EXPECT_TRUE(run([&] {
        for (Peer &peer : peers)
            if (peer.received == last)
                peer.send(ok("x")), peer.received.clear();
        return left == 0;
    }));
    EXPECT_EQ(peers.size(), 3u);
    EXPECT_EQ(exchange.body, "xxx");
}

// What a callback may do, at each: close the connection, and free everything at once.
TEST_F(Pipeline, AnyCallbackMayCloseTheConnection)
{
    const std::string text = "HTTP/1.1 103 A\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: "
                             "chunked\r\n\r\n1\r\na\r\n0\r\nA: b\r\n\r\n" +
                             ok("b");
    client_options.depth = 2;
    for (int which = 0; which < 5; which++) {
        SCOPED_TRACE(which);
        auto [connection, peer] = connect();
        auto a = std::make_unique<Exchange>(), b = std::make_unique<Exchange>();
        bool closed = false;
        int bodies = 0;
        auto close = [&] {
            closed = true;
            connections_.clear();
            b.reset();
            if (which != 4)
                a.release()->on_done = [] {}; // its functions are running
        };
        Exchange *leaked = a.get();
        if (which == 0)
            a->on_interim = close;
        if (which == 1)
            a->on_response = [&](const auto *) { close(); };
        if (which == 2 || which == 3)
            a->on_body = [&](const auto *) {
                if (++bodies == which - 1)
                    close();
            };
        if (which == 4)
            a->on_done = close;
        queue(connection, *a);
        send(connection, *b);
        peer.send(text);
        EXPECT_TRUE(run([&] { return closed; }));
        settle();
        EXPECT_EQ(leaked->done, which == 4);
        if (which != 4)
            delete leaked;
        EXPECT_TRUE(run([&, &far = peer] { return far.ended; }));
    }
}

TEST_F(Pipeline, ADoneOfAFailureMayCloseToo)
{
    client_options.depth = 2;
    auto [connection, peer] = connect();
    Exchange a, b;
    a.on_done = [&, &c = connection] {
        EXPECT_EQ(httpclient_queue(&c.c, &b.x), -ESHUTDOWN);
        EXPECT_EQ(httpclient_connection_open(&c.c, client, &address, 1), -EBUSY);
        httpclient_connection_close(&c.c);
    };
    queue(connection, a);
    send(connection, b);
    peer.send("nonsense\r\n");
    EXPECT_TRUE(run_until_done(a));
    settle();
    EXPECT_FALSE(b.done);
    EXPECT_EQ(b.x.connection, nullptr);
    EXPECT_EQ(connection.closed, "");
}

TEST_F(Pipeline, AHeldConnectionDeliversNothing)
{
    auto [connection, peer] = connect();
    Exchange exchange;
    exchange.on_response = [&, &c = connection](const auto *) { httpclient_hold(&c.c); };
    send(connection, exchange);
    const std::string large(20000000, 'x');
    peer.send(ok(large));
    settle();
    EXPECT_EQ(exchange.heard(), "response 200 sized 20000000");
    EXPECT_EQ(exchange.body, "");
    EXPECT_LE(httpclient_memory(client), 70000u);
    EXPECT_FALSE(peer.unsent.empty());
    exchange.on_body = [&, &c = connection](const auto *) { httpclient_hold(&c.c); };
    for (int i = 0; i < 5; i++) {
        size_t before = exchange.body.size();
        httpclient_release(&connection.c);
        settle();
        EXPECT_GT(exchange.body.size(), before);
        EXPECT_LE(exchange.body.size(), before + 65536);
    }
    exchange.on_body = [](const auto *) {};
    httpclient_release(&connection.c);
    EXPECT_TRUE(run_until_done(exchange));
    EXPECT_EQ(exchange.body, large);
}

TEST_F(Pipeline, TellsWhenThingsHappened)
{
    auto [connection, peer] = connect();
    Exchange exchange;
    send(connection, exchange);
    run_for(5);
    peer.send("HTTP/1.1 200 ");
    run_for(5);
    peer.send("OK\r\nContent-Length: 2\r\n\r\na");
    run_for(5);
    peer.send("b");
    EXPECT_TRUE(run_until_done(exchange));
    const struct httpclient_times &times = exchange.x.times;
    EXPECT_GT(connection.c.opened, 0u);
    EXPECT_GE(connection.c.connected, connection.c.opened);
    EXPECT_GE(times.queued, connection.c.connected);
    EXPECT_GE(times.begun, times.queued);
    EXPECT_GE(times.sent, times.begun);
    EXPECT_GE(times.first, times.sent + 4 * millisecond);
    EXPECT_GE(times.head, times.first + 4 * millisecond);
    EXPECT_GE(times.end, times.head + 4 * millisecond);
    EXPECT_GE(patient_clock(), times.end);
    EXPECT_EQ(exchange.x.received, 2u);
}

// RFC 9110, 15.2.2 and 9.3.6
TEST_F(Pipeline, AConnectionThatSwitchesCanBeTaken)
{
    const std::string connect_request = "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n";
    const std::pair<std::string, std::string> cases[] = {
        {get, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"},
        {connect_request, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"},
    };
    for (const auto &[request, response] : cases) {
        auto [connection, peer] = connect();
        Exchange exchange(request);
        char rest[8];
        size_t length = 0;
        int fd = -1;
        exchange.on_response = [&, &c = connection](const auto *) {
            EXPECT_EQ(httpclient_connection_take(&c.c, rest, 2, &length, &fd), -ENOBUFS);
            EXPECT_EQ(httpclient_connection_take(&c.c, rest, sizeof rest, &length, &fd), 0);
        };
        send(connection, exchange);
        peer.send(response + "abc");
        EXPECT_TRUE(run([&] { return fd >= 0; }));
        settle();
        EXPECT_EQ(std::string(rest, length), "abc");
        EXPECT_FALSE(exchange.done);
        EXPECT_EQ(connection.closed, "");
        EXPECT_EQ(__real_send(fd, "hello", 5, 0), 5);
        unsigned long watched = calls.epoll_ctl; // the loop has forgotten it
        peer.send("not for the loop");
        settle();
        EXPECT_EQ(calls.epoll_ctl, watched);
        EXPECT_TRUE(
            run([&, &far = peer, &asked = request] { return far.received == asked + "hello"; }));
        close(fd);
        EXPECT_TRUE(run([&, &far = peer] { return far.ended; }));
    }
    EXPECT_EQ(ask(get, "HTTP/1.1 101 Switching Protocols\r\n\r\nabc"),
              "response 101 none, done 0; closed 0");
    EXPECT_EQ(ask(connect_request, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"),
              "response 200 none, done 0; closed 0");
    EXPECT_EQ(ask(connect_request, "HTTP/1.1 407 No\r\nContent-Length: 3\r\n\r\nabc"),
              "response 407 sized 3, done 0: abc");
}

TEST_F(Pipeline, OnlyAConnectionThatSwitchesCanBeTaken)
{
    auto [connection, peer] = connect();
    Exchange exchange;
    size_t length;
    int fd;
    exchange.on_response = [&, &c = connection](const auto *) {
        EXPECT_EQ(httpclient_connection_take(&c.c, nullptr, 0, &length, &fd), -EINVAL);
    };
    send(connection, exchange);
    peer.send(ok("a"));
    EXPECT_TRUE(run_until_done(exchange));
}
