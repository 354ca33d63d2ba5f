// Requests: what is refused and how, bodies in any pieces, 100 (Continue).

#include "http/server_fixture.h"

class ServerRequest : public ServerTest {
  public:
    std::string body; // of the exchange at hand

    ServerRequest()
    {
        // Answers with the body it got.
        on_request = [this](auto *c, const Request &r) {
            body.clear();
            if (r.framing.body == HTTP_BODY_NONE ||
                (r.framing.body == HTTP_BODY_SIZED && r.framing.length == 0))
                reply(c, "none");
        };
        on_body = [this](auto *c, const std::string &piece, bool last) {
            body += piece;
            if (last)
                reply(c, body);
        };
    }

    // A request that is refused: the page says why, the connection closes, and nothing of what
    // follows is taken for a request.
    void refused(const std::string &request, const std::string &status, bool parsed)
    {
        SCOPED_TRACE(request.substr(0, 80));
        events.clear();
        records.clear();
        Client &c = client();
        c.send(request + "\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
        EXPECT_TRUE(until([&] { return c.ended; }));
        EXPECT_FALSE(c.was_reset);
        EXPECT_EQ(c.received.find("HTTP/1.1 " + status + "\r\nContent-Type: text/plain\r\n"), 0u)
            << c.received;
        EXPECT_NE(c.received.find("\r\nConnection: close\r\n"), std::string::npos);
        size_t end = c.received.find("\r\n\r\n");
        EXPECT_EQ(c.received.find(status + ": ", end), end + 4);
        EXPECT_EQ(c.received.back(), '\n');
        EXPECT_TRUE(events.empty());
        ASSERT_EQ(records.size(), 2u);
        EXPECT_EQ(records[0] == "began ?", !parsed) << records[0];
        EXPECT_EQ(records[1].find("ended " + status.substr(0, 3) + " "), 0u);
        c.close();
        EXPECT_TRUE(gone());
    }
};

TEST_F(ServerRequest, Refused)
{
    options.limits.start_line = 100;
    options.limits.field = 100;
    options.limits.fields = 5;
    options.limits.head = 300;
    options.limits.body = 10;
    const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n",
                      post = "POST / HTTP/1.1\r\nHost: a\r\n";

    refused("G@T / HTTP/1.1", "400 Bad Request", false);
    refused("GET /\x01 HTTP/1.1", "400 Bad Request", false);
    refused("GET / FTP/1.1", "400 Bad Request", false);
    refused("GET / HTTP/1.1\nHost: a", "400 Bad Request", false);
    refused(get + "A : b", "400 Bad Request", false);
    refused(get + "A: b\r\n c", "400 Bad Request", false);
    refused(get + "A: \x01", "400 Bad Request", false);
    refused("GET / HTTP/2.0\r\nHost: a", "505 HTTP Version Not Supported", false);
    refused("GET /" + std::string(100, 'x') + " HTTP/1.1", "414 URI Too Long", false);
    refused(get + "A: " + std::string(100, 'x'), "431 Request Header Fields Too Large", false);
    refused(get + "A: a\r\nA: a\r\nA: a\r\nA: a\r\nA: a", "431 Request Header Fields Too Large",
            false);
    refused(get + "A: " + std::string(97, 'x') + "\r\nA: " + std::string(97, 'x') +
                "\r\nA: " + std::string(97, 'x'),
            "431 Request Header Fields Too Large", false);
    refused("GET / HTTP/1.1", "400 Bad Request", true); // no Host
    refused(post + "Content-Length: 1, 1", "400 Bad Request", true);
    refused(post + "Content-Length: 1\r\nTransfer-Encoding: chunked", "400 Bad Request", true);
    refused(post + "Transfer-Encoding: gzip", "501 Not Implemented", true);
    refused(post + "Content-Length: 1\r\nExpect: 200-ok", "417 Expectation Failed", true);
    refused(post + "Content-Length: 11\r\nExpect: 100-continue", "413 Content Too Large", true);
}

TEST_F(ServerRequest, RefusedHeadHasNoBody)
{
    std::string text = ask("HEAD / HTTP/1.1\r\n\r\n");
    EXPECT_EQ(text.find("\r\n\r\n") + 4, text.size());
    EXPECT_EQ(records[0], "began HEAD /");
    EXPECT_EQ(records[1], "ended 400 0");
}

// What came before the fault is answered, in order.
TEST_F(ServerRequest, RefusedBehindAGoodOne)
{
    std::string text = ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n@\r\n\r\n");
    EXPECT_EQ(text.find(answer("none") + "HTTP/1.1 400 Bad Request\r\n"), 0u);
    EXPECT_EQ(events, std::vector<std::string>{"GET /"});
}

TEST_F(ServerRequest, SplitAtEveryByte)
{
    const std::string sized = "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde";
    const std::string chunked = "POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                                "3\r\nabc\r\n0a;x=\"y\"\r\n0123456789\r\n0\r\nT: t\r\n\r\n";
    const std::string none = "GET /3 HTTP/1.1\r\nHost: a\r\n\r\n";
    const std::string all = sized + chunked + none + sized;
    const std::string answers =
        answer("abcde") + answer("abc0123456789") + answer("none") + answer("abcde");

    for (size_t i = 0; i <= all.size(); i++) {
        Client &c = client();
        c.send(all.substr(0, i));
        pump();
        c.send(all.substr(i));
        EXPECT_TRUE(until([&] { return undated(c.received).size() >= answers.size(); })) << i;
        EXPECT_EQ(undated(c.received), answers) << i;
        clients.clear();
        EXPECT_TRUE(gone());
    }
    EXPECT_EQ(seen("abandoned"), 0u);
}

TEST_F(ServerRequest, ByteByByte)
{
    const std::string text = "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
                             "POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "2\r\nxy\r\n0\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n";
    Client &c = client();
    for (char byte : text) {
        c.send(std::string(1, byte));
        pump();
    }
    EXPECT_EQ(undated(c.received), answer("abc") + answer("xy") + answer("none"));
    EXPECT_EQ(events, (std::vector<std::string>{"POST /1", "body a", "body b", "body c", "last",
                                                "POST /2", "body x", "body y", "last", "GET /3"}));
}

TEST_F(ServerRequest, EmptyBodiesAreNone)
{
    Client &c = client();
    c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
           "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    EXPECT_TRUE(until([&] { return undated(c.received) == answer("none") + answer(""); }));
    EXPECT_EQ(events, (std::vector<std::string>{"POST /", "POST /", "last"}));
}

TEST_F(ServerRequest, LargeBody)
{
    std::string large(3000000, 'x');
    on_body = [&](auto *c, const std::string &piece, bool last) {
        body += piece;
        if (last)
            reply(c, body == large ? "same" : "different");
    };
    Client &c = client();
    c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n" + large +
           "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(until([&] { return undated(c.received) == answer("same") + answer("none"); }));
}

TEST_F(ServerRequest, ResponseBegunBeforeTheBodyIsThere)
{
    on_request = [](auto *c, const Request &) { respond(c, "200 OK", {}, -1); };
    on_body = [](auto *c, const std::string &piece, bool last) {
        send(c, piece);
        if (last)
            http_finish(c);
    };
    Client &c = client();
    c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab");
    const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    EXPECT_TRUE(until([&] { return undated(c.received) == head + "2\r\nab\r\n"; }));
    c.send("cd");
    EXPECT_TRUE(
        until([&] { return undated(c.received) == head + "2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n"; }));
}

// -- Broken bodies -------------------------------------------------------------------------------

TEST_F(ServerRequest, BrokenChunkBeforeTheResponse)
{
    std::string text = ask("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                           "3\r\nabcX\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(text.find("HTTP/1.1 400 Bad Request\r\n"), 0u);
    EXPECT_EQ(events, (std::vector<std::string>{"POST /", "body abc", "abandoned"}));
    EXPECT_EQ(records.size(), 2u);
    EXPECT_EQ(records[1].find("ended 400"), 0u);
}

TEST_F(ServerRequest, BrokenChunkBehindTheHeadOfTheResponse)
{
    on_request = [](auto *c, const Request &) { respond(c, "200 OK", {}, -1); };
    on_body = [](auto *c, const std::string &piece, bool) { send(c, piece); };
    ask("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nX");
    EXPECT_EQ(count(clients.back().received, "0\r\n\r\n"), 0u);
    EXPECT_EQ(events, (std::vector<std::string>{"POST /", "body abc", "abandoned"}));
    EXPECT_EQ(records[1], "ended 200 3");
}

// What was answered before is not lost with it.
TEST_F(ServerRequest, BrokenChunkBehindAnotherRequest)
{
    on_request = [](auto *c, const Request &r) {
        if (r.method == "GET")
            reply(c, "hello");
        else
            respond(c, "200 OK", {}, -1);
    };
    std::string text = ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n"
                           "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nX");
    EXPECT_EQ(text, answer("hello") + "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    EXPECT_EQ(events, (std::vector<std::string>{"GET /", "POST /", "abandoned"}));
}

TEST_F(ServerRequest, ChunksBeyondTheLimit)
{
    options.limits.body = 5;
    std::string text = ask("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                           "3\r\nabc\r\n3\r\nabc\r\n0\r\n\r\n");
    EXPECT_EQ(text.find("HTTP/1.1 413 Content Too Large\r\n"), 0u);
    EXPECT_EQ(events, (std::vector<std::string>{"POST /", "body abc", "abandoned"}));
}

TEST_F(ServerRequest, EndInTheMiddleOfABody)
{
    for (const char *framing :
         {"Content-Length: 5\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"}) {
        events.clear();
        Client &c = client();
        c.send("POST / HTTP/1.1\r\nHost: a\r\n" + std::string(framing));
        c.shut();
        EXPECT_TRUE(until([&] { return c.ended; }));
        EXPECT_EQ(c.received.find("HTTP/1.1 400 Bad Request\r\n"), 0u);
        EXPECT_EQ(events, (std::vector<std::string>{"POST /", "body abc", "abandoned"}));
    }
}

TEST_F(ServerRequest, EndInTheMiddleOfAHead)
{
    Client &c = client();
    c.send("GET / HTT");
    c.shut();
    EXPECT_TRUE(until([&] { return c.ended; }));
    EXPECT_EQ(c.received, "");
    EXPECT_TRUE(records.empty());
    EXPECT_TRUE(gone());
}

TEST_F(ServerRequest, EndBehindTheRequest)
{
    Client &c = client();
    c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    c.shut();
    EXPECT_TRUE(until([&] { return c.ended; }));
    EXPECT_EQ(undated(c.received), answer("none") + answer("none"));
    EXPECT_TRUE(gone());
}

TEST_F(ServerRequest, EndWhileTheResponseIsDue)
{
    struct http_connection *open = nullptr;
    on_request = [&](auto *c, const Request &) { open = c; };
    Client &c = client();
    c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    c.shut();
    EXPECT_TRUE(until([&] { return open != nullptr; }));
    pump();
    EXPECT_EQ(seen("abandoned"), 0u);
    reply(open, "still");
    EXPECT_TRUE(until([&] { return c.ended; }));
    EXPECT_EQ(undated(c.received), answer("still"));
    EXPECT_TRUE(gone());
}

// -- 100 (Continue) ------------------------------------------------------------------------------

static const std::string expecting =
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
static const std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";

TEST_F(ServerRequest, ContinueWhenTheBodyIsWanted)
{
    struct http_connection *open = nullptr;
    on_request = [&](auto *c, const Request &) { open = c; };
    Client &c = client();
    c.send(expecting);
    EXPECT_TRUE(until([&] { return open != nullptr; }));
    pump();
    EXPECT_EQ(c.received, "");
    http_want_body(open);
    http_want_body(open);
    EXPECT_TRUE(until([&] { return c.received == go_on; }));
    c.send("abc");
    EXPECT_TRUE(until([&] { return undated(c.received) == go_on + answer("abc"); }));
    c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n"); // it is kept alive
    EXPECT_TRUE(until([&] { return seen("GET /") == 1; }));
    http_abort(open);
}

TEST_F(ServerRequest, ContinueAtOnce)
{
    on_request = [](auto *c, const Request &) { http_want_body(c); };
    Client &c = client();
    c.send(expecting);
    EXPECT_TRUE(until([&] { return c.received == go_on; }));
    c.send("abc");
    EXPECT_TRUE(until([&] { return undated(c.received) == go_on + answer("abc"); }));
}

TEST_F(ServerRequest, NoContinueUnlessExpected)
{
    on_request = [](auto *c, const Request &) { http_want_body(c); };
    Client &c = client();
    c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n");
    pump();
    c.send("abc");
    EXPECT_TRUE(until([&] { return undated(c.received) == answer("abc"); }));
}

TEST_F(ServerRequest, NoContinueWhenTheBodyIsHere)
{
    on_request = [](auto *c, const Request &) { http_want_body(c); };
    Client &c = client();
    c.send(expecting + "abc");
    EXPECT_TRUE(until([&] { return undated(c.received) == answer("abc"); }));
}

TEST_F(ServerRequest, NoContinueWhenTheBodyHasBegun)
{
    struct http_connection *open = nullptr;
    on_request = [&](auto *c, const Request &) { open = c; };
    Client &c = client();
    c.send(expecting);
    pump();
    c.send("a");
    EXPECT_TRUE(until([&] { return seen("body a") == 1; }));
    http_want_body(open);
    respond(open, "200 OK", {}, 2);
    send(open, "ok");
    on_body = [](auto *connection, const std::string &, bool last) {
        if (last)
            http_finish(connection);
    };
    c.send("bc");
    EXPECT_TRUE(until([&] { return undated(c.received) == answer("ok"); }));
}

TEST_F(ServerRequest, NoContinueToHttp10)
{
    on_request = [](auto *c, const Request &) { http_want_body(c); };
    Client &c = client();
    c.send("POST / HTTP/1.0\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    pump();
    EXPECT_EQ(c.received, "");
    c.send("abc");
    EXPECT_TRUE(until([&] { return c.ended; }));
    EXPECT_EQ(c.received.find("HTTP/1.1 200 OK"), 0u);
}

TEST_F(ServerRequest, NoContinueAfterTheResponseHasBegun)
{
    on_request = [](auto *c, const Request &) {
        respond(c, "200 OK", {}, 2);
        http_want_body(c);
        send(c, "no");
        http_finish(c);
    };
    EXPECT_EQ(ask(expecting),
              "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
}

// The client may send the body after all: what follows could be either.
TEST_F(ServerRequest, UnansweredExpectationCloses)
{
    on_request = [](auto *c, const Request &) { reply(c, "no", "403 Forbidden"); };
    std::string text = ask(expecting);
    EXPECT_EQ(text, "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
    clients.back().send("abcGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    clients.back().close();
    EXPECT_TRUE(gone());
    EXPECT_EQ(events.size(), 1u);
}

TEST_F(ServerRequest, UnansweredExpectationWithItsBodyIsKeptAlive)
{
    on_request = [](auto *c, const Request &) { reply(c, "no"); };
    Client &c = client();
    c.send(expecting + "abc" + expecting + "abc");
    EXPECT_TRUE(until([&] { return undated(c.received) == answer("no") + answer("no"); }));
}

TEST_F(ServerRequest, ExpectationWithoutABody)
{
    Client &c = client();
    const std::string request = "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n";
    c.send(request + request);
    EXPECT_TRUE(until([&] { return undated(c.received) == answer("none") + answer("none"); }));
}

// -- Held and unread bodies ----------------------------------------------------------------------

TEST_F(ServerRequest, HeldBody)
{
    struct http_connection *open = nullptr;
    on_request = [&](auto *c, const Request &) {
        body.clear();
        open = c;
        http_hold_body(c);
    };
    std::string large(5000000, 'x');
    on_body = [&](auto *c, const std::string &piece, bool last) {
        body += piece;
        if (last)
            reply(c, body == large ? "same" : "different");
    };
    Client &c = client();
    c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n" + large);
    EXPECT_TRUE(until([&] { return open != nullptr; }));
    pump();
    calls = {};
    run_for(20);
    EXPECT_EQ(body, "");
    EXPECT_FALSE(c.unsent.empty()); // it is left to TCP
    EXPECT_LT(calls.recv, 3u);      // and the loop does not turn for it
    http_release_body(open);
    EXPECT_EQ(body, ""); // from the loop, not from here
    EXPECT_TRUE(until([&] { return undated(c.received) == answer("same"); }));
}

// What comes while nothing is read stays in the kernel, from the first byte on.
TEST_F(ServerRequest, InputThatMustWaitIsNotReceived)
{
    on_request = [](auto *c, const Request &) { http_hold_body(c); };
    for (const char *text : {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n",
                             "GET / HTTP/1.1\r\nHost: a\r\n\r\n"}) {
        bool may_come = text[0] == 'G'; // another request, which mostly does not
        Client &c = client();
        calls = {};
        c.send(text);
        for (int i = 0; i < 5; i++) {
            pump();
            c.send("x");
        }
        pump();
        EXPECT_EQ(calls.recv, may_come ? 2u : 1u);
        c.reset();
        EXPECT_TRUE(gone());
    }
}

// Of a held body neither, though a part of it came with the head.
TEST_F(ServerRequest, HeldBodyIsNotReceived)
{
    on_request = [](auto *c, const Request &) { http_hold_body(c); };
    Client &c = client();
    calls = {};
    c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nx");
    for (int i = 0; i < 5; i++) {
        pump();
        c.send("x");
    }
    pump();
    EXPECT_EQ(calls.recv, 1u);
    EXPECT_EQ(seen("abandoned"), 0u);
}

// Nor when it is held from elsewhere, while nothing comes; and it goes on where it was.
TEST_F(ServerRequest, HeldFromOutside)
{
    struct http_connection *open = nullptr;
    on_request = [&](auto *c, const Request &) { open = c; };
    on_body = [&](auto *c, const std::string &, bool last) {
        if (last)
            reply(c, "done");
    };
    Client &c = client();
    c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab");
    EXPECT_TRUE(until([&] { return seen("body ab") == 1; }));
    http_hold_body(open);
    calls = {};
    c.send("c");
    pump();
    c.send("d");
    pump();
    EXPECT_EQ(calls.recv, 0u);
    http_release_body(open);
    EXPECT_TRUE(until([&] { return undated(c.received) == answer("done"); }));
    EXPECT_EQ(seen("body cd"), 1u);
}

TEST_F(ServerRequest, TheHandlerSaysWhenABodyIsReceived)
{
    struct http_connection *waiting = nullptr;
    std::string got;
    on_request = [](auto *, const Request &) {};
    on_body = [&](auto *c, const std::string &piece, bool last) {
        got += piece;
        if (last)
            reply(c, "done");
    };
    on_receivable = [&](auto *c) {
        EXPECT_EQ(waiting, nullptr) << "it is asked once";
        waiting = c;
        return false;
    };
    Client &c = client();
    c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\na");
    EXPECT_TRUE(until([&] { return got == "a"; })); // came with the head
    c.send("bcd");
    EXPECT_TRUE(until([&] { return waiting != nullptr; }));
    pump();
    EXPECT_EQ(got, "a");
    on_receivable = [](auto *) { return true; };
    http_receive_body(waiting); // what is there comes at once
    EXPECT_EQ(got, "abcd");
    EXPECT_TRUE(until([&] { return undated(c.received) == answer("done"); }));
}

TEST_F(ServerRequest, Trailers)
{
    on_request = [](auto *, const Request &) {};
    on_body = [](auto *c, const std::string &, bool last) {
        if (last)
            reply(c, "done");
    };
    Client &c = client();
    c.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
           "1\r\na\r\n0\r\nA: 1\r\nB");
    EXPECT_TRUE(until([&] { return seen("trailer A: 1\r\nB") == 1; }));
    EXPECT_EQ(seen("last"), 0u);
    c.send(": 2\r\n\r\n" + std::string("GET / HTTP/1.1\r\n"));
    EXPECT_TRUE(until([&] { return undated(c.received) == answer("done"); }));
    EXPECT_EQ(events, (std::vector<std::string>{"POST /", "body a", "trailer A: 1\r\nB",
                                                "trailer : 2\r\n", "last"}));
}

TEST_F(ServerRequest, HeldAgainAfterEachPiece)
{
    struct http_connection *held = nullptr;
    on_request = [&](auto *, const Request &) { body.clear(); };
    on_body = [&](auto *c, const std::string &piece, bool last) {
        EXPECT_EQ(held, nullptr);
        body += piece;
        if (last) {
            reply(c, body);
            return;
        }
        http_hold_body(c);
        held = c;
    };
    Client &c = client();
    c.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
           "1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n");
    EXPECT_TRUE(until([&] {
        if (held != nullptr) {
            struct http_connection *h = held;
            held = nullptr;
            http_release_body(h);
        }
        return undated(c.received) == answer("abc");
    }));
}

TEST_F(ServerRequest, UnreadBodyIsDropped)
{
    const std::string done(300000, 'd');
    on_request = [&](auto *c, const Request &) { reply(c, done); };
    const std::string large(200000, 'x');
    Client &c = client();
    c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + large +
           "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n30d40\r\n" + large +
           "\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(
        until([&] { return undated(c.received) == answer(done) + answer(done) + answer(done); }));
    EXPECT_EQ(events, (std::vector<std::string>{"POST /", "POST /", "GET /"}));
}

TEST_F(ServerRequest, UnreadBodyThatIsTooLargeCloses)
{
    on_request = [&](auto *c, const Request &) { reply(c, "done"); };
    for (const char *framing :
         {"Content-Length: 400000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n61a80\r\n"}) {
        Client &c = client();
        c.send("POST / HTTP/1.1\r\nHost: a\r\n" + std::string(framing) + std::string(400000, 'x') +
               "\r\n0\r\n\r\nGET /no HTTP/1.1\r\nHost: a\r\n\r\n");
        EXPECT_TRUE(until([&] { return c.closed(); }));
        EXPECT_FALSE(c.was_reset);
        EXPECT_EQ(undated(c.received), answer("done"));
    }
    EXPECT_EQ(seen("GET /no"), 0u);
}

TEST_F(ServerRequest, BrokenChunkInAnUnreadBodyCloses)
{
    on_request = [&](auto *c, const Request &) { reply(c, "done"); };
    EXPECT_EQ(ask("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nX\r\n"),
              answer("done"));
    EXPECT_EQ(seen("abandoned"), 0u);
    EXPECT_EQ(records, (std::vector<std::string>{"began POST /", "ended 200 4"}));
}

TEST_F(ServerRequest, EarlyAnswerToAClientThatClosesIsReadWhole)
{
    on_request = [&](auto *c, const Request &) { reply(c, "done"); };
    Client &c = client();
    c.stalled = true;
    c.send("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 10000000\r\n\r\n" +
           std::string(10000000, 'x'));
    EXPECT_TRUE(until([&] { return c.unsent.empty(); }));
    c.stalled = false;
    EXPECT_TRUE(until([&] { return c.closed(); }));
    EXPECT_FALSE(c.was_reset);
    EXPECT_EQ(count(c.received, "\r\n\r\ndone"), 1u);
}

// The client writes all of its body before it reads a byte of the answer.
TEST_F(ServerRequest, EarlyRefusalOfALargeUploadIsReadWhole)
{
    options.limits.body = 1000;
    const std::string large(10000000, 'x');
    Client &c = client();
    c.stalled = true;
    c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n" + large);
    EXPECT_TRUE(until([&] { return c.unsent.empty(); }));
    c.stalled = false;
    EXPECT_TRUE(until([&] { return c.closed(); }));
    EXPECT_FALSE(c.was_reset);
    EXPECT_EQ(c.received.find("HTTP/1.1 413 Content Too Large\r\n"), 0u);
    c.close();
    EXPECT_TRUE(gone());
}
