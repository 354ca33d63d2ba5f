// wsgi.errors and wsgi.file_wrapper.

#include "wsgi/fixture.h"

namespace {

class Streams : public Wsgi {
  protected:
    // What an application that does this leaves in the log; e is wsgi.errors.
    std::vector<std::string> log_of(const std::string &statements)
    {
        serve("def app(environ, s):\n  e = environ['wsgi.errors']\n  s('200 OK', [])\n  " +
              statements + "\n  return []\n");
        logged.clear();
        EXPECT_EQ(Client(*this).get().status, 200) << log_text();
        return logged;
    }

    using Lines = std::vector<std::string>;
};

TEST_F(Streams, ErrorsAreLoggedLineByLine)
{
    EXPECT_EQ(log_of("e.write('one\\n')"), Lines({"one"}));
    EXPECT_EQ(log_of("e.write('one\\ntwo\\n\\nthree\\n')"), Lines({"one", "two", "", "three"}));
    EXPECT_EQ(log_of("e.write('on'); e.write('e\\ntw'); e.write('o\\n')"), Lines({"one", "two"}));
    EXPECT_EQ(log_of("print('a', 1, file=e)"), Lines({"a 1"}));
    EXPECT_EQ(log_of("e.writelines(['a\\n', 'b', 'c\\n'])"), Lines({"a", "bc"}));
    EXPECT_EQ(log_of("e.writelines(x for x in ['a\\n'])"), Lines({"a"}));
    EXPECT_EQ(log_of("e.flush()"), Lines({}));
    EXPECT_EQ(log_of("e.write('a'); e.flush(); e.write('b\\n')"), Lines({"a", "b"}));
    EXPECT_EQ(log_of("e.write('no end')"), Lines({"no end"})) << "the request ends the line";
    EXPECT_EQ(log_of("e.write('')"), Lines({}));
}

TEST_F(Streams, ErrorsTakeAnyText)
{
    EXPECT_EQ(log_of("e.write('\\xe4\\u20ac\\U0001f600\\n')"),
              Lines({"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"}));
    EXPECT_EQ(log_of("e.write('\\udc80\\n')"), Lines({"\\udc80"}));
    EXPECT_EQ(log_of("e.write('a\\0b\\n')"), Lines({std::string("a\0b", 3)}));
    Lines lines = log_of("e.write('x' * 200000)");
    ASSERT_FALSE(lines.empty());
    EXPECT_EQ(lines[0].size(), 200000u);
}

TEST_F(Streams, ErrorsTakeTextOnly)
{
    for (const char *call : {"e.write(b'x')", "e.write(None)", "e.writelines([b'x'])",
                             "e.writelines(['a\\n', 1])", "e.writelines(1)", "e.write()"})
        EXPECT_EQ(
            log_of("try: " + std::string(call) + "\n  except TypeError: e.write('TypeError\\n')")
                .back(),
            "TypeError")
            << call;
    EXPECT_EQ(log_of("e.write(str(e.write('ab\\xe4\\n')))"), Lines({"ab\xc3\xa4", "4"}));
}

TEST_F(Streams, ErrorsWorkAfterTheRequest)
{
    log_of("global kept; kept = e");
    define("kept.write('late\\n')\nimport atexit\natexit.register(kept.write, 'at exit\\n')");
    EXPECT_EQ(logged, Lines({"late"}));
}

TEST_F(Streams, LoggingMayUseThem)
{
    EXPECT_EQ(log_of("import logging; h = logging.StreamHandler(e); "
                     "logging.getLogger('t').addHandler(h); logging.getLogger('t').error('hm')"),
              Lines({"hm"}));
}

TEST_F(Streams, TypesMakeNoInstances)
{
    log_of("global types; types = [type(e), type(s), type(environ['wsgi.input'])]");
    define(R"py(
outcome = []
for t in types:
    try: t()
    except TypeError: outcome.append('TypeError')
)py");
    EXPECT_EQ(value("outcome"), "['TypeError', 'TypeError', 'TypeError']");
}

// -- wsgi.file_wrapper ----------------------------------------------------------------------------

TEST_F(Streams, FileWrapper)
{
    serve(R"py(
import io
closed = []
class File:
    def __init__(self, file): self.file = file
    def read(self, size): return self.file.read(size)
    def close(self): closed.append(self.file.tell())
def app(e, s):
    s('200 OK', [])
    f = File(io.BytesIO(b'0123456789' * 30000))
    f.file.seek(5)
    return e['wsgi.file_wrapper'](f, 1000)
)py");
    Response r = Client(*this).get();
    EXPECT_TRUE(r.complete);
    EXPECT_EQ(r.body.size(), 299995u) << "from where the file stands";
    EXPECT_EQ(r.body.substr(0, 7), "5678901");
    EXPECT_EQ(value("closed"), "[300000]");
}

TEST_F(Streams, FileWrapperIsAnIterable)
{
    define(R"py(
import asynwsgi, io
class Odd:
    def __init__(self): self.n = 3
    def read(self, size):
        self.n -= 1
        return b'x' * self.n
w = asynwsgi.FileWrapper(Odd())
odd = list(w), w.close()
text = list(asynwsgi.FileWrapper(io.StringIO('abc'), block_size=2))
failures = []
for a in ((), (1, 2, 3), (io.BytesIO(), 'x')):
    try: asynwsgi.FileWrapper(*a)
    except TypeError: failures.append('TypeError')
for f in (None, 5):
    try: next(asynwsgi.FileWrapper(f))
    except AttributeError: failures.append('AttributeError')
class Bad:
    @property
    def close(self): raise ValueError
try: asynwsgi.FileWrapper(Bad()).close()
except ValueError: failures.append('ValueError')
)py");
    EXPECT_EQ(value("odd"), "([b'xx', b'x'], None)");
    EXPECT_EQ(value("text"), "['ab', 'c']");
    EXPECT_EQ(value("failures"), "['TypeError', 'TypeError', 'TypeError', 'AttributeError', "
                                 "'AttributeError', 'ValueError']");
}

TEST_F(Streams, FileWrapperIsClosedOnce)
{
    define(R"py(
import asynwsgi, io
class File:
    closed = 0
    def read(self, size):
        self.wrapper.close()
        return b'last'
    def close(self):
        self.closed += 1
        self.wrapper.close()
        raise OSError
file = File()
wrapper = file.wrapper = asynwsgi.FileWrapper(file)
outcome = []
for call in wrapper.close, wrapper.close, wrapper.__next__:
    try: outcome.append(call())
    except (OSError, RuntimeError) as error: outcome.append(type(error).__name__)
class Quiet(File):
    def close(self): self.closed += 1
quiet = Quiet()
quiet.wrapper = asynwsgi.FileWrapper(quiet)
within = next(quiet.wrapper), quiet.closed
)py");
    EXPECT_EQ(value("outcome, file.closed"), "(['OSError', None, 'RuntimeError'], 1)");
    EXPECT_EQ(value("within"), "(b'last', 1)") << "a file that closes its wrapper";
}

TEST_F(Streams, FileWrapperIsCollected)
{
    define(R"py(
import asynwsgi, gc, weakref
class File: pass
def make():
    f = File()
    f.me = asynwsgi.FileWrapper(f)
    return weakref.ref(f)
ref = make()
gc.collect()
)py");
    EXPECT_EQ(value("ref()"), "None");
}

TEST_F(Streams, Module)
{
    define("import asynwsgi, sys");
    EXPECT_EQ(value("asynwsgi.__name__, 'asynwsgi' in sys.builtin_module_names"),
              "('asynwsgi', True)");
    EXPECT_EQ(value("sys.argv"), "['asynwsgi']");
    EXPECT_EQ(value("asynwsgi.FileWrapper.__module__"), "asynwsgi");
}

} // namespace
