// Connections being made: addresses in turn, failures, names resolved in threads.

#include "httpclient/fixture.h"

#include <arpa/inet.h>
#include <condition_variable>
#include <mutex>
#include <netdb.h>
#include <thread>

// -- System calls that fail, and a resolver that answers when it is told to ----------------------

static std::deque<int> socket_errors, connect_errors;

static std::mutex resolver_lock;
static std::condition_variable resolver_change;
static bool resolver_waits;
static unsigned long lookups, lookups_ended, lookups_expected;
static int resolver_error;

extern "C" {
int __real_socket(int, int, int);
int __wrap_socket(int, int, int);
int __real_connect(int, const struct sockaddr *, socklen_t);
int __wrap_connect(int, const struct sockaddr *, socklen_t);
int __real_getaddrinfo(const char *, const char *, const struct addrinfo *, struct addrinfo **);
int __wrap_getaddrinfo(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int __wrap_socket(int family, int type, int protocol)
{
    if (socket_errors.empty())
        return __real_socket(family, type, protocol);
    errno = socket_errors.front();
    socket_errors.pop_front();
    return -1;
}

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length)
{
    if (connect_errors.empty())
        return __real_connect(fd, address, length);
    errno = connect_errors.front();
    connect_errors.pop_front();
    return -1;
}

// Names are not asked of the machine's resolver: "many" has many addresses, all others two.
int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **found)
{
    if (hints->ai_flags & AI_NUMERICHOST)
        return __real_getaddrinfo(host, service, hints, found);
    std::unique_lock<std::mutex> lock(resolver_lock);
    lookups++;
    resolver_change.wait(lock, [] { return !resolver_waits; });
    lookups_ended++;
    resolver_change.notify_all();
    if (resolver_error != 0)
        return resolver_error;
    struct addrinfo *list = nullptr, **end = &list;
    for (int i = 0; i < (strcmp(host, "many") == 0 ? 40 : 2); i++) {
        std::string text = i == 1 ? "::1" : "127.0.0." + std::to_string(i + 1);
        __real_getaddrinfo(text.c_str(), service, hints, end);
        while (*end != nullptr)
            end = &(*end)->ai_next;
    }
    *found = list;
    return 0;
}
}

static struct dispatch *dispatch_of; // for callbacks that capture nothing

class Connect : public ClientTest {
  public:
    Connect()
    {
        resolver_waits = false;
        resolver_error = 0;
        lookups = lookups_ended = lookups_expected = 0;
    }

    ~Connect() override
    {
        release();
        std::unique_lock<std::mutex> lock(resolver_lock);
        resolver_change.wait(
            lock, [] { return lookups >= lookups_expected && lookups_ended == lookups; });
        resolver_error = 0; // tcpsocket_address_parse() asks it, too
        socket_errors.clear();
        connect_errors.clear();
    }

    static void hold()
    {
        std::lock_guard<std::mutex> lock(resolver_lock);
        resolver_waits = true;
    }

    static void release()
    {
        std::lock_guard<std::mutex> lock(resolver_lock);
        resolver_waits = false;
        resolver_change.notify_all();
    }

    // An address at which nobody listens.
    struct tcpsocket_address nobody()
    {
        struct tcpsocket_address closed;
        EXPECT_EQ(tcpsocket_address_parse("127.0.0.1:0", &closed), 0);
        int fd = __real_socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        EXPECT_EQ(bind(fd, &closed.socket.any, closed.length), 0);
        getsockname(fd, &closed.socket.any, &closed.length);
        bound.push_back(fd);
        return closed;
    }

    void TearDown() override
    {
        for (int fd : bound)
            close(fd);
        ClientTest::TearDown();
    }

    std::vector<int> bound;
};

