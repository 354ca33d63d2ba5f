// wsgi.input, beside io.BytesIO, for bodies in memory and in files, sized and chunked.

#include "wsgi/fixture.h"

#include <filesystem>
#include <sys/resource.h>

namespace {

class Input : public Wsgi {
  protected:
    // A body, cut into chunks of these sizes in turn.
    static std::string chunked(const std::string &body, std::vector<size_t> sizes)
    {
        std::string coded;
        char line[32];

        for (size_t at = 0, i = 0; at < body.size(); i++) {
            size_t size = std::min(sizes[i % sizes.size()], body.size() - at);

            snprintf(line, sizeof line, "%zx\r\n", size);
            coded += line + body.substr(at, size) + "\r\n";
            at += size;
        }
        return coded + "0\r\n\r\n";
    }

    Response post_chunked(Client &client, const std::string &body, std::vector<size_t> sizes)
    {
        client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
                    chunked(body, sizes));
        return client.response();
    }
};

const char *const READ_ALL = R"py(
def app(e, s):
    s('200 OK', [])
    return [e['wsgi.input'].read()]
)py";

TEST_F(Input, BodiesOfAnySize)
{
    serve(READ_ALL);
    for (size_t memory : {0u, 100u, 65536u}) {
        Client client(*this);

        options.body_memory = memory;
        for (size_t size : {0u, 1u, 99u, 100u, 101u, 4096u, 65535u, 65536u, 65537u, 300000u}) {
            std::string body;

            for (size_t i = 0; i < size; i++)
                body += static_cast<char>('a' + i % 26);
            EXPECT_EQ(client.post(body).body, body) << size << " with " << memory;
            EXPECT_EQ(post_chunked(client, body, {1000, 7, 60000}).body, body)
                << size << " with " << memory;
        }
    }
    EXPECT_TRUE(logged.empty()) << log_text();
}

TEST_F(Input, WithoutABodyIsEmpty)
{
    serve(R"py(
def app(e, s):
    s('200 OK', [])
    i = e['wsgi.input']
    return [repr((i.read(), i.read(5), i.readline(), i.readlines(), list(i))).encode()]
)py");
    EXPECT_EQ(Client(*this).get().body, "(b'', b'', b'', [], [])");
}

// Thousands of random calls, each also made on BytesIO with the same bytes.
TEST_F(Input, ReadsAsBytesIO)
{
    serve(R"py(
import io, random
rounds = 0
def run(source, body):
    global rounds
    random.seed(len(body))
    other = io.BytesIO(body)
    for i in range(400):
        n = random.choice([None, -1, 0, 1, 2, 3, 10, 100, 5000, 70000, 200000])
        if n in (None, -1, 200000) and random.random() < 0.9: n = 5
        call = random.choice(['read', 'readline', 'readlines', 'next'])
        if call == 'next':
            a, b = next(source, 'end'), next(other, 'end')
        elif random.random() < 0.1 and i > 300:
            a, b = getattr(source, call)(), getattr(other, call)()
        else:
            a, b = getattr(source, call)(n), getattr(other, call)(n)
        rounds += 1
        if a != b: return '%s(%r) at %d: %r, not %r' % (call, n, other.tell(), a, b)
    return 'same'
def app(e, s):
    s('200 OK', [])
    body = e['wsgi.input'].read()
    bodies.append(body)
    return [b'']
def again(e, s):
    s('200 OK', [])
    return [run(e['wsgi.input'], bodies[-1]).encode()]
bodies = []
def make(size):
    random.seed(size)
    return b''.join(random.choice([b'\n', b'word ', b'x' * 70, b'\n\n', b'y' * 3000, b'\r\n', b'\0'])
                    for i in range(size))
)py");
    for (int size : {0, 1, 3, 20, 200, 2000})
        for (size_t memory : {0u, 1000000u}) {
            PyObject *body = PyObject_CallMethod(PyImport_AddModule("__main__"), "make", "i", size);
            std::string bytes(PyBytes_AS_STRING(body), static_cast<size_t>(PyBytes_GET_SIZE(body)));

            Py_DECREF(body);
            options.body_memory = memory;
            options.application = "__main__:app";
            ASSERT_EQ(wsgi_load(wsgi), 0);
            Client(*this).post(bytes);
            EXPECT_EQ(value("len(bodies[-1])"), std::to_string(bytes.size()));
            options.application = "__main__:again";
            ASSERT_EQ(wsgi_load(wsgi), 0);
            Client client(*this);
            EXPECT_EQ(client.post(bytes).body, "same") << size << " with " << memory;
            EXPECT_EQ(post_chunked(client, bytes, {1, 1000, 17}).body, "same");
        }
}

