// A server on a loopback or unix socket, a handler that tests script, and clients that live in the
// same loop. A test that includes this is linked with --wrap for the system calls counted below.

#ifndef HTTP_SERVER_FIXTURE_H
#define HTTP_SERVER_FIXTURE_H

#include "harness/harness.h"

#include <asynwsgi/http_server.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <deque>
#include <fcntl.h>
#include <functional>
#include <list>
#include <netinet/tcp.h>
#include <string>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <unistd.h>
#include <vector>

// -- System calls the libraries made -------------------------------------------------------------

struct Calls {
    unsigned long recv, send, sendfile, epoll_ctl, clock;
};
inline Calls calls;

// The errors of the next calls of sendfile(2), and what one takes at most.
inline std::deque<int> sendfile_errors;
inline size_t sendfile_most = SIZE_MAX;

const uint64_t millisecond = 1000000;

extern "C" {
ssize_t __real_recv(int fd, void *data, size_t length, int flags);
ssize_t __real_send(int fd, const void *data, size_t length, int flags);
ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __real_sendfile(int fd, int file, off_t *offset, size_t length);
int __real_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event);
int __real_clock_gettime(clockid_t clock, struct timespec *time);

inline __attribute__((used)) ssize_t __wrap_recv(int fd, void *data, size_t length, int flags)
{
    calls.recv++;
    return __real_recv(fd, data, length, flags);
}

inline __attribute__((used)) ssize_t __wrap_send(int fd, const void *data, size_t length, int flags)
{
    calls.send++;
    return __real_send(fd, data, length, flags);
}

inline __attribute__((used)) ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
    calls.send++;
    return __real_sendmsg(fd, message, flags);
}

inline __attribute__((used)) ssize_t __wrap_sendfile(int fd, int file, off_t *offset, size_t length)
{
    calls.sendfile++;
    int error = 0;
    if (!sendfile_errors.empty()) {
        error = sendfile_errors.front();
        sendfile_errors.pop_front();
    }
    if (error == 0)
        return __real_sendfile(fd, file, offset, std::min(length, sendfile_most));
    errno = error;
    return -1;
}

inline __attribute__((used)) int __wrap_epoll_ctl(int epoll, int operation, int fd,
                                                  struct epoll_event *event)
{
    calls.epoll_ctl++;
    return __real_epoll_ctl(epoll, operation, fd, event);
}

inline __attribute__((used)) int __wrap_clock_gettime(clockid_t clock, struct timespec *time);
}

// CLOCK_MONOTONIC without the machine's pauses: with a turn every millisecond, as until() has them,
// no more than 2 pass between two looks at it. So no time-out fires because the machine was slow.
inline uint64_t patient_clock()
{
    static uint64_t last, left_out;
    struct timespec time;
    __real_clock_gettime(CLOCK_MONOTONIC, &time);
    uint64_t now = static_cast<uint64_t>(time.tv_sec) * 1000 * millisecond +
                   static_cast<uint64_t>(time.tv_nsec);
    if (last != 0 && now - last > 2 * millisecond)
        left_out += now - last - 2 * millisecond;
    last = now;
    return now - left_out;
}

inline int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
    calls.clock += clock == CLOCK_REALTIME;
    if (clock != CLOCK_MONOTONIC)
        return __real_clock_gettime(clock, time);
    uint64_t now = patient_clock();
    *time = {static_cast<time_t>(now / (1000 * millisecond)),
             static_cast<long>(now % (1000 * millisecond))};
    return 0;
}

// -- Clients -------------------------------------------------------------------------------------

