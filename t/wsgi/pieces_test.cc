// wsgi.input of a streaming application: pieces as they come, and reading without waiting.

#include "fixture.h"

namespace {

const char application[] = R"(
import asynwsgi, hashlib, io

got, closed = [], []

@asynwsgi.streaming
def app(environ, start_response):
    body = environ['wsgi.input']
    try:
        for v in body:
            got.append(v)
            if v is environ['wsgi.input_sentinel']:
                yield v
        start_response('200 OK', [])
        yield repr(body.trailers).encode()
    finally:
        closed.append(True)

@asynwsgi.streaming
def reading(environ, start_response):
    body = environ['wsgi.input']
    for call, size in calls:
        while True:
            try:
                got.append(getattr(body, call)(*size))
                break
            except BlockingIOError:
                got.append('wait')
                yield environ['wsgi.input_sentinel']
    start_response('200 OK', [])
    yield b'done'
)";

const char chunked[] = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string sized(size_t length)
{
    return "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

class Pieces : public Wsgi {
  public:
    void SetUp() override
    {
        Wsgi::SetUp();
        options.input_window = 65536;
        serve(application);
    }

    // The server has taken what was sent so far.
    void sent(Client &client, const std::string &bytes)
    {
        client.send(bytes);
        turns();
    }

    // Serves `reading`, which calls these one after the other.
    void read(const std::string &calls)
    {
        serve(std::string(application) + "\ncalls = [" + calls + "]\n", "__main__:reading");
    }
};

TEST_F(Pieces, OfASizedBodyAreItsBytes)
{
    Client client(*this);

    sent(client, sized(5) + "ab");
    EXPECT_EQ(value("got"), "[b'', b'ab', b'']");
    sent(client, "cde");
    EXPECT_EQ(client.response().body, "[]");
    EXPECT_EQ(value("got"), "[b'', b'ab', b'', b'cde']");
}

TEST_F(Pieces, OfAChunkedBodyTellWhereChunksBegin)
{
    Client client(*this);

    sent(client, std::string(chunked) + "3\r\nabc\r\n5\r\nde");
    sent(client, "fgh\r\n0\r\n");
    sent(client, "\r\n");
    EXPECT_EQ(client.response().status, 200);
    EXPECT_EQ(value("[v for v in got if v != b'']"), "[[3, b'abc'], [5, b'de'], b'fgh', [0, b'']]");
}

TEST_F(Pieces, OfAnEmptyChunkedBodyAreTheLastChunk)
{
    Client client(*this);

    client.send(std::string(chunked) + "0\r\n\r\n");
    EXPECT_EQ(client.response().status, 200);
    EXPECT_EQ(value("[v for v in got if v != b'']"), "[[0, b'']]");
}

TEST_F(Pieces, OfNoBodyAreNone)
{
    Client client(*this);

    EXPECT_EQ(client.get().status, 200);
    EXPECT_EQ(value("got"), "[]");
}

TEST_F(Pieces, TheLastMayHaveTheTrailers)
{
    Client client(*this);

    serve(std::string(application) + R"(
@asynwsgi.streaming
def trailing(environ, start_response):
    environ['wsgi.input'].yield_trailers = True
    before = environ['wsgi.input'].trailers
    for v in environ['wsgi.input']:
        got.append(v)
        yield b''
    start_response('200 OK', [])
    yield repr((before, environ['wsgi.input'].trailers)).encode()
)",
          "__main__:trailing");
    sent(client, std::string(chunked) + "1\r\na\r\n0\r\nX-Sum:  1 \r");
    client.send("\nY: 2\r\n\r\n");
    EXPECT_EQ(client.response().body, "(None, [('X-Sum', '1'), ('Y', '2')])");
    EXPECT_EQ(value("got[-1]"), "[0, b'', [('X-Sum', '1'), ('Y', '2')]]");
    // The next request has an input of its own.
    client.send(std::string(chunked) + "0\r\n\r\n");
    EXPECT_EQ(client.response().body, "(None, [])");
}

TEST_F(Pieces, TrailersAreThereForThoseWhoDoNotStream)
{
    Client client(*this);

    serve(R"(
def plain(environ, start_response):
    start_response('200 OK', [])
    return [environ['wsgi.input'].read(), repr(environ['wsgi.input'].trailers).encode()]
)",
          "__main__:plain");
    client.send(std::string(chunked) + "1\r\na\r\n0\r\nX: 1\r\n\r\n");
    EXPECT_EQ(client.response().body, "a[('X', '1')]");
}

