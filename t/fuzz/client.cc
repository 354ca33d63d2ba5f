// A real client connection, with requests that are pipelined, and a server that answers with the
// bytes of the input and closes. However these arrive, and whether or not the client holds them
// back for a while, what it hears is the same; and it may close at any callback.

#include "fuzz/fuzz.h"

#include <asynwsgi/httpclient.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <unistd.h>

namespace {

void must(int result, const char *what)
{
    if (result != 0)
        fuzz_fail(std::string(what) + ": " + strerror(result < 0 ? -result : errno));
}

const char *const requests[] = {
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
    "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", // the last: nothing is pipelined behind it
};

// A request, and what was heard of it.
struct Exchange {
    struct httpclient_exchange x;
    struct httpclient_message message;
    class Session *session;
    std::string head, body, trailer; // of interim responses, too
    bool done;
};

class Session {
  public:
    std::vector<Exchange> exchanges;
    std::string tapped, problem;
    int closed = 1; // its error; 1: it is open

    Session(const struct http_limits &limits, const std::string &which, bool may_hold,
            unsigned closes_at)
        : holds(may_hold), quits(closes_at)
    {
        struct httpclient_options options = {};
        must(dispatch_new("poll", &loop), "dispatch_new");
        tick.fired = [](struct dispatch_timer *timer) { dispatch_stop(timer->loop, 0); };
        must(dispatch_timer_add(loop, &tick), "dispatch_timer_add");
        options.loop = loop;
        options.limits = limits;
        options.depth = 8;
        must(httpclient_new(&options, &client), "httpclient_new");
        connect();
        ask(which);
    }

    ~Session()
    {
        if (place)
            httpclient_connection_close(&place->connection);
        httpclient_free(client);
        dispatch_timer_remove(&tick);
        dispatch_free(loop);
        if (server >= 0)
            close(server);
        close(listener);
    }

    Session(const Session &) = delete;
    Session &operator=(const Session &) = delete;

    void arrive(const std::string &piece)
    {
        if (server >= 0 && send(server, piece.data(), piece.size(), MSG_NOSIGNAL) < 0)
            expect(errno == EPIPE, "send");
        turn();
    }

    void finish()
    {
        // Not both ways, as with TCP: a stream that is paused has then failed, whatever was
        // received.
        shutdown(server, SHUT_WR);
        for (int turns = 0; turns < 8 && closed == 1 && !has_quit; turns++)
            turn();
        expect(has_quit || closed != 1, "the connection does not end");
        for (const Exchange &exchange : exchanges)
            expect(has_quit || exchange.done, "an exchange does not end");
        expect(httpclient_memory(client) == 0, "memory is held");
    }

  private:
    struct Place {
        struct httpclient_connection connection;
        Session *session;
    };
    std::unique_ptr<Place> place = std::make_unique<Place>();
    struct dispatch *loop = nullptr;
    struct dispatch_timer tick = {};
    struct httpclient *client = nullptr;
    struct tcpsocket_address address = {};
    int listener = -1, server = -1;
    bool holds, held = false, has_quit = false, is_last = false;
    unsigned quits; // at this callback; 0: never

    void expect(bool so, const char *what)
    {
        if (!so && problem.empty())
            problem = what;
    }

    void turn()
    {
        for (int i = 0; i < 4; i++) {
            dispatch_timer_set(&tick, 0);
            dispatch_run(loop);
            if (held && closed == 1 && !has_quit)
                httpclient_release(&place->connection);
            held = false;
        }
    }

    void connect()
    {
        address.socket.local.sun_family = AF_UNIX; // with no name: the kernel finds one
        address.length = sizeof address.socket.local.sun_family;
        listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        must(bind(listener, &address.socket.any, address.length) || listen(listener, 1), "listen");
        address.length = sizeof address.socket.local;
        must(getsockname(listener, &address.socket.any, &address.length), "getsockname");
        place->session = this;
        place->connection.tap = [](struct httpclient_connection *c, const unsigned char *bytes,
                                   size_t length) {
            of(c).tapped.append(reinterpret_cast<const char *>(bytes), length);
        };
        place->connection.closed = [](struct httpclient_connection *c, int error) {
            of(c).expect(of(c).closed == 1, "closed twice");
            of(c).closed = error;
        };
        must(httpclient_connection_open(&place->connection, client, &address, 1), "open");
        server = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    }

