// Clients that leave, and connections that end within the handler's callbacks.

#include "http/server_fixture.h"

static const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
static const std::string post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc";

class ServerLost : public ServerTest {
  public:
    struct http_connection *open = nullptr;

    ServerLost()
    {
        on_request = [this](auto *c, const Request &) { open = c; };
        on_abandoned = [this](auto *c) {
            EXPECT_EQ(c, open);
            open = nullptr;
        };
    }

    // Every record began is ended.
    ~ServerLost() override
    {
        stop();
        size_t began = 0, ended = 0;
        for (const std::string &record : records)
            (record[0] == 'b' ? began : ended)++;
        EXPECT_EQ(began, ended);
    }
};

TEST_F(ServerLost, ResetWhileIdle)
{
    client().reset();
    EXPECT_TRUE(gone());
    EXPECT_TRUE(records.empty());
}

TEST_F(ServerLost, ResetInTheHead)
{
    Client &c = client();
    c.send("GET /");
    pump();
    c.reset();
    EXPECT_TRUE(gone());
    EXPECT_TRUE(records.empty());
}

TEST_F(ServerLost, ResetInTheBody)
{
    Client &c = client();
    c.send(post);
    pump();
    c.reset();
    EXPECT_TRUE(gone());
    EXPECT_EQ(events, (std::vector<std::string>{"POST /", "body abc", "abandoned"}));
    EXPECT_EQ(records.back(), "ended 0 0");
}

TEST_F(ServerLost, ResetInAHeldBody)
{
    on_request = [&](auto *c, const Request &) {
        open = c;
        http_hold_body(c);
    };
    Client &c = client();
    c.send(post);
    pump();
    c.reset();
    EXPECT_TRUE(gone());
    EXPECT_EQ(events, (std::vector<std::string>{"POST /", "abandoned"}));
}

TEST_F(ServerLost, ResetWhileTheResponseIsDue)
{
    Client &c = client();
    c.send(get);
    pump();
    c.reset();
    EXPECT_TRUE(gone());
    EXPECT_EQ(seen("abandoned"), 1u);
}

TEST_F(ServerLost, ResetBehindAPipelinedRequest)
{
    Client &c = client();
    c.send(get + get);
    pump();
    c.reset();
    EXPECT_TRUE(gone());
    EXPECT_EQ(events, (std::vector<std::string>{"GET /", "abandoned"}));
}

TEST_F(ServerLost, ResetInTheResponse)
{
    Client &c = client();
    c.send(get);
    EXPECT_TRUE(until([&] { return open != nullptr; }));
    respond(open, "200 OK", {}, -1);
    send(open, "abc");
    http_flush(open);
    pump();
    c.reset();
    EXPECT_TRUE(gone());
    EXPECT_EQ(seen("abandoned"), 1u);
    EXPECT_EQ(records.back(), "ended 200 3");
}

TEST_F(ServerLost, ResetWhileOutputWaits)
{
    std::string large(20000000, 'x');
    for (bool finished : {false, true}) {
        events.clear();
        Client &c = client();
        c.stalled = true;
        c.send(get);
        EXPECT_TRUE(until([&] { return open != nullptr; }));
        respond(open, "200 OK", {}, 20000000);
        send(open, large);
        if (finished)
            http_finish(open);
        else
            http_flush(open);
        pump();
        c.reset();
        EXPECT_TRUE(gone());
        EXPECT_EQ(seen("abandoned"), finished ? 0u : 1u);
        open = nullptr;
    }
}

TEST_F(ServerLost, ResetBehindTheResponse)
{
    on_request = [](auto *c, const Request &) { reply(c, "hello"); };
    for (const std::string &request : {get, post, std::string("@\r\n\r\n")}) {
        Client &c = client();
        c.send(request);
        EXPECT_TRUE(until([&] { return !c.received.empty(); }));
        c.reset();
        EXPECT_TRUE(gone());
    }
    EXPECT_EQ(seen("abandoned"), 0u);
}

// The write that fails is the handler's own: it hears of it, or is told by the loop.
TEST_F(ServerLost, WriteThatFails)
{
    for (bool aborts : {false, true}) {
        events.clear();
        Client &c = client();
        c.send(get);
        EXPECT_TRUE(until([&] { return open != nullptr; }));
        c.reset();
        int error = respond(open, "200 OK", {}, -1);
        EXPECT_EQ(error, 0);
        error = send(open, std::string(100000, 'x'));
        EXPECT_LT(error, 0);
        EXPECT_EQ(send(open, "more"), error);
        http_flush(open);
        EXPECT_EQ(seen("abandoned"), 0u); // never from within
        if (aborts)
            http_abort(open);
        EXPECT_TRUE(gone());
        EXPECT_EQ(seen("abandoned"), aborts ? 0u : 1u);
        open = nullptr;
    }
}

TEST_F(ServerLost, FinishAfterAWriteThatFailed)
{
    Client &c = client();
    c.send(get + get);
    EXPECT_TRUE(until([&] { return open != nullptr; }));
    c.reset();
    respond(open, "200 OK", {}, -1);
    send(open, std::string(100000, 'x'));
    http_finish(open);
    EXPECT_TRUE(gone());
    EXPECT_EQ(events, std::vector<std::string>{"GET /"});
}

