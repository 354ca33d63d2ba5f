// Responses as they come from servers, good and bad, to one request at a time.

#include "httpclient/fixture.h"

class Response : public ClientTest {};

static const std::string head = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_F(Response, IsReadByItsFraming)
{
    EXPECT_EQ(ask(get, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
              "response 200 sized 5, done 0: hello");
    EXPECT_EQ(ask(get, "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"),
              "response 200 sized 0, done 0");
    EXPECT_EQ(ask(get, "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"),
              "response 404 chunked, done 0: abcde");
    EXPECT_EQ(ask(get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "3\r\nabc\r\n0\r\nA: b\r\n\r\n"),
              "response 200 chunked, trailer A: b\r\n, done 0: abc");
    EXPECT_EQ(ask(get, "HTTP/1.1 200 OK\r\n\r\nhello", true),
              "response 200 closed, done 0: hello; closed 0");
    EXPECT_EQ(ask(get, "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
              "response 200 sized 5, done 0: hello; closed 0");
    EXPECT_EQ(ask(get, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"),
              "response 200 sized 5, done 0: hello; closed 0");
}

TEST_F(Response, HasNoBodyWhereNoneCanBe)
{
    EXPECT_EQ(ask(head, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
              "response 200 none, done 0");
    EXPECT_EQ(ask(head, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
              "response 200 none, done 0");
    EXPECT_EQ(ask(get, "HTTP/1.1 204 No Content\r\n\r\n"), "response 204 none, done 0");
    EXPECT_EQ(ask(get, "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"),
              "response 304 none, done 0");
}

TEST_F(Response, ComesBehindInterimOnes)
{
    EXPECT_EQ(ask(get, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
                       "HTTP/1.1 204 No Content\r\n\r\n"),
              "interim 103, interim 102, response 204 none, done 0");
    EXPECT_EQ(ask(get, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"),
              "interim 100, response 204 none, done 0");
}

TEST_F(Response, ThatIsNoneIsAFault)
{
    const std::pair<std::string, enum http_fault> cases[] = {
        {"nonsense\r\n\r\n", HTTP_BAD_VERSION},
        {"HTTP/2.0 200 OK\r\n\r\n", HTTP_UNSUPPORTED_VERSION},
        {"HTTP/1.1 099 X\r\n\r\n", HTTP_BAD_STATUS_LINE},
        {"HTTP/1.1 200 OK\nA: b\n\n", HTTP_BAD_LINE_END},
        {"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", HTTP_BAD_FIELD_NAME},
        {"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", HTTP_OBSOLETE_FOLD},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
         HTTP_BAD_CONTENT_LENGTH},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
         HTTP_AMBIGUOUS_LENGTH},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", HTTP_UNKNOWN_TRANSFER_CODING},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", HTTP_BAD_CHUNK_SIZE},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab", HTTP_BAD_CHUNK_END},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA b\r\n\r\n", HTTP_BAD_TRAILER},
        {"\r\nHTTP/1.1 200 OK\r\n\r\n", HTTP_BAD_LINE_END},
    };
    for (const auto &[response, fault] : cases) {
        SCOPED_TRACE(response);
        auto [connection, peer] = connect();
        Exchange exchange;
        send(connection, exchange);
        peer.send(response);
        EXPECT_TRUE(run_until_done(exchange));
        EXPECT_EQ(exchange.error(), "EPROTO");
        EXPECT_STREQ(http_fault_text(exchange.x.fault), http_fault_text(fault));
        EXPECT_EQ(connection.closed, "EPROTO");
        EXPECT_TRUE(run([&, &far = peer] { return far.ended; }));
        EXPECT_FALSE(httpclient_may_retry(&exchange.x) && exchange.x.status != 0);
    }
}

TEST_F(Response, KeepsItsLimits)
{
    client_options.limits.head = 2000;
    client_options.limits.field = 100;
    client_options.limits.fields = 5;
    client_options.limits.body = 10;
    const std::string ok = "HTTP/1.1 200 OK\r\n";
    const std::string field = "A: b\r\n";
    const std::pair<std::string, enum http_fault> cases[] = {
        {ok + "A: " + std::string(200, 'x'), HTTP_LONG_FIELD},
        {ok + field + field + field + field + field + field, HTTP_MANY_FIELDS},
        {ok + "Content-Length: 11\r\n\r\n", HTTP_LONG_BODY},
        {ok + "Transfer-Encoding: chunked\r\n\r\nb\r\n", HTTP_LONG_BODY},
        {ok + "\r\n12345678901", HTTP_LONG_BODY},
    };
    for (const auto &[response, fault] : cases) {
        auto [connection, peer] = connect();
        Exchange exchange;
        send(connection, exchange);
        peer.send(response);
        EXPECT_TRUE(run_until_done(exchange));
        EXPECT_STREQ(http_fault_text(exchange.x.fault), http_fault_text(fault)) << response;
    }
    EXPECT_EQ(ask(get, ok + "\r\n1234567890", true),
              "response 200 closed, done 0: 1234567890; closed 0");
}

TEST_F(Response, AnEndlessHeadEndsAtTheLimit)
{
    auto [connection, peer] = connect();
    Exchange exchange;
    send(connection, exchange);
    peer.send("HTTP/1.1 200 OK\r\n");
    EXPECT_TRUE(run([&, &far = peer] {
        if (far.unsent.empty())
            far.send("A: " + std::string(1000, 'x') + "\r\n");
        return exchange.done;
    }));
    EXPECT_EQ(exchange.error(), "EPROTO");
    EXPECT_EQ(connection.tapped.rfind("HTTP/1.1 200 OK\r\nA: xxx", 0), 0u); // as far as it came
    EXPECT_EQ(httpclient_memory(client), 0u);
}

TEST_F(Response, CutShortIsALoss)
{
    const std::string whole = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    for (size_t n = 0; n < whole.size(); n++) {
        SCOPED_TRACE(n);
        auto [connection, peer] = connect();
        Exchange exchange;
        send(connection, exchange);
        EXPECT_TRUE(run([&, &far = peer] { return far.received == get; }));
        peer.send(whole.substr(0, n));
        peer.close();
        EXPECT_TRUE(run_until_done(exchange));
        EXPECT_EQ(exchange.error(), "ECONNRESET");
        EXPECT_EQ(connection.closed, "ECONNRESET");
        bool answered = n >= whole.size() - 5;
        EXPECT_EQ(exchange.x.progress, answered ? HTTPCLIENT_ANSWERED : HTTPCLIENT_SENT);
        EXPECT_EQ(httpclient_may_retry(&exchange.x), !answered);
    }
    EXPECT_EQ(
        ask(get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n", true),
        "response 200 chunked, done ECONNRESET: abc; closed ECONNRESET");
}

TEST_F(Response, MayComeInAnyPieces)
{
    const std::string responses[] = {
        "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\nA: "
        "b\r\n\r\n",
    };
    for (const std::string &response : responses) {
        auto [connection, peer] = connect();
        for (size_t split = 1; split < response.size(); split++) {
            Exchange exchange;
            send(connection, exchange);
            peer.send(response.substr(0, split));
            settle();
            peer.send(response.substr(split));
            ASSERT_TRUE(run_until_done(exchange)) << split;
            EXPECT_EQ(exchange.error(), "0") << split;
            EXPECT_EQ(exchange.body, "hello") << split;
        }
        EXPECT_EQ(connection.closed, "");
        EXPECT_EQ(peers.size(), static_cast<size_t>(&response - responses) + 1);
    }
}

// RFC 9112, 9.2
TEST_F(Response, NobodyAskedForEndsTheConnection)
{
    auto [connection, peer] = connect();
    peer.send("HTTP/1.1 408 Request Timeout\r\n\r\n");
    EXPECT_TRUE(run([&, &c = connection] { return !c.closed.empty(); }));
    EXPECT_EQ(connection.closed, "EPROTO");
    EXPECT_EQ(ask(get, "HTTP/1.1 204 A\r\n\r\nHTTP/1.1 204 B\r\n\r\n"),
              "response 204 none, done 0; closed EPROTO");
}

TEST_F(Response, IsNotThatOfWhatIsAskedLater)
{
    auto [connection, peer] = connect();
    Exchange first, second;
    int queued = 0;
    first.on_done = [&, &c = connection] { queued = httpclient_queue(&c.c, &second.x); };
    send(connection, first);
    peer.send(
        "HTTP/1.1 200 A\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 B\r\nContent-Length: 1\r\n\r\nb");
    EXPECT_TRUE(run([&, &c = connection] { return !c.closed.empty(); }));
    EXPECT_EQ(queued, -ESHUTDOWN);
    EXPECT_EQ(connection.closed, "EPROTO");
    EXPECT_EQ(first.heard(), "response 200 sized 1, done 0");
    EXPECT_EQ(second.heard(), "");
}

TEST_F(Response, LineEndsBehindOneAreNothing)
{
    auto [connection, peer] = connect();
    Exchange first, second;
    send(connection, first);
    peer.send("HTTP/1.1 204 A\r\n\r\n\r\n");
    EXPECT_TRUE(run_until_done(first));
    peer.send("\r\n");
    settle();
    EXPECT_EQ(connection.closed, "");
    send(connection, second);
    peer.send("HTTP/1.1 204 B\r\n\r\n");
    EXPECT_TRUE(run_until_done(second));
    EXPECT_EQ(second.error(), "0");
}

TEST_F(Response, TheTapSeesAllBytes)
{
    auto [connection, peer] = connect();
    const std::string response =
        "HTTP/1.1 103 A\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n0\r\nA: b\r\n\r\n\r\n";
    Exchange exchange;
    send(connection, exchange);
    peer.send(response);
    EXPECT_TRUE(run_until_done(exchange));
    EXPECT_EQ(connection.tapped, response);
}

TEST_F(Response, TheTapSeesWhatIsNoResponse)
{
    for (const std::string response : {"SSH-2.0-x\r\n", "HTTP/1.1 200 OK\r\nA: b",
                                       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnone",
                                       "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab"}) {
        auto [connection, peer] = connect();
        Exchange exchange;
        send(connection, exchange);
        peer.send(response);
        settle();
        peer.close();
        EXPECT_TRUE(run([&, &c = connection] { return !c.closed.empty(); }));
        EXPECT_EQ(connection.tapped, response);
    }
}

TEST_F(Response, AnIdleServerMayClose)
{
    auto [connection, peer] = connect();
    peer.close();
    EXPECT_TRUE(run([&, &c = connection] { return !c.closed.empty(); }));
    EXPECT_EQ(connection.closed, "0");
    auto [other, far] = connect();
    Exchange exchange;
    send(other, exchange);
    far.send("HTTP/1.1 204 A\r\n\r\n");
    far.close();
    EXPECT_TRUE(run([&, &c = other] { return !c.closed.empty(); }));
    EXPECT_EQ(exchange.error(), "0");
    EXPECT_EQ(other.closed, "0");
}

TEST_F(Response, AResetIsALoss)
{
    auto [connection, peer] = connect();
    Exchange exchange;
    send(connection, exchange);
    EXPECT_TRUE(run([&, &far = peer] { return far.received == get; }));
    peer.reset();
    EXPECT_TRUE(run_until_done(exchange));
    EXPECT_EQ(exchange.error(), "ECONNRESET");
    EXPECT_TRUE(httpclient_may_retry(&exchange.x));
}
