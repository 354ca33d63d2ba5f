// Time-outs, phase by phase.

#include "http/server_fixture.h"

static const uint64_t shortly = 30 * millisecond;
static const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

class ServerTimeout : public ServerTest {
  public:
    ServerTimeout()
    {
        options.timeouts = {};
    }

    // Milliseconds of the loop's clock until it holds.
    long takes(const std::function<bool()> &holds)
    {
        uint64_t start = dispatch_now(loop);
        EXPECT_TRUE(until(holds));
        return static_cast<long>((dispatch_now(loop) - start) / millisecond);
    }

    // A byte in every turn must not put the end off.
    bool is_cut_off_while_sending(Client &c)
    {
        return until([&] {
            if (!c.ended)
                c.send("x");
            return c.ended;
        });
    }

    static bool is_408(const Client &c)
    {
        return c.received.find("HTTP/1.1 408 Request Timeout\r\n") == 0 &&
               c.received.find("\r\nConnection: close\r\n") != std::string::npos;
    }
};

TEST_F(ServerTimeout, NothingSentAfterAccept)
{
    options.timeouts.head = shortly;
    Client &c = client();
    EXPECT_GE(takes([&] { return c.ended; }), 28);
    EXPECT_EQ(c.received, "");
    EXPECT_TRUE(records.empty());
    EXPECT_TRUE(gone());
}

TEST_F(ServerTimeout, PartOfAHead)
{
    options.timeouts.head = shortly;
    Client &c = client();
    c.send("GET / HTTP/1.1\r\n");
    EXPECT_GE(takes([&] { return c.ended; }), 28);
    EXPECT_TRUE(is_408(c)) << c.received;
    EXPECT_EQ(records.size(), 2u);
    EXPECT_EQ(records[0], "began ?");
    EXPECT_TRUE(events.empty());
}

TEST_F(ServerTimeout, BytesDoNotExtendTheHead)
{
    options.timeouts.head = shortly;
    Client &c = client();
    c.send("GET /");
    EXPECT_TRUE(is_cut_off_while_sending(c));
    EXPECT_TRUE(is_408(c));
}

TEST_F(ServerTimeout, BytesDoNotExtendALaterHead)
{
    options.timeouts.head = shortly;
    Client &c = client();
    c.send(get);
    EXPECT_TRUE(until([&] { return !c.received.empty(); }));
    c.received.clear();
    c.send("GET /");
    EXPECT_TRUE(is_cut_off_while_sending(c));
    EXPECT_TRUE(is_408(c));
}

TEST_F(ServerTimeout, SecondHeadHasItsOwnTime)
{
    options.timeouts.head = 2 * shortly;
    Client &c = client();
    c.send("GET");
    run_for(40);
    c.send(get.substr(3) + "GET");
    EXPECT_GE(takes([&] { return c.ended; }), 58);
    EXPECT_EQ(undated(c.received).find(answer("hello") + "HTTP/1.1 408 "), 0u);
}

TEST_F(ServerTimeout, Idle)
{
    options.timeouts.idle = shortly;
    Client &c = client();
    run_for(40); // not for the first request
    EXPECT_FALSE(c.ended);
    c.send(get);
    EXPECT_TRUE(until([&] { return !c.received.empty(); }));
    EXPECT_GE(takes([&] { return c.ended; }), 25);
    EXPECT_EQ(undated(c.received), answer("hello"));
}

TEST_F(ServerTimeout, EachRequestRenewsIdle)
{
    options.timeouts.idle = 2 * shortly;
    Client &c = client();
    for (int i = 0; i < 4; i++) {
        c.send(get);
        run_for(30);
        EXPECT_FALSE(c.ended);
    }
    EXPECT_TRUE(until([&] { return c.ended; }));
}

TEST_F(ServerTimeout, HeadAfterIdle)
{
    options.timeouts.idle = 10000 * millisecond;
    options.timeouts.head = shortly;
    Client &c = client();
    c.send(get);
    EXPECT_TRUE(until([&] { return !c.received.empty(); }));
    run_for(40);
    EXPECT_FALSE(c.ended);
    c.received.clear();
    c.send("G");
    EXPECT_GE(takes([&] { return c.ended; }), 28);
    EXPECT_TRUE(is_408(c));
}

