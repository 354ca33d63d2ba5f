// Responses: framing, order, keep-alive, and what the handler may do.

#include "http/server_fixture.h"

extern "C" {
#include "connection.h"
}

class ServerExchange : public ServerTest {};

static const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
static const std::string close_it = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

// The same as answer(), on a connection that closes.
static std::string last_answer(const std::string &body, const std::string &status = "200 OK")
{
    return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\nConnection: close\r\n\r\n" + body;
}

TEST_F(ServerExchange, OneRequest)
{
    options.name = "asynwsgi";
    EXPECT_EQ(ask(close_it), "HTTP/1.1 200 OK\r\nServer: asynwsgi\r\nContent-Length: 5\r\n"
                             "Connection: close\r\n\r\nhello");
    EXPECT_EQ(events, std::vector<std::string>{"GET /"});
    EXPECT_EQ(records, (std::vector<std::string>{"began GET /", "ended 200 5"}));
}

// Not of time(2), which may be a tick behind.
static time_t wall_clock()
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

TEST_F(ServerExchange, DateIsThatOfTheClock)
{
    char before[HTTP_DATE], after[HTTP_DATE];
    http_date_format(wall_clock(), before);
    Client &c = client();
    c.send(get);
    EXPECT_TRUE(until([&] { return c.received.size() > 60; }));
    http_date_format(wall_clock(), after);
    std::string date = c.received.substr(c.received.find("Date: ") + 6, HTTP_DATE);
    EXPECT_TRUE(date == std::string(before, HTTP_DATE) || date == std::string(after, HTTP_DATE))
        << date;
}

TEST_F(ServerExchange, DateGoesOn)
{
    Client &c = client();
    std::string first, now;
    EXPECT_TRUE(until([&] {
        if (c.received.empty()) {
            c.send(get);
        } else if (undated(c.received) == answer("hello")) {
            now = c.received.substr(c.received.find("Date: ") + 6, HTTP_DATE);
            if (first.empty())
                first = now;
            c.received.clear();
        }
        return now != first;
    }));
}

TEST_F(ServerExchange, SixteenPipelinedRequestsAreOneSend)
{
    int n = 0;
    std::string requests, answers;
    on_request = [&](auto *c, const Request &) { reply(c, std::to_string(n++)); };
    for (int i = 0; i < 16; i++) {
        requests += get;
        answers += answer(std::to_string(i));
    }
    Client &c = client();
    calls = {};
    c.send(requests);
    EXPECT_TRUE(until([&] { return undated(c.received).size() >= answers.size(); }));
    EXPECT_EQ(undated(c.received), answers);
    EXPECT_EQ(calls.send, 1u);
    EXPECT_EQ(calls.recv, 1u);
}

TEST_F(ServerExchange, KeptAliveRequestCostsOneReceiveAndOneSend)
{
    Client &c = client();
    c.send(get);
    pump();
    calls = {};
    for (size_t i = 1; i <= 20; i++) {
        c.received.clear();
        c.send(get);
        EXPECT_TRUE(until([&] { return undated(c.received) == answer("hello"); }));
        EXPECT_EQ(calls.recv, i);
        EXPECT_EQ(calls.send, i);
    }
    EXPECT_EQ(calls.epoll_ctl, 0u);
    EXPECT_LE(calls.clock, 2u);
}

// Nothing is on its way from a client that closes: so there is nothing to wait for.
TEST_F(ServerExchange, ShortConnectionCostsOneReceiveAndOneSend)
{
    start();
    clients.emplace_back(address);
    Client &c = clients.back();
    c.send(close_it);
    calls = {};
    EXPECT_TRUE(until([&] { return !c.received.empty(); }));
    EXPECT_EQ(connections(), 0u);
    EXPECT_EQ(calls.recv, 1u);
    EXPECT_EQ(calls.send, 1u);
    EXPECT_EQ(calls.epoll_ctl, test_backend() == std::string("epoll") ? 1u : 0u); // the listener
}