TEST_F(Input, WrongSizes)
{
    define(R"py(
def run(i):
    import io
    outcome = []
    for source in (i, io.BytesIO(b'body')):
        for name in ('read', 'readline', 'readlines'):
            for a in ((1.5,), ('1',), (1, 2), (1 << 100,), (True,)):
                try: outcome.append(getattr(source, name)(*a))
                except Exception as x: outcome.append(type(x).__name__)
    half = len(outcome) // 2
    return outcome[:half], outcome[half:]
)py");
    serve(R"py(
def app(e, s):
    global outcome
    outcome = run(e['wsgi.input'])
    s('200 OK', [])
    return []
)py");
    EXPECT_EQ(Client(*this).post("body").status, 200);
    EXPECT_EQ(value("outcome[0] == outcome[1]"), "True") << value("outcome");
}

TEST_F(Input, SizeThatReadsMeanwhile)
{
    serve(R"py(
class Size:
    def __init__(self, i): self.i = i
    def __index__(self):
        self.i.read(3)
        return 4
def app(e, s):
    s('200 OK', [])
    i = e['wsgi.input']
    return [i.read(Size(i)) + b'|' + i.read()]
)py");
    EXPECT_EQ(Client(*this).post("abcde").body, "de|");
}

TEST_F(Input, FileIsOpenNoLongerThanItsRequest)
{
    auto descriptors = [] {
        return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                             std::filesystem::directory_iterator());
    };
    options.body_memory = 10;
    serve(R"py(
kept = []
def app(e, s):
    kept.append(e)
    s('200 OK', [])
    return []
)py");
    Client client(*this);
    client.post(std::string(1000, 'x'));
    auto before = descriptors();
    for (int i = 0; i < 100; i++)
        EXPECT_EQ(client.post(std::string(1000, 'x')).status, 200);
    EXPECT_EQ(descriptors(), before);
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n" + std::string(50, 'x'));
    turns();
    EXPECT_EQ(descriptors(), before + 1);
    client.leave();
    EXPECT_TRUE(until([&] { return descriptors() == before - 2; }));
}

TEST_F(Input, DiskIsFull)
{
    rlimit old, small;

    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    small.rlim_cur = 20000;
    setrlimit(RLIMIT_FSIZE, &small);
    options.body_memory = 10;
    serve(READ_ALL);
    Response r = Client(*this).post(std::string(100000, 'x'));
    EXPECT_EQ(r.status, 507);
    ASSERT_EQ(logged.size(), 1u) << log_text();
    EXPECT_EQ(logged[0], "POST /: cannot store the body: File too large");
    setrlimit(RLIMIT_FSIZE, &old);
    EXPECT_EQ(Client(*this).post("abc").body, "abc");
}

TEST_F(Input, FolderIsNotThere)
{
    options.body_memory = 10;
    options.body_folder = "/nonexistent";
    serve(READ_ALL);
    Client client(*this);
    EXPECT_EQ(client.post(std::string(100, 'x')).status, 503);
    EXPECT_EQ(logged[0], "POST /: cannot store the body: No such file or directory");
    EXPECT_EQ(Client(*this).post("abc").body, "abc") << "a small body needs none";
}

TEST_F(Input, Expect100)
{
    serve(READ_ALL);
    Client client(*this);
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_TRUE(client.until_received("HTTP/1.1 100 Continue\r\n\r\n"));
    client.received.clear();
    client.send("abc");
    EXPECT_EQ(client.response().body, "abc");
}

TEST_F(Input, ThatIsNotReadLeavesTheConnectionGood)
{
    serve("def app(e, s):\n  s('200 OK', [])\n  return [b'x']");
    Client client(*this);
    for (int i = 0; i < 5; i++)
        EXPECT_EQ(client.post(std::string(100000, 'x')).body, "x");
}

TEST_F(Input, BodyThatIsBrokenCallsNoApplication)
{
    serve("calls = 0\ndef app(e, s):\n  global calls\n  calls += 1");
    Client client(*this);
    client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc");
    EXPECT_EQ(client.response().status, 400);
    EXPECT_EQ(value("calls"), "0");
}

} // namespace
