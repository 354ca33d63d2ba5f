// Threads that run the application, and the loop that doesn't.

#include "fixture.h"

#include <algorithm>
#include <mutex>

namespace {

std::mutex log_mutex;

constexpr unsigned THREADS = 3;

// wsgi.multithread is made with the interpreter.
[[maybe_unused]] const unsigned threads = options.threads = THREADS;

// Python aborts where one of its objects ends without its lock.
[[maybe_unused]] const bool checked = (PyMem_SetupDebugHooks(), true);

const char application[] = R"(
import asynwsgi, contextvars, os, threading

errors = None
kept = []
gate = threading.Event()
event = asynwsgi.Event()
together = threading.Barrier(3, timeout=10)
variable = contextvars.ContextVar('variable')

def watch(fd):
    os.read(fd, 1)
    gate.set()


class Closing:
    def __init__(self, items): self.items = iter(items)
    def __iter__(self): return self
    def __next__(self): return next(self.items)
    def close(self): print('closed', file=errors)

def generate(count):
    for i in range(count):
        yield b'x' * 10000

def suspended(environ, wait):
    variable.set(environ['QUERY_STRING'])
    yield wait()
    yield b'late' if environ['x-wsgiorg.fdevent.timeout'] else variable.get().encode()

def upload(environ):
    body = b''
    for v in environ['wsgi.input']:
        if v is environ['wsgi.input_sentinel']:
            yield v
            continue
        body += v
    yield body

def read(environ):
    try:
        return [environ['wsgi.input'].read(5), b'|', environ['wsgi.input'].readline(), b'|',
                environ['wsgi.input'].read()]
    except ConnectionResetError:
        print('ConnectionResetError', file=environ['wsgi.errors'])
        raise

def app(environ, start_response):
    global errors
    errors = environ['wsgi.errors']
    path = environ['PATH_INFO']
    print('called', path, file=environ['wsgi.errors'])
    if path == '/held':
        gate.wait()
    elif path == '/together':
        together.wait()
    elif path == '/error':
        raise ZeroDivisionError
    elif path == '/set':
        event.set()
        event.clear()
    elif path == '/set-for-ever':
        event.set()
    elif path == '/clear':
        event.clear()
    elif path == '/lines':
        for word in ('one', ' two', ' three', chr(10)):
            environ['wsgi.errors'].write(word)
            together.wait()
    elif path == '/keep':
        kept.append(start_response)
    write = start_response('200 OK', [('Content-Type', 'text/plain')])
    if path == '/write':
        for i in range(200):
            write(b'w' * 100000)
        return [b'end']
    if path == '/read':
        return read(environ)
    if path == '/upload':
        return Closing(upload(environ))
    if path == '/large':
        return Closing(generate(1000))
    if path == '/sleep':
        return Closing(suspended(environ, lambda: asynwsgi.sleep(0.02)))
    if path == '/for-ever':
        return Closing(suspended(environ, lambda: event.wait()))
    if path in ('/event', '/keep'):
        return Closing(suspended(environ, lambda: event.wait(10)))
    if path == '/late':
        return Closing(suspended(environ, lambda: event.wait(0.02)))
    return [b'multithread' if environ['wsgi.multithread'] else b'alone']
)";

class Pool : public Wsgi {
  public:
    void SetUp() override
    {
        options.log = [](void *, const char *line, size_t length) {
            std::lock_guard<std::mutex> guard(log_mutex);

            logged.emplace_back(line, length);
        };
        options.threads = 1;
        options.queue = 1000;
        options.queue_timeout = 0;
        Wsgi::SetUp();
        serve(application);
        ASSERT_EQ(pipe(gate), 0);
        define("watcher = threading.Thread(target=watch, args=(" + std::to_string(gate[0]) +
               ",)); watcher.start()");
        begin();
    }

    void begin(const char *const *streaming = nullptr)
    {
        options.streaming = streaming;
        options.threads = THREADS;
        ASSERT_EQ(wsgi_attach(wsgi, loop), 0);
    }

    void TearDown() override
    {
        open_gate();
        end();
        define("watcher.join()");
        close(gate[0]);
        close(gate[1]);
        options.streaming = nullptr;
        Wsgi::TearDown();
    }

    // The same server, but with streaming.
    void end_and_begin(const char *const *streaming)
    {
        ASSERT_EQ(wsgi_attach(wsgi, nullptr), 0);
        begin(streaming);
    }

