// environ: what a request becomes.

#include "wsgi/fixture.h"

#include <memory>

extern "C" {
#include "addresses.h"
}

namespace {

class Environ : public Wsgi {
  protected:
    void SetUp() override
    {
        Wsgi::SetUp();
        serve(R"py(
def app(environ, start_response):
    global env
    env = environ
    start_response('200 OK', [])
    return []
)py");
    }

    // What __main__.env has after a request of these bytes.
    std::string get(const std::string &request, const std::string &key)
    {
        Client client(*this);
        define("env = {}");
        client.send(request);
        client.response(request.substr(0, 4) == "HEAD");
        return value("repr(env.get('" + key + "'))");
    }
};

TEST_F(Environ, HasWhatPep3333Asks)
{
    Client client(*this);
    client.get("/a");
    EXPECT_EQ(value("type(env) is dict"), "True");
    EXPECT_EQ(value("[k for k, v in env.items() if '.' not in k and type(v) is not str]"), "[]");
    EXPECT_EQ(value("env['wsgi.version']"), "(1, 0)");
    EXPECT_EQ(value("env['wsgi.url_scheme']"), "http");
    EXPECT_EQ(value("env['wsgi.multithread'], env['wsgi.multiprocess'], env['wsgi.run_once']"),
              "(False, False, False)");
    EXPECT_EQ(value("env['wsgi.input_terminated']"), "True");
    EXPECT_EQ(value("callable(env['wsgi.file_wrapper'])"), "True");
    EXPECT_EQ(value("env['SCRIPT_NAME']"), "");
    EXPECT_EQ(value("env['SERVER_SOFTWARE'].startswith('asynwsgi/')"), "True");
    EXPECT_EQ(value("env['SERVER_NAME'], env['REMOTE_ADDR']"), "('127.0.0.1', '127.0.0.1')");
    EXPECT_EQ(value("env['SERVER_PORT']"),
              std::to_string(tcpsocket_address_port(&address.socket.any)));

    sockaddr_in own;
    socklen_t length = sizeof own;
    getsockname(client.fd, reinterpret_cast<sockaddr *>(&own), &length);
    EXPECT_EQ(value("env['REMOTE_PORT']"), std::to_string(ntohs(own.sin_port)));
    EXPECT_EQ(value("sorted(k for k in env if k.startswith('CONTENT'))"), "[]");
}

// A request, and one key of its environ.
TEST_F(Environ, Requests)
{
    struct {
        const char *request, *key, *value;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "REQUEST_METHOD", "'GET'"},
        {"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", "REQUEST_METHOD", "'HEAD'"},
        {"M-SEARCH / HTTP/1.1\r\nHost: x\r\n\r\n", "REQUEST_METHOD", "'M-SEARCH'"},
        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "SERVER_PROTOCOL", "'HTTP/1.1'"},
        {"GET / HTTP/1.0\r\nHost: x\r\n\r\n", "SERVER_PROTOCOL", "'HTTP/1.0'"},
        {"GET / HTTP/1.0\r\n\r\n", "HTTP_HOST", "None"},
        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "PATH_INFO", "'/'"},
        {"GET /a/b HTTP/1.1\r\nHost: x\r\n\r\n", "PATH_INFO", "'/a/b'"},
        {"GET //a///b/ HTTP/1.1\r\nHost: x\r\n\r\n", "PATH_INFO", "'//a///b/'"},
        {"GET /a/../b HTTP/1.1\r\nHost: x\r\n\r\n", "PATH_INFO", "'/a/../b'"},
        {"GET /a%20b%2fc HTTP/1.1\r\nHost: x\r\n\r\n", "PATH_INFO", "'/a b/c'"},
        {"GET /%2541 HTTP/1.1\r\nHost: x\r\n\r\n", "PATH_INFO", "'/%41'"},
        {"GET /%c3%a4 HTTP/1.1\r\nHost: x\r\n\r\n", "PATH_INFO", "'/\xc3\x83\xc2\xa4'"},
        {"GET /a+b HTTP/1.1\r\nHost: x\r\n\r\n", "PATH_INFO", "'/a+b'"},
        {"GET /a?b%20c=%41+d&e HTTP/1.1\r\nHost: x\r\n\r\n", "QUERY_STRING", "'b%20c=%41+d&e'"},
        {"GET /a?b%20c HTTP/1.1\r\nHost: x\r\n\r\n", "PATH_INFO", "'/a'"},
        {"GET /a? HTTP/1.1\r\nHost: x\r\n\r\n", "QUERY_STRING", "''"},
        {"GET /a HTTP/1.1\r\nHost: x\r\n\r\n", "QUERY_STRING", "''"},
        {"GET /a?b?c HTTP/1.1\r\nHost: x\r\n\r\n", "QUERY_STRING", "'b?c'"},
        {"GET /%61?b%20 HTTP/1.1\r\nHost: x\r\n\r\n", "REQUEST_URI", "'/%61?b%20'"},
        {"GET http://a.b:8/c?d HTTP/1.1\r\nHost: x\r\n\r\n", "REQUEST_URI", "'http://a.b:8/c?d'"},
        {"GET http://a.b:8/c?d HTTP/1.1\r\nHost: x\r\n\r\n", "PATH_INFO", "'/c'"},
        {"GET http://a.b:8/c?d HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP_HOST", "'a.b:8'"},
        {"GET http://a.b HTTP/1.1\r\nHost: x\r\n\r\n", "PATH_INFO", "'/'"},
        {"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "PATH_INFO", "'*'"},
        {"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "REQUEST_URI", "'*'"},
        {"GET / HTTP/1.1\r\nHost: x:80\r\n\r\n", "HTTP_HOST", "'x:80'"},
        {"GET / HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n", "HTTP_ACCEPT", "'*/*'"},
        {"GET / HTTP/1.1\r\nHost: x\r\naCCept: */*\r\n\r\n", "HTTP_ACCEPT", "'*/*'"},
        {"GET / HTTP/1.1\r\nHost: x\r\nA:\r\n\r\n", "HTTP_A", "''"},
        {"GET / HTTP/1.1\r\nHost: x\r\nA: \t b c \r\n\r\n", "HTTP_A", "'b c'"},
        {"GET / HTTP/1.1\r\nHost: x\r\nA: \xc3\xa4\xff\r\n\r\n", "HTTP_A",
         "'\xc3\x83\xc2\xa4\xc3\xbf'"},
        {"GET / HTTP/1.1\r\nHost: x\r\nA: 1\r\na: 2\r\nA: 1\r\n\r\n", "HTTP_A", "'1, 2, 1'"},
        {"GET / HTTP/1.1\r\nHost: x\r\nA: 1\r\nA: 1\r\n\r\n", "HTTP_A", "'1, 1'"},
        {"GET / HTTP/1.1\r\nHost: x\r\nA:\r\nA: 1\r\n\r\n", "HTTP_A", "', 1'"},
        {"GET / HTTP/1.1\r\nHost: x\r\nCookie: a=1\r\ncookie: b=2\r\n\r\n", "HTTP_COOKIE",
         "'a=1; b=2'"},
        {"GET / HTTP/1.1\r\nHost: x\r\nX_Forwarded_For: a\r\n\r\n", "HTTP_X_FORWARDED_FOR", "None"},
        {"GET / HTTP/1.1\r\nHost: x\r\nX_Forwarded_For: a\r\nX-Forwarded-For: b\r\n\r\n",
         "HTTP_X_FORWARDED_FOR", "'b'"},
        {"GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded_For: a\r\n\r\n", "HTTP_X_FORWARDED_FOR", "None"},
        {"GET / HTTP/1.1\r\nHost: x\r\nX.a!~'1: a\r\n\r\n", "HTTP_X.A!~\\'1", "'a'"},
        {"GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n", "HTTP_CONNECTION",
         "'keep-alive'"},
        {"GET / HTTP/1.1\r\nHost: x\r\nContent-Type: a/b; c=d\r\n\r\n", "CONTENT_TYPE",
         "'a/b; c=d'"},
        {"GET / HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\n\r\n", "HTTP_CONTENT_TYPE", "None"},
        {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "CONTENT_LENGTH", "'0'"},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab", "CONTENT_LENGTH", "'2'"},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab", "HTTP_CONTENT_LENGTH",
         "None"},
        {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
         "CONTENT_LENGTH", "None"},
        {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
         "HTTP_TRANSFER_ENCODING", "'chunked'"},
        {"GET / HTTP/1.1\r\nHost: x\r\nContent_Length: 7\r\n\r\n", "CONTENT_LENGTH", "None"},
    };
    for (auto &c : cases)
        EXPECT_EQ(get(c.request, c.key), c.value) << c.request;
}