class Client {
  public:
    explicit Client(const struct tcpsocket_address &address, int receive_buffer = 0)
    {
        fd = socket(address.socket.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (receive_buffer > 0)
            setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        EXPECT_EQ(connect(fd, &address.socket.any, address.length), 0) << strerror(errno);
        fcntl(fd, F_SETFL, O_NONBLOCK);
    }

    Client(const Client &) = delete;
    Client &operator=(const Client &) = delete;

    ~Client()
    {
        close();
    }

    // Sends now what the kernel takes, and the rest in poll().
    void send(const std::string &data)
    {
        unsent += data;
        flush();
    }

    // Reads what is there, unless it is `stalled`.
    void poll()
    {
        flush();
        while (fd >= 0 && !stalled && !ended && !was_reset) {
            char buffer[65536];
            ssize_t n = __real_recv(fd, buffer, sizeof buffer, 0);
            if (n > 0)
                received.append(buffer, static_cast<size_t>(n));
            else if (n == 0)
                ended = true;
            else if (errno == EAGAIN)
                break;
            else
                was_reset = true;
        }
    }

    void shut()
    {
        shutdown(fd, SHUT_WR);
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

    bool closed() const
    {
        return ended || was_reset;
    }

    int fd;
    std::string received, unsent;
    bool ended = false, was_reset = false, stalled = false;

  private:
    void flush()
    {
        while (fd >= 0 && !unsent.empty()) {
            ssize_t n = __real_send(fd, unsent.data(), unsent.size(), MSG_NOSIGNAL);
            if (n < 0)
                break;
            unsent.erase(0, static_cast<size_t>(n));
        }
    }
};

// -- The server and its handler ------------------------------------------------------------------

struct Request {
    std::string method, target;
    struct http_framing framing;
};

using Headers = std::vector<std::pair<std::string, std::string>>;

inline int respond(struct http_connection *c, const std::string &status, const Headers &headers,
                   int64_t length)
{
    auto bytes = [](const std::string &s) {
        return reinterpret_cast<const unsigned char *>(s.data());
    };
    std::vector<struct http_header> fields;
    for (const auto &[name, value] : headers)
        fields.push_back({bytes(name), bytes(value), static_cast<uint32_t>(name.size()),
                          static_cast<uint32_t>(value.size())});
    struct http_response response = {static_cast<unsigned>(std::stoul(status)),
                                     bytes(status),
                                     static_cast<uint32_t>(status.size()),
                                     static_cast<uint32_t>(fields.size()),
                                     fields.data(),
                                     nullptr};
    return http_respond(c, &response, length);
}

inline int send(struct http_connection *c, const std::string &data)
{
    return http_send(c, data.data(), data.size());
}

inline void reply(struct http_connection *c, const std::string &body,
                  const std::string &status = "200 OK", const Headers &headers = {})
{
    EXPECT_EQ(respond(c, status, headers, static_cast<int64_t>(body.size())), 0);
    send(c, body);
    http_finish(c);
}

// The answer that reply() gives, without Date.
inline std::string answer(const std::string &body, const std::string &status = "200 OK")
{
    return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

// Without the Date fields, each of which has the right form.
inline std::string undated(std::string text)
{
    const size_t length = sizeof "Date: \r\n" - 1 + HTTP_DATE;
    for (size_t at = text.find("Date: "); at != std::string::npos; at = text.find("Date: ", at)) {
        std::string line = text.substr(at, length);
        struct tm parts = {};
        if (line.size() < length)
            break;
        const char *end = strptime(line.c_str(), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
        EXPECT_EQ(end, line.c_str() + length) << line;
        text.erase(at, length);
    }
    return text;
}

inline size_t count(const std::string &text, const std::string &what)
{
    size_t n = 0;
    for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
        n++;
    return n;
}

class ServerTest : public testing::Test {
  public:
    // What the handler does; by default it answers "hello" when it has the head.
    std::function<void(struct http_connection *, const Request &)> on_request =
        [](struct http_connection *c, const Request &) { reply(c, "hello"); };
    std::function<void(struct http_connection *, const std::string &, bool)> on_body =
        [](struct http_connection *, const std::string &, bool) {};
    std::function<void(struct http_connection *)> on_writable = [](struct http_connection *) {};
    std::function<bool(struct http_connection *)> on_receivable = [](struct http_connection *) {
        return true;
    };
    std::function<void(struct http_connection *)> on_abandoned = [](struct http_connection *) {};

    // What it saw: "GET /", "body abc", "trailer A: 1\r\n", "last", "writable", "abandoned".
    std::vector<std::string> events;
    // What the observer saw: "began GET /", "ended 200 5".
    std::vector<std::string> records;

    struct dispatch *loop = nullptr;
    struct http_server *server = nullptr;
    struct http_server_options options = {};
    struct tcpsocket_address address = {};
    int listener = -1;
    int send_buffer = 0; // of the server's sockets
    std::list<Client> clients;

    ServerTest()
    {
        EXPECT_EQ(dispatch_new(test_backend(), &loop), 0);
        EXPECT_EQ(tcpsocket_address_parse("127.0.0.1:0", &address), 0);
        options.loop = loop;
        options.handler = &handler;
        options.observer = &observer;
        options.context = this;
        options.limits = http_limits_default;
        options.timeouts = http_timeouts_default;
        tick.fired = [](struct dispatch_timer *timer) { dispatch_stop(timer->loop, 0); };
        EXPECT_EQ(dispatch_timer_add(loop, &tick), 0);
    }

    ~ServerTest() override
    {
        stop();
        dispatch_timer_remove(&tick);
        dispatch_free(loop);
    }

    void start()
    {
        ASSERT_EQ(http_server_new(&options, &server), 0);
        ASSERT_EQ(tcpsocket_listen(&address, 1024, false, &listener), 0);
        if (send_buffer > 0)
            setsockopt(listener, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
        getsockname(listener, &address.socket.any, &address.length);
        ASSERT_EQ(http_server_listen(server, listener), 0);
    }

    void stop()
    {
        http_server_free(server);
        server = nullptr;
        clients.clear();
        if (listener >= 0)
            close(listener);
        listener = -1;
    }

    // A new client, which the server has accepted.
    Client &client(int receive_buffer = 0)
    {
        if (server == nullptr)
            start();
        size_t before = http_server_connections(server);
        clients.emplace_back(address, receive_buffer);
        EXPECT_TRUE(until([&] { return http_server_connections(server) > before; }));
        return clients.back();
    }

    // A client that has sent `text`, run until its answer is `length` bytes without Date, or over.
    std::string ask(const std::string &text)
    {
        Client &c = client();
        c.send(text);
        EXPECT_TRUE(until([&] { return c.closed(); }));
        return undated(c.received);
    }

    // Run the loop and the clients until something holds; false: it did not in the time given.
    bool until(const std::function<bool()> &holds, unsigned milliseconds = 5000)
    {
        uint64_t end = patient_clock() + milliseconds * millisecond;
        for (unsigned turns = 0;; turns++) {
            for (Client &c : clients)
                c.poll();
            if (holds())
                return true;
            if (patient_clock() > end)
                return false;
            dispatch_timer_set(&tick, turns < 20 ? 0 : dispatch_now(loop) + millisecond);
            dispatch_run(loop);
        }
    }

    // Run until nothing happens any more at once.
    void pump()
    {
        unsigned turns = 0;
        until([&] { return turns++ == 12; });
    }

    void run_for(unsigned milliseconds)
    {
        until([] { return false; }, milliseconds);
    }

    size_t seen(const std::string &event) const
    {
        size_t n = 0;
        for (const std::string &e : events)
            n += e == event;
        return n;
    }

    size_t connections() const
    {
        return http_server_connections(server);
    }

    bool gone()
    {
        return until([&] { return connections() == 0; });
    }

  private:
    struct dispatch_timer tick = {};

    static ServerTest &of(const struct http_connection *c)
    {
        return *static_cast<ServerTest *>(http_connection_context(c));
    }

    static std::string span(const struct http_request *r, struct http_span s)
    {
        return std::string(reinterpret_cast<const char *>(r->message) + s.start, s.length);
    }

    static std::string line(const struct http_request *r)
    {
        return r == nullptr ? "?" : span(r, r->method) + " " + span(r, r->target);
    }

    static void request(struct http_connection *c, const struct http_request *r,
                        const struct http_framing *framing)
    {
        EXPECT_EQ(http_exchange(c), nullptr);
        of(c).events.push_back(line(r));
        of(c).on_request(c, {span(r, r->method), span(r, r->target), *framing});
    }

    static void body(struct http_connection *c, const struct http_piece *piece, bool last)
    {
        std::string data(reinterpret_cast<const char *>(piece->data), piece->length);
        if (!data.empty())
            of(c).events.push_back("body " + data);
        if (piece->trailer_length > 0)
            of(c).events.push_back(
                "trailer " +
                std::string(reinterpret_cast<const char *>(piece->trailer), piece->trailer_length));
        if (last)
            of(c).events.push_back("last");
        of(c).on_body(c, data, last);
    }

    static void writable(struct http_connection *c)
    {
        of(c).events.push_back("writable");
        of(c).on_writable(c);
    }

    static void abandoned(struct http_connection *c)
    {
        of(c).events.push_back("abandoned");
        of(c).on_abandoned(c);
    }

    static void began(struct http_connection *c, const struct http_request *r)
    {
        EXPECT_EQ(http_record(c), nullptr);
        http_record_set(c, &of(c));
        of(c).records.push_back("began " + line(r));
    }

    static void ended(struct http_connection *c)
    {
        EXPECT_EQ(http_record(c), &of(c));
        of(c).records.push_back("ended " + std::to_string(http_connection_status(c)) + " " +
                                std::to_string(http_connection_sent(c)));
    }

    static bool receives(struct http_connection *c)
    {
        return of(c).on_receivable(c);
    }

    static constexpr struct http_handler handler = {request, body, writable, abandoned, receives};
    static constexpr struct http_observer observer = {began, ended};
};

#endif
