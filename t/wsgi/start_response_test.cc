// start_response and write: PEP 3333's rules, and what happens to objects that are kept.

#include "wsgi/fixture.h"

namespace {

class StartResponse : public Wsgi {
  protected:
    // The exception that a call gives, "None" if none; s is start_response.
    std::string raised(const std::string &call)
    {
        serve("raised = None\n"
              "def app(e, s):\n"
              "  global raised\n"
              "  try:\n"
              "    " +
              call +
              "\n"
              "  except BaseException as x:\n"
              "    raised = type(x).__name__ + ': ' + str(x)\n"
              "    s('200 Fine', [])\n"
              "  return [b'body']\n");
        last = Client(*this).get();
        return value("raised");
    }

    Response last;
};

TEST_F(StartResponse, WrongArguments)
{
    struct {
        const char *call, *raised;
    } cases[] = {
        {"s()", "TypeError: start_response() takes"},
        {"s('200 OK')", "TypeError: start_response() takes"},
        {"s('200 OK', [], None, None)", "TypeError: start_response() takes"},
        {"s('200 OK', [], other=None)", "TypeError: start_response() takes"},
        {"s('200 OK', headers=[])", "TypeError: start_response() takes"},
        {"s('200 OK', [], None, exc_info=None)", "TypeError: start_response() takes"},
        {"s('200 OK', [], 1)", "TypeError: exc_info must be None or a tuple of three"},
        {"s('200 OK', [], ())", "TypeError: exc_info must be None or a tuple of three"},
        {"s('200 OK', [], (1, 2))", "TypeError: exc_info must be None or a tuple of three"},
        {"s('200 OK', [], [1, 2, 3])", "TypeError: exc_info must be None or a tuple of three"},
        {"s(b'200 OK', [])", "TypeError: the status must be str, not bytes"},
        {"s(200, [])", "TypeError: the status must be str, not int"},
        {"s('', [])", "ValueError: the status must be three digits"},
        {"s('200', [])", "ValueError: the status must be three digits"},
        {"s('OK', [])", "ValueError: the status must be three digits"},
        {"s('20 OK', [])", "ValueError: the status must be three digits"},
        {"s('2000 OK', [])", "ValueError: the status must be three digits"},
        {"s('200OK', [])", "ValueError: the status must be three digits"},
        {"s(' 200 OK', [])", "ValueError: the status must be three digits"},
        {"s('-20 OK', [])", "ValueError: the status must be three digits"},
        {"s('200 O\\nK', [])", "ValueError: the status must be three digits"},
        {"s('200 O\\rK', [])", "ValueError: the status must be three digits"},
        {"s('200 O\\0K', [])", "ValueError: the status must be three digits"},
        {"s('200 OK\\x7f', [])", "ValueError: the status must be three digits"},
        {"s('200 \\u20ac', [])", "ValueError: the status has characters beyond Latin-1"},
        {"s('100 Continue', [])", "ValueError: the status must be final"},
        {"s('000 None', [])", "ValueError: the status must be final"},
        {"s('200 OK', ())", "TypeError: the headers must be a list, not tuple"},
        {"s('200 OK', None)", "TypeError: the headers must be a list, not NoneType"},
        {"s('200 OK', {})", "TypeError: the headers must be a list, not dict"},
        {"s('200 OK', iter([]))", "TypeError: the headers must be a list, not list_iterator"},
        {"s('200 OK', type('L', (list,), {})())", "TypeError: the headers must be a list, not L"},
        {"s('200 OK', ['A'])", "TypeError: a header must be a tuple (name, value), not 'A'"},
        {"s('200 OK', [None])", "TypeError: a header must be a tuple (name, value), not None"},
        {"s('200 OK', [['A', 'b']])", "TypeError: a header must be a tuple"},
        {"s('200 OK', [('A',)])", "TypeError: a header must be a tuple"},
        {"s('200 OK', [('A', 'b', 'c')])", "TypeError: a header must be a tuple"},
        {"s('200 OK', [(b'A', 'b')])", "TypeError: a header's name must be str, not bytes"},
        {"s('200 OK', [('A', b'b')])", "TypeError: a header's value must be str, not bytes"},
        {"s('200 OK', [('A', 1)])", "TypeError: a header's value must be str, not int"},
        {"s('200 OK', [('A', None)])", "TypeError: a header's value must be str, not NoneType"},
        {"s('200 OK', [('', 'b')])", "ValueError: not a header's name: ''"},
        {"s('200 OK', [('A B', 'b')])", "ValueError: not a header's name: 'A B'"},
        {"s('200 OK', [('A:', 'b')])", "ValueError: not a header's name: 'A:'"},
        {"s('200 OK', [('A\\n', 'b')])", "ValueError: not a header's name"},
        {"s('200 OK', [('A\\0', 'b')])", "ValueError: not a header's name"},
        {"s('200 OK', [('\\xe4', 'b')])", "ValueError: not a header's name"},
        {"s('200 OK', [('\\u20ac', 'b')])", "ValueError: a header's name has characters beyond"},
        {"s('200 OK', [('A', '\\u20ac')])", "ValueError: a header's value has characters beyond"},
        {"s('200 OK', [('A', 'b\\r\\nC: d')])", "ValueError: a header's value has control"},
        {"s('200 OK', [('A', 'b\\n')])", "ValueError: a header's value has control"},
        {"s('200 OK', [('A', 'b\\r')])", "ValueError: a header's value has control"},
        {"s('200 OK', [('A', 'b\\0c\\r\\nD: e')])", "ValueError: a header's value has control"},
        {"s('200 OK', [('A', '\\0')])", "ValueError: a header's value has control"},
        {"s('200 OK', [('A', '\\x7f')])", "ValueError: a header's value has control"},
        {"s('200 OK', [('Connection', 'close')])", "ValueError: 'Connection' is for the server"},
        {"s('200 OK', [('connection', 'x')])", "ValueError: 'connection' is for the server"},
        {"s('200 OK', [('Transfer-Encoding', 'chunked')])", "ValueError: 'Transfer-Encoding' is"},
        {"s('200 OK', [('Keep-Alive', 'x')])", "ValueError: 'Keep-Alive' is for the server"},
        {"s('200 OK', [('Upgrade', 'x')])", "ValueError: 'Upgrade' is for the server"},
        {"s('200 OK', [('TE', 'x')])", "ValueError: 'TE' is for the server"},
        {"s('200 OK', [('Trailer', 'x')])", "ValueError: 'Trailer' is for the server"},
        {"s('200 OK', [('Proxy-Authenticate', 'x')])", "ValueError: 'Proxy-Authenticate' is"},
        {"s('200 OK', [('Content-Length', '')])", "ValueError: Content-Length must be a decimal"},
        {"s('200 OK', [('Content-Length', '-1')])", "ValueError: Content-Length must be"},
        {"s('200 OK', [('Content-Length', '+1')])", "ValueError: Content-Length must be"},
        {"s('200 OK', [('Content-Length', '1 2')])", "ValueError: Content-Length must be"},
        {"s('200 OK', [('Content-Length', '0x1')])", "ValueError: Content-Length must be"},
        {"s('200 OK', [('content-length', '1' * 19)])", "ValueError: Content-Length must be"},
        {"s('200 OK', [('Content-Length', '1'), ('content-length', '2')])",
         "ValueError: Content-Length is given twice"},
    };
    for (auto &c : cases) {
        std::string message = raised(c.call);
        EXPECT_EQ(message.substr(0, strlen(c.raised)), c.raised) << c.call;
        EXPECT_EQ(last.line, "HTTP/1.1 200 Fine") << "what failed left nothing behind: " << c.call;
        EXPECT_EQ(last.body, "body") << c.call;
    }
}

// What is unusual and right, and the line of the response it comes out as.
TEST_F(StartResponse, RightArguments)
{
    struct {
        const char *call, *line;
    } cases[] = {
        {"s('404 Not Found', [])", "HTTP/1.1 404 Not Found\r\n"},
        {"s('200 ', [])", "HTTP/1.1 200 \r\n"},
        {"s('999 Why\\tnot', [])", "HTTP/1.1 999 Why\tnot\r\n"},
        {"s('200 \\xe4', [])", "HTTP/1.1 200 \xe4\r\n"},
        {"s('200 OK', [], None)", "HTTP/1.1 200 OK\r\n"},
        {"s('200 OK', [], exc_info=None)", "HTTP/1.1 200 OK\r\n"},
        {"s('200 OK', [], (None, None, None))", "HTTP/1.1 200 OK\r\n"},
        {"s('200 OK', [('A', '')])", "A: \r\n"},
        {"s('200 OK', [('A', ' \\t')])", "A: \r\n"},
        {"s('200 OK', [('A', ' b ')])", "A: b\r\n"},
        {"s('200 OK', [('A', '\\xe4\\tb')])", "A: \xe4\tb\r\n"},
        {"s('200 OK', [('A', 'b'), ('A', 'c')])", "A: b\r\nA: c\r\n"},
        {"s('200 OK', [('C', '7')])", "C: 7\r\n"},
        {"s('200 OK', [('Content-Length', ' 4')])", "Content-Length: 4\r\n"},
        {"s('200 OK', [('Content-Length', '4'), ('Content-Length', '4')])",
         "Content-Length: 4\r\n"},
        {"s('200 OK', [('Content-Length', '004')])", "Content-Length: 4\r\n"},
        {"s('200 OK', [('Date', 'x')])", "Date: x\r\n"},
        {"s('200 OK', [('Server', 'x')])", "Server: x\r\n"},
        {"s(type('S', (str,), {})('200 OK'), [(type('S', (str,), {})('A'), 'b')])", "A: b\r\n"},
        {"s('200 OK', [('X', str(i)) for i in range(200)])", "X: 199\r\n"},
        {"s('200 OK', [('X', 'y' * 100000)])", "yyy\r\n"},
    };
    for (auto &c : cases) {
        EXPECT_EQ(raised(c.call), "None") << c.call;
        EXPECT_NE(last.head.find(c.line), std::string::npos) << c.call << last.head;
        EXPECT_EQ(last.body, "body");
        EXPECT_EQ(last.fields.count("content-length"), 1u);
        EXPECT_EQ(last.fields.count("date"), 1u);
    }
}

TEST_F(StartResponse, TwiceNeedsExcInfo)
{
    EXPECT_EQ(raised("s('201 A', [('A', 'b')]); s('202 B', [])").substr(0, 15), "AssertionError:");
    EXPECT_EQ(last.status, 500) << "the second s() of the test raises as well";

    serve(R"py(
import sys
def app(e, s):
    s('200 OK', [('A', 'b'), ('Content-Length', '99')])
    try: 1/0
    except Exception: s('500 Oops', [('C', 'd')], sys.exc_info())
    return [b'sorry']
)py");
    last = Client(*this).get();
    EXPECT_EQ(last.line, "HTTP/1.1 500 Oops");
    EXPECT_EQ(last.field("c"), "d");
    EXPECT_EQ(last.fields.count("a"), 0u);
    EXPECT_EQ(last.body, "sorry");
}

TEST_F(StartResponse, FailedReplacementLeavesTheFirst)
{
    serve(R"py(
import sys
def app(e, s):
    s('200 OK', [('A', 'b')])
    try: s('500 Oops', [('C', 'd' * 10000)] * 300 + [('C', '\n')], (None, None, None))
    except ValueError: pass
    return [b'fine']
)py");
    last = Client(*this).get();
    EXPECT_EQ(last.line, "HTTP/1.1 200 OK");
    EXPECT_EQ(last.field("a"), "b");
    EXPECT_EQ(last.body, "fine");
}

TEST_F(StartResponse, FailedAllocationLeavesTheFirst)
{
    static PyMethodDef fail = {"fail",
                               [](PyObject *, PyObject *n) -> PyObject * {
                                   test_fail_allocation(PyLong_AsUnsignedLong(n));
                                   Py_RETURN_NONE;
                               },
                               METH_O, nullptr};
    PyObject *function = PyCFunction_New(&fail, nullptr);
    PyObject_SetAttrString(PyImport_AddModule("__main__"), "fail", function);
    Py_DECREF(function);
    serve(R"py(
def app(e, s):
    s('200 OK', [('A', 'b')])
    for n in (1, 2):
        fail(n)
        try: s('500 Oops', [('C', 'd' * 10000)] * 300 * n, (None, None, None))
        except MemoryError: pass
        fail(0)
    return [b'fine']
)py");
    last = Client(*this).get();
    EXPECT_EQ(last.line, "HTTP/1.1 200 OK") << log_text();
    EXPECT_EQ(last.field("a"), "b");
    EXPECT_EQ(last.body, "fine");
}

TEST_F(StartResponse, ExcInfoAfterTheHeadIsRaisedAgain)
{
    serve(R"py(
import sys
caught = []
def app(e, s):
    s('200 OK', [])
    yield b'part'
    try: 1/0
    except Exception:
        try: s('500 Oops', [], sys.exc_info())
        except Exception as x:
            caught.append((type(x).__name__, x.__traceback__ is not None))
            try: s('500 Oops', [], (None, None, None))
            except RuntimeError as y: caught.append(str(y))
            raise
)py");
    Client client(*this);
    Response r = client.get();
    EXPECT_FALSE(r.complete);
    EXPECT_EQ(r.body, "part");
    EXPECT_EQ(value("caught"),
              "[('ZeroDivisionError', True), 'the head of the response has been sent']");
    EXPECT_EQ(logged.back(), "ZeroDivisionError: division by zero");
}

TEST_F(StartResponse, HeadersAreCopied)
{
    serve(R"py(
def app(e, s):
    headers = [('A', 'b')]
    s('200 OK', headers)
    headers[:] = ['nonsense']
    yield b'x'
)py");
    EXPECT_EQ(Client(*this).get().field("a"), "b");
}

// Heads that differ from the one before in little are not taken for it, whatever came before.
TEST_F(StartResponse, AfterAnyOther)
{
    const std::string application = R"py(
class S(str): pass
heads = [
    ('200 OK', [('A', 'b'), ('Content-Length', '4'), ('C', 'd')]),
    ('200 OK', [('A', 'b'), ('Content-Length', '3'), ('C', 'd')]),
    ('200 Ok', [('A', 'b'), ('Content-Length', '4'), ('C', 'd')]),
    ('200 OK', [('a', 'b'), ('Content-Length', '4'), ('C', 'd')]),
    ('200 OK', [('A', 'b'), ('Content-Length', '4'), ('C', 'D')]),
    ('200 OK', [('A', 'b '), ('Content-Length', ' 4'), ('C', 'd')]),
    ('200 OK', [('A', 'b'), ('C', 'd'), ('Content-Length', '4')]),
    ('200 OK', [('A', 'b'), ('C', 'd')]),
    ('200 OK', [('Content-Length', '4'), ('Content-Length', '4')]),
    ('200 OK', [('Content-Length', '4'), ('Content-Length', '3')]),
    ('200 OK', [('Content-Length', '4'), ('Content-Length', 'x')]),
    ('200 OK', [('Content-Length', '4')]),
    ('200 OK', [('Content-Length', '')]),
    ('200 OK', []),
    ('200 OK', [('Date', 'x'), ('Server', 'y')]),
    ('200 OK', [('A', 'b\r'), ('Content-Length', '4'), ('C', 'd')]),
    ('200 OK', [('A', 'b\u0100'), ('Content-Length', '4'), ('C', 'd')]),
    ('200 OK', [('A', 'b'), ('Content-Length', '4'), ('Connection', 'd')]),
    ('200 OK', [('A', 'b'), ('Content-Length', '4'), ('C', b'd')]),
    ('200 OK', [('A', 'b'), ('Content-Length', '4'), ['C', 'd']]),
    ('200 OK', (('A', 'b'), ('Content-Length', '4'), ('C', 'd'))),
    (S('200 OK'), [(S('A'), S('b')), (S('Content-Length'), S('4')), (S('C'), S('d'))]),
]
def app(e, s):
    s(*heads[int(e['PATH_INFO'][1:])])
    return [b'body']
)py";
    const size_t count = 22;
    auto head = [&](Client &client, size_t i) {
        std::string text = client.get("/" + std::to_string(i)).head;
        size_t date = text.find("\r\nDate:");
        return date == std::string::npos ? text
                                         : text.erase(date, text.find("\r\n", date + 1) - date);
    };
    std::vector<std::string> right;
    for (size_t i = 0; i < count; i++) {
        serve(application);
        Client client(*this);
        right.push_back(head(client, i));
    }
    EXPECT_EQ(std::count_if(right.begin(), right.end(),
                            [](auto &text) { return text.find("500") != std::string::npos; }),
              9);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < count; k++)
            for (size_t j : {i, k, i, k, k, i}) {
                Client client(*this);
                ASSERT_EQ(head(client, j), right[j]) << i << " and " << k;
            }
}