TEST_F(ServerTimeout, Body)
{
    options.timeouts.body = shortly;
    on_request = [](auto *, const Request &) {};
    Client &c = client();
    c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
    EXPECT_GE(takes([&] { return c.ended; }), 28);
    EXPECT_TRUE(is_408(c));
    EXPECT_EQ(events, (std::vector<std::string>{"POST /", "body ab", "abandoned"}));
    EXPECT_EQ(records[1].find("ended 408"), 0u);
}

TEST_F(ServerTimeout, ArrivalsExtendTheBody)
{
    options.timeouts.body = 2 * shortly;
    on_request = [](auto *, const Request &) {};
    on_body = [](auto *c, const std::string &, bool last) {
        if (last)
            reply(c, "done");
    };
    Client &c = client();
    c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n");
    for (int i = 0; i < 4; i++) {
        run_for(25);
        c.send("x");
    }
    EXPECT_TRUE(until([&] { return undated(c.received) == answer("done"); }));
}

// What the handler does meanwhile is not the client's progress.
TEST_F(ServerTimeout, FlushesDoNotExtendTheBody)
{
    options.timeouts.body = shortly;
    struct http_connection *open = nullptr;
    on_request = [&](auto *c, const Request &) {
        open = c;
        respond(c, "200 OK", {}, -1);
    };
    on_abandoned = [&](auto *) { open = nullptr; };
    Client &c = client();
    c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n");
    EXPECT_TRUE(until([&] {
        if (open != nullptr) {
            send(open, "x");
            http_flush(open);
        }
        return c.closed();
    }));
    EXPECT_EQ(events, (std::vector<std::string>{"POST /", "abandoned"}));
    EXPECT_EQ(count(c.received, "0\r\n\r\n"), 0u);
}

TEST_F(ServerTimeout, BodyBehindTheResponse)
{
    options.timeouts.drain = shortly;
    Client &c = client();
    c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n");
    EXPECT_TRUE(until([&] { return c.ended; }));
    EXPECT_EQ(undated(c.received), answer("hello"));
    EXPECT_EQ(seen("abandoned"), 0u);
    EXPECT_EQ(records.size(), 2u);
}

TEST_F(ServerTimeout, NoneWhileTheHandlerKeepsTheClientWaiting)
{
    options.timeouts = {shortly, shortly, shortly, shortly, shortly, 1 << 30, 1 << 30};
    struct http_connection *open = nullptr;
    on_request = [&](auto *c, const Request &r) {
        open = c;
        if (r.target == "/hold")
            http_hold_body(c);
    };
    for (const char *text :
         {"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n",
          "POST /hold HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"}) {
        Client &c = client();
        open = nullptr;
        c.send(text);
        run_for(80);
        ASSERT_NE(open, nullptr);
        EXPECT_FALSE(c.ended);
        reply(open, "late");
        EXPECT_TRUE(until([&] { return !c.received.empty(); }));
        c.close();
        EXPECT_TRUE(gone());
    }
}

// Held from outside of the connection's callbacks; later all of the time is there again.
TEST_F(ServerTimeout, NoneWhileTheBodyIsHeld)
{
    options.timeouts.body = shortly;
    options.timeouts.body_rate = 1000;
    struct http_connection *open = nullptr;
    on_request = [&](auto *c, const Request &) { open = c; };
    Client &c = client();
    c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab");
    EXPECT_TRUE(until([&] { return seen("body ab") == 1; }));
    run_for(10);
    http_hold_body(open);
    run_for(60);
    c.send("c");
    pump();
    EXPECT_FALSE(c.ended);
    EXPECT_EQ(seen("abandoned"), 0u);
    http_release_body(open);
    EXPECT_GE(takes([&] { return c.ended; }), 28);
    EXPECT_TRUE(is_408(c));
    EXPECT_EQ(events, (std::vector<std::string>{"POST /", "body ab", "body c", "abandoned"}));
}

