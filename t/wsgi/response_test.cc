// What an application returns, run to its end: framing, laziness, close(), failures.

#include "wsgi/fixture.h"

#include <thread>

namespace {

class ResponseTest : public Wsgi {};

TEST_F(ResponseTest, HelloWorld)
{
    serve(R"py(
def app(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'Hello, ', b'', b'world\n']
)py");
    Client client(*this);
    Response r = client.get();
    EXPECT_EQ(r.line, "HTTP/1.1 200 OK");
    EXPECT_EQ(r.field("content-length"), "13");
    EXPECT_EQ(r.field("content-type"), "text/plain");
    EXPECT_EQ(r.body, "Hello, world\n");
    EXPECT_EQ(client.get().body, "Hello, world\n") << "on the same connection";
    EXPECT_TRUE(logged.empty()) << log_text();
}

// What is returned, and the Content-Length it gets; "-" for none.
TEST_F(ResponseTest, LengthIsThatOfWhatIsKnown)
{
    struct {
        const char *returned, *length, *body;
    } cases[] = {
        {"[b'abc']", "3", "abc"},
        {"(b'abc', b'de')", "5", "abcde"},
        {"[]", "0", ""},
        {"()", "0", ""},
        {"[b'', b'']", "0", ""},
        {"iter([])", "0", ""},
        {"iter([b'', b''])", "0", ""},
        {"(x for x in [b'abc'])", "(none)", "abc"},
        {"iter([b'abc', b'de'])", "(none)", "abcde"},
        {"Sized([b'abc'])", "3", "abc"},
        {"Sized([b'abc', b'de'])", "(none)", "abcde"},
        {"Sub([b'abc'])", "3", "abc"},
        {"NoLength([b'abc'])", "(none)", "abc"},
        {"{b'abc': 1}", "(none)", "abc"},
    };
    define(R"py(
class Sub(list): pass
class Sized:
    def __init__(self, items): self.items = items
    def __iter__(self): return iter(self.items)
    def __len__(self): return len(self.items)
class NoLength(Sized):
    def __len__(self): raise ValueError
)py");
    for (auto &c : cases) {
        serve("def app(e, s):\n  s('200 OK', [])\n  return " + std::string(c.returned));
        Response r = Client(*this).get();
        EXPECT_EQ(r.status, 200) << c.returned << log_text();
        EXPECT_EQ(r.field("content-length"), c.length) << c.returned;
        EXPECT_EQ(r.body, c.body) << c.returned;
        EXPECT_TRUE(r.complete);
    }
}

TEST_F(ResponseTest, ApplicationsOwnLengthCounts)
{
    serve(R"py(
def app(e, s):
    s('200 OK', [('Content-Length', '3')])
    yield b'ab'
    yield b'c'
)py");
    Response r = Client(*this).get();
    EXPECT_EQ(r.field("content-length"), "3");
    EXPECT_EQ(r.body, "abc");
    EXPECT_EQ(r.fields.count("transfer-encoding"), 0u);
}

TEST_F(ResponseTest, LongerThanItsLengthIsCutAndWarnedOfOnce)
{
    serve(R"py(
pulled = 0
def app(e, s):
    s('200 OK', [('Content-Length', '3')])
    global pulled
    for i in range(5):
        pulled += 1
        yield b'ab'
)py");
    Client client(*this);
    Response r = client.get("/long");
    EXPECT_EQ(r.body, "aba");
    ASSERT_EQ(logged.size(), 1u) << log_text();
    EXPECT_EQ(logged[0], "GET /long: the body is longer than its Content-Length, and was cut");
    EXPECT_EQ(value("pulled"), "2");
    EXPECT_EQ(client.get().body, "aba");
}

TEST_F(ResponseTest, ShorterThanItsLengthEndsTheConnection)
{
    serve("def app(e, s):\n  s('200 OK', [('Content-Length', '5')])\n  return [b'abc']");
    Client client(*this);
    Response r = client.get("/short");
    EXPECT_FALSE(r.complete);
    EXPECT_TRUE(client.ended);
    EXPECT_TRUE(log_has("GET /short: the body is shorter than its Content-Length")) << log_text();
}

TEST_F(ResponseTest, StatusWithoutABody)
{
    serve(R"py(
closed = []
class Body:
    def __iter__(self):
        yield b'dropped'
        closed.append('too far')
    def close(self): closed.append('close')
def app(e, s):
    s(e['PATH_INFO'][1:] + ' X', [('X-A', 'b')])
    return Body() if e['QUERY_STRING'] else [b'dropped']
)py");
    Client client(*this);
    for (const char *target : {"/204", "/205", "/304", "/204?i", "/205?i", "/304?i"}) {
        Response r = client.get(target);
        EXPECT_EQ(r.status, std::stoi(target + 1));
        EXPECT_EQ(r.field("x-a"), "b");
        EXPECT_EQ(r.fields.count("transfer-encoding"), 0u) << target;
        EXPECT_TRUE(r.complete);
        EXPECT_EQ(client.received, "");
    }
    EXPECT_EQ(value("closed"), "['close', 'close', 'close']");
}

TEST_F(ResponseTest, Head)
{
    serve(R"py(
log = []
class Body:
    def __iter__(self):
        log.append('first')
        yield b''
        log.append('second')
        yield b'data'
        log.append('third')
        yield b'more'
    def close(self): log.append('close')
def app(e, s):
    s('200 OK', [('X-A', 'b')])
    return {'/list': [b'abc'], '/empty': [], '/body': Body()}[e['PATH_INFO']]
)py");
    Client client(*this);
    auto head = [&](const char *target) {
        client.send("HEAD " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n\r\n");
        return client.response(true);
    };
    EXPECT_EQ(head("/list").field("content-length"), "3");
    EXPECT_EQ(head("/empty").field("content-length"), "(none)")
        << "an application that gives no body for HEAD says nothing of its length";
    Response r = head("/body");
    EXPECT_EQ(r.status, 200);
    EXPECT_EQ(r.field("x-a"), "b");
    EXPECT_EQ(client.received, "");
    EXPECT_EQ(value("log"), "['first', 'second', 'close']");
}

TEST_F(ResponseTest, GeneratorIsPulledAsTheClientTakesIt)
{
    serve(R"py(
pulled = 0
def app(e, s):
    s('200 OK', [])
    global pulled
    pulled = 0
    for i in range(300):
        pulled += 1
        yield b'x' * 65536
)py");
    Client client(*this);
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    turns(200);
    int before = std::stoi(value("pulled"));
    EXPECT_GT(before, 0);
    EXPECT_LT(before, 250) << "the client read nothing so far";
    turns(200);
    EXPECT_EQ(std::stoi(value("pulled")), before);
    Response r = client.response();
    EXPECT_TRUE(r.complete);
    EXPECT_EQ(r.body.size(), 300u * 65536);
    EXPECT_EQ(value("pulled"), "300");
}

TEST_F(ResponseTest, EachItemIsSentBeforeTheNextIsAskedFor)
{
    serve(R"py(
import socket
def app(e, s):
    s('200 OK', [])
    yield b''
    yield b'one'
    log.append(peer())
    yield b'two'
    log.append(peer())
)py");
    Client client(*this);
    static Client *the_client;
    the_client = &client;
    static PyMethodDef peer = {"peer",
                               [](PyObject *, PyObject *) -> PyObject * {
                                   the_client->receive();
                                   return PyUnicode_FromString(the_client->received.c_str());
                               },
                               METH_NOARGS, nullptr};
    define("log = []");
    PyObject *function = PyCFunction_New(&peer, nullptr);
    PyObject_SetAttrString(PyImport_AddModule("__main__"), "peer", function);
    Py_DECREF(function);
    Response r = client.get();
    EXPECT_EQ(r.body, "onetwo");
    EXPECT_EQ(value("['one' in log[0], 'two' in log[0], 'two' in log[1]]"), "[True, False, True]");
}

TEST_F(ResponseTest, ALargeItemIsNotCopiedWhole)
{
    serve(R"py(
def app(e, s):
    s('200 OK', [])
    return [b'x' * 50000000, b'end']
)py");
    Client client(*this);
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    turns(100);
    Response r = client.response();
    EXPECT_TRUE(r.complete);
    EXPECT_EQ(r.body.size(), 50000003u);
    EXPECT_EQ(r.body.substr(49999999), "xend");
}

TEST_F(ResponseTest, ListThatIsChangedMeanwhile)
{
    serve(R"py(
items = [b'x' * 1000000] * 20
def app(e, s):
    s('200 OK', [])
    return items
)py");
    Client client(*this);
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    turns(50);
    define("items.clear()");
    Response r = client.response();
    EXPECT_FALSE(r.complete);
    EXPECT_TRUE(client.ended);

    serve(R"py(
items = [b'x' * 1000000] * 20
)py");
    Client other(*this);
    other.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    turns(50);
    define("items[-1] = 'str'");
    EXPECT_FALSE(other.response().complete);
    EXPECT_TRUE(log_has("gave str, not bytes")) << log_text();
}

// How an application may fail, when nothing was sent yet, and the line in the log.
TEST_F(ResponseTest, FailuresBeforeTheHead)
{
    struct {
        const char *body, *log;
    } cases[] = {
        {"raise ValueError('boo')", "ValueError: boo"},
        {"raise SystemExit(3)", "SystemExit: 3"},
        {"raise KeyboardInterrupt", "KeyboardInterrupt"},
        {"raise GeneratorExit", "GeneratorExit"},
        {"return None", "TypeError: 'NoneType' object is not iterable"},
        {"return []", "did not call start_response()"},
        {"return [b'x']", "did not call start_response()"},
        {"return iter([])", "did not call start_response()"},
        {"return iter([b'x'])", "did not call start_response()"},
        {"s('200 OK', []); return 'text'", "gave str, not bytes"},
        {"s('200 OK', []); return b'bytes'", "gave int, not bytes"},
        {"s('200 OK', []); return [b'x', 'text']", "gave str, not bytes"},
        {"s('200 OK', []); return [bytearray(b'x')]", "gave bytearray, not bytes"},
        {"s('200 OK', []); return iter(['', b'x'])", "gave str, not bytes"},
        {"s('200 OK', []); return bad()", "RuntimeError: bad"},
        {"s('200 OK', []); return bad_iter()", "RuntimeError: bad iter"},
        {"s('200 OK', []); raise ValueError('after')", "ValueError: after"},
        {"s('200 OK\\n', [])", "ValueError"},
    };
    define(R"py(
def bad():
    yield b''
    raise RuntimeError('bad')
class bad_iter:
    def __iter__(self): raise RuntimeError('bad iter')
)py");
    for (auto &c : cases) {
        logged.clear();
        serve("def app(e, s):\n  " + std::string(c.body));
        Client client(*this);
        Response r = client.get("/x?y");
        EXPECT_EQ(r.status, 500) << c.body;
        EXPECT_TRUE(r.complete) << c.body;
        ASSERT_FALSE(logged.empty()) << c.body;
        EXPECT_EQ(logged[0].substr(0, 23), "GET /x?y: exception in ") << c.body;
        EXPECT_TRUE(log_has(c.log)) << c.body << log_text();
        EXPECT_EQ(client.get().status, 500) << "the connection goes on";
    }
}

TEST_F(ResponseTest, TracebackNamesTheLine)
{
    serve("def app(e, s):\n  try:\n    1/0\n  except Exception:\n    {}['key']");
    Client(*this).get("/a");
    EXPECT_EQ(logged[0], "GET /a: exception in the application");
    EXPECT_EQ(logged[1], "Traceback (most recent call last):");
    EXPECT_TRUE(log_has("ZeroDivisionError"));
    EXPECT_TRUE(log_has("During handling of the above exception"));
    EXPECT_EQ(logged.back(), "KeyError: 'key'");
}

TEST_F(ResponseTest, AnExceptionThatCannotBeShown)
{
    serve(R"py(
class Bad(Exception):
    def __str__(self): raise ValueError
    __repr__ = __str__
class Worse(Bad):
    @property
    def __cause__(self): raise MemoryError
    @property
    def __traceback__(self): raise MemoryError
def app(e, s): raise Worse() if e['PATH_INFO'] == '/worse' else Bad()
)py");
    EXPECT_EQ(Client(*this).get().status, 500);
    EXPECT_TRUE(log_has("Bad"));
    logged.clear();
    EXPECT_EQ(Client(*this).get("/worse").status, 500);
    EXPECT_TRUE(log_has("Worse")) << log_text();
}

TEST_F(ResponseTest, FailureAfterTheHeadEndsTheConnection)
{
    for (const char *then : {"raise ValueError('late')", "yield 'text'", "raise SystemExit"}) {
        logged.clear();
        serve("def app(e, s):\n  s('200 OK', [])\n  yield b'part'\n  " + std::string(then));
        Client client(*this);
        Response r = client.get();
        EXPECT_EQ(r.status, 200);
        EXPECT_FALSE(r.complete);
        EXPECT_EQ(r.body, "part");
        EXPECT_TRUE(client.ended);
        EXPECT_EQ(logged[0], "GET /: exception in the application's iterable");
    }
}

TEST_F(ResponseTest, AnEndlessResponseLeavesOthersTheirTurn)
{
    serve(R"py(
def endless():
    while True: yield drain() and b'x' * 1000
def app(e, s):
    s('200 OK', [])
    return endless() if e['PATH_INFO'] == '/endless' else [b'served']
)py");
    Client endless(*this);
    static Client *the_client;
    the_client = &endless;
    static PyMethodDef drain = {"drain",
                                [](PyObject *, PyObject *) -> PyObject * {
                                    the_client->receive();
                                    the_client->received.clear();
                                    Py_RETURN_TRUE;
                                },
                                METH_NOARGS, nullptr};
    PyObject *function = PyCFunction_New(&drain, nullptr);
    PyObject_SetAttrString(PyImport_AddModule("__main__"), "drain", function);
    Py_DECREF(function);

    endless.send("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(Client(*this).get().body, "served");
    Client second(*this);
    second.send("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(Client(*this).get().body, "served");
    EXPECT_TRUE(second.until_received("xxx"));
    endless.leave();
    EXPECT_TRUE(until([&] { return http_server_connections(server) == 1; }));
}

TEST_F(ResponseTest, AnIterableThatOnlyWaitsLeavesOthersTheirTurn)
{
    serve(R"py(
done = False
def waiting(s):
    while not done: yield b''
    s('200 OK', [])
    yield b'at last'
def app(e, s):
    if e['PATH_INFO'] == '/wait': return waiting(s)
    s('200 OK', [])
    return [b''] * 1000 + [b'served']
)py");
    Client waits(*this);
    waits.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(Client(*this).get().body, "served");
    EXPECT_EQ(Client(*this).get().body, "served");
    define("done = True");
    EXPECT_EQ(waits.response().body, "at last");
}

// It is not the number of its items that makes an iterable's turn long.
TEST_F(ResponseTest, AnIterableThatTakesItsTimeLeavesOthersTheirTurn)
{
    serve(R"py(
import time
pulled = 0
def slow():
    global pulled
    for pulled in range(10):
        time.sleep(0.006)
        yield b'x'
def app(e, s):
    s('200 OK', [])
    return slow() if e['PATH_INFO'] == '/slow' else [b'served']
)py");
    Client slow(*this);
    slow.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(slow.until_received("x"));
    EXPECT_EQ(Client(*this).get().body, "served");
    EXPECT_EQ(value("pulled < 9"), "True");
    EXPECT_EQ(slow.response().body, "xxxxxxxxxx");
}

TEST_F(ResponseTest, WriteWithinLen)
{
    serve(R"py(
class Odd:
    def __init__(self, w): self.w = w
    def __iter__(self): return iter([b'item'])
    def __len__(self):
        self.w(b'written ')
        return 1
def app(e, s): return Odd(s('200 OK', []))
)py");
    EXPECT_EQ(Client(*this).get().body, "written item");
}

// -- close() --------------------------------------------------------------------------------------

const char *const CLOSING = R"py(
log = []
class Body:
    def __init__(self, items): self.items = iter(items)
    def __iter__(self): return self
    def __next__(self): return next(self.items)
    def close(self):
        log.append('close')
        if fail_close: raise ValueError('in close')
fail_close = False
def broken(before):
    yield from before
    raise RuntimeError('iteration')
def endless():
    while True: yield b'x' * 10000
def app(e, s):
    log.append('call')
    if e['PATH_INFO'] != '/none': s('200 OK', [])
    return Body({'/good': [b'a', b'b'], '/empty': [], '/none': [b'a'],
                 '/early': broken([]), '/late': broken([b'a']), '/str': ['text'],
                 '/endless': endless()}[e['PATH_INFO']])
)py";

TEST_F(ResponseTest, CloseIsCalledOnceOnEveryPath)
{
    for (const char *fail : {"False", "True"})
        for (const char *target : {"/good", "/empty", "/none", "/early", "/late", "/str"}) {
            logged.clear();
            serve(CLOSING);
            define("fail_close = " + std::string(fail));
            Client client(*this);
            client.get(target);
            EXPECT_EQ(value("log"), "['call', 'close']") << target;
            EXPECT_EQ(log_has("exception in the iterable's close()"), *fail == 'T') << target;
        }
}

TEST_F(ResponseTest, CloseThatFailsLeavesTheResponseAlone)
{
    serve(CLOSING);
    define("fail_close = True");
    Client client(*this);
    EXPECT_EQ(client.get("/good").body, "ab");
    EXPECT_EQ(logged[0], "GET /good: exception in the iterable's close()");
    EXPECT_EQ(logged.back(), "ValueError: in close");
    EXPECT_EQ(client.get("/good").body, "ab") << "the connection goes on";
}

TEST_F(ResponseTest, CloseIsCalledWhenTheClientLeaves)
{
    serve(CLOSING);
    for (bool reset : {true, false}) {
        define("log.clear()");
        Client client(*this);
        client.send("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
        turns(100);
        EXPECT_EQ(value("log"), "['call']");
        if (reset)
            client.reset();
        else
            client.leave();
        EXPECT_TRUE(until([&] { return value("log") == "['call', 'close']"; }));
    }
    EXPECT_TRUE(logged.empty()) << log_text();
}

TEST_F(ResponseTest, CloseIsCalledWhenTheServerGoes)
{
    serve(CLOSING);
    Client client(*this);
    client.send("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
    turns(100);
    http_server_free(server);
    server = nullptr;
    EXPECT_EQ(value("log"), "['call', 'close']");
}

TEST_F(ResponseTest, GeneratorsFinallyRunsWhenTheClientLeaves)
{
    serve(R"py(
log = []
def app(e, s):
    s('200 OK', [])
    try:
        while True: yield b'x' * 10000
    except GeneratorExit:
        log.append('exit')
        raise
    finally:
        log.append('finally')
)py");
    Client client(*this);
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    turns(100);
    client.reset();
    EXPECT_TRUE(until([&] { return value("log") == "['exit', 'finally']"; }));
}

TEST_F(ResponseTest, ClientThatLeavesBeforeItsBodyIsThere)
{
    serve("calls = 0\ndef app(e, s):\n  global calls\n  calls += 1");
    Client client(*this);
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
    turns();
    client.leave();
    turns(50);
    EXPECT_EQ(value("calls"), "0");
    EXPECT_EQ(http_server_connections(server), 0u);
    EXPECT_TRUE(logged.empty()) << log_text();
}

TEST_F(ResponseTest, ListHasNoCloseToLookFor)
{
    serve(R"py(
looked = []
class Items(list):
    def __getattribute__(self, name):
        looked.append(name)
        return list.__getattribute__(self, name)
def app(e, s):
    s('200 OK', [])
    return Items([b'a'])
)py");
    EXPECT_EQ(Client(*this).get().body, "a");
    EXPECT_TRUE(until([] { return value("looked") == "['close']"; })) << "a subclass may have one";
}

// -- Pipelining, HTTP/1.0 -------------------------------------------------------------------------

// A thread that Python does not know of yet, as a library may have: the loop waits for nothing
// else, and a request has just been.
TEST_F(ResponseTest, AThreadThatBeginsWhileTheLoopWaitsHasItsTurn)
{
    serve("def app(e, s):\n  s('200 OK', [])\n  return [b'x']");
    Client(*this).get();
    dispatch_waker done = {};
    done.woken = [](auto *waker) { dispatch_stop(waker->loop, 1); };
    dispatch_timer late = {};
    late.fired = [](auto *timer) { dispatch_stop(timer->loop, 0); };
    ASSERT_EQ(dispatch_waker_add(loop, &done), 0);
    ASSERT_EQ(dispatch_timer_add(loop, &late), 0);
    dispatch_timer_set(&late, dispatch_clock() + UINT64_C(60000000000));
    std::thread thread([&] {
        usleep(20000);
        PyGILState_STATE state = PyGILState_Ensure();
        PyGILState_Release(state);
        dispatch_wake(&done);
    });
    EXPECT_EQ(dispatch_run(loop), 1);
    PyThreadState *released = PyEval_SaveThread();
    thread.join();
    PyEval_RestoreThread(released);
    dispatch_waker_remove(&done);
    dispatch_timer_remove(&late);
}

// What a request sets in its context no later one sees, be it set when the request ends, reset, or
// kept by a token.
TEST_F(ResponseTest, ContextsAreAsNewForEachRequest)
{
    serve(R"py(
import contextvars
var = contextvars.ContextVar('var', default='none')
seen, tokens = [], []
def app(environ, start_response):
    seen.append(var.get() + ' %d' % len(contextvars.copy_context()))
    if environ['PATH_INFO'] != '/look':
        token = var.set('set')
    if environ['PATH_INFO'] == '/reset':
        var.reset(token)
    if environ['PATH_INFO'] == '/keep':
        tokens.append(token)
        var.reset(token)
    start_response('200 OK', [])
    return []
)py");
    Client client(*this);
    for (const char *path :
         {"/look", "/set", "/look", "/reset", "/look", "/keep", "/keep", "/look"})
        client.get(path);
    EXPECT_EQ(value("set(seen), len(seen)"), "({'none 0'}, 8)");
}

TEST_F(ResponseTest, PipelinedRequestsAreAnsweredInOrder)
{
    serve(R"py(
def app(e, s):
    s('200 OK', [])
    body = e['PATH_INFO'].encode()
    return [body] if e['QUERY_STRING'] else iter([body[:1], body[1:]])
)py");
    Client client(*this);
    std::string requests;

    for (int i = 0; i < 20; i++)
        requests +=
            "GET /" + std::to_string(i) + (i % 3 ? "?x" : "") + " HTTP/1.1\r\nHost: x\r\n\r\n";
    client.send(requests);
    for (int i = 0; i < 20; i++)
        EXPECT_EQ(client.response().body, "/" + std::to_string(i));
}

TEST_F(ResponseTest, GeneratorToHttp10EndsWithTheConnection)
{
    serve("def app(e, s):\n  s('200 OK', [])\n  yield b'a'\n  yield b'b'");
    Client client(*this);
    client.send("GET / HTTP/1.0\r\n\r\n");
    Response r = client.response();
    EXPECT_EQ(r.body, "ab");
    EXPECT_TRUE(r.complete);
    EXPECT_EQ(r.fields.count("transfer-encoding"), 0u);
}

} // namespace
