// What the tests of wsgi share: the process's one interpreter, applications given as source, a
// server on the loopback, and clients in the same loop.
//
// Each test program is one source file, so this has definitions too.

#ifndef WSGI_FIXTURE_H
#define WSGI_FIXTURE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "harness/harness.h"

#include <asynwsgi/http_server.h>
#include <asynwsgi/wsgi.h>

#include <arpa/inet.h>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

constexpr uint64_t SECOND = 1000000000;

// -- The interpreter ------------------------------------------------------------------------------

static wsgi_options options;
static struct wsgi *wsgi;
static std::vector<std::string> logged;

class Interpreter : public testing::Environment {
    void SetUp() override
    {
        options.body_memory = options.input_window = 65536;
        options.log = [](void *, const char *line, size_t length) {
            logged.emplace_back(line, length);
        };
        ASSERT_EQ(wsgi_new(&options, &wsgi), 0) << testing::PrintToString(logged);
    }

    void TearDown() override
    {
        wsgi_free(wsgi);
    }
};

[[maybe_unused]] static testing::Environment *const interpreter =
    testing::AddGlobalTestEnvironment(new Interpreter);

// Runs source in the module __main__.
static inline void define(const std::string &source)
{
    ASSERT_EQ(PyRun_SimpleString(source.c_str()), 0) << source;
}

// str() of an expression in __main__.
static inline std::string value(const std::string &expression)
{
    PyObject *globals = PyModule_GetDict(PyImport_AddModule("__main__"));
    PyObject *object = PyRun_String(expression.c_str(), Py_eval_input, globals, globals);
    PyObject *text = object ? PyObject_Str(object) : nullptr;
    std::string result;

    if (text)
        result = PyUnicode_AsUTF8(text);
    else
        PyErr_Print();
    Py_XDECREF(text);
    Py_XDECREF(object);
    return result;
}

// Whether some line of the log has this in it.
static inline bool log_has(const std::string &part)
{
    for (const std::string &line : logged)
        if (line.find(part) != std::string::npos)
            return true;
    return false;
}

static inline std::string log_text()
{
    std::string text;

    for (const std::string &line : logged)
        text += line + "\n";
    return text;
}

// -- The server -----------------------------------------------------------------------------------

class Wsgi : public testing::Test {
  public:
    struct dispatch *loop = nullptr;
    http_server *server = nullptr;
    int listener = -1;
    tcpsocket_address address = {};

    void SetUp() override
    {
        logged.clear();
        options.body_memory = 65536;
        options.body_folder = nullptr;
        ASSERT_EQ(dispatch_new(test_backend(), &loop), 0);
        listen("127.0.0.1:0");
        ASSERT_EQ(wsgi_attach(wsgi, loop), 0);
    }

    void TearDown() override
    {
        http_server_free(server);
        close(listener);
        wsgi_attach(wsgi, nullptr);
        dispatch_free(loop);
    }

    // Serves __main__'s OBJECT.
    void serve(const std::string &source, const char *object = "__main__:app")
    {
        define(source);
        options.application = object;
        ASSERT_EQ(wsgi_load(wsgi), 0) << log_text();
    }

    void listen(const char *where)
    {
        http_server_free(server);
        server = nullptr;
        if (listener >= 0)
            close(listener);
        ASSERT_EQ(tcpsocket_address_parse(where, &address), 0);
        ASSERT_EQ(tcpsocket_listen(&address, 64, false, &listener), 0);
        address.length = sizeof address.socket;
        getsockname(listener, &address.socket.any, &address.length);

        http_server_options wanted = {};
        wanted.loop = loop;
        wanted.handler = &wsgi_handler;
        wanted.context = wsgi;
        wanted.limits = http_limits_default;
        wanted.timeouts = http_timeouts_default;
        ASSERT_EQ(http_server_new(&wanted, &server), 0);
        ASSERT_EQ(http_server_listen(server, listener), 0);
    }

    // Turns of the loop, until it holds or a minute has passed: machines are slow at times.
    bool until(const std::function<bool()> &holds)
    {
        struct Poll : dispatch_timer {
            const std::function<bool()> *holds;
            uint64_t end;
            bool held;
        } poll = {};

        poll.holds = &holds;
        poll.end = dispatch_now(loop) + 60 * SECOND;
        poll.fired = [](dispatch_timer *timer) {
            auto *self = static_cast<Poll *>(timer);

            self->held = (*self->holds)();
            if (self->held || dispatch_now(timer->loop) > self->end)
                dispatch_stop(timer->loop, 0);
            else
                dispatch_timer_set(timer, dispatch_now(timer->loop) + 20000);
        };
        dispatch_timer_add(loop, &poll);
        dispatch_timer_set(&poll, 0);
        dispatch_run(loop);
        dispatch_timer_remove(&poll);
        return poll.held;
    }