// What is refused is half made when its repr() is asked for, and another is made meanwhile.
TEST_F(StartResponse, WithinAnotherThatFails)
{
    serve(R"py(
class Text(str):
    def __repr__(self):
        start('200 OK', [('A', '7')])
        return 'text'
def app(e, s):
    global start
    start = s
    try:
        s('200 OK', [(Text('A'), 'b' if e['PATH_INFO'] == '/' else 'b\n')])
    except ValueError:
        pass
    return [b'body']
)py");
    Client client(*this);
    for (int i = 0; i < 3; i++)
        EXPECT_EQ(client.get("/").field("a"), "b");
    Response response = client.get("/refused");
    EXPECT_EQ(response.field("a"), "7");
    EXPECT_EQ(response.body, "body");
}

TEST_F(StartResponse, MayBeCalledWithinTheIterable)
{
    serve("def app(e, s):\n  yield b''\n  s('202 Late', [])\n  yield b'x'");
    EXPECT_EQ(Client(*this).get().line, "HTTP/1.1 202 Late");
}

TEST_F(StartResponse, ReferencesAreNotTouchedByWrongArguments)
{
    serve(R"py(
import sys
class Odd: pass
def app(e, s):
    global counts
    odd, bad = Odd(), ('A', 'b\n')
    def count(): return sys.getrefcount(odd), sys.getrefcount(bad), sys.getrefcount(None) // 10
    counts = [count()]
    for i in range(100):
        for a in ((odd, []), ('200 OK', odd), ('200 OK', [], odd), ('200 OK', [odd]),
                  ('200 OK', [bad]), ('200 OK', [('A', odd)]), ('200 OK', [(odd, 'b')]),
                  (None, None), ('200 OK', None), ('200 OK', [None])):
            try: s(*a)
            except (TypeError, ValueError): pass
            else: raise RuntimeError
    del a
    counts.append(count())
    s('200 OK', [])
    return []
)py");
    EXPECT_EQ(Client(*this).get().status, 200) << log_text();
    EXPECT_EQ(value("counts[0] == counts[1]"), "True") << value("counts");
}