TEST_F(Connect, OverAUnixSocket)
{
    std::string name = "unix:@asynwsgi-httpclient-" + std::to_string(getpid());
    ASSERT_EQ(tcpsocket_address_parse(name.c_str(), &address), 0);
    listen_raw();
    ASSERT_EQ(tcpsocket_address_parse(name.c_str(), &address), 0);
    EXPECT_EQ(ask(get, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"),
              "response 200 sized 2, done 0: hi");
}

TEST_F(Connect, RefusedIsToldToAllExchanges)
{
    struct tcpsocket_address closed = nobody();
    Connection connection;
    Exchange a, b;
    ASSERT_EQ(httpclient_connection_open(&connection.c, the_client(), &closed, 1), 0);
    queue(connection, a);
    send(connection, b);
    EXPECT_EQ(connection.closed, "");
    EXPECT_TRUE(until([&] { return !connection.closed.empty(); }));
    EXPECT_EQ(connection.closed, "ECONNREFUSED");
    for (Exchange *exchange : {&a, &b}) {
        EXPECT_EQ(exchange->error(), "ECONNREFUSED");
        EXPECT_TRUE(httpclient_may_retry(&exchange->x));
    }
    EXPECT_EQ(connection.c.connected, 0u);
    EXPECT_EQ(httpclient_queue(&connection.c, &a.x), -ESHUTDOWN);
}

TEST_F(Connect, EachAddressIsTried)
{
    listen_raw();
    struct tcpsocket_address addresses[] = {nobody(), nobody(), address, nobody()};
    Connection connection;
    Exchange exchange;
    ASSERT_EQ(httpclient_connection_open(&connection.c, the_client(), addresses, 4), 0);
    send(connection, exchange);
    EXPECT_TRUE(run([&] { return !peers.empty() && peers.back().received == get; }));
    peers.back().send("HTTP/1.1 204 OK\r\n\r\n");
    EXPECT_TRUE(run_until_done(exchange));
    EXPECT_EQ(exchange.error(), "0");
}

TEST_F(Connect, WhatCannotBeTriedIsPassedOver)
{
    listen_raw();
    struct tcpsocket_address addresses[] = {address, address, address};
    Connection connection;
    connect_errors = {ENETUNREACH, EADDRNOTAVAIL};
    ASSERT_EQ(httpclient_connection_open(&connection.c, the_client(), addresses, 3), 0);
    EXPECT_TRUE(run([&] { return connection.c.connected != 0; }));
    connection.closed.clear();
    httpclient_connection_close(&connection.c);
    connect_errors = {ENETUNREACH, EADDRNOTAVAIL, ENETUNREACH};
    EXPECT_EQ(httpclient_connection_open(&connection.c, client, addresses, 3), -ENETUNREACH);
    socket_errors = {EMFILE};
    EXPECT_EQ(httpclient_connection_open(&connection.c, client, addresses, 1), -EMFILE);
    EXPECT_EQ(httpclient_connection_open(&connection.c, client, addresses, 0), -EINVAL);
    EXPECT_EQ(httpclient_connection_open(&connection.c, client, addresses, 1), 0);
    EXPECT_EQ(httpclient_connection_open(&connection.c, client, addresses, 1), -EBUSY);
}

TEST_F(Connect, MayBeGivenUp)
{
    Connection &connection = open();
    Exchange exchange;
    send(connection, exchange);
    httpclient_connection_close(&connection.c);
    httpclient_connection_close(&connection.c);
    settle();
    EXPECT_EQ(connection.closed, "");
    EXPECT_FALSE(exchange.done);
    EXPECT_EQ(exchange.x.connection, nullptr);
}

// -- Resolving -----------------------------------------------------------------------------------

struct Resolve {
    struct httpclient_resolve resolve = {};
    std::string result; // addresses, or the error's name

    Resolve()
    {
        resolve.done = [](struct httpclient_resolve *r, int error,
                          const struct tcpsocket_address *addresses, size_t count) {
            Resolve *self = reinterpret_cast<Resolve *>(r);
            EXPECT_EQ(self->result, "");
            if (error != 0)
                self->result = error_name(error);
            for (size_t i = 0; i < count; i++) {
                char text[TCPSOCKET_ADDRESS_TEXT];
                tcpsocket_address_format(&addresses[i].socket.any, addresses[i].length, text);
                self->result += (i > 0 ? " " : "") + std::string(text);
            }
        };
    }

    int start(struct dispatch *loop, const std::string &host)
    {
        int error = httpclient_resolve_start(&resolve, loop, host.data(), host.size(), 81);
        if (error == 0 && host.find_first_not_of("0123456789abcdef.:") != std::string::npos)
            lookups_expected++;
        return error;
    }
};

TEST_F(Connect, AddressesNeedNoLookup)
{
    Resolve v4, v6;
    EXPECT_EQ(v4.start(loop, "192.0.2.1"), 0);
    EXPECT_EQ(v6.start(loop, "2001:db8::1"), 0);
    EXPECT_EQ(v4.result, "");
    EXPECT_TRUE(until([&] { return !v4.result.empty() && !v6.result.empty(); }));
    EXPECT_EQ(v4.result, "192.0.2.1:81");
    EXPECT_EQ(v6.result, "[2001:db8::1]:81");
    EXPECT_EQ(lookups, 0u);
}

TEST_F(Connect, NamesAreLookedUpBesideTheLoop)
{
    hold();
    Resolve a;
    EXPECT_EQ(a.start(loop, "some.example"), 0);
    run_for(20);
    EXPECT_EQ(a.result, "");
    release();
    EXPECT_TRUE(until([&] { return !a.result.empty(); }));
    EXPECT_EQ(a.result, "127.0.0.1:81 [::1]:81");
    EXPECT_EQ(a.resolve.job, nullptr);
    a.result.clear();
    EXPECT_EQ(a.start(loop, "many"), 0);
    EXPECT_TRUE(until([&] { return !a.result.empty(); }));
    EXPECT_EQ(count(a.result, ":81"), static_cast<size_t>(HTTPCLIENT_ADDRESSES));
}

TEST_F(Connect, ALookupMayFail)
{
    const std::pair<int, const char *> errors[] = {{EAI_NONAME, "ENOENT"},
                                                   {EAI_AGAIN, "EAGAIN"},
                                                   {EAI_MEMORY, "ENOMEM"},
                                                   {EAI_FAIL, "ENOENT"}};
    for (const auto &[error, name] : errors) {
        Resolve a;
        resolver_error = error;
        EXPECT_EQ(a.start(loop, "some.example"), 0);
        EXPECT_TRUE(until([&] { return !a.result.empty(); }));
        EXPECT_EQ(a.result, name);
    }
}

TEST_F(Connect, BadNamesAreRefused)
{
    Resolve a;
    EXPECT_EQ(a.start(loop, ""), -EINVAL);
    EXPECT_EQ(a.start(loop, std::string(254, 'a')), -EINVAL);
    EXPECT_EQ(a.start(loop, std::string("a\0b", 3)), -EINVAL);
    for (unsigned long n = 1; n <= 2; n++) {
        test_fail_allocation(n);
        int error = a.start(loop, "127.0.0.1");
        test_fail_allocation(0);
        EXPECT_TRUE(error == -ENOMEM || error == 0) << error;
        httpclient_resolve_cancel(&a.resolve);
    }
}

TEST_F(Connect, ALookupMayBeGivenUp)
{
    Resolve never;
    httpclient_resolve_cancel(&never.resolve);
    for (bool waits : {true, false}) {
        waits ? hold() : release();
        for (int i = 0; i < 20; i++) {
            auto a = std::make_unique<Resolve>();
            EXPECT_EQ(a->start(loop, i % 5 == 0 ? "127.0.0.1" : "some.example"), 0);
            if (i % 3 == 0)
                run_for(1);
            if (a->result.empty())
                httpclient_resolve_cancel(&a->resolve);
        }
    }
    settle();
}

TEST_F(Connect, DoneMayStartAgain)
{
    struct Again {
        struct httpclient_resolve resolve = {};
        int left = 5;
    } again;
    again.resolve.done = [](struct httpclient_resolve *r, int error, const auto *, size_t count) {
        Again *self = reinterpret_cast<Again *>(r);
        EXPECT_EQ(error, 0);
        EXPECT_EQ(count, 2u);
        if (--self->left > 0) {
            EXPECT_EQ(httpclient_resolve_start(r, dispatch_of, "x", 1, 80), 0);
        }
    };
    dispatch_of = loop;
    EXPECT_EQ(httpclient_resolve_start(&again.resolve, loop, "x", 1, 80), 0);
    EXPECT_TRUE(until([&] { return again.left == 0; }));
}
