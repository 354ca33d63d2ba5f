// A real server connection, its handler doing one thing or another at every turn. Whatever it does,
// what it sees are the requests that the oracle reads, the bodies too, as far as it gets; and if it
// just answers, it sees them all, and a fault is answered as it should be.

#include "fuzz/answers.h"
#include "fuzz/fuzz.h"
#include "http/oracle.h"

#include <asynwsgi/http_server.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <memory>
#include <unistd.h>

// -- Time passes when an input says so

static uint64_t now = 1;

extern "C" {
int __real_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time);

int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
    if (clock != CLOCK_MONOTONIC)
        return __real_clock_gettime(clock, time);
    now++;
    *time = {static_cast<time_t>(now / 1000000000), static_cast<long>(now % 1000000000)};
    return 0;
}
}

namespace {

void must(int result, const char *what)
{
    if (result != 0)
        fuzz_fail(std::string(what) + ": " + strerror(result < 0 ? -result : errno));
}

class Session {
  public:
    std::vector<Seen> seen;
    std::string received; // by the client
    std::string problem;  // the first; callbacks must not throw
    bool was_closed = false;

    // With an empty script every request is answered when it is whole.
    Session(const struct http_limits &limits, const std::string &its_script) : script(its_script)
    {
        struct http_server_options options = {};
        must(dispatch_new("poll", &loop), "dispatch_new");
        tick.fired = [](struct dispatch_timer *timer) { dispatch_stop(timer->loop, 0); };
        must(dispatch_timer_add(loop, &tick), "dispatch_timer_add");
        options.loop = loop;
        options.handler = &handler;
        options.observer = &observer;
        options.context = options.observer_context = this;
        options.limits = limits;
        options.name = "fuzz";
        options.timeouts = http_timeouts_default;
        must(http_server_new(&options, &server), "http_server_new");
        connect_client();
    }

    ~Session()
    {
        http_server_free(server); // if something was thrown
        dispatch_timer_remove(&tick);
        dispatch_free(loop);
        if (client >= 0)
            close(client);
        close(listener);
    }

    void arrive(const std::string &piece)
    {
        size_t sent = 0;
        for (int tries = 0; tries < 8 && sent < piece.size(); tries++) {
            ssize_t n = send(client, piece.data() + sent, piece.size() - sent, MSG_NOSIGNAL);
            sent += n > 0 ? static_cast<size_t>(n) : 0;
            turn();
        }
        outside();
    }

    // The client has nothing more to say, and waits for what comes; or one of the two goes.
    void finish()
    {
        unsigned what = acts() ? next() : 0;
        if (what % 8 == 1)
            hang_up();
        else
            shutdown(client, SHUT_WR);
        stalled = false;
        for (int turns = 0; turns < 40 && !was_closed && what % 8 != 2; turns++) {
            turn();
            if (acts() && open != nullptr)
                complete();
        }
        turn();
        http_server_free(server);
        server = nullptr;
        expect(began == ended, "an exchange was not ended");
        expect(open == nullptr, "a handler was not told of an end");
    }

  private:
    const std::string script;
    size_t step = 0;
    struct dispatch *loop = nullptr;
    struct dispatch_timer tick = {};
    struct http_server *server = nullptr;
    int listener = -1, client = -1;
    bool stalled = false, responded = false, held = false, drains = false;
    struct http_connection *open = nullptr; // the exchange under way
    size_t began = 0, ended = 0;

    static Session &of(struct http_connection *c)
    {
        return *static_cast<Session *>(http_connection_context(c));
    }

    bool acts() const
    {
        return !script.empty();
    }

    unsigned next()
    {
        return static_cast<unsigned char>(script[step++ % script.size()]);
    }

    void expect(bool holds, const char *what)
    {
        if (!holds && problem.empty())
            problem = what;
    }

    // -- The client

