// Bodies of requests: in memory and generated, with and without 100 (Continue), and responses that
// come before they are sent.

#include "httpclient/fixture.h"

class Body : public ClientTest {};

static const std::string chunked =
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
static const std::string ok = "HTTP/1.1 204 OK\r\n\r\n";

static std::string sized(size_t length)
{
    return "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

static int produce(Exchange &exchange, const std::string &data)
{
    return httpclient_produce(&exchange.x, data.data(), data.size());
}

TEST_F(Body, InMemoryIsSentBehindItsHead)
{
    for (size_t length : {1u, 100u, 4095u, 4096u, 100000u, 5000000u}) {
        SCOPED_TRACE(length);
        auto [connection, peer] = connect();
        const std::string content(length, 'x');
        Exchange exchange(sized(length));
        exchange.message.content = content.data();
        calls.send = 0;
        send(connection, exchange);
        if (length < 100000) {
            EXPECT_EQ(calls.send, 1u);
        }
        EXPECT_LE(httpclient_memory(client), 100000u); // nothing of a large one is copied
        EXPECT_TRUE(run([&, &far = peer] { return far.received == exchange.bytes + content; }));
        EXPECT_EQ(exchange.x.produced, length);
        peer.send(ok);
        EXPECT_TRUE(run_until_done(exchange));
        EXPECT_EQ(exchange.error(), "0");
        EXPECT_EQ(connection.closed, "");
        EXPECT_GT(exchange.x.times.sent, 0u);
        httpclient_connection_close(&connection.c);
    }
}

TEST_F(Body, BehindTheHeadItIsPartOfTheMessage)
{
    auto [connection, peer] = connect();
    Exchange exchange(sized(3) + "abc");
    send(connection, exchange);
    EXPECT_TRUE(run([&, &far = peer] { return far.received == exchange.bytes; }));
}

TEST_F(Body, GeneratedInChunks)
{
    auto [connection, peer] = connect();
    Exchange exchange(chunked), next;
    int pieces = 0;
    exchange.on_produce = [&] {
        if (pieces++ < 3) {
            EXPECT_EQ(produce(exchange, "abc"), 0);
        } else {
            EXPECT_EQ(httpclient_produce_end(&exchange.x), 0);
        }
    };
    queue(connection, exchange);
    calls.send = 0;
    send(connection, next);
    EXPECT_TRUE(
        run([&, &far = peer] { return far.received.find("0\r\n\r\n") != std::string::npos; }));
    EXPECT_EQ(peer.received, chunked + "3\r\nabc\r\n3\r\nabc\r\n3\r\nabc\r\n0\r\n\r\n");
    EXPECT_LE(calls.send, 2u);
    EXPECT_EQ(exchange.x.produced, 9u);
    peer.send(ok);
    EXPECT_TRUE(run_until_done(exchange));
    EXPECT_TRUE(run([&, &far = peer] { return far.received.find(get) != std::string::npos; }));
}

TEST_F(Body, GeneratedOfAKnownLength)
{
    auto [connection, peer] = connect();
    Exchange exchange(sized(7));
    exchange.on_produce = [&] {
        std::string next = exchange.x.produced == 6 ? "g" : "abc";
        EXPECT_EQ(produce(exchange, "too much of it"), -EMSGSIZE);
        EXPECT_EQ(httpclient_produce_end(&exchange.x), -EMSGSIZE);
        EXPECT_EQ(produce(exchange, next), 0);
    };
    send(connection, exchange);
    EXPECT_TRUE(run([&, &far = peer] { return far.received == sized(7) + "abcabcg"; }));
    peer.send(ok);
    EXPECT_TRUE(run_until_done(exchange));
    EXPECT_EQ(connection.closed, "");
}

TEST_F(Body, MayBeProducedWheneverThereIsSome)
{
    auto [connection, peer] = connect();
    Exchange exchange(chunked);
    int asked = 0;
    exchange.on_produce = [&] { asked++; };
    send(connection, exchange);
    settle();
    EXPECT_EQ(asked, 1);
    EXPECT_EQ(produce(exchange, "a"), 0);
    settle();
    EXPECT_EQ(asked, 2);
    EXPECT_EQ(peer.received, chunked + "1\r\na\r\n");
    EXPECT_EQ(produce(exchange, ""), 0);
    EXPECT_EQ(httpclient_produce_end(&exchange.x), 0);
    settle();
    EXPECT_EQ(peer.received, chunked + "1\r\na\r\n0\r\n\r\n");
    EXPECT_EQ(produce(exchange, "b"), 0);
    peer.send(ok);
    EXPECT_TRUE(run_until_done(exchange));
    EXPECT_EQ(asked, 2);
}

TEST_F(Body, IsPulledAsFastAsTheServerTakesIt)
{
    auto [connection, peer] = connect();
    Exchange exchange(chunked);
    const std::string piece(10000, 'x');
    const uint64_t whole = 20000000;
    exchange.on_produce = [&] {
        EXPECT_FALSE(httpclient_full(&exchange.x));
        if (exchange.x.produced < whole) {
            EXPECT_EQ(produce(exchange, piece), 0);
        } else {
            EXPECT_EQ(httpclient_produce_end(&exchange.x), 0);
        }
    };
    peer.stalled = true;
    send(connection, exchange);
    settle();
    EXPECT_TRUE(run([&] { return httpclient_full(&exchange.x); }));
    EXPECT_LT(exchange.x.produced, whole);
    EXPECT_LE(httpclient_memory(client), 80000u);
    uint64_t before = exchange.x.produced;
    settle();
    EXPECT_EQ(exchange.x.produced, before);
    peer.stalled = false;
    EXPECT_TRUE(run([&, &far = peer] {
        return far.received.size() > whole &&
               far.received.compare(far.received.size() - 5, 5, "0\r\n\r\n") == 0;
    }));
    EXPECT_EQ(exchange.x.produced, whole);
}

// A generator that never ends, and a server that takes all at once, leave others their turns.
TEST_F(Body, AGeneratorDoesNotKeepTheLoop)
{
    auto [connection, peer] = connect();
    Exchange exchange(chunked);
    std::string piece(1000, 'x');
    uint64_t turn = 0, before = 0, most = 0;
    exchange.on_produce = [&] {
        if (dispatch_now(loop) != turn)
            before = exchange.x.produced;
        turn = dispatch_now(loop);
        produce(exchange, piece);
        most = std::max(most, exchange.x.produced - before);
    };
    send(connection, exchange);
    EXPECT_TRUE(run([&] { return exchange.x.produced > 3000000; }));
    EXPECT_GT(most, 1000u);
    EXPECT_LE(most, 300000u);
}

// RFC 9110, 10.1.1
TEST_F(Body, WaitsForTheServerToWantIt)
{
    const std::string request =
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    const std::string content = "abc";
    for (bool generated : {false, true}) {
        auto [connection, peer] = connect();
        Exchange exchange(request);
        exchange.message.content = generated ? nullptr : content.data();
        exchange.on_produce = [&] { EXPECT_EQ(produce(exchange, content), 0); };
        send(connection, exchange);
        settle();
        EXPECT_EQ(peer.received, request);
        peer.send("HTTP/1.1 103 A\r\n\r\n");
        settle();
        EXPECT_EQ(peer.received, request);
        peer.send("HTTP/1.1 100 Continue\r\n\r\n");
        settle();
        EXPECT_EQ(peer.received, request + content);
        peer.send(ok);
        EXPECT_TRUE(run_until_done(exchange));
        EXPECT_EQ(exchange.heard(), "interim 103, interim 100, response 204 none, done 0");
        EXPECT_EQ(connection.closed, "");
    }
}

TEST_F(Body, IsSentWhenNobodySaysAnything)
{
    client_options.timeouts.expect = 20 * millisecond;
    const std::string request =
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    auto [connection, peer] = connect();
    Exchange exchange(request);
    exchange.message.content = "abc";
    send(connection, exchange);
    run([] { return false; }, 10);
    EXPECT_EQ(peer.received, request);
    EXPECT_TRUE(run([&, &far = peer] { return far.received == request + "abc"; }));
    EXPECT_GE(patient_clock() - exchange.x.times.begun, 20 * millisecond);
}

TEST_F(Body, IsNotSentWhereTheServerRefusesIt)
{
    const std::string request =
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    auto [connection, peer] = connect();
    Exchange exchange(request), next;
    exchange.message.content = "abc";
    queue(connection, exchange);
    send(connection, next);
    peer.send("HTTP/1.1 417 No\r\nContent-Length: 2\r\n\r\n");
    settle();
    EXPECT_EQ(exchange.x.status, 417u);
    EXPECT_EQ(peer.received, request);
    peer.send("no");
    EXPECT_TRUE(run([&, &far = peer] { return far.ended; }));
    EXPECT_EQ(exchange.heard() + exchange.body, "response 417 sized 2, done 0no");
    EXPECT_EQ(peer.received, request);
    // A server cannot tell whether the body still comes.
    EXPECT_EQ(connection.closed, "0");
    EXPECT_EQ(next.error(), "ECONNABORTED");
}

TEST_F(Body, IsSentToAServerThatBeginsToAnswer)
{
    const std::string request =
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    auto [connection, peer] = connect();
    Exchange exchange(request);
    exchange.message.content = "abc";
    send(connection, exchange);
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
    EXPECT_TRUE(run([&, &far = peer] { return far.received == request + "abc"; }));
    peer.send("ok");
    EXPECT_TRUE(run_until_done(exchange));
    EXPECT_EQ(exchange.error() + connection.closed, "0");
}

// RFC 9112, 9.5
TEST_F(Body, StopsWhenTheServerRefusesAndCloses)
{
    auto [connection, peer] = connect();
    Exchange exchange(chunked);
    const std::string piece(10000, 'x');
    exchange.on_produce = [&] { produce(exchange, piece); };
    peer.stalled = true;
    send(connection, exchange);
    EXPECT_TRUE(run([&] { return httpclient_full(&exchange.x); }));
    peer.send("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 4\r\n\r\n");
    EXPECT_TRUE(run([&] { return exchange.x.status == 413; }));
    uint64_t before = exchange.x.produced;
    peer.stalled = false;
    settle();
    EXPECT_EQ(exchange.x.produced, before);
    EXPECT_EQ(produce(exchange, piece), 0);
    EXPECT_EQ(exchange.x.produced, before);
    peer.send("much");
    EXPECT_TRUE(run_until_done(exchange));
    EXPECT_EQ(exchange.error() + exchange.body, "0much");
    EXPECT_EQ(connection.closed, "0");
}

TEST_F(Body, GoesOnWhileAnAnswerComesThatIsNoRefusal)
{
    auto [connection, peer] = connect();
    Exchange exchange(chunked);
    send(connection, exchange);
    settle();
    peer.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    for (const char *letter : {"a", "b", "c"}) {
        EXPECT_EQ(produce(exchange, letter), 0);
        settle();
        peer.send(peer.received.substr(peer.received.size() - 3, 1));
        settle();
    }
    EXPECT_EQ(exchange.body, "abc");
    EXPECT_EQ(httpclient_produce_end(&exchange.x), 0);
    settle();
    EXPECT_EQ(peer.received, chunked + "1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n");
    peer.close();
    EXPECT_TRUE(run_until_done(exchange));
    EXPECT_EQ(exchange.error(), "0");
}

TEST_F(Body, AnAnswerThatIsCompleteBeforeItEndsTheConnection)
{
    auto [connection, peer] = connect();
    Exchange exchange(chunked);
    send(connection, exchange);
    settle();
    EXPECT_EQ(produce(exchange, "a"), 0);
    settle();
    peer.send(ok);
    EXPECT_TRUE(run_until_done(exchange));
    EXPECT_EQ(exchange.error(), "0");
    EXPECT_EQ(connection.closed, "0");
    EXPECT_TRUE(run([&, &far = peer] { return far.ended; }));
    EXPECT_EQ(peer.received, chunked + "1\r\na\r\n");
}

// The server answers and closes at once, with input unread: what it said is read before the reset
// that comes of it is a failure, and also when it is writing that meets the reset.
TEST_F(Body, TheAnswerIsReadThoughWritingFails)
{
    // The last has a head that takes two receives.
    const std::string field = "A: " + std::string(8000, 'x') + "\r\n";
    for (int way = 0; way < 3; way++) {
        SCOPED_TRACE(way);
        bool outside = way > 0;
        std::string fields = way < 2 ? "" : field + field + field + field + field;
        auto [connection, peer] = connect();
        Exchange exchange(chunked);
        const std::string piece(10000, 'x');
        exchange.on_produce = [&] {
            if (!outside)
                produce(exchange, piece);
        };
        peer.stalled = true;
        send(connection, exchange);
        if (outside)
            produce(exchange, piece);
        EXPECT_TRUE(run([&] { return exchange.x.produced > 0; }));
        peer.send("HTTP/1.1 413 Too Large\r\nConnection: close\r\n" + fields +
                  "Content-Length: 4\r\n\r\nmuch");
        peer.close();
        if (outside)
            while (produce(exchange, piece) == 0)
                ;
        EXPECT_TRUE(run_until_done(exchange));
        EXPECT_EQ(exchange.heard() + exchange.body, "response 413 sized 4, done 0much");
        EXPECT_EQ(connection.closed, "0");
    }
}

TEST_F(Body, IsLostWithTheConnection)
{
    auto [connection, peer] = connect();
    Exchange exchange(chunked);
    send(connection, exchange);
    produce(exchange, "abc");
    settle();
    peer.reset();
    EXPECT_TRUE(run_until_done(exchange));
    EXPECT_EQ(exchange.error(), "ECONNRESET");
    EXPECT_FALSE(httpclient_may_retry(&exchange.x));
    EXPECT_EQ(produce(exchange, "abc"), 0);
    EXPECT_FALSE(httpclient_full(&exchange.x));
}

TEST_F(Body, ProduceMayCloseTheConnection)
{
    auto [connection, peer] = connect();
    auto exchange = std::make_unique<Exchange>(chunked);
    bool closed = false;
    exchange->on_produce = [&] {
        produce(*exchange, "abc");
        connections_.clear();
        closed = true;
    };
    send(connection, *exchange);
    EXPECT_TRUE(run([&] { return closed; }));
    settle();
    EXPECT_FALSE(exchange->done);
    EXPECT_TRUE(run([&, &far = peer] { return far.ended; }));
}
