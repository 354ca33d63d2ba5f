// wsgi.file_wrapper: what is sent without coming through Python, and what is not.

#include "wsgi/fixture.h"

#include <algorithm>
#include <sys/sendfile.h>

static unsigned long sendfiles;
static size_t sendfile_most;
static std::function<void()> before_sendfile;

extern "C" {
ssize_t __real_sendfile(int, int, off_t *, size_t);
ssize_t __wrap_sendfile(int, int, off_t *, size_t);

ssize_t __wrap_sendfile(int fd, int file, off_t *offset, size_t size)
{
    sendfiles++;
    if (before_sendfile)
        before_sendfile();
    return __real_sendfile(fd, file, offset, std::min(size, sendfile_most));
}
}

namespace {

// Files of 300,000 bytes, of all kinds.
const char *const application = R"py(
import asynwsgi, gzip, io, os, subprocess, tempfile
data = bytes(i * 7 % 251 for i in range(300000))
number, path = tempfile.mkstemp()
with open(number, 'wb') as f: f.write(data)

def plain(): return open(path, 'rb')
def raw(): return open(path, 'rb', buffering=0)
def both(): return open(path, 'r+b')
def named():
    f = tempfile.NamedTemporaryFile()
    f.write(data)
    f.seek(0)
    return f
def unnamed():
    f = tempfile.TemporaryFile()
    f.write(data)
    f.seek(0)
    return f
def rolled():
    f = tempfile.SpooledTemporaryFile(10)
    f.write(data)
    f.seek(0)
    return f

def in_memory():
    f = tempfile.SpooledTemporaryFile(10000000)
    f.write(data)
    f.seek(0)
    return f
def memory(): return io.BytesIO(data)
def pipe():
    return subprocess.Popen(['cat', path], stdout=subprocess.PIPE).stdout
def zipped():
    with gzip.open(path + '.gz', 'wb') as f: f.write(data)
    return gzip.open(path + '.gz', 'rb')
def over_zipped(): return io.BufferedReader(zipped())
class Mine:
    def __init__(self): self.file = plain()
    def read(self, size): return self.file.read(size)
    def fileno(self): return self.file.fileno()
    def tell(self): return self.file.tell()
    def close(self): self.file.close()
class MyFile(io.FileIO):
    def read(self, size=-1): return super().read(size).replace(data[:10], b'changed...')
def mine_raw(): return MyFile(path)
def mine_below(): return io.BufferedReader(MyFile(path))
def patched():
    f = plain()
    f.read = lambda size, read=f.read: read(size)
    return f
def patched_raw():
    f = raw()
    f.read = lambda size, read=f.read: read(size)
    return f
def sys_file(): return open('/sys/kernel/mm/transparent_hugepage/enabled', 'rb')
def proc(): return open('/proc/self/status', 'rb')

file = None
def prepare(f): pass
def wrap(f, e): return e['wsgi.file_wrapper'](f)
fields, status, make = [], '200 OK', plain
def app(e, s):
    global file
    file = make()
    prepare(file)
    s(status, fields)
    return wrap(file, e)
)py";

class FileWrapper : public Wsgi {
  public:
    void SetUp() override
    {
        Wsgi::SetUp();
        serve(application);
        sendfiles = 0;
        sendfile_most = SIZE_MAX;
        before_sendfile = nullptr;
    }

    void TearDown() override
    {
        before_sendfile = nullptr;
        define("os.unlink(path)\nif os.path.exists(path + '.gz'): os.unlink(path + '.gz')");
        Wsgi::TearDown();
    }

    // Which it is a moment after the response.
    static bool is_closed()
    {
        return value("file.closed") == "True";
    }

    // A slice of the data.
    static std::string data(const std::string &slice = ":")
    {
        PyObject *globals = PyModule_GetDict(PyImport_AddModule("__main__"));
        PyObject *bytes =
            PyRun_String(("data[" + slice + "]").c_str(), Py_eval_input, globals, globals);
        std::string text(PyBytes_AsString(bytes), static_cast<size_t>(PyBytes_Size(bytes)));
        Py_DECREF(bytes);
        return text;
    }
};

TEST_F(FileWrapper, RealFiles)
{
    for (const char *kind : {"plain", "raw", "both", "named", "unnamed", "rolled"}) {
        define("make = " + std::string(kind));
        sendfiles = 0;
        Response r = Client(*this).get();
        EXPECT_TRUE(r.complete) << kind;
        EXPECT_TRUE(r.body == data()) << kind;
        EXPECT_EQ(r.field("content-length"), "300000") << kind;
        EXPECT_GT(sendfiles, 0u) << kind;
        EXPECT_TRUE(until(is_closed)) << kind;
    }
    EXPECT_EQ(log_text(), "");
}