    void connect_client()
    {
        struct sockaddr_un address = {};
        socklen_t length = sizeof address.sun_family;
        address.sun_family = AF_UNIX; // with no name: the kernel finds one
        auto *any = reinterpret_cast<struct sockaddr *>(&address);
        listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        must(bind(listener, any, length) || listen(listener, 1), "listen");
        length = sizeof address;
        must(getsockname(listener, any, &length), "getsockname");
        must(http_server_listen(server, listener), "http_server_listen");
        client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        must(connect(client, any, length), "connect");
        fcntl(client, F_SETFL, O_NONBLOCK);
        turn();
    }

    void hang_up()
    {
        if (client >= 0)
            close(client);
        client = -1;
        was_closed = true;
    }

    void receive()
    {
        static char buffer[65536];
        ssize_t n;
        while (client >= 0 && (n = recv(client, buffer, sizeof buffer, 0)) >= 0) {
            received.append(buffer, static_cast<size_t>(n));
            if (n == 0) {
                was_closed = true;
                break;
            }
        }
    }

    void turn()
    {
        for (int i = 0; i < 2; i++) {
            dispatch_timer_set(&tick, 0);
            dispatch_run(loop);
        }
        if (!stalled)
            receive();
    }

    // What happens without the connection's doing.
    void outside()
    {
        if (!acts())
            return;
        unsigned what = next();
        if (what % 16 == 0)
            stalled = !stalled;
        if (what % 16 == 1)
            now += uint64_t{1000000000} << (what / 16 % 8); // up to 128 s
        if (what % 64 == 2 && !drains) {
            drains = true;
            http_server_drain(
                server, [](void *) {}, nullptr);
        }
        if (what % 2 == 0 && open != nullptr)
            act();
        turn();
    }

    // -- The handler

    void request(struct http_connection *c, const struct http_request *r,
                 const struct http_framing *framing)
    {
        auto text = [&](struct http_span span) {
            return std::string(reinterpret_cast<const char *>(r->message) + span.start,
                               span.length);
        };
        bool none = framing->body != HTTP_BODY_CHUNKED && framing->length == 0;
        expect(open == nullptr, "a request within another");
        expect(http_exchange(c) == nullptr, "an exchange that is not new");
        http_exchange_set(c, this);
        open = c;
        responded = held = false;
        seen.push_back({text(r->method), text(r->target), "", *framing, none});
        if (acts())
            act();
        else if (none)
            complete();
    }

    void body(struct http_connection *c, const struct http_piece *piece, bool last)
    {
        expect(c == open && http_exchange(c) == this, "a body without a request");
        expect(!held, "a body that was to wait");
        expect(!seen.back().whole, "a body behind its end");
        expect(last || piece->length > 0 || piece->trailer_length > 0, "a piece of nothing");
        seen.back().body.append(reinterpret_cast<const char *>(piece->data), piece->length);
        seen.back().whole |= last;
        if (acts())
            act();
        else if (last)
            complete();
    }

    // Whether a response has begun; otherwise the exchange is over.
    bool respond(int64_t length, unsigned which)
    {
        static const auto header = [](const char *name, const char *value) {
            auto bytes = [](const char *text) {
                return reinterpret_cast<const unsigned char *>(text);
            };
            return http_header{bytes(name), bytes(value), static_cast<uint32_t>(strlen(name)),
                               static_cast<uint32_t>(strlen(value))};
        };
        static const http_header headers[] = {
            header("X", ""),       header("Connection", "close"), header("Content-Length", "5100"),
            header("Date", "now"), header("Server", "me"),        header("Content-Length", "+1")};
        static const char *const texts[] = {"200 OK", "204 No Content", "304 Not Modified", "599 "};
        const char *text = texts[which / 8 % 4];
        struct http_response response = {static_cast<unsigned>(strtoul(text, nullptr, 10)),
                                         reinterpret_cast<const unsigned char *>(text),
                                         static_cast<uint32_t>(strlen(text)),
                                         which % 8 % 7,
                                         headers,
                                         nullptr};
        struct http_connection *c = open;
        responded = http_respond(c, &response, length) == 0;
        expect(responded || which % 8 == 6, "http_respond");
        if (!responded) {
            open = nullptr;
            http_abort(c);
        }
        return responded;
    }

    void complete()
    {
        struct http_connection *c = open;
        if (!responded && !respond(0, 0))
            return;
        open = nullptr;
        http_finish(c);
    }