TEST_F(Environ, NamesOfAnyLength)
{
    for (size_t length : {1u, 7u, 8u, 9u, 46u, 47u, 48u, 49u, 300u}) {
        std::string name(length, 'a'), key = "HTTP_" + std::string(length, 'A');

        for (int again = 0; again < 2; again++)
            EXPECT_EQ(get("GET / HTTP/1.1\r\nHost: x\r\n" + name + ": 1\r\n\r\n", key), "'1'")
                << length;
    }
}

TEST_F(Environ, ManyFields)
{
    std::string request = "GET / HTTP/1.1\r\nHost: x\r\n";

    for (int i = 0; i < 90; i++)
        request += "N" + std::to_string(i) + ": v" + std::to_string(i) + "\r\n";
    get(request + "\r\n", "");
    EXPECT_EQ(value("[env['HTTP_N%d' % i] for i in range(90)] == ['v%d' % i for i in range(90)]"),
              "True");
}

TEST_F(Environ, ValuesOfAnyLength)
{
    for (size_t length : {1u, 7u, 8u, 255u, 256u, 257u, 4000u}) {
        std::string text(length, 'b');

        for (int again = 0; again < 2; again++) {
            EXPECT_EQ(get("GET / HTTP/1.1\r\nHost: x\r\nA: " + text + "\r\n\r\n", "HTTP_A"),
                      "'" + text + "'");
            EXPECT_EQ(get("GET /%41" + text + " HTTP/1.1\r\nHost: x\r\n\r\n", "PATH_INFO"),
                      "'/A" + text + "'");
        }
    }
}