TEST_F(Pieces, ReadTakesOnlyWhatHasArrived)
{
    Client client(*this);

    read("('read', (3,)), ('read', (2,)), ('read', (9,)), ('read', (9,))");
    sent(client, sized(7) + "abcd");
    EXPECT_EQ(value("got"), "['wait', b'abc', 'wait']");
    sent(client, "e");
    EXPECT_EQ(value("got"), "['wait', b'abc', 'wait', b'de', 'wait']");
    client.send("fg");
    EXPECT_EQ(client.response().body, "done");
    EXPECT_EQ(value("got[-2:]"), "[b'fg', b'']");
}

TEST_F(Pieces, ReadRunsOverChunks)
{
    Client client(*this);

    read("('read', (4,)), ('read', ())");
    client.send(std::string(chunked) + "1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n");
    EXPECT_EQ(client.response().body, "done");
    EXPECT_EQ(value("[v for v in got if v != 'wait']"), "[b'abcd', b'ef']");
}

TEST_F(Pieces, LinesAreReadOverPieces)
{
    Client client(*this);

    read("('readline', ()), ('readline', (3,)), ('readline', ()), ('readlines', ())");
    sent(client, sized(17) + "on");
    sent(client, "e\nlonger");
    EXPECT_EQ(value("[v for v in got if v != 'wait']"), "[b'one\\n', b'lon']");
    sent(client, "\nx\ny");
    client.send("y\nz");
    EXPECT_EQ(client.response().body, "done");
    EXPECT_EQ(value("[v for v in got if v != 'wait']"),
              "[b'one\\n', b'lon', b'ger\\n', [b'x\\n', b'yy\\n', b'z']]");
}

TEST_F(Pieces, NoMoreThanTheWindowIsReadAtOnce)
{
    Client client(*this);

    read("('read', (200000,)), ('readline', ()), ('read', (200000,))");
    client.send(sized(150000) + std::string(150000, 'x'));
    EXPECT_EQ(client.response().body, "done");
    EXPECT_EQ(value("[65536 <= len(v) < 150000 for v in got if v != 'wait'][0]"), "True");
    EXPECT_EQ(value("sum(len(v) for v in got if v != 'wait')"), "150000");
}

TEST_F(Pieces, AllOfALongBodyIsAnError)
{
    Client client(*this);

    read("('read', ())");
    client.send(sized(150000) + std::string(150000, 'x'));
    EXPECT_EQ(client.response().status, 500);
    EXPECT_TRUE(log_has("input-window")) << log_text();
}

TEST_F(Pieces, TheClientWaitsForTheApplication)
{
    Client client(*this);
    std::string body(30000000, 'x');
    size_t before = 0, taken = 0;
    ssize_t n;

    serve(std::string(application) + R"(
event = asynwsgi.Event()
@asynwsgi.streaming
def later(environ, start_response):
    yield event.wait()
    size = 0
    for v in environ['wsgi.input']:
        size += len(v)
        yield b''
    start_response('200 OK', [])
    yield str(size).encode()
)",
          "__main__:later");
    client.send(sized(body.size()));
    while ((n = send(client.fd, body.data() + taken, body.size() - taken, MSG_NOSIGNAL)) > 0 ||
           taken > before) {
        before = taken;
        taken += n > 0 ? static_cast<size_t>(n) : 0;
        turns(3);
    }
    EXPECT_LT(taken, body.size());
    EXPECT_LT(http_server_memory(server), 200000u);
    define("event.set()");
    client.send(body.substr(taken));
    EXPECT_EQ(client.response().body, "30000000");
}

// What was taken is not in the account of memory any more.
TEST_F(Pieces, NothingIsHeldOfWhatWasTaken)
{
    Client client(*this);
    size_t before;

    serve(std::string(application) + R"(
event = asynwsgi.Event()
@asynwsgi.streaming
def half(environ, start_response):
    while not next(environ['wsgi.input']):
        yield b''
    got.append('half')
    yield event.wait()
    start_response('200 OK', [])
    yield b'ok'
)",
          "__main__:half");
    sent(client, sized(30000));
    before = http_server_memory(server);
    client.send(std::string(20000, 'x'));
    EXPECT_TRUE(until([] { return value("got") == "['half']"; }));
    EXPECT_LT(http_server_memory(server), before + 1000);
    define("event.set()");
    EXPECT_EQ(client.response().body, "ok");
}