// -- write ----------------------------------------------------------------------------------------

TEST_F(StartResponse, Write)
{
    serve(R"py(
def app(e, s):
    write = s('200 OK', [])
    write(b'one ')
    write(b'')
    write(b'two ')
    return [b'three']
)py");
    last = Client(*this).get();
    EXPECT_TRUE(last.complete);
    EXPECT_EQ(last.body, "one two three");
    EXPECT_EQ(last.field("transfer-encoding"), "chunked");
}

TEST_F(StartResponse, WriteWithALength)
{
    serve(R"py(
def app(e, s):
    write = s('200 OK', [('Content-Length', '7')])
    write(b'one ')
    write(b'two')
    write(b'too much')
    return []
)py");
    last = Client(*this).get("/w");
    EXPECT_EQ(last.body, "one two");
    EXPECT_EQ(logged.size(), 1u);
    EXPECT_TRUE(log_has("GET /w: the body is longer"));
}

TEST_F(StartResponse, WriteSendsTheHeadAtOnce)
{
    serve("def app(e, s):\n  s('200 OK', [])(b'')\n  try: s('201 X', [], (None, None, None))\n"
          "  except RuntimeError as x: return [str(x).encode()]");
    EXPECT_EQ(Client(*this).get().body, "the head of the response has been sent");
}

