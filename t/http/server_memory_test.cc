// Memory: none is allocated in the steady state, little is held, and running out of it is survived.

#include "http/server_fixture.h"

extern "C" {
#include "connection.h"
}

static const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

class ServerMemory : public ServerTest {};

TEST_F(ServerMemory, AConnectionIsSmall)
{
    EXPECT_LE(sizeof(struct http_connection), 184u);
}

TEST_F(ServerMemory, KeptAliveRequestsAllocateNothing)
{
    on_request = [](auto *, const Request &) {};
    on_body = [](auto *c, const std::string &, bool last) {
        if (last)
            reply(c, "hello");
    };
    const std::string post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
                             "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "3\r\nabc\r\n0\r\n\r\n";
    Client &c = client();
    unsigned long before = 0;
    for (size_t i = 1; i <= 20; i++) {
        c.send(post);
        EXPECT_TRUE(until([&] { return seen("last") == 2 * i; }));
        if (i == 2) // field sections are kept when they come again
            before = test_allocations();
    }
    EXPECT_EQ(test_allocations(), before);
}

TEST_F(ServerMemory, AConnectionIsOneAllocation)
{
    auto session = [&] {
        Client &c = client();
        c.send(get);
        EXPECT_TRUE(until([&] { return !c.received.empty(); }));
        clients.clear();
        EXPECT_TRUE(gone());
    };
    session();
    session(); // of which the field section is kept
    unsigned long before = test_allocations();
    for (int i = 0; i < 20; i++)
        session();
    EXPECT_EQ(test_allocations(), before + 20);
}

TEST_F(ServerMemory, IdleConnectionsHoldNoBuffers)
{
    const size_t n = 200;
    start();
    for (size_t i = 0; i < n; i++)
        client().send(get);
    EXPECT_TRUE(until([&] { return events.size() == n; }));
    pump();
    EXPECT_EQ(tcpsocket_pool_held(server->pool), 0u);
}

// A session with all there is: bodies, pipelining, chunks, output that waits, a refusal.
static void session(ServerTest &t, Client &client)
{
    std::string large(5000000, 'x');
    t.on_request = [&large](auto *c, const Request &r) {
        if (r.target == "/large") {
            if (respond(c, "200 OK", {}, static_cast<int64_t>(large.size())) != 0 ||
                send(c, large) != 0)
                http_abort(c);
            else
                http_finish(c);
        } else if (r.framing.body == HTTP_BODY_NONE) {
            if (respond(c, "200 OK", {}, -1) != 0 || send(c, "abc") != 0)
                http_abort(c);
            else
                http_finish(c);
        }
    };
    t.on_body = [](auto *c, const std::string &, bool last) {
        if (last && respond(c, "200 OK", {}, 0) == 0)
            http_finish(c);
        else if (last)
            http_abort(c);
    };
    client.stalled = true;
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /");
    t.pump();
    client.send(
        "2 HTTP/1.1\r\nHost: a\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab");
    t.pump();
    client.send(
        "cdGET /large HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n@\r\n\r\n");
    t.pump();
    client.stalled = false;
    EXPECT_TRUE(t.until([&] { return client.closed(); }));
}

TEST_F(ServerMemory, AnyAllocationOfASessionMayFail)
{
    unsigned long needed = 0;
    for (unsigned long n = 0; n <= needed; n++) {
        SCOPED_TRACE(n);
        records.clear();
        address.socket.v4.sin_port = 0;
        if (server == nullptr)
            start();
        // No client(): the server may have no memory to accept it.
        unsigned long before = test_allocations();
        test_fail_allocation(n);
        clients.emplace_back(address);
        session(*this, clients.back());
        test_fail_allocation(0);
        if (n == 0) {
            needed = test_allocations() - before;
            EXPECT_GE(needed, 4u);
            EXPECT_EQ(count(clients.back().received, "HTTP/1.1"), 6u);
        }
        size_t began = 0;
        for (const std::string &record : records)
            began += record[0] == 'b';
        EXPECT_EQ(records.size(), 2 * began);
        stop();
    }
}

TEST_F(ServerMemory, AnyAllocationOfTheServerMayFail)
{
    int error = -ENOMEM;
    unsigned n = 0;
    while (error == -ENOMEM && n < 50) {
        test_fail_allocation(++n);
        error = http_server_new(&options, &server);
        test_fail_allocation(0);
    }
    EXPECT_EQ(error, 0);
    EXPECT_GE(n, 4u);
    ASSERT_EQ(tcpsocket_listen(&address, 10, false, &listener), 0);
    test_fail_allocation(1);
    EXPECT_EQ(http_server_listen(server, listener), -ENOMEM);
    test_fail_allocation(0);
    EXPECT_EQ(http_server_listen(server, listener), 0);
}
