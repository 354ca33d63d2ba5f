// Iterables that are suspended: for a time, a descriptor, an event.

#include "fixture.h"

namespace {

const char application[] = R"(
import asynwsgi, os, socket, threading

log = []
event = asynwsgi.Event()
ours, theirs = socket.socketpair()
ours.setblocking(False)

def app(environ, start_response):
    try:
        readable = environ['x-wsgiorg.fdevent.readable']
        writable = environ['x-wsgiorg.fdevent.writable']
        wait = eval(environ['QUERY_STRING'].replace('%20', ' '))
        log.append('waits')
        yield wait
        log.append('timed out' if environ['x-wsgiorg.fdevent.timeout'] else 'goes on')
        start_response('200 OK', [])
        yield b'done'
    finally:
        log.append('closed')

def raises(function, *kinds):
    try:
        function()
    except kinds or RuntimeError:
        return True
)";

class Wait : public Wsgi {
  public:
    void SetUp() override
    {
        Wsgi::SetUp();
        serve(application);
    }

    void TearDown() override
    {
        Wsgi::TearDown();
        define("ours.close(); theirs.close()");
    }

    void begin(Client &client, const std::string &wait)
    {
        client.send("GET /?" + wait + " HTTP/1.1\r\nHost: a\r\n\r\n");
        turns();
        ASSERT_EQ(value("log[-1]"), "waits") << wait;
    }
};

TEST_F(Wait, ForATime)
{
    Client client(*this);

    EXPECT_EQ(client.get("/?asynwsgi.sleep(0.01)").body, "done");
    EXPECT_EQ(value("log"), "['waits', 'goes on', 'closed']");
}

TEST_F(Wait, OthersAreServedMeanwhile)
{
    Client sleeper(*this), other(*this);

    begin(sleeper, "asynwsgi.sleep(1000)");
    EXPECT_EQ(other.get("/?b''").body, "done");
    EXPECT_EQ(value("log"), "['waits', 'waits', 'goes on', 'closed']");
}

TEST_F(Wait, ForADescriptorToBeReadable)
{
    Client client(*this);

    begin(client, "readable(ours)");
    define("theirs.send(b'x')");
    EXPECT_EQ(client.response().body, "done");
    EXPECT_EQ(value("log[1]"), "goes on");
    define("ours.recv(1)");
    EXPECT_EQ(client.get("/?readable(ours.fileno(),0.01)").body, "done");
    EXPECT_EQ(value("log[-2]"), "timed out");
}

TEST_F(Wait, ForADescriptorToBeWritable)
{
    Client client(*this);

    EXPECT_EQ(client.get("/?writable(ours,1000)").body, "done");
    EXPECT_EQ(value("log[1]"), "goes on");
}

TEST_F(Wait, TwoRequestsForOneDescriptor)
{
    Client one(*this), two(*this);

    begin(one, "readable(ours,1000)");
    begin(two, "readable(ours,1000)");
    define("theirs.send(b'x')");
    EXPECT_EQ(one.response().body, "done");
    EXPECT_EQ(two.response().body, "done");
}

// Its number becomes that of a connection, which is served.
TEST_F(Wait, ForADescriptorThatIsClosedMeanwhile)
{
    Client client(*this);

    begin(client, "readable(ours,1000)");
    Client taker(*this), other(*this); /* which are accepted below */
    define("ours.close()");
    EXPECT_EQ(taker.get("/?b''").body, "done");
    EXPECT_EQ(other.get("/?b''").body, "done");
    define("theirs.close()");
    EXPECT_EQ(client.response().body, "done");
}

TEST_F(Wait, ForWhatIsAlwaysReady)
{
    Client client(*this);

    define("import tempfile; file = tempfile.TemporaryFile()");
    EXPECT_EQ(client.get("/?readable(file)").body, "done");
    define("file.close()");
}

TEST_F(Wait, WrongArguments)
{
    Client client(*this);

    for (const char *wait :
         {"readable(-1)", "readable(12345)", "readable('x')", "readable()", "readable(ours,'x')",
          "readable(ours,1,2)", "asynwsgi.sleep('x')", "asynwsgi.sleep(None)",
          "asynwsgi.sleep(float('nan'))", "event.wait('x')", "asynwsgi.Event(1)"})
        EXPECT_EQ(client.get("/?" + std::string(wait)).status, 500) << wait;
}

TEST_F(Wait, ForAnEvent)
{
    Client one(*this), two(*this);

    begin(one, "event.wait()");
    begin(two, "event.wait(1000)");
    define("event.set()");
    EXPECT_EQ(one.response().body, "done");
    EXPECT_EQ(two.response().body, "done");
    EXPECT_EQ(value("event.is_set()"), "True");
    EXPECT_EQ(one.get("/?event.wait()").body, "done"); // at once
}

TEST_F(Wait, ForAnEventThatIsSetForAMoment)
{
    Client client(*this);

    begin(client, "event.wait()");
    define("event.set(); event.clear()");
    EXPECT_EQ(client.response().body, "done");
    EXPECT_EQ(value("event.is_set()"), "False");
}