TEST_F(StartResponse, WriteTakesBytesOnly)
{
    for (const char *call :
         {"w('x')", "w()", "w(b'', b'')", "w(None)", "w(bytearray(b'x'))", "w(data=b'x')"}) {
        serve("def app(e, s):\n  w = s('200 OK', [])\n  try: " + std::string(call) +
              "\n  except TypeError as x: return [str(x).encode()]");
        EXPECT_EQ(Client(*this).get().body, "write() takes bytes") << call;
    }
}

TEST_F(StartResponse, WriteNeverWaits)
{
    serve(R"py(
def app(e, s):
    write = s('200 OK', [('Content-Length', '20000000')])
    for i in range(200): write(b'x' * 100000)
    return []
)py");
    Client client(*this);
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    turns();
    last = client.response();
    EXPECT_TRUE(last.complete);
    EXPECT_EQ(last.body.size(), 20000000u);
}

TEST_F(StartResponse, WriteToAClientThatLeftRaises)
{
    serve(R"py(
raised = None
def app(e, s):
    write = s('200 OK', [])
    gone()
    try:
        for i in range(100): write(b'x' * 1000000)
    except OSError as x:
        global raised
        raised = type(x).__mro__[1].__name__
        raise
)py");
    Client client(*this);
    static Client *the_client;
    the_client = &client;
    static PyMethodDef gone = {"gone",
                               [](PyObject *, PyObject *) -> PyObject * {
                                   the_client->reset();
                                   Py_RETURN_NONE;
                               },
                               METH_NOARGS, nullptr};
    PyObject *function = PyCFunction_New(&gone, nullptr);
    PyObject_SetAttrString(PyImport_AddModule("__main__"), "gone", function);
    Py_DECREF(function);
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(until([&] { return value("raised") != "None"; }));
    EXPECT_EQ(value("raised"), "ConnectionError");
    EXPECT_TRUE(logged.empty()) << "it is no fault of the application: " << log_text();
}