TEST_F(ServerTimeout, BodyTimeBeginsWhenItIsAskedFor)
{
    options.timeouts.body = shortly;
    struct http_connection *open = nullptr;
    on_request = [&](auto *c, const Request &) { open = c; };
    Client &c = client();
    c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
    run_for(40);
    EXPECT_FALSE(c.ended);
    http_want_body(open);
    EXPECT_GE(takes([&] { return c.ended; }), 28);
    EXPECT_EQ(c.received.find("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 408 "), 0u);
}

TEST_F(ServerTimeout, WriteToAReaderThatStalls)
{
    options.timeouts.write = shortly;
    std::string large(20000000, 'x');
    on_request = [&](auto *c, const Request &) {
        respond(c, "200 OK", {}, 30000000);
        send(c, large);
    };
    Client &c = client();
    c.stalled = true;
    c.send(get);
    EXPECT_TRUE(until([&] { return seen("abandoned") == 1; }));
    EXPECT_TRUE(gone());
    EXPECT_EQ(records, (std::vector<std::string>{"began GET /", "ended 200 20000000"}));
}

// Sending more is not reading what was sent.
TEST_F(ServerTimeout, ArrivalsDoNotExtendAWrite)
{
    options.timeouts.write = shortly;
    std::string large(20000000, 'x');
    on_request = [&](auto *c, const Request &) {
        respond(c, "200 OK", {}, 30000000);
        send(c, large);
    };
    Client &c = client();
    c.stalled = true;
    c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n");
    EXPECT_TRUE(until([&] {
        c.send("x");
        return seen("abandoned") == 1;
    }));
}

TEST_F(ServerTimeout, CutBodyToHttp10IsAReset)
{
    options.timeouts.write = shortly;
    std::string large(20000000, 'x');
    on_request = [&](auto *c, const Request &) {
        respond(c, "200 OK", {}, -1);
        send(c, large);
    };
    Client &c = client();
    c.stalled = true;
    c.send("GET / HTTP/1.0\r\n\r\n");
    EXPECT_TRUE(gone());
    c.stalled = false;
    EXPECT_TRUE(until([&] { return c.closed(); }));
    EXPECT_TRUE(c.was_reset);
}

TEST_F(ServerTimeout, WriteBehindAFinishedResponse)
{
    options.timeouts.write = shortly;
    std::string large(20000000, 'x');
    on_request = [&](auto *c, const Request &) { reply(c, large); };
    Client &c = client();
    c.stalled = true;
    c.send(get);
    EXPECT_TRUE(gone());
    EXPECT_EQ(seen("abandoned"), 0u);
    c.stalled = false; // the kernel keeps nothing of it either
    EXPECT_TRUE(until([&] { return c.closed(); }));
    EXPECT_TRUE(c.was_reset);
}

TEST_F(ServerTimeout, SlowReaderIsServed)
{
    options.timeouts.write = 2 * shortly;
    send_buffer = 20000;
    std::string large(2000000, 'x');
    on_request = [&](auto *c, const Request &) { reply(c, large); };
    Client &c = client(20000);
    c.stalled = true;
    c.send(get);
    long total = takes([&] {
        char buffer[20000];
        ssize_t n = __real_recv(c.fd, buffer, sizeof buffer, 0);
        if (n > 0)
            c.received.append(buffer, static_cast<size_t>(n));
        run_for(3);
        return c.received.size() > large.size() || n == 0;
    });
    EXPECT_GT(c.received.size(), large.size());
    EXPECT_GT(total, 120); // longer than the time-out, which makes this a test
}

// A byte in every turn, and each in time, but too few of them.
TEST_F(ServerTimeout, BodySlowerThanTheRate)
{
    options.timeouts.body = shortly;
    options.timeouts.body_rate = 1 << 30;
    on_request = [](auto *, const Request &) {};
    Client &c = client();
    c.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n");
    EXPECT_TRUE(is_cut_off_while_sending(c));
    EXPECT_TRUE(is_408(c)) << c.received;
    EXPECT_EQ(seen("abandoned"), 1u);
}