TEST_F(Wait, ForAnEventThatIsSetBeforeItIsYielded)
{
    Client client(*this);

    serve(R"(
def app(environ, start_response):
    start_response('200 OK', [])
    wait = event.wait(timeout=1000)
    event.set()
    event.clear()
    yield wait
    yield b'done'
)");
    EXPECT_EQ(client.get().body, "done");
}

TEST_F(Wait, ForAnEventOrATime)
{
    Client client(*this);

    EXPECT_EQ(client.get("/?event.wait(0.01)").body, "done");
    EXPECT_EQ(value("log[1]"), "timed out");
    define("event.set()"); // nobody is in its list
}

TEST_F(Wait, ForAnEventOfAThread)
{
    Client client(*this);

    begin(client, "event.wait()");
    define("threading.Timer(0.01, event.set).start()");
    EXPECT_EQ(client.response().body, "done");
}

TEST_F(Wait, TheClientLeaves)
{
    for (const char *wait : {"asynwsgi.sleep(1000)", "readable(ours,1000)",
                             "readable(fd=ours,timeout=None)", "event.wait()"}) {
        Client leaving(*this), breaking(*this);

        define("log.clear()");
        begin(leaving, wait);
        begin(breaking, wait);
        leaving.leave();
        breaking.reset();
        EXPECT_TRUE(until([] { return value("log.count('closed')") == "2"; })) << wait;
        EXPECT_EQ(value("log"), "['waits', 'waits', 'closed', 'closed']") << wait;
    }
    define("event.set(); theirs.send(b'x')"); // for nobody
    turns();
    EXPECT_EQ(log_text(), "");
}

TEST_F(Wait, TheServerEnds)
{
    Client client(*this);

    begin(client, "event.wait(1000)");
    http_server_free(server);
    server = nullptr;
    EXPECT_EQ(value("log"), "['waits', 'closed']");
}

TEST_F(Wait, OutputThatIsNotEmptyComesFirst)
{
    Client client(*this);

    serve(R"(
def app(environ, start_response):
    start_response('200 OK', [])
    asynwsgi.sleep(1000)
    yield b'no wait'
    yield b''
)");
    EXPECT_EQ(client.get().body, "no wait");
}

TEST_F(Wait, GoesThroughMiddleware)
{
    Client client(*this);

    serve(R"(
from wsgiref.validate import validator

def waiting(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    yield asynwsgi.sleep(0.01)
    yield b'done'

app = validator(waiting)
)");
    EXPECT_EQ(client.get().body, "done");
}

TEST_F(Wait, BelongsToARequest)
{
    Client client(*this);

    for (const char *use : {"asynwsgi.sleep(1)", "event.wait()", "kept[0](ours)", "kept[1](ours)",
                            "bool(kept[2])", "kept[3]()"}) {
        define("ours.close(); theirs.close()");
        serve(std::string(application) + R"(
def app(environ, start_response):
    global kept
    kept = [environ['x-wsgiorg.fdevent.' + name] for name in ('readable', 'writable', 'timeout')]
    kept.append(environ['asynwsgi.client_gone'])
    start_response('200 OK', [])
    return [str(kept[3]()).encode()]
)");
        EXPECT_EQ(client.get().body, "False");
        EXPECT_EQ(value("raises(lambda: " + std::string(use) + ")"), "True") << use;
    }
}

// It would go between the bytes of another.
TEST_F(Wait, WriteOfAnotherRequest)
{
    Client one(*this), two(*this);

    serve(R"(
def app(environ, start_response):
    global kept
    if environ['PATH_INFO'] == '/other':
        start_response('200 OK', [])
        return [str(raises(lambda: kept(b'x'))).encode()]
    kept = start_response('200 OK', [])
    return waits()

def waits():
    yield b'one'
    yield event.wait()
    yield b'two'
)");
    one.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    turns();
    EXPECT_EQ(two.get("/other").body, "True");
    define("event.set(); del kept");
    EXPECT_EQ(one.response().body, "onetwo");
}

TEST_F(Wait, ContextsAreTheRequestsOwn)
{
    Client one(*this), two(*this);

    serve(R"(
import contextvars
variable = contextvars.ContextVar('variable', default='unset')
def app(environ, start_response):
    seen = variable.get()
    variable.set(environ['QUERY_STRING'])
    start_response('200 OK', [])
    yield seen.encode()
    yield event.wait()
    yield variable.get().encode()
)");
    one.send("GET /?one HTTP/1.1\r\nHost: a\r\n\r\n");
    two.send("GET /?two HTTP/1.1\r\nHost: a\r\n\r\n");
    turns();
    define("event.set()");
    EXPECT_EQ(one.response().body, "unsetone");
    EXPECT_EQ(two.response().body, "unsettwo");
    EXPECT_EQ(value("variable.get()"), "unset");
}

TEST_F(Wait, NoMemoryToWait)
{
    Client client(*this);

    EXPECT_EQ(client.get("/?asynwsgi.sleep(0)").body, "done");
    for (unsigned long n = 1; n <= 3; n++) {
        define("log.clear()");
        client.send("GET /?readable(ours,1000) HTTP/1.1\r\nHost: a\r\n\r\n");
        test_fail_allocation(n);
        turns();
        test_fail_allocation(0);
        define("theirs.send(b'x')");
        EXPECT_NE(client.response().status, 0) << n;
        define("ours.recv(1)");
    }
}

} // namespace