TEST_F(FileWrapper, OtherFiles)
{
    for (const char *kind : {"in_memory", "memory", "pipe", "zipped", "over_zipped", "Mine",
                             "mine_below", "patched_raw", "patched"}) {
        define("make = " + std::string(kind));
        Response r = Client(*this).get();
        EXPECT_TRUE(r.complete) << kind;
        EXPECT_TRUE(r.body == data()) << kind;
    }
    define("make = mine_raw");
    EXPECT_EQ(Client(*this).get().body.substr(0, 10), "changed...");
    define("make = proc");
    EXPECT_NE(Client(*this).get().body.find("\nVmRSS:"), std::string::npos);
    define("make = sys_file");
    if (access("/sys/kernel/mm/transparent_hugepage/enabled", R_OK) == 0) {
        EXPECT_TRUE(Client(*this).get().complete);
    }
    EXPECT_EQ(sendfiles, 0u);
    EXPECT_EQ(log_text(), "");
}

TEST_F(FileWrapper, NothingOfItIsKept)
{
    define("import sys");
    Client c(*this);
    for (int i = 0; i < 3; i++) {
        EXPECT_TRUE(c.get().complete);
        EXPECT_TRUE(until(is_closed));
        EXPECT_EQ(value("sys.getrefcount(file)"), "2");
    }
}

// Not what a middleware makes of it, nor what only looks like it.
TEST_F(FileWrapper, WrappedAgain)
{
    for (const char *wrap :
         {"lambda f, e: (b.replace(b'x', b'x') for b in asynwsgi.FileWrapper(f))",
          "lambda f, e: iter(lambda: f.read(8192), b'')", "lambda f, e: f"}) {
        define("wrap = " + std::string(wrap));
        EXPECT_TRUE(Client(*this).get().body == data()) << wrap;
    }
    EXPECT_EQ(sendfiles, 0u);
}

TEST_F(FileWrapper, FromWhereItStands)
{
    for (const char *kind : {"plain", "raw", "both", "named", "unnamed", "rolled"}) {
        define("make = " + std::string(kind) + "\ndef prepare(f): f.seek(1000); f.read(24)");
        EXPECT_TRUE(Client(*this).get().body == data("1024:")) << kind;
    }
    define("make = plain\ndef prepare(f): f.seek(0, 2)");
    Response r = Client(*this).get();
    EXPECT_EQ(r.body, "");
    EXPECT_EQ(r.field("content-length"), "0");
    define("def prepare(f): f.seek(10000000)");
    EXPECT_EQ(Client(*this).get().field("content-length"), "0");
    EXPECT_TRUE(until(is_closed));
}

TEST_F(FileWrapper, WhatIsStillInItsBuffer)
{
    define("make = both\ndef prepare(f): f.write(b'fresh'); f.seek(0, 2); f.write(b'end'); "
           "f.seek(2)");
    EXPECT_TRUE(Client(*this).get().body == "esh" + data("5:") + "end");
    // Going back within the buffer writes nothing.  So that close() doesn't, before the client has
    // it: what is on its way are the file's own pages.
    sendfile_most = 1000;
    define("def prepare(f): f.read(1); f.seek(10); f.write(b'newer'); f.seek(7)");
    EXPECT_EQ(Client(*this).get().body.substr(0, 10), data("7:10") + "newer" + data("15:17"));
    EXPECT_GT(sendfiles, 0u);
}

TEST_F(FileWrapper, ContentLengthIsHonoured)
{
    define("fields = [('Content-Length', '100'), ('Content-Range', 'bytes 50-149/300000')]\n"
           "status = '206 Partial Content'\n"
           "def prepare(f): f.seek(50)");
    Client c(*this);
    EXPECT_TRUE(c.get().body == data("50:150"));
    EXPECT_EQ(c.get().status, 206) << "the connection goes on";
    define("fields = [('Content-Length', '0')]; status = '200 OK'");
    EXPECT_EQ(c.get().body, "");
    EXPECT_EQ(log_text(), "");
    EXPECT_TRUE(until(is_closed));
}

TEST_F(FileWrapper, ContentLengthBeyondTheFile)
{
    define("fields = [('Content-Length', '300001')]");
    Response r = Client(*this).get();
    EXPECT_FALSE(r.complete);
    EXPECT_TRUE(r.body == data());
    EXPECT_TRUE(log_has("shorter than its Content-Length")) << log_text();
    EXPECT_EQ(logged.size(), 1u);
}

TEST_F(FileWrapper, NoBody)
{
    Client c(*this);
    c.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    Response r = c.response(true);
    EXPECT_EQ(r.field("content-length"), "300000");
    EXPECT_TRUE(until(is_closed));
    define("status = '304 Not Modified'");
    r = c.get();
    EXPECT_EQ(r.status, 304);
    EXPECT_EQ(r.field("content-length"), "(none)");
    EXPECT_TRUE(until(is_closed));
    EXPECT_EQ(c.received, "");
    EXPECT_EQ(sendfiles, 0u);
}