TEST_F(ServerLost, FlushThatFailsInACallback)
{
    Client *client_of = nullptr;
    on_request = [&](auto *c, const Request &) {
        open = c;
        client_of->reset();
        respond(c, "200 OK", {}, -1);
        http_flush(c);
        EXPECT_LT(send(c, "abc"), 0);
    };
    client_of = &client();
    client_of->send(get);
    EXPECT_TRUE(until([&] { return seen("abandoned") == 1; }));
    EXPECT_TRUE(gone());
}

// -- The handler ends it, in each callback -------------------------------------------------------

using End = std::function<void(struct http_connection *)>;

static const std::vector<std::pair<const char *, End>> ends = {
    {"abort", [](struct http_connection *c) { http_abort(c); }},
    {"fail", [](struct http_connection *c) { http_fail(c, 503); }},
    {"finish", [](struct http_connection *c) { http_finish(c); }},
    {"reply", [](struct http_connection *c) {
         if (http_connection_status(c) == 0)
             reply(c, "ended");
         else
             http_finish(c);
     }}};

TEST_F(ServerLost, EndedInRequest)
{
    for (const auto &[name, end] : ends) {
        SCOPED_TRACE(name);
        for (const std::string &request : {get, post, post + "defghi" + get}) {
            events.clear();
            on_request = [&end = end](auto *c, const Request &) { end(c); };
            Client &c = client();
            c.send(request);
            pump();
            c.close();
            EXPECT_TRUE(gone());
            EXPECT_EQ(seen("abandoned"), 0u);
            EXPECT_EQ(seen("body abc"), 0u);
        }
    }
}

TEST_F(ServerLost, EndedInBody)
{
    for (const auto &[name, end] : ends) {
        SCOPED_TRACE(name);
        for (const char *rest : {"", "defghi"}) {
            events.clear();
            on_request = [](auto *, const Request &) {};
            bool ended = false;
            on_body = [&, &end = end](auto *c, const std::string &, bool) {
                EXPECT_FALSE(ended);
                ended = true;
                end(c);
            };
            Client &c = client();
            c.send(post + rest);
            EXPECT_TRUE(until([&] { return ended; }));
            c.send("rest");
            pump();
            c.close();
            EXPECT_TRUE(gone());
            EXPECT_EQ(seen("abandoned"), 0u);
        }
    }
}

TEST_F(ServerLost, EndedInWritable)
{
    for (const auto &[name, end] : ends) {
        SCOPED_TRACE(name);
        events.clear();
        on_request = [](auto *c, const Request &) {
            respond(c, "200 OK", {}, -1);
            while (!http_full(c))
                send(c, std::string(100000, 'x'));
        };
        on_writable = end;
        Client &c = client();
        c.stalled = true;
        c.send(get);
        pump();
        EXPECT_EQ(seen("writable"), 0u);
        c.stalled = false;
        EXPECT_TRUE(until([&] { return seen("writable") == 1; }));
        pump();
        c.close();
        EXPECT_TRUE(gone());
        EXPECT_EQ(seen("writable"), 1u);
        EXPECT_EQ(seen("abandoned"), 0u);
    }
}

// Another connection is ended in a callback; so the one that was abandoned may be freed meanwhile.
TEST_F(ServerLost, EndedByAnother)
{
    std::list<struct http_connection *> waiting;
    on_request = [&](auto *c, const Request &r) {
        if (r.target == "/wait") {
            waiting.push_back(c);
            return;
        }
        for (auto *w : waiting)
            http_abort(w);
        waiting.clear();
        http_abort(c);
    };
    for (int i = 0; i < 3; i++)
        client().send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(until([&] { return waiting.size() == 3; }));
    client().send(get);
    for (Client &c : clients) {
        EXPECT_TRUE(until([&] { return c.closed(); }));
        c.close();
    }
    EXPECT_TRUE(gone());
}

TEST_F(ServerLost, ServerFreed)
{
    open = nullptr;
    std::list<struct http_connection *> waiting;
    on_request = [&](auto *c, const Request &) { waiting.push_back(c); };
    on_abandoned = [&](auto *c) {
        waiting.remove(c);
        // The others may be ended from here.
        if (!waiting.empty()) {
            struct http_connection *other = waiting.front();
            waiting.pop_front();
            http_abort(other);
        }
    };
    client();
    client().send("GET /");
    client().send(get);
    client().send(get);
    client().send(get);
    client().send(post);
    EXPECT_TRUE(until([&] { return waiting.size() == 4; }));
    stop();
    EXPECT_TRUE(waiting.empty());
    EXPECT_EQ(seen("abandoned"), 2u);
}

TEST_F(ServerLost, ServerFreedWithOutputWaiting)
{
    on_request = [](auto *c, const Request &) {
        respond(c, "200 OK", {}, -1);
        send(c, std::string(20000000, 'x'));
        http_finish(c);
    };
    Client &c = client();
    c.stalled = true;
    c.send(get);
    pump();
    EXPECT_EQ(connections(), 1u);
}