// Where chunks begin is kept, and takes memory, which the window is for.
TEST_F(Pieces, SmallChunksFillTheWindow)
{
    Client client(*this);
    std::string body;

    read("('read', (60000,)), ('read', (60000,))");
    for (int i = 0; i < 30000; i++)
        body += "1\r\nx\r\n";
    client.send(std::string(chunked) + body);
    EXPECT_TRUE(until([] {
        return value("len(got[-1]) if got else 0") != "0" && value("got[-1] != 'wait'") == "True";
    }));
    EXPECT_EQ(value("1000 < len(got[-1]) < 10000"), "True");
}

TEST_F(Pieces, ContinueGoesOutWhenTheApplicationAsks)
{
    Client client(*this);

    serve(std::string(application) + R"(
event = asynwsgi.Event()
@asynwsgi.streaming
def later(environ, start_response):
    yield event.wait()
    for v in environ['wsgi.input']:
        yield b''
    start_response('200 OK', [])
    yield b'ok'
)",
          "__main__:later");
    sent(client, "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    client.receive();
    EXPECT_EQ(client.received, "");
    define("event.set()");
    EXPECT_TRUE(client.until_received("HTTP/1.1 100 Continue\r\n\r\n"));
    client.received.clear();
    client.send("ab");
    EXPECT_EQ(client.response().body, "ok");
}

TEST_F(Pieces, AnswerThatDoesNotWaitForTheBody)
{
    Client client(*this);

    serve(std::string(application) + R"(
@asynwsgi.streaming
def early(environ, start_response):
    start_response('200 OK', [('Content-Length', '5')])
    return [b'early']
)",
          "__main__:early");
    sent(client, sized(3) + "a");
    EXPECT_EQ(client.response().body, "early");
    client.send("bc");
    EXPECT_EQ(client.get().body, "early");
}

TEST_F(Pieces, TheClientLeavesInTheMiddle)
{
    Client client(*this);

    sent(client, sized(5) + "ab");
    client.leave();
    EXPECT_TRUE(until([] { return value("closed") == "[True]"; }));
    EXPECT_EQ(log_text(), "");
}

TEST_F(Pieces, ABrokenChunkClosesTheIterable)
{
    Client client(*this);

    sent(client, std::string(chunked) + "3\r\nabc\r\nx");
    EXPECT_EQ(client.response().status, 400);
    EXPECT_EQ(value("closed"), "[True]");
}

TEST_F(Pieces, KeptInputIsCutLoose)
{
    Client client(*this);

    serve(std::string(application) + R"(
@asynwsgi.streaming
def keeping(environ, start_response):
    global kept
    kept = environ['wsgi.input']
    start_response('200 OK', [])
    return [b'']

def raises(function):
    try:
        function()
    except RuntimeError:
        return True
)",
          "__main__:keeping");
    client.send(sized(1));
    EXPECT_EQ(client.response().status, 200);
    for (const char *use :
         {"next(kept)", "kept.read(1)", "kept.readline()", "kept.readlines()", "kept.trailers"})
        EXPECT_EQ(value(std::string("raises(lambda: ") + use + ")"), "True") << use;
}

// With threads the loop may be at work on it.
TEST_F(Pieces, SuspendedInputIsNobodys)
{
    Client client(*this);

    serve(std::string(application) + R"(
@asynwsgi.streaming
def lending(environ, start_response):
    global kept
    kept = environ['wsgi.input']
    for v in kept:
        yield b''
    start_response('200 OK', [])
    yield b'ok'

def raises(function):
    try:
        function()
    except RuntimeError:
        return True
)",
          "__main__:lending");
    sent(client, sized(2) + "a");
    for (const char *use : {"next(kept)", "kept.read(1)", "kept.readline()", "kept.trailers"})
        EXPECT_EQ(value(std::string("raises(lambda: ") + use + ")"), "True") << use;
    client.send("b");
    EXPECT_EQ(client.response().body, "ok");
}

TEST_F(Pieces, APathMayBeStreamedByOption)
{
    static const char *const paths[] = {"/up", "/x/", nullptr};
    Client client(*this);

    options.streaming = paths;
    serve(R"(
def app(environ, start_response):
    start_response('200 OK', [])
    return [b'early' if next(environ['wsgi.input']) == b'' else b'whole']
)");
    for (const auto &[path, expected] : std::map<std::string, std::string>{{"/up", "early"},
                                                                           {"/up/a", "early"},
                                                                           {"/upper", "whole"},
                                                                           {"/", "whole"},
                                                                           {"/x", "early"},
                                                                           {"/x/y", "early"},
                                                                           {"/up?a", "early"}}) {
        client.send("POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na");
        EXPECT_EQ(client.response().body, expected) << path;
    }
    options.streaming = nullptr;
}

} // namespace
