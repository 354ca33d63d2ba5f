// The standard library's own opinion, and the handlers of frameworks' kind.

#include "wsgi/fixture.h"

namespace {

class Validate : public Wsgi {
  protected:
    void SetUp() override
    {
        Wsgi::SetUp();
        define(R"py(
from wsgiref.validate import validator
import warnings
warnings.simplefilter('error')
)py");
    }
};

const char *const READS = R"py(
def inner(e, s):
    i = e['wsgi.input']
    parts = [i.read(2), i.readline()] + i.readlines() + list(i)
    e['wsgi.errors'].write('noted\n')
    e['wsgi.errors'].flush()
    e['wsgi.errors'].writelines(['also\n'])
    body = b''.join(parts) or b'nothing'
    s('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', str(len(body)))])
    return [body]
app = validator(inner)
)py";

TEST_F(Validate, GetPostHead)
{
    serve(READS);
    Client client(*this);
    EXPECT_EQ(client.get("/a/b?c=d", "X-A: b\r\n").body, "nothing") << log_text();
    EXPECT_EQ(client.post("ab\ncd\nef").body, "ab\ncd\nef") << log_text();
    client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
    Response r = client.response(true);
    EXPECT_EQ(r.status, 200) << log_text();
    EXPECT_EQ(r.field("content-length"), "7");
    client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                "2\r\nab\r\n3\r\ncd\n\r\n0\r\n\r\n");
    EXPECT_EQ(client.response().body, "abcd\n") << log_text();
    for (const std::string &line : logged)
        EXPECT_TRUE(line == "noted" || line == "also") << line;
}

TEST_F(Validate, Generators)
{
    serve(R"py(
def inner(e, s):
    s('200 OK', [('Content-Type', 'text/plain')])
    def body():
        yield b'one '
        yield b''
        yield b'two'
    return body()
app = validator(inner)
)py");
    Client client(*this);
    EXPECT_EQ(client.get().body, "one two") << log_text();
    EXPECT_TRUE(logged.empty()) << log_text();
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    client.reset();
    turns(50);
    EXPECT_TRUE(logged.empty()) << log_text();
}

TEST_F(Validate, WriteAndExcInfo)
{
    serve(R"py(
import sys
def inner(e, s):
    w = s('200 OK', [('Content-Type', 'text/plain')])
    try: 1/0
    except Exception: w = s('500 Oops', [('Content-Type', 'text/plain')], sys.exc_info())
    w(b'written')
    return [b' returned']
app = validator(inner)
)py");
    Response r = Client(*this).get();
    EXPECT_EQ(r.status, 500);
    EXPECT_EQ(r.body, "written returned") << log_text();
}

} // namespace