TEST_F(FileWrapper, ToHttp10)
{
    Client c(*this);
    c.send("GET / HTTP/1.0\r\n\r\n");
    EXPECT_TRUE(c.response().body == data());
    EXPECT_GT(sendfiles, 0u);
}

TEST_F(FileWrapper, BehindWrite)
{
    define(R"py(
def app(e, s):
    global file
    s('200 OK', fields)(b'written ')
    file = plain()
    return e['wsgi.file_wrapper'](file)
)py");
    ASSERT_EQ(wsgi_load(wsgi), 0);
    EXPECT_TRUE(Client(*this).get().body == "written " + data());
    define("fields = [('Content-Length', '18')]");
    Client c(*this);
    EXPECT_TRUE(c.get().body == "written " + data(":10"));
    EXPECT_TRUE(c.get().body == "written " + data(":10")) << "the connection goes on";
    EXPECT_EQ(log_text(), "");
    EXPECT_TRUE(until(is_closed));
}

TEST_F(FileWrapper, WithoutStartResponse)
{
    define("def app(e, s): return e['wsgi.file_wrapper'](plain())");
    ASSERT_EQ(wsgi_load(wsgi), 0);
    EXPECT_EQ(Client(*this).get().status, 500);
    EXPECT_EQ(sendfiles, 0u);
}

TEST_F(FileWrapper, CloseIsCalledOnce)
{
    define(R"py(
closes = 0
_close = tempfile._TemporaryFileWrapper.close
def close(self):
    global closes
    closes += 1
    _close(self)
make = named
)py");
    define("tempfile._TemporaryFileWrapper.close = close");
    Client c(*this);
    EXPECT_TRUE(c.get().body == data());
    EXPECT_GT(sendfiles, 0u);
    EXPECT_TRUE(until([] { return value("closes") == "1"; }));
    c.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    c.response(true);
    EXPECT_TRUE(until([] { return value("closes") == "2"; }));
    // A client that leaves.
    define("data = data * 100");
    Client other(*this);
    other.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(other.until_received("\r\n\r\n"));
    other.reset();
    EXPECT_TRUE(until([] { return value("closes") == "3"; }));
    define("tempfile._TemporaryFileWrapper.close = _close");
    EXPECT_EQ(log_text(), "") << "it is nothing for the log";
}

TEST_F(FileWrapper, CutShortMeanwhile)
{
    sendfile_most = 1000;
    before_sendfile = [] {
        if (sendfiles == 2)
            define("os.truncate(path, 500)");
    };
    for (const char *fields : {"[]", "[('Content-Length', '300000')]"}) {
        define("fields = " + std::string(fields) + "\nwith open(path, 'wb') as f: f.write(data)");
        sendfiles = 0;
        logged.clear();
        Client c(*this);
        Response r = c.get();
        EXPECT_FALSE(r.complete);
        EXPECT_TRUE(c.ended);
        EXPECT_TRUE(r.body == data(":1000"));
        EXPECT_EQ(r.field("content-length"), "300000");
        EXPECT_TRUE(log_has(fields[1] == ']' ? "GET /: the file was cut short"
                                             : "GET /: the body is shorter than"))
            << log_text();
        EXPECT_EQ(logged.size(), 1u);
        EXPECT_TRUE(until(is_closed));
    }
}

// Its descriptor may be another file's by then.
TEST_F(FileWrapper, ClosedMeanwhile)
{
    sendfile_most = 1000;
    before_sendfile = [] {
        if (sendfiles == 2)
            define("file.close()\nother = os.open('/etc/passwd', os.O_RDONLY)");
    };
    Response r = Client(*this).get();
    EXPECT_FALSE(r.complete);
    EXPECT_EQ(sendfiles, 2u);
    EXPECT_TRUE(log_has("ValueError")) << log_text();
    define("os.close(other)");
}

TEST_F(FileWrapper, ClosedBefore)
{
    define("def prepare(f): f.close()");
    EXPECT_EQ(Client(*this).get().status, 500);
    EXPECT_TRUE(log_has("ValueError")) << log_text();
}

// A large file does not keep others waiting.
TEST_F(FileWrapper, OthersHaveTheirTurn)
{
    define("data = data * 200\nwith open(path, 'wb') as f: f.write(data)\n"
           "def small(): return io.BytesIO(b'small')");
    Client large(*this), small(*this);
    large.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(large.until_received("\r\n\r\n"));
    define("make = small");
    EXPECT_EQ(small.get().body, "small");
    EXPECT_LT(large.received.size(), 60000000u);
    EXPECT_TRUE(large.response().body == data());
}

} // namespace