TEST_F(StartResponse, WriteFromAnotherThreadIsRefused)
{
    serve(R"py(
import threading
def app(e, s):
    write = s('200 OK', [])
    caught = []
    def run():
        try: write(b'x')
        except RuntimeError as x: caught.append(str(x))
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return [caught[0].encode()]
)py");
    EXPECT_EQ(Client(*this).get().body, "write() belongs to the thread of the request");
}

// -- Objects that the application keeps -----------------------------------------------------------

TEST_F(StartResponse, KeptObjectsRaiseAndTouchNothing)
{
    serve(R"py(
kept = []
def calls(e, s, w):
    i = e['wsgi.input']
    return [lambda: s('200 OK', []), lambda: s('200 OK', [], (None, None, None)),
            lambda: w(b'x'), lambda: i.read(), lambda: i.read(0), lambda: i.readline(),
            lambda: i.readlines(), lambda: next(i), lambda: list(i)]
def outcomes():
    result = set()
    for call in kept:
        try: call(); result.add('none')
        except RuntimeError: result.add('RuntimeError')
    return result
def app(e, s):
    w = s('200 OK', [('Content-Type', 'a/b')])
    if e['PATH_INFO'] == '/keep':
        kept.extend(calls(e, s, w))
        return [b'kept']
    before = outcomes()
    if e['PATH_INFO'] == '/fail': raise ValueError(str(before))
    return [str(before).encode()]
)py");
    Client client(*this);
    Client other(*this);
    EXPECT_EQ(client.get("/keep").body, "kept");
    EXPECT_EQ(value("outcomes()"), "{'RuntimeError'}");
    EXPECT_EQ(client.get("/").body, "{'RuntimeError'}") << "during a later request";
    EXPECT_EQ(other.get("/").body, "{'RuntimeError'}");
    EXPECT_EQ(client.get("/fail").status, 500);
    EXPECT_TRUE(log_has("ValueError: {'RuntimeError'}"));
    define("kept.clear()");
    EXPECT_EQ(client.get("/").body, "set()");
}

