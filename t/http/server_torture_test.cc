// Random clients against a handler that does random things, from everywhere it may. What must hold
// whatever happens: an exchange ends once, nothing is called for it afterwards, and nothing is
// left.

#include "http/server_fixture.h"

#include <random>
#include <set>
#include <sys/mman.h>

extern "C" {
#include "connection.h"
}

class ServerTorture : public ServerTest {
  public:
    struct Exchange {
        struct http_connection *connection;
        bool responded, body_over;
    };

    std::mt19937 random;
    int file = memfd_create("torture", MFD_CLOEXEC);
    std::set<Exchange *> open;
    size_t exchanges = 0;

    ServerTorture()
    {
        EXPECT_EQ(ftruncate(file, 400000), 0);
    }

    ~ServerTorture() override
    {
        ::close(file);
    }

    unsigned pick(unsigned n)
    {
        return static_cast<unsigned>(random() % n);
    }

    Exchange *of(struct http_connection *c)
    {
        auto *exchange = static_cast<Exchange *>(http_exchange(c));
        EXPECT_EQ(open.count(exchange), 1u);
        EXPECT_EQ(exchange->connection, c);
        return exchange;
    }

    void over(Exchange *exchange)
    {
        open.erase(exchange);
        delete exchange;
    }

    // One thing a handler may do with an exchange. It may be over afterwards.
    void act(Exchange *exchange)
    {
        struct http_connection *c = exchange->connection;
        switch (pick(14)) {
        case 0:
            http_want_body(c);
            break;
        case 1:
            http_hold_body(c);
            break;
        case 2:
            http_release_body(c);
            break;
        case 3:
            if (pick(4) == 0) {
                over(exchange);
                http_abort(c);
            }
            break;
        case 4:
            if (pick(4) == 0) {
                over(exchange);
                http_fail(c, 500);
            }
            break;
        case 5:
        case 6:
            finish(exchange);
            break;
        case 7:
            http_flush(c);
            break;
        case 8:
            http_watch_client(c, pick(2));
            break;
        case 9:
            http_client_gone(c);
            break;
        default:
            piece(exchange);
        }
    }

    void finish(Exchange *exchange)
    {
        struct http_connection *c = exchange->connection;
        bool responded = exchange->responded;
        over(exchange);
        if (!responded && respond(c, "200 OK", {}, 3) == 0)
            send(c, "abc");
        http_finish(c);
    }

    void piece(Exchange *exchange)
    {
        struct http_connection *c = exchange->connection;
        static const size_t sizes[] = {0, 1, 100, 5000, 70000, 300000};
        if (!exchange->responded) {
            exchange->responded = true;
            if (respond(c, "200 OK", {}, pick(2) ? -1 : 5100) != 0) {
                over(exchange);
                http_abort(c);
            }
            return;
        }
        size_t taken;
        for (unsigned n = pick(4); n > 0 && !http_full(c); n--)
            if (pick(3) > 0)
                send(c, std::string(sizes[pick(6)], 'x'));
            else
                http_send_file(c, file, pick(300000), sizes[pick(6)], &taken); // to its end, or not
    }

    // Something with some of the exchanges there are.
    void act_on_some()
    {
        for (unsigned n = pick(3); n > 0 && !open.empty(); n--) {
            auto chosen = open.begin();
            std::advance(chosen, pick(static_cast<unsigned>(open.size())));
            act(*chosen);
        }
    }

    std::string some_text()
    {
        static const std::string texts[] = {
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n\r\nHEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.0\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n123456789",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n" +
                std::string(300000, 'x'),
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            "3\r\nabc\r\n9\r\n123456789\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nX",
            "@\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n"};
        // The first ones more often.
        return texts[pick(3) ? pick(8) : pick(11)];
    }

    void some_client()
    {
        if (clients.size() < 6 && pick(3) == 0)
            clients.emplace_back(address, pick(2) ? 4096 : 0);
        for (Client &c : clients) {
            if (c.fd < 0)
                continue;
            switch (pick(40)) {
            case 0:
                c.close();
                break;
            case 1:
                c.reset();
                break;
            case 2:
                c.shut();
                break;
            case 3:
            case 4:
                c.stalled = !c.stalled;
                break;
            default:
                std::string text = some_text();
                size_t cut = pick(3) ? text.size() : pick(static_cast<unsigned>(text.size()));
                if (c.unsent.empty() && pick(2))
                    c.send(text.substr(pick(20) ? 0 : cut, cut));
            }
        }
        clients.remove_if(
            [&](const Client &c) { return c.fd < 0 || c.was_reset || (c.ended && pick(8) == 0); });
    }

    void torture(unsigned seed)
    {
        random.seed(seed);
        send_buffer = 8192;
        options.timeouts = {3 * millisecond, 3 * millisecond, 5 * millisecond, 4 * millisecond,
                            3 * millisecond, 1 << 20,         1 << 20};
        address.socket.v4.sin_port = 0;
        start();
        for (int round = 0; round < 400 && !HasFailure(); round++) {
            some_client();
            act_on_some();
            unsigned turns = pick(4);
            until([&] { return turns-- == 0; });
        }
        if (pick(2)) {
            bool drained = false;
            http_server_drain(
                server, [](void *done) { *static_cast<bool *>(done) = true; }, &drained);
            EXPECT_TRUE(until([&] {
                act_on_some();
                for (Client &c : clients) {
                    c.stalled = false;
                    if (c.ended)
                        c.close();
                }
                return drained;
            }));
            EXPECT_EQ(tcpsocket_pool_held(server->pool), 0u);
        }
        stop();
        EXPECT_TRUE(open.empty());
        size_t began = 0;
        for (const std::string &record : records)
            began += record[0] == 'b';
        EXPECT_EQ(records.size(), 2 * began);
        exchanges += began;
        events.clear();
        records.clear();
    }
};

TEST_F(ServerTorture, Random)
{
    on_request = [&](auto *c, const Request &r) {
        auto *exchange = new Exchange{c, false, r.framing.body == HTTP_BODY_NONE};
        open.insert(exchange);
        http_exchange_set(c, exchange);
        act(exchange);
        if (pick(4) == 0)
            act_on_some();
    };
    on_body = [&](auto *c, const std::string &, bool last) {
        Exchange *exchange = of(c);
        EXPECT_FALSE(exchange->body_over);
        exchange->body_over = last;
        act(exchange);
        if (pick(4) == 0)
            act_on_some();
    };
    on_writable = [&](auto *c) {
        EXPECT_TRUE(of(c)->responded);
        act(of(c));
        if (pick(4) == 0)
            act_on_some();
    };
    on_abandoned = [&](auto *c) {
        over(of(c));
        act_on_some();
    };
    unsigned seeds = 10, first = 1;
    if (const char *given = std::getenv("ASYNWSGI_TEST_SEED"))
        first = static_cast<unsigned>(std::stoul(given)), seeds = 200;
    for (unsigned seed = first; seed < first + seeds && !HasFailure(); seed++) {
        SCOPED_TRACE(seed);
        torture(seed);
    }
    EXPECT_GT(exchanges, 50u * seeds);
}