    // All is sent before anything is answered.
    void ask(const std::string &which)
    {
        size_t wanted = 0, got = 0;
        char received[1024];
        exchanges.resize(which.size());
        for (size_t i = 0; i < which.size(); i++) {
            Exchange &exchange = exchanges[i];
            const char *text = requests[static_cast<unsigned char>(which[i]) %
                                        (sizeof requests / sizeof *requests)];
            must(httpclient_message_read(text, strlen(text), &exchange.message), "message");
            exchange.session = this;
            exchange.x.handler = &handler;
            exchange.x.message = &exchange.message;
            must(httpclient_queue(&place->connection, &exchange.x), "queue");
            wanted += strlen(text);
            if (exchange.message.closes || !exchange.message.is_idempotent) {
                exchanges.resize(i + 1);
                break;
            }
        }
        httpclient_flush(&place->connection);
        for (int turns = 0; turns < 8 && got < wanted; turns++) {
            turn();
            ssize_t n = recv(server, received, sizeof received, 0);
            got += n > 0 ? static_cast<size_t>(n) : 0;
        }
        expect(got == wanted, "requests that were not sent");
    }

    static Session &of(struct httpclient_connection *c)
    {
        return *reinterpret_cast<Place *>(c)->session;
    }

    static Exchange &of(struct httpclient_exchange *x)
    {
        return *reinterpret_cast<Exchange *>(x);
    }

    // Something was heard: what the client does then.
    void heard(const Exchange &exchange)
    {
        expect(!has_quit, "a callback after the connection was closed");
        expect(!exchange.done, "a callback after the end");
        if (quits > 0 && --quits == 0) {
            has_quit = true;
            httpclient_connection_close(&place->connection);
            place.reset();
        } else if (holds && !exchange.done) {
            held = true;
            httpclient_hold(&place->connection);
        }
    }

    static void head(struct httpclient_exchange *x, const struct http_response_head *head)
    {
        of(x).session->expect(!of(x).session->held, "a head while it is held");
        of(x).session->expect(!of(x).session->is_last, "a response behind the last");
        of(x).head += std::to_string(head->status) + " ";
        of(x).head.append(reinterpret_cast<const char *>(head->message), head->length);
        of(x).session->heard(of(x));
    }