// At more than the rate, for many times the time-out.
TEST_F(ServerTimeout, BodyFasterThanTheRate)
{
    options.timeouts.body = 4 * shortly;
    options.timeouts.body_rate = 1000;
    on_request = [](auto *, const Request &) {};
    Client &c = client();
    c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n");
    for (int i = 0; i < 60; i++) {
        c.send(std::string(50, 'x'));
        run_for(10);
    }
    EXPECT_FALSE(c.ended);
    EXPECT_GE(takes([&] { return c.ended; }), 100); // what it has saved is not more than that
}

TEST_F(ServerTimeout, ReaderSlowerThanTheRate)
{
    options.timeouts.write = shortly;
    options.timeouts.write_rate = 1 << 30;
    send_buffer = 20000;
    std::string large(20000000, 'x');
    on_request = [&](auto *c, const Request &) {
        respond(c, "200 OK", {}, 30000000);
        send(c, large);
    };
    Client &c = client(20000);
    c.stalled = true;
    c.send(get);
    size_t read = 0;
    EXPECT_TRUE(until([&] {
        char buffer[5000];
        ssize_t n = __real_recv(c.fd, buffer, sizeof buffer, 0);
        read += n > 0 ? static_cast<size_t>(n) : 0;
        return seen("abandoned") == 1;
    }));
    EXPECT_LT(read, large.size());
}

// Of a body that nobody wants, a client may not send a byte now and then for ever.
TEST_F(ServerTimeout, DrainOfABody)
{
    options.timeouts.drain = shortly;
    on_request = [](auto *c, const Request &) { reply(c, "early"); };
    Client &c = client();
    c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 90000\r\n\r\n");
    EXPECT_TRUE(is_cut_off_while_sending(c));
    EXPECT_EQ(undated(c.received), answer("early"));
}

TEST_F(ServerTimeout, DrainAtTheEnd)
{
    options.timeouts.drain = shortly;
    Client &c = client();
    c.send("@\r\n\r\n");
    EXPECT_TRUE(until([&] {
        c.send("x");
        return connections() == 0;
    }));
}

// The time that a handler has taken is not the client's.
TEST_F(ServerTimeout, BeginsBehindASlowHandler)
{
    options.timeouts.write = 4 * shortly;
    send_buffer = 20000;
    std::string large(2000000, 'x');
    on_request = [&](auto *c, const Request &) {
        uint64_t until = dispatch_clock() + 5 * shortly;
        while (dispatch_clock() < until)
            ;
        reply(c, large);
    };
    Client &c = client(20000);
    c.stalled = true;
    c.send(get);
    EXPECT_TRUE(until([&] { return seen("GET /") == 1; }));
    run_for(30);
    EXPECT_EQ(connections(), 1u);
}

// A client that was answered and answered again before it sent a body has its time for each.
TEST_F(ServerTimeout, DrainOfTheNextBody)
{
    options.timeouts.drain = 10 * shortly;
    on_request = [](auto *c, const Request &) { reply(c, "early"); };
    const std::string post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n1234";
    Client &c = client();
    c.send(post);
    pump();
    c.send("567890" + post);
    pump();
    run_for(40);
    EXPECT_FALSE(c.ended);
    EXPECT_EQ(undated(c.received), answer("early") + answer("early"));
}

TEST_F(ServerTimeout, LingerEnds)
{
    // The client does not close: 2 seconds since it last sent something.
    Client &c = client();
    c.send("@\r\n\r\n");
    EXPECT_TRUE(until([&] { return c.ended; }));
    run_for(500);
    c.send("more");
    long time = takes([&] { return connections() == 0; });
    EXPECT_GE(time, 1900);
}

TEST_F(ServerTimeout, ZeroIsNever)
{
    Client &c = client();
    c.send("GET ");
    run_for(50);
    EXPECT_FALSE(c.ended);
}