TEST_F(StartResponse, KeptObjectsOfOneThatFailed)
{
    serve(R"py(
kept = []
def app(e, s):
    kept.append((s, e['wsgi.input'], s('200 OK', [])))
    raise ValueError
)py");
    Client(*this).post("body");
    define(R"py(
outcome = []
for call in (lambda: kept[0][0]('200 OK', []), kept[0][1].read, lambda: kept[0][2](b'')):
    try: call()
    except RuntimeError: outcome.append('raised')
)py");
    EXPECT_EQ(value("outcome"), "['raised', 'raised', 'raised']");
}

TEST_F(StartResponse, WithinCloseTheResponseIsOver)
{
    serve(R"py(
outcome = []
class Body:
    def __init__(self, e, w): self.e, self.w = e, w
    def __iter__(self): return iter([b'x'])
    def close(self):
        try: self.w(b'late')
        except RuntimeError as x: outcome.append(str(x))
        outcome.append(self.e['wsgi.input'].read())
def app(e, s): return Body(e, s('200 OK', []))
)py");
    Client client(*this);
    EXPECT_EQ(client.post("body").body, "x");
    EXPECT_EQ(value("outcome"), "['the request that this belongs to is over', b'body']");
}

TEST_F(StartResponse, ObjectsServeAgainIfNobodyKeptThem)
{
    serve("ids = set()\ndef app(e, s):\n  ids.add((id(s), id(s('200 OK', [])), "
          "id(e['wsgi.input'])))\n  return []");
    Client client(*this);
    for (int i = 0; i < 10; i++) {
        if (i == 5)
            define("ids.clear()"); // before, one of another test may have served
        client.get();
    }
    EXPECT_EQ(value("len(ids)"), "1");
}

