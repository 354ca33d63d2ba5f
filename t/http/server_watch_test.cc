// A client that leaves while its answer is being waited for.

#include "http/server_fixture.h"

static const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
static const std::string post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc";

class ServerWatch : public ServerTest {
  public:
    struct http_connection *open = nullptr;

    ServerWatch()
    {
        on_request = [this](auto *c, const Request &) {
            open = c;
            http_watch_client(c, true);
        };
        on_abandoned = [this](auto *c) {
            EXPECT_EQ(c, open);
            open = nullptr;
        };
    }

    ~ServerWatch() override
    {
        stop(); // while what the callbacks use is there
    }
};

TEST_F(ServerWatch, EndAbandons)
{
    Client &c = client();
    c.send(get);
    pump();
    EXPECT_EQ(seen("abandoned"), 0u);
    c.shut();
    EXPECT_TRUE(gone());
    EXPECT_EQ(events, (std::vector<std::string>{"GET /", "abandoned"}));
    EXPECT_EQ(records.back(), "ended 0 0");
    EXPECT_EQ(c.received, "");
}

TEST_F(ServerWatch, WithoutItTheEndIsNoLeaving)
{
    on_request = [this](auto *c, const Request &) { open = c; };
    Client &c = client();
    c.send(get);
    c.shut();
    pump();
    EXPECT_EQ(seen("abandoned"), 0u);
    EXPECT_TRUE(http_client_gone(open)); // it may have left
    reply(open, "late");
    EXPECT_TRUE(until([&] { return undated(c.received) == answer("late"); }));
}

// The loop comes to it; the handler's own call does not.
TEST_F(ServerWatch, EndThatHasComeAlready)
{
    on_request = [this](auto *c, const Request &) { open = c; };
    Client &c = client();
    c.send(get);
    c.shut();
    pump();
    http_watch_client(open, true);
    EXPECT_EQ(seen("abandoned"), 0u);
    EXPECT_NE(open, nullptr);
    EXPECT_TRUE(gone());
    EXPECT_EQ(seen("abandoned"), 1u);
}

TEST_F(ServerWatch, EndThatHasComeWithTheRequest)
{
    bool within = false;
    on_request = [&](auto *c, const Request &) {
        open = c;
        within = true;
        http_watch_client(c, true);
        within = false;
    };
    on_abandoned = [&](auto *) { EXPECT_FALSE(within); };
    Client &c = client();
    c.send(get.substr(0, 10));
    pump();
    c.send(get.substr(10));
    c.shut();
    EXPECT_TRUE(gone());
    EXPECT_EQ(seen("abandoned"), 1u);
}

TEST_F(ServerWatch, SwitchedOffInTime)
{
    on_request = [this](auto *c, const Request &) { open = c; };
    Client &c = client();
    c.send(get);
    c.shut();
    pump();
    http_watch_client(open, true);
    http_watch_client(open, false);
    pump();
    ASSERT_NE(open, nullptr);
    reply(open, "late");
    EXPECT_TRUE(until([&] { return undated(c.received) == answer("late"); }));
}

TEST_F(ServerWatch, OffForTheNextRequest)
{
    on_request = [this](auto *c, const Request &r) {
        open = c;
        if (r.target == "/1") {
            http_watch_client(c, true);
            reply(c, "1");
        }
    };
    Client &c = client();
    c.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n" + get);
    c.shut();
    pump();
    EXPECT_EQ(seen("abandoned"), 0u);
    reply(open, "2");
    EXPECT_TRUE(until([&] { return undated(c.received) == answer("1") + answer("2"); }));
}

TEST_F(ServerWatch, EndInTheResponse)
{
    Client &c = client();
    c.send(get);
    EXPECT_TRUE(until([&] { return open != nullptr; }));
    respond(open, "200 OK", {}, -1);
    send(open, "abc");
    http_flush(open);
    pump();
    c.shut();
    EXPECT_TRUE(gone());
    EXPECT_EQ(records.back(), "ended 200 3");
}

// While a body is due its end is a broken request, as ever.
TEST_F(ServerWatch, EndInTheBody)
{
    Client &c = client();
    c.send(post);
    pump();
    c.shut();
    EXPECT_TRUE(until([&] { return c.ended; }));
    EXPECT_EQ(c.received.find("HTTP/1.1 400 "), 0u);
    EXPECT_EQ(seen("abandoned"), 1u);
}

TEST_F(ServerWatch, EndBehindTheBody)
{
    Client &c = client();
    c.send(post + "abcdef");
    pump();
    EXPECT_EQ(seen("abandoned"), 0u);
    c.shut();
    EXPECT_TRUE(gone());
    EXPECT_EQ(events, (std::vector<std::string>{"POST /", "body abcabcdef", "last", "abandoned"}));
}

TEST_F(ServerWatch, EndBehindAHeldBody)
{
    on_request = [this](auto *c, const Request &) {
        open = c;
        http_hold_body(c);
        http_watch_client(c, true);
    };
    Client &c = client();
    calls = {};
    c.send(post);
    pump();
    c.send("abcdef");
    c.shut();
    pump();
    EXPECT_TRUE(gone());
    EXPECT_EQ(calls.recv, 1u);
    EXPECT_EQ(events, (std::vector<std::string>{"POST /", "abandoned"}));
}

TEST_F(ServerWatch, ResetBehindAHeldBody)
{
    on_request = [this](auto *c, const Request &) {
        open = c;
        http_hold_body(c);
        http_watch_client(c, true);
    };
    Client &c = client();
    c.send(post);
    pump();
    c.reset();
    EXPECT_TRUE(gone());
    EXPECT_EQ(seen("abandoned"), 1u);
}

// A little behind the request, such as a line end that was not asked for, does not hide it.
TEST_F(ServerWatch, EndBehindALittle)
{
    for (const std::string &more : {std::string("\r\n"), get}) {
        Client &c = client();
        c.send(get);
        pump();
        c.send(more);
        pump();
        EXPECT_EQ(seen("abandoned"), 0u);
        c.shut();
        EXPECT_TRUE(gone());
        EXPECT_EQ(events, (std::vector<std::string>{"GET /", "abandoned"}));
        events.clear();
    }
}

// So does not what waited before it was switched on. Of more no more than this is received.
TEST_F(ServerWatch, EndBehindWhatWaited)
{
    on_request = [this](auto *c, const Request &) { open = c; };
    Client &c = client();
    c.send(get + get);
    pump();
    http_watch_client(open, true);
    pump();
    c.shut();
    EXPECT_TRUE(gone());
    EXPECT_EQ(events, (std::vector<std::string>{"GET /", "abandoned"}));

    Client &much = client();
    much.send(get);
    EXPECT_TRUE(until([&] { return open != nullptr; }));
    http_watch_client(open, true);
    calls = {};
    for (int i = 0; i < 5; i++) {
        much.send(std::string(1025, 'x'));
        pump();
    }
    EXPECT_EQ(calls.recv, 1u);
}

// -- Asking the kernel, which the loop does not

TEST_F(ServerWatch, GoneWhileTheLoopIsNotLooking)
{
    std::vector<bool> there;
    for (bool by_reset : {false, true}) {
        on_request = [&](auto *c, const Request &) {
            there.push_back(!http_client_gone(c));
            if (by_reset)
                clients.back().reset();
            else
                clients.back().shut();
            there.push_back(!http_client_gone(c));
            reply(c, "hello");
        };
        client().send(get + "GET /more");
        EXPECT_TRUE(gone());
    }
    EXPECT_EQ(there, (std::vector<bool>{true, false, true, false}));
}