TEST_F(ServerExchange, HeadAndBodyAreOneSendHoweverTheyAreFramed)
{
    on_request = [&](auto *c, const Request &r) {
        respond(c, "200 OK", {}, r.target == "/sized" ? 6 : -1);
        send(c, "abc");
        send(c, "def");
        http_finish(c);
    };
    for (const char *target : {"/sized", "/chunked"}) {
        Client &c = client();
        calls = {};
        c.send(std::string("GET ") + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
        EXPECT_TRUE(until([&] { return !c.received.empty(); }));
        EXPECT_EQ(calls.send, 1u) << target;
    }
    EXPECT_EQ(undated(clients.back().received), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                                                "\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n");
}

TEST_F(ServerExchange, LargeSizedBodyGoesOutWithItsHead)
{
    std::string body(60000, 'x');
    on_request = [&](auto *c, const Request &) { reply(c, body); };
    Client &c = client();
    calls = {};
    c.send(get);
    EXPECT_TRUE(until([&] { return undated(c.received) == answer(body); }));
    EXPECT_EQ(calls.send, 1u);
}

TEST_F(ServerExchange, EmptyPieceDoesNotEndAChunkedBody)
{
    on_request = [&](auto *c, const Request &) {
        respond(c, "200 OK", {}, -1);
        send(c, "");
        send(c, "a");
        send(c, "");
        http_finish(c);
    };
    EXPECT_EQ(ask(close_it), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                             "Connection: close\r\n\r\n1\r\na\r\n0\r\n\r\n");
}

TEST_F(ServerExchange, LargeChunks)
{
    std::string body(100000, 'x');
    on_request = [&](auto *c, const Request &) {
        respond(c, "200 OK", {}, -1);
        EXPECT_EQ(send(c, body), 0);
        EXPECT_EQ(send(c, body), 0);
        http_finish(c);
    };
    EXPECT_EQ(ask(close_it), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                             "Connection: close\r\n\r\n186a0\r\n" +
                                 body + "\r\n186a0\r\n" + body + "\r\n0\r\n\r\n");
    EXPECT_EQ(records.back(), "ended 200 200000");
}

TEST_F(ServerExchange, AllIsSentBeforeClosing)
{
    const std::string body(20000000, 'x');
    on_request = [&](auto *c, const Request &) { reply(c, body); };
    Client &c = client();
    c.stalled = true;
    c.send(close_it);
    pump();
    c.stalled = false;
    EXPECT_TRUE(until([&] { return c.ended; }));
    EXPECT_EQ(undated(c.received).size(), last_answer(body).size());
    EXPECT_TRUE(gone());
}

TEST_F(ServerExchange, ATunnelIsNotKeptAlive)
{
    EXPECT_EQ(ask("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n" + get), last_answer("hello"));
}

TEST_F(ServerExchange, Http10ClosesByDefault)
{
    EXPECT_EQ(ask("GET / HTTP/1.0\r\n\r\n"), last_answer("hello"));
}

TEST_F(ServerExchange, Http10IsKeptAliveWhenItAsks)
{
    Client &c = client();
    std::string kept =
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello";
    c.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_TRUE(until([&] { return undated(c.received) == kept; }));
    c.send("GET / HTTP/1.0\r\n\r\n");
    EXPECT_TRUE(until([&] { return c.ended; }));
    EXPECT_EQ(undated(c.received), kept + last_answer("hello"));
}

TEST_F(ServerExchange, Http10BodyOfUnknownLengthEndsWithTheConnection)
{
    on_request = [&](auto *c, const Request &) {
        respond(c, "200 OK", {}, -1);
        send(c, "abc");
        http_finish(c);
    };
    Client &c = client();
    c.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_TRUE(until([&] { return c.closed(); }));
    EXPECT_FALSE(c.was_reset);
    EXPECT_EQ(undated(c.received), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc");
}

TEST_F(ServerExchange, AbortedBodyToHttp10IsAReset)
{
    on_request = [&](auto *c, const Request &) {
        respond(c, "200 OK", {}, -1);
        send(c, "abc");
        http_abort(c);
    };
    Client &c = client();
    c.send("GET / HTTP/1.0\r\n\r\n");
    EXPECT_TRUE(until([&] { return c.closed(); }));
    EXPECT_TRUE(c.was_reset);
    EXPECT_EQ(undated(c.received), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc");
    EXPECT_EQ(records.back(), "ended 200 3");
}

TEST_F(ServerExchange, AbortedChunkedBodyHasNoLastChunk)
{
    on_request = [&](auto *c, const Request &) {
        respond(c, "200 OK", {}, -1);
        send(c, "abc");
        http_flush(c);
        http_abort(c);
    };
    EXPECT_EQ(ask(get), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    EXPECT_EQ(seen("abandoned"), 0u);
    EXPECT_EQ(records.back(), "ended 200 3");
}

TEST_F(ServerExchange, AbortBeforeTheResponseJustCloses)
{
    on_request = [&](auto *c, const Request &) { http_abort(c); };
    EXPECT_EQ(ask(get), "");
    EXPECT_EQ(records.back(), "ended 0 0");
}

TEST_F(ServerExchange, NoBodyForHead)
{
    Client &c = client();
    c.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + close_it);
    EXPECT_TRUE(until([&] { return c.ended; }));
    EXPECT_EQ(undated(c.received),
              "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + last_answer("hello"));
    EXPECT_EQ(records[1], "ended 200 0");
}

TEST_F(ServerExchange, NoBodyForHeadOfUnknownLength)
{
    on_request = [&](auto *c, const Request &) {
        respond(c, "200 OK", {}, -1);
        EXPECT_EQ(send(c, "abc"), 0);
        http_finish(c);
    };
    Client &c = client();
    c.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\nHEAD / HTTP/1.0\r\n\r\n");
    EXPECT_TRUE(until([&] { return c.ended; }));
    EXPECT_EQ(undated(c.received),
              "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
}

TEST_F(ServerExchange, NoBodyFor204And304)
{
    on_request = [&](auto *c, const Request &r) {
        reply(c, "dropped", r.target == "/204" ? "204 No Content" : "304 Not Modified",
              {{"Content-Length", "7"}});
    };
    Client &c = client();
    c.send("GET /204 HTTP/1.1\r\nHost: a\r\n\r\nGET /304 HTTP/1.1\r\nHost: a\r\n\r\n" + close_it);
    EXPECT_TRUE(until([&] { return c.ended; }));
    EXPECT_EQ(undated(c.received),
              "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n"
              "\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\nConnection: close\r\n\r\n");
}

TEST_F(ServerExchange, BytesBeyondContentLengthAreDropped)
{
    on_request = [&](auto *c, const Request &) {
        respond(c, "200 OK", {{"Content-Length", "4"}}, -1);
        EXPECT_EQ(send(c, "abc"), 0);
        EXPECT_EQ(send(c, "def"), -EMSGSIZE);
        EXPECT_EQ(send(c, "ghi"), -EMSGSIZE);
        EXPECT_EQ(send(c, ""), 0);
        http_finish(c);
    };
    Client &c = client();
    c.send(get + get);
    std::string two = answer("abcd") + answer("abcd");
    EXPECT_TRUE(until([&] { return undated(c.received) == two; }));
    EXPECT_EQ(records.back(), "ended 200 4");
}

TEST_F(ServerExchange, ShorterThanContentLengthClosesShort)
{
    on_request = [&](auto *c, const Request &) {
        respond(c, "200 OK", {}, 5);
        send(c, "abc");
        http_flush(c);
        http_finish(c);
    };
    EXPECT_EQ(ask(get + get), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc");
    EXPECT_EQ(seen("GET /"), 1u);
}

TEST_F(ServerExchange, FinishWithoutAResponseCloses)
{
    on_request = [&](auto *c, const Request &) { http_finish(c); };
    EXPECT_EQ(ask(get), "");
    EXPECT_EQ(records.back(), "ended 0 0");
}

TEST_F(ServerExchange, BadContentLengthLeavesTheResponseToBegin)
{
    on_request = [&](auto *c, const Request &) {
        EXPECT_EQ(respond(c, "200 OK", {{"Content-Length", "x"}}, -1), -EINVAL);
        EXPECT_EQ(http_connection_status(c), 0u);
        http_fail(c, 500);
    };
    Client &c = client();
    c.send(get);
    std::string page = "500 Internal Server Error\n";
    EXPECT_TRUE(until([&] {
        return undated(c.received) ==
               "HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain\r\n"
               "Content-Length: 26\r\n\r\n" +
                   page;
    })) << c.received;
    EXPECT_EQ(records.back(), "ended 500 26");
}

// RFC 9110, 10.2.3
TEST_F(ServerExchange, Unavailable)
{
    on_request = [](auto *c, const Request &) { http_fail(c, 503); };
    EXPECT_NE(ask("GET / HTTP/1.0\r\n\r\n").find("\r\nRetry-After: 1\r\n"), std::string::npos);
    on_request = [](auto *c, const Request &) { http_refuse(c, 503); };
    EXPECT_NE(ask(get).find("\r\nRetry-After: 1\r\n"), std::string::npos);
    on_request = [](auto *c, const Request &) { http_refuse(c, 500); };
    EXPECT_EQ(ask(get).find("Retry-After"), std::string::npos);
}

TEST_F(ServerExchange, FailureInTheMiddleIsAnAbort)
{
    on_request = [&](auto *c, const Request &) {
        respond(c, "200 OK", {}, -1);
        http_flush(c);
        http_fail(c, 500);
    };
    EXPECT_EQ(ask(get), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
}

TEST_F(ServerExchange, RefusingABodyCloses)
{
    on_request = [](auto *, const Request &) {};
    on_body = [](auto *c, const std::string &, bool) { http_refuse(c, 507); };
    std::string got = ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc" + get);
    EXPECT_EQ(got.find("HTTP/1.1 507 Insufficient Storage\r\n"), 0u) << got;
    EXPECT_NE(got.find("\r\nConnection: close\r\n"), std::string::npos);
    EXPECT_EQ(count(got, "HTTP/1.1"), 1u);
}

TEST_F(ServerExchange, FinishedFromATimer)
{
    struct Later {
        struct dispatch_timer timer;
        struct http_connection *connection;
    } later = {};
    later.timer.fired = [](struct dispatch_timer *timer) {
        struct http_connection *c = reinterpret_cast<Later *>(timer)->connection;
        reply(c, "later");
    };
    dispatch_timer_add(loop, &later.timer);
    on_request = [&](auto *c, const Request &) {
        later.connection = c;
        dispatch_timer_set(&later.timer, dispatch_now(loop) + 5 * millisecond);
    };
    // Those behind the first are in the buffer already, and no readiness will tell of them.
    Client &c = client();
    c.send(get);
    EXPECT_TRUE(until([&] { return !events.empty(); }));
    calls = {};
    EXPECT_TRUE(until([&] { return undated(c.received) == answer("later"); }));
    EXPECT_EQ(calls.epoll_ctl, 0u); // reading isn't paused unless something comes
    c.received.clear();
    c.send(get + get + close_it);
    EXPECT_TRUE(until([&] { return c.ended; }));
    EXPECT_EQ(undated(c.received), answer("later") + answer("later") + last_answer("later"));
    dispatch_timer_remove(&later.timer);
}

TEST_F(ServerExchange, TheNextRequestDoesNotComeFromWithinFinish)
{
    struct http_connection *open = nullptr;
    bool within = false;
    on_request = [&](auto *c, const Request &) {
        EXPECT_FALSE(within);
        open = c;
    };
    Client &c = client();
    c.send(get + get);
    EXPECT_TRUE(until([&] { return open != nullptr; }));
    within = true;
    reply(open, "a");
    within = false;
    open = nullptr;
    EXPECT_TRUE(until([&] { return open != nullptr; }));
    reply(open, "b");
    pump();
    EXPECT_EQ(undated(c.received), answer("a") + answer("b"));
}

TEST_F(ServerExchange, OneRequestMayAnswerAnother)
{
    struct http_connection *waiting = nullptr;
    on_request = [&](auto *c, const Request &r) {
        if (r.target == "/wait") {
            waiting = c;
            return;
        }
        reply(waiting, "told");
        // The other client's pipelined request is not begun while ours is handed out.
        EXPECT_EQ(events.back(), "GET /tell");
        reply(c, "telling");
    };
    Client &a = client();
    a.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\nGET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(until([&] { return waiting != nullptr; }));
    Client &b = client();
    b.send("GET /tell HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(until([&] { return seen("GET /wait") == 2; }));
    EXPECT_EQ(undated(a.received), answer("told"));
    EXPECT_EQ(undated(b.received), answer("telling"));
    http_abort(waiting);
}

TEST_F(ServerExchange, FlushedPiecesArriveOneByOne)
{
    struct http_connection *open = nullptr;
    on_request = [&](auto *c, const Request &) {
        open = c;
        respond(c, "200 OK", {}, -1);
    };
    Client &c = client();
    c.send(get);
    EXPECT_TRUE(until([&] { return !c.received.empty(); }));
    for (const char *piece : {"a", "b"}) {
        c.received.clear();
        send(open, piece);
        http_flush(open);
        EXPECT_TRUE(until([&] { return c.received == "1\r\n" + std::string(piece) + "\r\n"; }));
    }
    c.received.clear();
    http_finish(open);
    EXPECT_TRUE(until([&] { return c.received == "0\r\n\r\n"; }));
}

TEST_F(ServerExchange, MuchIsSentWhileNotFull)
{
    const size_t most = 20000000;
    std::string piece(10000, 'x');
    size_t sent = 0;
    auto more = [&](struct http_connection *c) {
        while (!http_full(c) && sent < most) {
            EXPECT_EQ(send(c, piece), 0);
            sent += piece.size();
        }
        if (sent == most)
            http_finish(c);
    };
    on_request = [&](auto *c, const Request &) {
        sent = 0;
        respond(c, "200 OK", {}, most);
        more(c);
    };
    on_writable = more;
    Client &c = client();
    c.stalled = true;
    c.send(get + close_it);
    pump();
    EXPECT_LT(sent, most); // it stops while the client does not read
    c.stalled = false;
    EXPECT_TRUE(until([&] { return c.ended; }));
    EXPECT_GT(seen("writable"), 0u);
    EXPECT_GT(c.received.size(), 2 * most);
    EXPECT_EQ(count(c.received, "HTTP/1.1"), 2u);
}

// However large a piece is, none of it is held.
TEST_F(ServerExchange, SomeOfALargePiece)
{
    std::string piece(20000000, 'x');
    size_t sent = 0;
    auto more = [&](struct http_connection *c) {
        size_t taken = 1;
        while (!http_full(c) && sent < piece.size()) {
            EXPECT_EQ(http_send_some(c, piece.data() + sent, piece.size() - sent, &taken), 0);
            sent += taken;
        }
        EXPECT_LT(http_server_memory(server), 2000u); // none of it
        if (sent == piece.size())
            http_finish(c);
    };
    on_request = [&](auto *c, const Request &r) {
        sent = 0;
        respond(c, "200 OK", {}, r.target == "/sized" ? static_cast<int64_t>(piece.size()) : -1);
        more(c);
    };
    on_writable = more;
    for (const char *text :
         {"GET /sized HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"}) {
        Client &c = client();
        c.stalled = true;
        c.send(text);
        pump();
        EXPECT_LT(sent, piece.size());
        c.stalled = false;
        EXPECT_TRUE(until([&] { return c.ended; }));
        EXPECT_EQ(static_cast<size_t>(std::count(c.received.begin(), c.received.end(), 'x')),
                  piece.size());
    }
}

TEST_F(ServerExchange, SomeBeyondContentLength)
{
    size_t taken = 0;
    on_request = [&](auto *c, const Request &) {
        std::string piece(10000, 'x');
        respond(c, "200 OK", {}, 9000);
        EXPECT_EQ(http_send_some(c, piece.data(), piece.size(), &taken), -EMSGSIZE);
        http_finish(c);
    };
    EXPECT_NE(ask(get + close_it).find(std::string(9000, 'x')), std::string::npos);
    EXPECT_EQ(taken, 10000u);
}

TEST_F(ServerExchange, PipelinedRequestsWaitForAClientThatDoesNotRead)
{
    std::string body(100000, 'x');
    const size_t n = 150;
    on_request = [&](auto *c, const Request &) { reply(c, body); };
    Client &c = client();
    c.stalled = true;
    for (size_t i = 0; i < n; i++)
        c.send(get);
    pump();
    EXPECT_LT(events.size(), n);
    calls = {};
    for (const char *byte : {"\r", "\n", "G", "E", "T"}) {
        c.send(byte);
        pump();
    }
    EXPECT_LE(calls.recv, 1u); // what comes is left to the kernel
    c.stalled = false;
    EXPECT_TRUE(until([&] { return count(c.received, "HTTP/1.1") == n; }));
    EXPECT_TRUE(until([&] { return undated(c.received).size() == n * answer(body).size(); }));
}

// It is said while a response is unsent and another exchange has begun, but not its response.
TEST_F(ServerExchange, WritableIsOnlySaidOfABegunResponse)
{
    const std::string body(10000, 'x');
    struct http_connection *open = nullptr;
    on_request = [&](auto *c, const Request &) {
        if (tcpsocket_stream_unsent(&c->stream) == 0)
            reply(c, body);
        else
            open = c;
    };
    send_buffer = 20000;
    Client &c = client(20000);
    c.stalled = true;
    EXPECT_TRUE(until([&] {
        if (open == nullptr)
            c.send(get);
        return open != nullptr;
    }));
    c.stalled = false;
    EXPECT_TRUE(until([&] { return tcpsocket_stream_unsent(&open->stream) == 0; }));
    EXPECT_EQ(seen("writable"), 0u);
    reply(open, "");
}

TEST_F(ServerExchange, ManySmallPipelinedRequestsDoNotWait)
{
    // More answers than may be unsent, which a client that reads takes at once.
    const size_t n = 1500;
    std::string body(200, 'x');
    on_request = [&](auto *c, const Request &) { reply(c, body); };
    Client &c = client();
    for (size_t i = 0; i < n; i++)
        c.send(get);
    EXPECT_TRUE(until([&] { return undated(c.received).size() == n * answer(body).size(); }));
    EXPECT_EQ(events.size(), n);
}

// Slow requests, pipelined, do not keep the loop from the others.
TEST_F(ServerExchange, WhoPipelinesIsNotAlone)
{
    size_t before = 0;
    on_request = [&](auto *c, const Request &r) {
        uint64_t until = dispatch_clock() + (r.target == "/slow" ? 2 * millisecond : 0);
        while (dispatch_clock() < until)
            ;
        if (r.target == "/")
            before = seen("GET /slow");
        reply(c, "hello");
    };
    Client &other = client();
    Client &c = client();
    std::string all;
    for (int i = 0; i < 100; i++)
        all += "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n";
    c.send(all);
    other.send(get);
    EXPECT_TRUE(until([&] { return seen("GET /slow") == 100 && !other.received.empty(); }));
    EXPECT_LT(before, 50u);
    EXPECT_TRUE(until([&] { return count(c.received, "HTTP/1.1 200") == 100; }));
}

TEST_F(ServerExchange, Addresses)
{
    char peer[TCPSOCKET_ADDRESS_TEXT], local[TCPSOCKET_ADDRESS_TEXT];
    unsigned port = 0, local_port = 0;
    on_request = [&](auto *c, const Request &) {
        tcpsocket_address_host(http_connection_peer(c), peer);
        port = tcpsocket_address_port(http_connection_peer(c));
        tcpsocket_address_host(http_connection_local(c), local);
        local_port = tcpsocket_address_port(http_connection_local(c));
        EXPECT_EQ(http_connection_began(c), dispatch_now(loop));
        reply(c, "");
    };
    Client &c = client();
    struct sockaddr_in own;
    socklen_t length = sizeof own;
    getsockname(c.fd, reinterpret_cast<struct sockaddr *>(&own), &length);
    c.send(get);
    EXPECT_TRUE(until([&] { return !c.received.empty(); }));
    EXPECT_STREQ(peer, "127.0.0.1");
    EXPECT_EQ(port, ntohs(own.sin_port));
    EXPECT_STREQ(local, "127.0.0.1");
    EXPECT_EQ(local_port, ntohs(address.socket.v4.sin_port));
}

TEST_F(ServerExchange, IPv6Peer)
{
    if (tcpsocket_address_parse("[::1]:0", &address) != 0)
        GTEST_SKIP();
    char peer[TCPSOCKET_ADDRESS_TEXT];
    on_request = [&](auto *c, const Request &) {
        tcpsocket_address_host(http_connection_peer(c), peer);
        reply(c, "");
    };
    ask(close_it);
    EXPECT_STREQ(peer, "::1");
}

TEST_F(ServerExchange, UnixSocket)
{
    std::string name = "unix:@asynwsgi-test-" + std::to_string(getpid());
    EXPECT_EQ(tcpsocket_address_parse(name.c_str(), &address), 0);
    sa_family_t family = AF_UNSPEC;
    on_request = [&](auto *c, const Request &) {
        family = http_connection_peer(c)->sa_family;
        reply(c, "hello");
    };
    EXPECT_EQ(ask(close_it), last_answer("hello"));
    EXPECT_EQ(family, AF_UNIX);
}

TEST_F(ServerExchange, ContextAndExchangePointers)
{
    int mine = 0;
    on_request = [&](auto *c, const Request &) {
        EXPECT_EQ(http_connection_context(c), this);
        http_exchange_set(c, &mine);
        EXPECT_EQ(http_exchange(c), &mine);
        reply(c, "");
    };
    // That it is NULL again for the second, the fixture checks.
    ask(get + close_it);
    EXPECT_EQ(seen("GET /"), 2u);
}

TEST_F(ServerExchange, OptionsAreChecked)
{
    struct http_server *none = nullptr;
    options.name = "a\r\nb";
    EXPECT_EQ(http_server_new(&options, &none), -EINVAL);
    options.name = nullptr;
    options.limits.fields = HTTP_FIELDS_MAX + 1;
    EXPECT_EQ(http_server_new(&options, &none), -EINVAL);
    EXPECT_EQ(none, nullptr);
    options.limits.fields = HTTP_FIELDS_MAX;
    start();
    EXPECT_LT(http_server_listen(server, -1), 0);
    http_server_free(nullptr);
}