// The same objects as before are not looked at again: whatever came between, each head is its own.
TEST_F(StartResponse, ConstantsAreWhatTheyWere)
{
    serve(R"py(
ok, gone = '200 OK', '410 Gone'
one, two, three, five = ('X-A', '1'), ('X-A', '2'), ('Content-Length', '3'), ('Content-Length', '5')
class Text(str): pass
class Pair(tuple): pass
def fresh(pair): return tuple(list(pair))
cases = [(ok, [one, three]), (ok, [one, three]), (ok, [one, five]), (ok, [one, three]),
         (gone, [one, three]), (ok, [two, three]), (ok, [three, one]), (ok, [fresh(one), three]),
         (ok, [one, fresh(five)]), (ok, [one, five]), (ok, [one]), (ok, [one, two]), (ok, []),
         (ok, [one, three]), (Text(ok), [Pair(one), (Text('Content-Length'), Text('3'))]),
         (ok, [one, three]), (ok, [three]), (ok, [five]), (ok, [fresh(three)])]
number = 0
def app(e, s):
    global number
    status, headers = cases[number % len(cases)]
    number += 1
    if e['PATH_INFO'] == '/twice':
        s(gone, [two, five])
        s(status, list(headers), (None, None, None))
    else:
        s(status, list(headers))
    length = [int(value) for name, value in headers if name == 'Content-Length']
    return [b'x' * (length[0] if length else 4)]
)py");
    Client client(*this);
    for (int i = 0; i < 190; i++) {
        std::string expected =
            value("' '.join([cases[number % len(cases)][0], *sorted(v for n, v in "
                  "cases[number % len(cases)][1] if n == 'X-A'), "
                  "*[v for n, v in cases[number % len(cases)][1] "
                  "if n != 'X-A']])");
        Response response = client.get(i % 7 == 3 ? "/twice" : "/");
        std::string got = response.line.substr(9);

        for (const auto &[name, value_sent] : response.fields)
            if (name == "x-a")
                got += " " + value_sent;
        if (response.field("content-length") != "4")
            got += " " + response.field("content-length");
        EXPECT_EQ(got, expected) << i;
        EXPECT_EQ(std::to_string(response.body.size()), response.field("content-length"));
    }
}

} // namespace
