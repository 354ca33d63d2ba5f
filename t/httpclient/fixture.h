// A client under test, and servers that tests script byte by byte, in one loop. The server side of
// http is at hand too: ServerTest::start().

#ifndef HTTPCLIENT_FIXTURE_H
#define HTTPCLIENT_FIXTURE_H

#include "http/server_fixture.h"

#include <asynwsgi/httpclient.h>

#include <memory>

inline std::string error_name(int error)
{
    return error == 0 ? "0" : strerrorname_np(-error);
}

// The server's end of a connection.
class Peer {
  public:
    explicit Peer(int descriptor) : fd(descriptor)
    {
        fcntl(fd, F_SETFL, O_NONBLOCK);
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }

    Peer(const Peer &) = delete;
    Peer &operator=(const Peer &) = delete;

    ~Peer()
    {
        close();
    }

    void send(const std::string &data)
    {
        unsent += data;
        poll();
    }

    void poll()
    {
        while (fd >= 0 && !unsent.empty()) {
            ssize_t n = __real_send(fd, unsent.data(), unsent.size(), MSG_NOSIGNAL);
            if (n < 0)
                break;
            unsent.erase(0, static_cast<size_t>(n));
        }
        while (fd >= 0 && !stalled && !ended) {
            char buffer[65536];
            ssize_t n = __real_recv(fd, buffer, sizeof buffer, 0);
            if (n > 0)
                received.append(buffer, static_cast<size_t>(n));
            else if (n < 0 && errno == EAGAIN)
                break;
            else
                ended = true;
        }
    }

    void close()
    {
        if (fd >= 0)
            ::close(fd);
        fd = -1;
    }

    void reset()
    {
        struct linger now = {1, 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close();
    }

    int fd;
    std::string received, unsent;
    bool ended = false, stalled = false;
};

class ClientTest;

// A connection, and what was heard of it.
struct Connection {
    struct httpclient_connection c = {};
    std::function<void(int)> on_closed = [](int) {};
    std::string closed; // the error's name; empty: it is open
    std::string tapped;

    Connection()
    {
        c.closed = [](struct httpclient_connection *connection, int error) {
            auto *self = reinterpret_cast<Connection *>(connection);
            EXPECT_EQ(self->closed, "");
            self->closed = error_name(error);
            self->on_closed(error);
        };
        c.tap = [](struct httpclient_connection *connection, const unsigned char *bytes,
                   size_t length) {
            reinterpret_cast<Connection *>(connection)
                ->tapped.append(reinterpret_cast<const char *>(bytes), length);
        };
    }

    Connection(const Connection &) = delete;
    Connection &operator=(const Connection &) = delete;

    ~Connection()
    {
        httpclient_connection_close(&c);
    }
};

// A message with its bytes, and an exchange of it with what was heard of that, one word to a
// callback: "interim 103", "response 200 sized 5", "trailer a: b", "done 0". Content is joined.
struct Exchange {
    struct httpclient_exchange x = {};
    struct httpclient_message message = {};
    std::string bytes, body;
    std::vector<std::string> events;
    bool done = false;
    std::function<void(const struct http_response_head *)> on_response = [](const auto *) {};
    std::function<void(const struct http_piece *)> on_body = [](const auto *) {};
    std::function<void()> on_interim = [] {}, on_produce = [] {}, on_done = [] {};

    explicit Exchange(const std::string &text = "GET / HTTP/1.1\r\nHost: a\r\n\r\n") : bytes(text)
    {
        EXPECT_EQ(httpclient_message_read(bytes.data(), bytes.size(), &message), HTTP_COMPLETE)
            << bytes;
        x.handler = &handler;
        x.message = &message;
    }

    Exchange(const Exchange &) = delete;
    Exchange &operator=(const Exchange &) = delete;

    // Its connection knows of it.
    ~Exchange()
    {
        if (x.connection != nullptr)
            httpclient_connection_close(x.connection);
    }

    // All events, separated by commas.
    std::string heard() const
    {
        std::string all;
        for (const std::string &event : events)
            all += (all.empty() ? "" : ", ") + event;
        return all;
    }

    std::string error() const
    {
        return error_name(x.error);
    }

  private:
    static Exchange &of(struct httpclient_exchange *exchange)
    {
        return *reinterpret_cast<Exchange *>(exchange);
    }

    static void response(struct httpclient_exchange *exchange,
                         const struct http_response_head *head, const struct http_framing *framing)
    {
        static const char *const bodies[] = {"none", "sized ", "chunked", "closed"};
        std::string event =
            "response " + std::to_string(head->status) + " " + bodies[framing->body];
        if (framing->body == HTTP_BODY_SIZED)
            event += std::to_string(framing->length);
        of(exchange).events.push_back(event);
        of(exchange).on_response(head);
    }