    // A few turns in which nothing in particular is awaited.
    void turns(int count = 10)
    {
        until([&] { return count-- <= 0; });
    }
};

// -- Clients --------------------------------------------------------------------------------------

struct Response {
    int status = 0;
    std::string line, head, body;
    std::multimap<std::string, std::string> fields; // names in lower case
    bool complete = false;

    std::string field(const std::string &name) const
    {
        auto found = fields.find(name);
        return found == fields.end() ? "(none)" : found->second;
    }
};

// Takes a response off the front of `bytes`; not complete: it isn't all there.
static inline Response parse(std::string &bytes, bool to_head = false, bool ended = false)
{
    Response response;
    size_t end = bytes.find("\r\n\r\n"), at;

    if (end == std::string::npos)
        return response;
    response.head = bytes.substr(0, end + 2);
    at = response.head.find("\r\n");
    response.line = response.head.substr(0, at);
    response.status = std::stoi(response.line.substr(9, 3));
    for (at += 2; at < response.head.size();) {
        size_t colon = response.head.find(": ", at), stop = response.head.find("\r\n", at);
        std::string name = response.head.substr(at, colon - at);

        for (char &c : name)
            c = static_cast<char>(std::tolower(c));
        response.fields.emplace(name, response.head.substr(colon + 2, stop - colon - 2));
        at = stop + 2;
    }
    at = end + 4;
    if (to_head || response.status == 204 || response.status == 304) {
        response.complete = true;
    } else if (response.fields.count("content-length")) {
        size_t length = std::stoul(response.field("content-length"));

        response.body = bytes.substr(at, length);
        response.complete = response.body.size() == length;
        at += response.body.size();
    } else if (response.fields.count("transfer-encoding")) {
        for (;;) {
            size_t stop = bytes.find("\r\n", at), size;

            if (stop == std::string::npos)
                break;
            size = std::stoul(bytes.substr(at, stop - at), nullptr, 16);
            if (bytes.size() < stop + 2 + size + 2)
                break;
            response.body += bytes.substr(stop + 2, size);
            at = stop + 2 + size + 2;
            if (size == 0) {
                response.complete = true;
                break;
            }
        }
    } else {
        response.body = bytes.substr(at);
        response.complete = ended;
        at = bytes.size();
    }
    if (response.complete)
        bytes.erase(0, at);
    return response;
}

class Client {
  public:
    Wsgi &site;
    int fd;
    std::string received;
    bool ended = false;

    explicit Client(Wsgi &test) : site(test)
    {
        fd = socket(site.address.socket.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        EXPECT_EQ(connect(fd, &site.address.socket.any, site.address.length), 0);
        fcntl(fd, F_SETFL, O_NONBLOCK);
    }

    Client(const Client &) = delete;

    ~Client()
    {
        leave();
    }

    void leave()
    {
        if (fd >= 0)
            close(fd);
        fd = -1;
    }

    // Close so that the server gets a reset.
    void reset()
    {
        linger now = {1, 0};

        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        leave();
    }

    void receive()
    {
        char buffer[65536];
        ssize_t n;

        while ((n = recv(fd, buffer, sizeof buffer, 0)) > 0)
            received.append(buffer, static_cast<size_t>(n));
        if (n == 0 || errno != EAGAIN)
            ended = true;
    }

    void send(const std::string &bytes)
    {
        size_t sent = 0;

        site.until([&] {
            ssize_t n = ::send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);

            if (n > 0)
                sent += static_cast<size_t>(n);
            return sent == bytes.size() || (n < 0 && errno != EAGAIN);
        });
    }

    bool until_received(const std::string &part)
    {
        return site.until([&] {
            receive();
            return received.find(part) != std::string::npos;
        });
    }

    bool until_ended()
    {
        return site.until([&] {
            receive();
            return ended;
        });
    }

    Response response(bool to_head = false)
    {
        Response response;
        size_t parsed = 0;

        site.until([&] {
            size_t before = received.size();

            receive();
            // Not each time that more of a long one arrives.
            if ((received.size() > before && before > 100000) ||
                (received.size() == parsed && !ended))
                return false;
            parsed = received.size();
            response = parse(received, to_head, ended);
            return response.complete || ended;
        });
        return response;
    }

    Response get(const std::string &target = "/", const std::string &fields = "")
    {
        send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n");
        return response();
    }

    Response post(const std::string &body, const std::string &fields = "")
    {
        send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: " +
             std::to_string(body.size()) + "\r\n" + fields + "\r\n" + body);
        return response();
    }
};

#endif