// The caches have 1,024 places; what they no longer have is made again.
TEST_F(Environ, MoreNamesAndValuesThanTheCachesHold)
{
    Client client(*this);

    for (int i = 0; i < 5000; i++) {
        std::string n = std::to_string(i);

        client.get("/" + n + "?" + n, "X-" + n + ": value " + n + "\r\n");
        ASSERT_EQ(value("env['PATH_INFO'], env['QUERY_STRING'], env['HTTP_X_" + n + "']"),
                  "('/" + n + "', '" + n + "', 'value " + n + "')");
    }
}

// A field section that came before gives the same, whatever else is new.
TEST_F(Environ, FieldsThatComeAgain)
{
    std::string fields = "A: 1\r\nB: 2\r\na: 3\r\nX_Y: 4\r\nContent-Type: a/b\r\n";

    for (int i = 0; i < 6; i++) {
        std::string n = std::to_string(i);
        Client client(*this);

        client.get("/" + n + "?q" + n, fields);
        EXPECT_EQ(value("env['PATH_INFO'], env['QUERY_STRING'], env['HTTP_A'], env['HTTP_B'], "
                        "env['HTTP_HOST'], env['CONTENT_TYPE'], 'HTTP_X_Y' in env"),
                  "('/" + n + "', 'q" + n + "', '1, 3', '2', 'localhost', 'a/b', False)");
        define("env['HTTP_B'] = 'changed'; del env['HTTP_A']; env.clear()");
        client.send("GET http://a" + n + "/ HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n");
        client.response();
        EXPECT_EQ(value("env['HTTP_HOST'], env['HTTP_A'], env.get('QUERY_STRING')"),
                  "('a" + n + "', '1, 3', '')");
        client.send("POST / HTTP/1.0\r\nHost: localhost\r\n" + fields + "\r\n");
        client.response();
        EXPECT_EQ(value("env['REQUEST_METHOD'], env['SERVER_PROTOCOL'], env['HTTP_A']"),
                  "('POST', 'HTTP/1.0', '1, 3')");
    }
}

TEST_F(Environ, FieldsThatComeAgainByTurns)
{
    Client client(*this);

    for (int round = 0; round < 4; round++)
        for (int i = 0; i < 300; i++) {
            std::string n = std::to_string(i);

            client.get("/",
                       "A: " + n + "\r\nCookie: " + std::string(size_t(i) * 10, 'c') + n + "\r\n");
            ASSERT_EQ(value("env['HTTP_A'], len(env['HTTP_COOKIE'])"),
                      "('" + n + "', " + std::to_string(i * 10 + int(n.size())) + ")");
        }
}

TEST_F(Environ, WithoutFields)
{
    for (int i = 0; i < 3; i++) {
        EXPECT_EQ(get("GET /" + std::to_string(i) + " HTTP/1.0\r\n\r\n", "PATH_INFO"),
                  "'/" + std::to_string(i) + "'");
        EXPECT_EQ(value("[k for k in env if k.startswith('HTTP_')]"), "[]");
    }
}