    void piece(unsigned what)
    {
        static const std::string data(60000, 'x');
        static const size_t sizes[] = {0, 1, 100, 5000, 60000};
        if (!responded)
            respond(what % 3 == 0 ? -1 : what % 3 == 1 ? 5100 : 600001, next());
        else if (!http_full(open))
            http_send(open, data.data(), sizes[what % 5]); // may fail, when the client is gone
        for (int i = 0; what == 15 && open != nullptr && !http_full(open) && i < 8; i++)
            http_send(open, data.data(), data.size());
    }

    void act()
    {
        struct http_connection *c = open;
        unsigned what = next();
        switch (what % 16) {
        case 0:
            open = nullptr;
            http_abort(c);
            break;
        case 1:
            open = nullptr;
            http_fail(c, 500);
            break;
        case 2:
            http_want_body(c);
            break;
        case 3:
            held = true;
            http_hold_body(c);
            break;
        case 4:
            held = false;
            http_release_body(c);
            break;
        case 5:
            http_flush(c);
            break;
        case 6:
        case 7:
        case 8:
            complete();
            break;
        case 9:
            break;
        case 10:
            http_watch_client(c, what / 16 % 2 == 0);
            http_client_gone(c);
            break;
        default:
            piece(what / 16);
        }
    }

    static const struct http_handler handler;
    static const struct http_observer observer;
};

const struct http_handler Session::handler = {
    [](struct http_connection *c, const struct http_request *r,
       const struct http_framing *framing) { of(c).request(c, r, framing); },
    [](struct http_connection *c, const struct http_piece *piece, bool last) {
        of(c).body(c, piece, last);
    },
    [](struct http_connection *c) {
        of(c).expect(c == of(c).open && of(c).responded, "writable without a response");
        if (of(c).acts())
            of(c).act();
    },
    [](struct http_connection *c) {
        of(c).expect(c == of(c).open, "abandoned without a request");
        of(c).open = nullptr;
    },
    [](struct http_connection *c) {
        of(c).expect(c == of(c).open, "more of a body without a request");
        return !of(c).acts();
    }};

const struct http_observer Session::observer = {
    [](struct http_connection *c, const struct http_request *) {
        of(c).expect(of(c).began++ == of(c).ended, "an exchange within another");
        of(c).expect(http_record(c) == nullptr, "a record that is not new");
        http_record_set(c, &of(c));
    },
    [](struct http_connection *c) {
        of(c).expect(++of(c).ended == of(c).began, "an exchange ended twice");
        of(c).expect(http_record(c) == &of(c), "another record");
        of(c).expect(http_connection_status(c) != 0 || http_connection_sent(c) == 0,
                     "a body without a head");
        of(c).expect(http_connection_began(c) <= dispatch_now(of(c).loop), "it begins later");
    }};

// Every request seen is one the oracle reads, in order, and its body is right as far as it goes.
std::string check_seen(const std::vector<Seen> &seen, const Reading &right)
{
    if (seen.size() > right.messages.size())
        return "a request too many";
    for (size_t i = 0; i < seen.size(); i++) {
        const Message &message = right.messages[i];
        const Seen &it = seen[i];
        if (it.method != message.method || it.target != message.target)
            return "another request";
        if (it.framing.body != message.body || it.framing.length != message.length ||
            it.framing.persistent != message.persistent)
            return "another framing";
        if (it.body != message.content.substr(0, it.body.size()))
            return "another body";
        if (it.whole && (!message.whole || it.body != message.content))
            return "a body that is not whole";
    }
    return "";
}

// The statuses with which all that came is to be answered, but for the last if there are faults.
std::vector<std::string> statuses(const Reading &right, bool *faulty)
{
    std::vector<std::string> all;
    *faulty = right.end == End::REFUSED;
    for (const Message &message : right.messages) {
        if (!message.whole && right.end == End::INCOMPLETE)
            all.push_back("400");
        else if (message.whole)
            all.push_back("200");
        if (message.form == HTTP_TARGET_AUTHORITY && message.whole) {
            *faulty = false; // what follows a 200 to CONNECT is no request
            break;
        }
    }
    return all;
}

// What a handler that just answers must lead to.
std::string check_answers(const std::string &received, const Reading &right)
{
    const std::string begin = "HTTP/1.1 ";
    bool faulty;
    std::vector<std::string> wanted = statuses(right, &faulty), found;
    for (size_t at = 0; (at = received.find(begin, at)) != std::string::npos; at += begin.size())
        found.push_back(received.substr(at + begin.size(), 3));
    if (faulty) {
        auto is_last = [&](enum http_fault fault) {
            return !found.empty() && found.back() == std::to_string(http_fault_status(fault));
        };
        if (std::none_of(right.faults.begin(), right.faults.end(), is_last))
            return "another answer to what is faulty";
        found.pop_back();
    }
    return found == wanted ? "" : "other answers";
}

} // namespace