    // The exchanges under way are abandoned, the threads joined: Python code may be run here again.
    void end()
    {
        http_server_free(server);
        server = nullptr;
        ASSERT_EQ(wsgi_attach(wsgi, nullptr), 0);
    }

    void ask(Client &client, const std::string &target)
    {
        client.send("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
    }

    // Lines of the log so far.
    size_t count(const std::string &line)
    {
        std::lock_guard<std::mutex> guard(log_mutex);

        return static_cast<size_t>(std::count(logged.begin(), logged.end(), line));
    }

    bool until_called(const std::string &path, size_t times = 1)
    {
        return until([&] { return count("called " + path) == times; });
    }

    // All threads run a request that ends when the gate is opened.
    void occupy(std::vector<std::unique_ptr<Client>> &clients)
    {
        for (unsigned i = 0; i < THREADS; i++) {
            clients.push_back(std::make_unique<Client>(*this));
            ask(*clients.back(), "/held");
        }
        ASSERT_TRUE(until_called("/held", THREADS));
    }

    void open_gate()
    {
        ASSERT_EQ(write(gate[1], "x", 1), 1);
    }

    int gate[2];
};

TEST_F(Pool, RequestsRunBesideEachOther)
{
    Client a(*this), b(*this), c(*this);

    ask(a, "/together");
    ask(b, "/together");
    ask(c, "/together");
    for (Client *client : {&a, &b, &c})
        EXPECT_EQ(client->response().body, "multithread");
}

TEST_F(Pool, OneThatDoesNotReturnStopsNobody)
{
    Client stuck(*this), other(*this);

    ask(stuck, "/held");
    ASSERT_TRUE(until_called("/held"));
    for (int i = 0; i < 20; i++)
        EXPECT_EQ(other.get("/x").body, "multithread");
    open_gate();
    EXPECT_EQ(stuck.response().status, 200);
}

TEST_F(Pool, WaitsForAThread)
{
    std::vector<std::unique_ptr<Client>> holders;
    Client waiting(*this);

    occupy(holders);
    ask(waiting, "/queued");
    turns();
    EXPECT_EQ(count("called /queued"), 0U);
    open_gate();
    EXPECT_EQ(waiting.response().body, "multithread");
    for (auto &holder : holders)
        EXPECT_EQ(holder->response().status, 200);
}

TEST_F(Pool, TheQueueHasABound)
{
    std::vector<std::unique_ptr<Client>> holders;
    Client first(*this), second(*this), third(*this);
    Response refused;

    options.queue = 2;
    occupy(holders);
    ask(first, "/queued");
    ask(second, "/queued");
    turns();
    refused = third.get("/refused");
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.field("retry-after"), "1");
    third.send("POST /refused HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
    EXPECT_EQ(third.response().status, 503);
    open_gate();
    EXPECT_EQ(first.response().status, 200);
    EXPECT_EQ(second.response().status, 200);
    EXPECT_EQ(third.get("/accepted").status, 200);
    EXPECT_EQ(count("called /refused"), 0U);
    EXPECT_EQ(count("requests were refused because all threads are busy (threads, queue): 1"), 1U);
}

TEST_F(Pool, AQueueOfNoneStillFillsAllThreads)
{
    std::vector<std::unique_ptr<Client>> holders;
    Client other(*this);

    options.queue = 0;
    turns();
    occupy(holders);
    EXPECT_EQ(other.get("/refused").status, 503);
    open_gate();
    for (auto &holder : holders)
        EXPECT_EQ(holder->response().status, 200);
}

TEST_F(Pool, WhatWaitedTooLongIsRefused)
{
    std::vector<std::unique_ptr<Client>> holders;
    Client first(*this), second(*this);

    options.queue_timeout = SECOND / 20;
    occupy(holders);
    ask(first, "/refused");
    ask(second, "/refused");
    EXPECT_EQ(first.response().status, 503);
    EXPECT_EQ(second.response().field("retry-after"), "1");
    open_gate();
    for (auto &holder : holders)
        EXPECT_EQ(holder->response().status, 200);
    EXPECT_EQ(first.get("/accepted").status, 200);
    EXPECT_EQ(count("called /refused"), 0U);
}

TEST_F(Pool, WhoLeavesTheQueueIsForgotten)
{
    std::vector<std::unique_ptr<Client>> holders;
    Client gone(*this), next(*this);

    occupy(holders);
    ask(gone, "/gone");
    turns();
    gone.reset();
    ask(next, "/next");
    turns();
    open_gate();
    EXPECT_EQ(next.response().status, 200);
    EXPECT_EQ(count("called /gone"), 0U);
}

// More than are kept for later: what ends in the loop's thread has nothing of Python's.
TEST_F(Pool, ManyLeaveTheQueueAfterOthersLeftSomethingBehind)
{
    std::vector<std::unique_ptr<Client>> clients, holders;
    constexpr size_t MANY = 64;

    for (size_t i = 0; i < MANY; i++) {
        clients.push_back(std::make_unique<Client>(*this));
        ask(*clients.back(), "/keep?x");
    }
    ASSERT_TRUE(until_called("/keep", MANY));
    Client(*this).get("/set-for-ever");
    for (auto &client : clients)
        EXPECT_EQ(client->response().body, "x");
    ASSERT_TRUE(until([&] { return count("closed") == MANY; }));
    occupy(holders);
    while (clients.size() < 2 * MANY)
        clients.push_back(std::make_unique<Client>(*this));
    for (auto &client : clients)
        ask(*client, "/gone");
    turns();
    for (; !clients.empty(); clients.pop_back(), turns(2))
        clients.back()->reset();
    open_gate();
    for (auto &holder : holders)
        EXPECT_EQ(holder->response().status, 200);
    EXPECT_EQ(count("called /gone"), 0U);
}

TEST_F(Pool, AClientThatLeavesWhileItsRequestRuns)
{
    Client gone(*this), next(*this);

    ask(gone, "/held");
    ASSERT_TRUE(until_called("/held"));
    gone.reset();
    turns();
    open_gate();
    EXPECT_EQ(next.get("/next").status, 200);
    end();
    std::lock_guard<std::mutex> guard(log_mutex);
    EXPECT_EQ(logged.size(), 2U) << log_text();
}

TEST_F(Pool, AClientThatLeavesInMidStream)
{
    Client gone(*this), next(*this);

    ask(gone, "/large");
    ASSERT_TRUE(gone.until_received("xxx"));
    gone.reset();
    EXPECT_EQ(next.get("/next").status, 200);
    EXPECT_TRUE(until([&] { return count("closed") == 1; }));
    end();
    std::lock_guard<std::mutex> guard(log_mutex);
    EXPECT_EQ(logged.size(), 3U) << log_text();
}

TEST_F(Pool, ASlowReaderHasNoThread)
{
    std::vector<std::unique_ptr<Client>> slow;
    Client other(*this);

    for (unsigned i = 0; i < 2 * THREADS; i++) {
        slow.push_back(std::make_unique<Client>(*this));
        ask(*slow.back(), "/large");
    }
    ASSERT_TRUE(until_called("/large", 2 * THREADS));
    EXPECT_EQ(other.get("/x").status, 200);
    for (auto &client : slow)
        EXPECT_EQ(client->response().body.size(), 10000000U);
    EXPECT_TRUE(until([&] { return count("closed") == 2 * THREADS; }));
}

TEST_F(Pool, WriteWaitsForTheClient)
{
    Client client(*this);
    size_t memory;

    ask(client, "/write");
    turns(300);
    memory = http_server_memory(server);
    EXPECT_LT(memory, 300000U);
    EXPECT_EQ(client.response().body, std::string(20000000, 'w') + "end");
}

TEST_F(Pool, WriteOfOneWhoLeft)
{
    Client client(*this), other(*this);

    ask(client, "/write");
    turns(300);
    client.reset();
    EXPECT_EQ(other.get("/x").status, 200);
    end();
    std::lock_guard<std::mutex> guard(log_mutex);
    EXPECT_EQ(logged.size(), 2U) << log_text();
}

TEST_F(Pool, AnExceptionIsA500)
{
    Client client(*this);

    for (int i = 0; i < 5; i++)
        EXPECT_EQ(client.get("/error").status, 500);
    end();
    EXPECT_TRUE(log_has("GET /error: exception in the application"));
    EXPECT_TRUE(log_has("ZeroDivisionError"));
}

TEST_F(Pool, MoreSuspendedRequestsThanThreads)
{
    std::vector<std::unique_ptr<Client>> clients;

    for (unsigned i = 0; i < 10 * THREADS; i++) {
        clients.push_back(std::make_unique<Client>(*this));
        ask(*clients.back(), "/event?" + std::to_string(i));
    }
    ASSERT_TRUE(until_called("/event", 10 * THREADS));
    turns(50);
    Client(*this).get("/set");
    for (unsigned i = 0; i < 10 * THREADS; i++)
        EXPECT_EQ(clients[i]->response().body, std::to_string(i));
    EXPECT_TRUE(until([&] { return count("closed") == 10 * THREADS; }));
}

TEST_F(Pool, WaitsEnd)
{
    Client client(*this), gone(*this);

    EXPECT_EQ(client.get("/sleep?me").body, "me");
    EXPECT_EQ(client.get("/late").body, "late");
    ask(gone, "/event");
    ASSERT_TRUE(until_called("/event"));
    turns();
    gone.leave();
    EXPECT_TRUE(until([&] { return count("closed") == 3; }));
}

TEST_F(Pool, AnEventIsNotMissed)
{
    std::vector<std::unique_ptr<Client>> clients;
    Client setter(*this);

    for (int round = 0; round < 50; round++) {
        clients.clear();
        for (unsigned i = 0; i < THREADS; i++) {
            clients.push_back(std::make_unique<Client>(*this));
            ask(*clients.back(), "/event?x");
        }
        setter.get("/set-for-ever");
        for (auto &client : clients)
            ASSERT_EQ(client->response().body, "x");
        setter.get("/clear");
    }
}

const char *const everything[] = {"/", nullptr};

TEST_F(Pool, StreamingReadsWait)
{
    Client client(*this), other(*this);

    end_and_begin(everything);
    client.send("POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\nab");
    ASSERT_TRUE(until_called("/read"));
    client.send("cde");
    turns();
    client.send("li");
    turns();
    EXPECT_EQ(other.get("/x").status, 200);
    client.send("ne\n");
    turns();
    client.send("zz");
    EXPECT_EQ(client.response().body, "abcde|line\n|zz");
}

TEST_F(Pool, AReadOfOneWhoLeft)
{
    Client client(*this), other(*this);

    end_and_begin(everything);
    client.send("POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\nab");
    ASSERT_TRUE(until_called("/read"));
    turns();
    client.leave();
    EXPECT_TRUE(until([&] { return count("ConnectionResetError") == 1; }));
    EXPECT_EQ(other.get("/x").status, 200);
}

TEST_F(Pool, MoreUploadsThanThreads)
{
    std::vector<std::unique_ptr<Client>> clients;
    const std::string piece(1000, 'p');

    end_and_begin(everything);
    for (unsigned i = 0; i < 4 * THREADS; i++) {
        clients.push_back(std::make_unique<Client>(*this));
        clients.back()->send("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n");
    }
    for (int i = 0; i < 20; i++)
        for (auto &client : clients)
            client->send(piece);
    for (auto &client : clients)
        EXPECT_EQ(client->response().body, std::string(20000, 'p'));
    EXPECT_TRUE(until([&] { return count("closed") == 4 * THREADS; }));
}

TEST_F(Pool, WhatIsUnderWayAtTheEndIsClosed)
{
    Client a(*this), b(*this);

    ask(a, "/for-ever");
    ask(b, "/large");
    ASSERT_TRUE(until_called("/large") && until_called("/for-ever"));
    turns();
    end();
    EXPECT_EQ(count("closed"), 2U);
}

TEST_F(Pool, EndsWithoutAThreadThatHangs)
{
    Client client(*this);

    ask(client, "/held");
    ASSERT_TRUE(until_called("/held"));
    http_server_free(server);
    server = nullptr;
    EXPECT_EQ(wsgi_attach(wsgi, nullptr), -EBUSY);
    open_gate();
    while (wsgi_attach(wsgi, nullptr) == -EBUSY)
        ;
}

TEST_F(Pool, ErrorsOfRequestsBesideEachOtherDoNotMix)
{
    Client a(*this), b(*this), c(*this);

    ask(a, "/lines");
    ask(b, "/lines");
    ask(c, "/lines");
    for (Client *client : {&a, &b, &c})
        EXPECT_EQ(client->response().status, 200);
    EXPECT_EQ(count("one two three"), 3U);
}

} // namespace
