// Nothing grows: objects, references, descriptors, allocations, whatever requests do.

#include "wsgi/fixture.h"

namespace {

class Steady : public Wsgi {
  protected:
    // Of all objects, where this code counts its own as Python does: in a debug build.
    static long total_references()
    {
#ifdef Py_REF_DEBUG
        return std::stol(value("sys.gettotalrefcount()"));
#else
        return 0;
#endif
    }
};

const char *const MIXED = R"py(
import gc, sys
class Body:
    def __init__(self, items): self.items = items
    def __iter__(self): return self.items
    def close(self): pass
class BadClose(Body):
    def close(self): raise ValueError('close')
def generate(late):
    yield b'a'
    if late: raise ValueError('late')
    yield b'b'
def app(e, s):
    path = e['PATH_INFO']
    if path == '/call': raise ValueError('call')
    if path == '/start': s('200 OK\n', [])
    if path == '/headers': s('200 OK', [('A', 'b\n')])
    if path == '/none': return None
    write = s('200 OK', [('A', 'b')])
    e['mine'] = e
    if path == '/twice': s('200 OK', [])
    if path == '/write': write(b'written')
    if path == '/exc':
        try: 1/0
        except Exception: s('500 X', [], sys.exc_info())
    if path == '/gen': return generate(False)
    if path == '/late': return generate(True)
    if path == '/close': return BadClose(iter([b'x']))
    if path == '/str': return ['x']
    if path == '/strs': return iter(['x'])
    if path == '/errors': print('line', file=e['wsgi.errors'])
    return [e['wsgi.input'].read(2), e['wsgi.input'].readline(), *e['wsgi.input'].readlines()]
def count():
    gc.collect()
    return (sys.getrefcount(app), sys.getrefcount(type(None)),
            sys.getrefcount('PATH_INFO'), sys.getrefcount('HTTP_HOST'))
def objects():
    gc.collect()
    return len(gc.get_objects())
)py";

TEST_F(Steady, ObjectsAndReferences)
{
    const char *const paths[] = {"/",      "/call",  "/start", "/headers", "/none",
                                 "/twice", "/write", "/exc",   "/gen",     "/late",
                                 "/close", "/str",   "/strs",  "/errors"};
    std::vector<std::unique_ptr<Client>> clients;
    auto round = [&](int times) {
        for (int i = 0; i < times; i++)
            for (const char *path : paths) {
                Client client(*this);
                client.send("POST " + std::string(path) +
                            " HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nX-A: b\r\n\r\nab\ncd" +
                            "HEAD " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
                client.response();
            }
        logged.clear();
    };
    serve(MIXED);
    round(20);
    std::string before = value("count()");
    long objects = std::stol(value("objects()")), total = total_references();
    round(350);
    EXPECT_EQ(value("count()"), before);
    EXPECT_LT(std::labs(std::stol(value("objects()")) - objects), 100) << "Python has caches too";
    EXPECT_LT(std::labs(total_references() - total), 3000) << "the caches have that many at most";
}

TEST_F(Steady, NoneIsNotUsedUp)
{
    serve(MIXED);
    Client(*this).get("/call");
    long before = std::stol(value("sys.getrefcount(None)"));
    for (int i = 0; i < 1000; i++)
        Client(*this).get(i % 2 ? "/call" : "/");
    EXPECT_LT(std::labs(std::stol(value("sys.getrefcount(None)")) - before), 100);
}

TEST_F(Steady, ClientsThatLeave)
{
    serve(R"py(
import gc
def app(e, s):
    s('200 OK', [])
    while True: yield b'x' * 100000
)py");
    auto round = [&](int times) {
        for (int i = 0; i < times; i++) {
            Client a(*this), b(*this);
            a.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            b.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc");
            turns(5);
            a.reset();
            b.leave();
            turns(5);
        }
        until([&] { return http_server_connections(server) == 0; });
    };
    round(10);
    long before = std::stol(value("gc.collect() * 0 + len(gc.get_objects())"));
    round(100);
    EXPECT_LT(std::stol(value("gc.collect() * 0 + len(gc.get_objects())")) - before, 50);
}

TEST_F(Steady, OurCodeAllocatesNothingPerRequest)
{
    serve(R"py(
def app(e, s):
    s('200 OK', [('Content-Type', 'text/plain'), ('X-A', 'b')])
    return [b'Hello'] if e['REQUEST_METHOD'] == 'GET' else iter([e['wsgi.input'].read()])
)py");
    Client client(*this);
    auto round = [&] {
        for (int i = 0; i < 100; i++) {
            ASSERT_EQ(::send(client.fd, "GET /a%20b?c HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n", 41, 0),
                      41);
            ASSERT_EQ(::send(client.fd,
                             "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", 50, 0),
                      50);
            turns(3);
            client.receive();
            client.received.clear();
        }
    };
    client.received.reserve(1000000);
    round();
    unsigned long before = test_allocations();
    round();
    EXPECT_EQ(test_allocations(), before);
}

// Each allocation of ours fails in its turn: the client gets an answer or sees the end.
TEST_F(Steady, AllocationsThatFail)
{
    serve(MIXED);
    for (const char *path : {"/", "/gen", "/call", "/write"})
        for (unsigned long n = 1; n < 40; n++) {
            http_server_free(server);
            server = nullptr;
            listen("127.0.0.1:0");
            Client client(*this);
            turns(3);
            client.send("POST " + std::string(path) +
                        " HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab\ncd");
            test_fail_allocation(n);
            Response r = client.response();
            EXPECT_TRUE(r.complete || client.ended) << path << n;
            test_fail_allocation(0);
        }
}

} // namespace