    static const struct httpclient_handler handler;
};

const struct httpclient_handler Session::handler = {
    [](struct httpclient_exchange *x, const struct http_response_head *response,
       const struct http_framing *framing) {
        Exchange &exchange = of(x);
        exchange.head += "final " + std::to_string(framing->body) + " " +
                         std::to_string(framing->length) + (framing->persistent ? "+" : "-");
        head(x, response);
        exchange.session->is_last = !framing->persistent;
    },
    head,
    [](struct httpclient_exchange *x, const struct http_piece *piece) {
        Exchange &exchange = of(x);
        exchange.session->expect(!exchange.session->held, "a body while it is held");
        exchange.body.append(reinterpret_cast<const char *>(piece->data), piece->length);
        exchange.trailer.append(reinterpret_cast<const char *>(piece->trailer),
                                piece->trailer_length);
        exchange.session->expect(x->received == exchange.body.size(), "a count that is wrong");
        exchange.session->heard(exchange);
    },
    nullptr,
    [](struct httpclient_exchange *x) {
        Exchange &exchange = of(x);
        Session &session = *exchange.session;
        bool whole = x->progress == HTTPCLIENT_COMPLETE;
        session.expect(whole == (x->error == 0), "whole, or an error");
        session.expect((x->error == -EPROTO) == (x->fault != HTTP_COMPLETE), "a fault, or none");
        session.heard(exchange);
        exchange.done = true;
    }};

bool begins(const std::string &whole, const std::string &part)
{
    return whole.compare(0, part.size(), part) == 0;
}

// Of a body that is broken so much may have been handed on, or less.
bool agree(const Exchange &a, const Exchange &b, const std::string Exchange::*member)
{
    return a.x.error == 0 ? a.*member == b.*member
                          : begins(a.*member, b.*member) || begins(b.*member, a.*member);
}

std::string compare(const Session &one, const Session &other)
{
    if (one.closed != other.closed)
        return "another end of the connection";
    for (size_t i = 0; i < one.exchanges.size(); i++) {
        const Exchange &a = one.exchanges[i], &b = other.exchanges[i];
        if (a.x.error != b.x.error || a.x.fault != b.x.fault || a.x.progress != b.x.progress ||
            a.x.status != b.x.status)
            return "another end of an exchange";
        if (a.head != b.head)
            return "another head";
        if (!agree(a, b, &Exchange::body) || !agree(a, b, &Exchange::trailer))
            return "another body";
    }
    return "";
}

std::string describe(const Session &session)
{
    std::string text = "\nclosed " + std::to_string(session.closed);
    for (const Exchange &exchange : session.exchanges)
        text += "\n" + exchange.head + "\nbody " + exchange.body + "\ntrailer " + exchange.trailer +
                "\nerror " + std::to_string(exchange.x.error) + ", fault " +
                std::to_string(exchange.x.fault);
    return text;
}

void play(Session &session, const Arrival &arrival, const std::vector<size_t> &cuts)
{
    size_t start = 0;
    for (size_t cut : cuts) {
        session.arrive(arrival.bytes.substr(start, cut - start));
        start = cut;
    }
    session.arrive(arrival.bytes.substr(start));
    session.finish();
    if (session.problem.empty() && !begins(arrival.bytes, session.tapped))
        session.problem = "the tap sees what was not sent";
    if (!session.problem.empty())
        fuzz_fail(session.problem + describe(session));
}

} // namespace

// Each response of the pages to each request, and two of them to two.
std::vector<std::string> fuzz_seeds()
{
    static const std::string both =
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"
        "HTTP/1.1 103 A\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3;a\r\nabc\r\n0\r\nA: b\r\n\r\n";
    static const std::string last = "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n";
    // How many requests there are besides the first, which, whether to hold, when to close.
    static const std::string which[] = {
        std::string("\0\0\0\0", 4),   std::string("\0\1\0\0", 4),     std::string("\1\0\0\0\1", 5),
        std::string("\1\1\2\1\0", 5), std::string("\2\0\0\2\1\2", 6), std::string("\0\3\1\3", 4),
        std::string("\1\0\4\0\2", 5)};
    std::vector<std::string> seeds;
    size_t number = 0;
    auto same = [](const std::string &message) { return message; };
    for (const std::string &seed : fuzz_page_seeds(same, true)) {
        seeds.push_back(which[0] + seed);
        seeds.push_back(which[number++ % (sizeof which / sizeof *which)] + seed);
    }
    for (const std::string &requests_of : which) {
        seeds.push_back(requests_of + fuzz_seed(both));
        seeds.push_back(requests_of + fuzz_seed(last + both));
        seeds.push_back(requests_of + std::string("\x03\x10\x10\x10") + both + "more");
    }
    return seeds;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Input input(data, size);
    std::string which = input.choices(1 + input.choice() % 4);
    if (which.empty())
        return 0;
    bool holds = input.choice() % 2;
    unsigned quits = input.choice() % 8;
    Arrival arrival = fuzz_arrival(input);
    arrival.limits.head = std::min(arrival.limits.head, http_limits_default.head);
    arrival.cuts.resize(std::min<size_t>(arrival.cuts.size(), 40));
    Session whole(arrival.limits, which, false, 0), cut(arrival.limits, which, holds, 0);
    play(whole, arrival, {});
    play(cut, arrival, arrival.cuts);
    std::string problem = compare(whole, cut);
    if (!problem.empty())
        fuzz_fail(problem + describe(whole) + "\n--" + describe(cut));
    Session quitting(arrival.limits, which, holds, quits);
    play(quitting, arrival, arrival.cuts);
    return 0;
}