// Each request of the pages without a script, and with one; and some pairs with all of them.
std::vector<std::string> fuzz_seeds()
{
    static const std::string scripts[] = {
        "\x06",                                 // answer at once
        "\x03\x0f\x04",                         // hold the body, answer, release it
        "\x02\x09\x09\x04\x06",                 // want it
        "\xff\x10\x08\xff\xff\xff",             // send much
        "\x2f\x0b\x4b\x10\x06",                 // stall
        std::string("\x0f\x07\x1f\x00\x2f", 5), // with various heads; abort
        "\x09\x01\x11\x71\x61",                 // let time pass
        "\x09\x02\x06",                         // drain
        "\x0a\x01\x02",                         // fail
        std::string("\x0b\x00\x04\x06", 4),     // a length that is not told
        std::string("\x0b\x00\x04\x00", 4),     // and no end either
        "\x02\x71",                             // wait for the body too long
        std::string("\x10\xfb\x00\x71\x71", 5), // send much, which nobody takes: for too long
        std::string("\x10\xfb\x00\x04\x06", 5), // and there is another request
        "\x0a\x19",                             // see the client leave
    };
    static const std::string pairs[] = {
        "GET / HTTP/1.1\r\nHost: a\r\n\r\nHEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
        "GET /2 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc"
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    };
    std::vector<std::string> seeds;
    auto add = [&](const std::string &script, const std::string &arrival) {
        seeds.push_back(static_cast<char>(script.size()) + script + arrival);
    };
    size_t number = 0;
    for (const std::string &seed :
         fuzz_page_seeds([](const std::string &message) { return message; })) {
        add("", seed);
        add(scripts[number++ % (sizeof scripts / sizeof *scripts)], seed);
    }
    for (const std::string &script : scripts)
        for (const std::string &pair : pairs) {
            add(script, fuzz_seed(pair));
            // The head in two pieces, and what is behind it.
            char head = static_cast<char>(pair.find("\r\n\r\n") + 4 - 9);
            add(script, std::string("\x02\x09") + head + pair);
        }
    return seeds;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Input input(data, size);
    std::string script = input.choices(input.choice() & 15);
    Arrival arrival = fuzz_arrival(input);
    arrival.limits.head = std::min(arrival.limits.head, http_limits_default.head);
    Reading right = oracle_read(arrival.bytes, arrival.limits);
    std::string problem;
    {
        Session session(arrival.limits, script);
        size_t start = 0;
        arrival.cuts.resize(std::min<size_t>(arrival.cuts.size(), 40));
        for (size_t cut : arrival.cuts) {
            session.arrive(arrival.bytes.substr(start, cut - start));
            start = cut;
        }
        session.arrive(arrival.bytes.substr(start));
        session.finish();
        problem = session.problem;
        if (problem.empty())
            problem = check_seen(session.seen, right);
        if (problem.empty())
            problem = AnswerReader(session.received, session.seen).read();
        if (problem.empty() && script.empty())
            problem = check_answers(session.received, right);
        if (!problem.empty())
            problem += "\nseen: " + std::to_string(session.seen.size()) + "\n" +
                       session.received.substr(0, 5000);
    }
    if (!problem.empty())
        fuzz_fail(problem + "\nthe oracle:\n" + describe(right));
    return 0;
}