    static void interim(struct httpclient_exchange *exchange, const struct http_response_head *head)
    {
        of(exchange).events.push_back("interim " + std::to_string(head->status));
        of(exchange).on_interim();
    }

    static void piece(struct httpclient_exchange *exchange, const struct http_piece *piece)
    {
        Exchange &self = of(exchange);
        self.body.append(reinterpret_cast<const char *>(piece->data), piece->length);
        if (piece->trailer_length > 0)
            self.events.push_back(
                "trailer " +
                std::string(reinterpret_cast<const char *>(piece->trailer), piece->trailer_length));
        self.on_body(piece);
    }

    static void produce(struct httpclient_exchange *exchange)
    {
        of(exchange).on_produce();
    }

    static void finished(struct httpclient_exchange *exchange)
    {
        Exchange &self = of(exchange);
        EXPECT_FALSE(self.done);
        EXPECT_EQ(self.x.connection, nullptr);
        self.done = true;
        self.events.push_back("done " + error_name(exchange->error));
        self.on_done();
    }

    static constexpr struct httpclient_handler handler = {response, interim, piece, produce,
                                                          finished};
};

class ClientTest : public ServerTest {
  public:
    struct httpclient *client = nullptr;
    struct httpclient_options client_options = {};
    std::list<Peer> peers;
    std::list<Connection> connections_;

    ClientTest()
    {
        client_options.loop = loop;
        client_options.limits = http_limits_default;
        client_options.timeouts = httpclient_timeouts_default;
    }

    ~ClientTest() override
    {
        connections_.clear();
        httpclient_free(client);
        peers.clear();
        if (raw >= 0)
            ::close(raw);
    }

    // Listen for clients that are to be served by hand.
    void listen_raw()
    {
        ASSERT_EQ(tcpsocket_listen(&address, 1024, false, &raw), 0);
        getsockname(raw, &address.socket.any, &address.length);
    }

    struct httpclient *the_client()
    {
        if (client == nullptr) {
            EXPECT_EQ(httpclient_new(&client_options, &client), 0);
        }
        return client;
    }

    // A connection to `address`, being made.
    Connection &open()
    {
        if (raw < 0 && server == nullptr)
            listen_raw();
        connections_.emplace_back();
        EXPECT_EQ(httpclient_connection_open(&connections_.back().c, the_client(), &address, 1), 0);
        return connections_.back();
    }

    // A connection that is made, and the server's end of it.
    std::pair<Connection &, Peer &> connect()
    {
        size_t before = peers.size();
        Connection &connection = open();
        EXPECT_TRUE(run([&] { return peers.size() > before && connection.c.connected != 0; }));
        return {connection, peers.back()};
    }

    void queue(Connection &connection, Exchange &exchange)
    {
        EXPECT_EQ(httpclient_queue(&connection.c, &exchange.x), 0);
    }

    void send(Connection &connection, Exchange &exchange)
    {
        queue(connection, exchange);
        httpclient_flush(&connection.c);
    }

    // Run the loop, the servers by hand and their peers until something holds.
    bool run(const std::function<bool()> &holds, unsigned milliseconds = 5000)
    {
        return until(
            [&] {
                if (raw >= 0) {
                    int fd = accept4(raw, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
                    if (fd >= 0)
                        peers.emplace_back(fd);
                }
                for (Peer &peer : peers)
                    peer.poll();
                return holds();
            },
            milliseconds);
    }

    // Run until nothing happens any more at once.
    void settle()
    {
        unsigned turns = 0;
        run([&] { return turns++ == 12; });
    }

    bool run_until_done(Exchange &exchange)
    {
        return run([&] { return exchange.done; });
    }

    // Ask, and give what was heard when the server answers `response` and closes if told.
    std::string ask(const std::string &request, const std::string &response, bool closes = false)
    {
        auto [connection, peer] = connect();
        Exchange exchange(request);
        send(connection, exchange);
        EXPECT_TRUE(run([&] { return peer.received == request; }));
        peer.send(response);
        if (closes)
            peer.close();
        settle();
        httpclient_connection_close(&connection.c);
        return exchange.heard() + (exchange.body.empty() ? "" : ": " + exchange.body) +
               (connection.closed.empty() ? "" : "; closed " + connection.closed);
    }

  protected:
    int raw = -1;

    void TearDown() override
    {
        connections_.clear();
    }
};

inline const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

#endif
