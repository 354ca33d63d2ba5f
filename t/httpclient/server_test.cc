// The client against asynwsgi's own server, in one loop.

#include "httpclient/fixture.h"

#include <random>

class Server : public ClientTest {
  public:
    // The server echoes bodies, chunked, and answers "hello" to what has none.
    void start_echo()
    {
        on_request = [this](struct http_connection *c, const Request &request) {
            http_want_body(c);
            if (request.framing.body == HTTP_BODY_NONE)
                reply(c, "hello " + request.target);
            else if (respond(c, "200 OK", {}, -1) != 0)
                http_abort(c);
            events.clear();
        };
        on_body = [](struct http_connection *c, const std::string &data, bool ends) {
            if (!data.empty())
                ::send(c, data);
            if (http_full(c))
                http_hold_body(c);
            if (ends)
                http_finish(c);
        };
        on_writable = [](struct http_connection *c) { http_release_body(c); };
        start();
    }
};

TEST_F(Server, AnswersOverAndOver)
{
    client_options.depth = 10;
    start_echo();
    Connection &connection = open();
    std::list<Exchange> exchanges;
    for (int i = 0; i < 200; i++) {
        exchanges.emplace_back("GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n\r\n");
        queue(connection, exchanges.back());
    }
    httpclient_flush(&connection.c);
    EXPECT_TRUE(run_until_done(exchanges.back()));
    int i = 0;
    for (Exchange &exchange : exchanges)
        EXPECT_EQ(exchange.body, "hello /" + std::to_string(i++));
    EXPECT_EQ(connection.closed, "");
}

TEST_F(Server, EchoesALargeBodyWhileItComes)
{
    start_echo();
    Connection &connection = open();
    Exchange exchange("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    std::string sent;
    std::mt19937 random(1);
    exchange.on_produce = [&] {
        std::string piece(random() % 30000 + 1, static_cast<char>('a' + random() % 26));
        if (sent.size() > 10000000) {
            EXPECT_EQ(httpclient_produce_end(&exchange.x), 0);
        } else {
            sent += piece;
            EXPECT_EQ(httpclient_produce(&exchange.x, piece.data(), piece.size()), 0);
        }
    };
    send(connection, exchange);
    EXPECT_TRUE(run_until_done(exchange));
    EXPECT_EQ(exchange.error(), "0");
    EXPECT_TRUE(exchange.body == sent);
    EXPECT_EQ(exchange.x.received, exchange.x.produced);
    EXPECT_EQ(connection.closed, "");
}

TEST_F(Server, DrainsItsConnections)
{
    start_echo();
    Connection &connection = open();
    Exchange exchange;
    send(connection, exchange);
    EXPECT_TRUE(run_until_done(exchange));
    http_server_drain(
        server, [](void *) {}, nullptr);
    EXPECT_TRUE(run([&] { return !connection.closed.empty(); }));
    EXPECT_EQ(connection.closed, "0");
}

// Many connections with requests of all kinds, some of which are closed at any point.
TEST_F(Server, AndAnythingAtAnyTime)
{
    client_options.depth = 4;
    start_echo();
    the_client();
    std::mt19937 random(7);
    const std::string content(50000, 'c');
    unsigned complete = 0, lost = 0;
    for (int round = 0; round < 60; round++) {
        std::list<Exchange> exchanges;
        std::list<Connection> some(4);
        for (Connection &connection : some)
            ASSERT_EQ(httpclient_connection_open(&connection.c, client, &address, 1), 0);
        for (int i = 0; i < 40; i++) {
            auto at = some.begin();
            std::advance(at, random() % some.size());
            Connection &connection = *at;
            size_t length = random() % content.size();
            unsigned kind = random() % 4;
            std::string body = content.substr(0, length);
            exchanges.emplace_back(
                kind == 0   ? get
                : kind == 1 ? "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: " +
                                  std::to_string(length) + "\r\n\r\n" + body
                : kind == 2 ? "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                            : "POST / HTTP/1.1\r\nHost: a\r\nExpect: "
                              "100-continue\r\nContent-Length: 9\r\n\r\n");
            Exchange &x = exchanges.back();
            x.message.content = kind == 3 ? "123456789" : nullptr;
            std::string expected = kind == 0 ? "hello /" : kind == 3 ? "123456789" : body;
            x.on_produce = [&x, body] {
                if (x.x.produced < body.size()) {
                    httpclient_produce(&x.x, body.data() + x.x.produced,
                                       std::min<size_t>(7000, body.size() - x.x.produced));
                } else {
                    httpclient_produce_end(&x.x);
                }
            };
            x.on_done = [&x, &complete, &lost, expected] {
                if (x.x.error == 0) {
                    EXPECT_EQ(x.body.size(), expected.size());
                }
                (x.x.error == 0 ? complete : lost)++;
            };
            if (random() % 60 == 0)
                x.on_body = [&connection](const auto *) {
                    httpclient_connection_close(&connection.c);
                };
            if (random() % 60 == 0)
                x.on_response = [&connection](const auto *) {
                    httpclient_connection_close(&connection.c);
                };
            if (httpclient_queue(&connection.c, &x.x) == 0)
                httpclient_flush(&connection.c);
            if (random() % 8 == 0)
                settle();
        }
        if (round % 2 == 0) {
            EXPECT_TRUE(run([&] {
                return std::all_of(exchanges.begin(), exchanges.end(), [](const Exchange &x) {
                    return x.done || x.x.connection == nullptr;
                });
            }));
        }
    }
    EXPECT_GT(complete, 500u);
    EXPECT_EQ(lost, 0u);
}