TEST_F(Environ, IsEachRequestsOwn)
{
    Client client(*this);

    client.get("/", "A: 1\r\n");
    define("env['mine'] = 1; env.pop('SERVER_NAME'); first = env");
    client.get("/", "B: 1\r\n");
    EXPECT_EQ(value("env is first, 'mine' in env, 'HTTP_A' in env, env['SERVER_NAME']"),
              "(False, False, False, '127.0.0.1')");
    EXPECT_EQ(value("first['mine'], first['HTTP_A']"), "(1, '1')");
}

TEST_F(Environ, KeysThatApplicationsSpellAreTheSameObjects)
{
    get("GET / HTTP/1.1\r\nHost: x\r\nuser-agent: a\r\n\r\n", "HTTP_USER_AGENT");
    EXPECT_EQ(value("[any(k is n for k in env) for n in "
                    "('HTTP_USER_AGENT', 'HTTP_HOST', 'PATH_INFO')]"),
              "[True, True, True]");
}

// More of them than their table has room for: some of one host, some of another.
TEST_F(Environ, AddressesThatTakeTurns)
{
    auto addresses = std::make_unique<wsgi_addresses>();
    auto values = std::make_unique<wsgi_values>();

    for (unsigned i = 0; i < 5000; i++) {
        std::string host = i % 5 == 4 ? "::1" : "127.0.0." + std::to_string(1 + i % 5 / 2);
        std::string name = i % 5 == 4 ? "[::1]" : host, port = std::to_string(1 + i * 7919 % 65535);
        tcpsocket_address socket;

        ASSERT_EQ(tcpsocket_address_parse((name + ":" + port).c_str(), &socket), 0);
        const wsgi_address *found =
            wsgi_addresses_get(addresses.get(), values.get(), &socket.socket.any);
        ASSERT_NE(found, nullptr);
        EXPECT_EQ(PyUnicode_AsUTF8(found->host), host);
        EXPECT_EQ(PyUnicode_AsUTF8(found->name), name);
        EXPECT_EQ(PyUnicode_AsUTF8(found->port), port);
    }
    wsgi_addresses_fini(addresses.get());
    wsgi_values_fini(values.get());
}

TEST_F(Environ, Ipv6)
{
    if (int probe = socket(AF_INET6, SOCK_STREAM, 0); probe >= 0) {
        tcpsocket_address v6;

        tcpsocket_address_parse("[::1]:0", &v6);
        int none = bind(probe, &v6.socket.any, v6.length);
        close(probe);
        if (none < 0)
            GTEST_SKIP() << "no IPv6 here";
    }
    listen("[::1]:0");
    EXPECT_EQ(get("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "REMOTE_ADDR"), "'::1'");
    EXPECT_EQ(value("env['SERVER_NAME']"), "[::1]");
}

// The Host that a client of a unix socket gives, and the names that come of it.
TEST_F(Environ, UnixSocket)
{
    struct {
        const char *fields, *name, *port;
    } cases[] = {
        {"Host: a.b\r\n", "a.b", "80"},     {"Host: a.b:81\r\n", "a.b", "81"},
        {"Host: [::1]\r\n", "[::1]", "80"}, {"Host: [::1]:81\r\n", "[::1]", "81"},
        {"Host:\r\n", "localhost", "80"},   {"", "localhost", "80"},
    };
    std::string where = "unix:@asynwsgi-environ-test-" + std::to_string(getpid());

    listen(where.c_str());
    for (auto &c : cases) {
        get(std::string("GET / HTTP/1.0\r\n") + c.fields + "\r\n", "");
        EXPECT_EQ(value("env['SERVER_NAME']"), c.name) << c.fields;
        EXPECT_EQ(value("env['SERVER_PORT']"), c.port) << c.fields;
        EXPECT_EQ(value("repr((env['REMOTE_ADDR'], env['REMOTE_PORT']))"), "('', '')");
    }
}

TEST_F(Environ, ConnectIsRefused)
{
    Client client(*this);

    define("env = None");
    client.send("CONNECT a.b:443 HTTP/1.1\r\nHost: a.b:443\r\n\r\n");
    EXPECT_EQ(client.response().status, 501);
    EXPECT_EQ(value("env"), "None");
}

TEST_F(Environ, Multiprocess)
{
    // The option is read when the interpreter starts: another test program has it set.
    EXPECT_EQ(get("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "wsgi.multiprocess"), "False");
}

} // namespace
