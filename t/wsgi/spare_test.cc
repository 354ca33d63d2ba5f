// An environ that the application left as it was serves the next request with the same fields. No
// request ever sees anything of another.

#include "wsgi/fixture.h"

namespace {

// Up to Python 3.11 it can be seen whether a dict was changed.
constexpr bool SERVES_AGAIN = PY_VERSION_HEX < 0x030c0000;

const char *const ANY = R"py(
import sys
kept, ids, marks = [], [], []
def change(e): pass
def app(e, s):
    i = e['wsgi.input']
    ids.append((id(e), id(i)))
    if 'mark' in e: marks.append(e['PATH_INFO'])
    result = '|'.join((e['REQUEST_METHOD'], e['PATH_INFO'], e['QUERY_STRING'], e['REQUEST_URI'],
                       e['SERVER_PROTOCOL'], e['REMOTE_PORT'], e.get('HTTP_HOST', '-'),
                       e.get('HTTP_A', '-'), str(len(e)), i.read().decode()))
    s('200 OK', [])
    change(e)
    return [result.encode()]
)py";

class Spare : public Wsgi {
  protected:
    std::unique_ptr<Client> client;

    void SetUp() override
    {
        Wsgi::SetUp();
        serve(ANY);
        client = std::make_unique<Client>(*this);
    }

    void TearDown() override
    {
        client.reset();
        Wsgi::TearDown();
    }

    // What the application is to do with environ, at its end.
    static void changes(const std::string &statement)
    {
        define("def change(e): " + statement);
    }

    std::string ask(Client &from, const std::string &line, const std::string &fields,
                    const std::string &body = "")
    {
        from.send(line + "\r\n" + fields + "\r\n" + body);
        return from.response().body;
    }

    static std::string port(const Client &of)
    {
        sockaddr_in own;
        socklen_t length = sizeof own;

        getsockname(of.fd, reinterpret_cast<sockaddr *>(&own), &length);
        return std::to_string(ntohs(own.sin_port));
    }

    void get(int times)
    {
        for (int i = 0; i < times; i++)
            EXPECT_EQ(client->get("/p?q").status, 200);
    }

    // Of the last three requests: whether all had the same environ, and input.  Without versions of
    // dicts they have those that are made in the same places, at most.
    static bool served_again()
    {
        return !SERVES_AGAIN || value("len(set(ids[-3:])) == 1") == "True";
    }
};

TEST_F(Spare, ServesAgainIfItIsLeftAlone)
{
    get(6);
    EXPECT_TRUE(served_again());
    EXPECT_EQ(value("marks"), "[]");
}

// The same fields, all else different: from one request to the next, and back again.
TEST_F(Spare, HasWhatEachRequestSays)
{
    Client other(*this);
    std::string fields = "Host: x\r\nA: b\r\n", own = port(*client), others = port(other);
    struct {
        Client *from;
        std::string line, expected;
    } cases[] = {
        {client.get(), "GET / HTTP/1.1", "GET|/||/|HTTP/1.1|" + own + "|x|b|"},
        {&other, "GET / HTTP/1.1", "GET|/||/|HTTP/1.1|" + others + "|x|b|"},
        {client.get(), "GET /a?b HTTP/1.1", "GET|/a|b|/a?b|HTTP/1.1|" + own + "|x|b|"},
        {&other, "GET /a?c HTTP/1.1", "GET|/a|c|/a?c|HTTP/1.1|" + others + "|x|b|"},
        {client.get(), "GET /%61?c HTTP/1.1", "GET|/a|c|/%61?c|HTTP/1.1|" + own + "|x|b|"},
        {&other, "PUT /%61?c HTTP/1.1", "PUT|/a|c|/%61?c|HTTP/1.1|" + others + "|x|b|"},
        {client.get(), "OPTIONS * HTTP/1.1", "OPTIONS|*||*|HTTP/1.1|" + own + "|x|b|"},
        {&other, "GET http://y/ HTTP/1.1", "GET|/||http://y/|HTTP/1.1|" + others + "|y|b|"},
        {client.get(), "GET / HTTP/1.1", "GET|/||/|HTTP/1.1|" + own + "|x|b|"},
        {client.get(), "GET /? HTTP/1.1", "GET|/||/?|HTTP/1.1|" + own + "|x|b|"},
    };

    for (int round = 0; round < 4; round++)
        for (auto &c : cases) {
            std::string answer = ask(*c.from, c.line, fields);

            EXPECT_EQ(answer.substr(0, c.expected.size()), c.expected) << round;
        }
}

// The same fields from a port and from a unix socket, where names come of them.
TEST_F(Spare, HasTheNamesOfItsSocket)
{
    std::string where = "unix:@asynwsgi-spare-test-" + std::to_string(getpid());
    std::string fields = "Host: a.b:81\r\n", name = "127.0.0.1";
    std::string number = std::to_string(tcpsocket_address_port(&address.socket.any));
    tcpsocket_address local;
    int second;

    ASSERT_EQ(tcpsocket_address_parse(where.c_str(), &local), 0);
    ASSERT_EQ(tcpsocket_listen(&local, 64, false, &second), 0);
    ASSERT_EQ(http_server_listen(server, second), 0);
    std::swap(address, local);
    Client other(*this);

    define("def names(e): seen.append(tuple(e[k] for k in "
           "('SERVER_NAME', 'SERVER_PORT', 'REMOTE_ADDR', 'REMOTE_PORT')))\nseen = []");
    changes("names(e)");
    for (Client *from : {client.get(), &other, &other, &other, client.get(), &other, client.get()})
        ask(*from, "GET / HTTP/1.1", fields);
    EXPECT_TRUE(served_again());
    std::string at_port =
        "('" + name + "', '" + number + "', '" + name + "', '" + port(*client) + "')";
    std::string at_path = "('a.b', '81', '', '')";
    std::string expected = "[" + at_port;

    for (const auto &names : {at_path, at_path, at_path, at_port, at_path, at_port})
        expected += ", " + names;
    EXPECT_EQ(value("seen"), expected + "]");
    close(second);
}

TEST_F(Spare, IsNotOfOtherFields)
{
    std::string has_it = "Host: x\r\nA: b\r\n", has_not = "Host: x\r\n";

    for (int i = 0; i < 5; i++) {
        EXPECT_NE(ask(*client, "GET / HTTP/1.1", has_it).find("|x|b|"), std::string::npos);
        EXPECT_NE(ask(*client, "GET / HTTP/1.1", has_not).find("|x|-|"), std::string::npos);
    }
}

TEST_F(Spare, HasTheBodyOfItsRequest)
{
    std::string fields = "Host: x\r\nContent-Length: 4\r\n";

    for (const char *body : {"abcd", "efgh", "ijkl", "mnop", "qrst"}) {
        std::string answer = ask(*client, "POST / HTTP/1.1", fields, body);

        EXPECT_EQ(answer.substr(answer.size() - 5), "|" + std::string(body));
    }
    EXPECT_TRUE(served_again());
}

// Whatever the application does to it, no other request sees it.
TEST_F(Spare, IsNoMoreOnceItWasChanged)
{
    std::string untouched = client->get("/p?q").body;

    for (const char *statement :
         {"e['mark'] = 1", "e.setdefault('mark', 1)", "e.update(mark=1)", "e.__init__(mark=1)",
          "e.clear()", "e.pop('HTTP_HOST')", "e.popitem()", "e.__delitem__('PATH_INFO')",
          "e.__ior__({'mark': 1})", "e['PATH_INFO'].join('') or e.update(PATH_INFO='/x')",
          "e.__setitem__('HTTP_HOST', 'y'), e.__setitem__('HTTP_HOST', 'localhost')",
          "e.pop('HTTP_A', 0) or e.pop('wsgi.errors')",
          "e.__setitem__('wsgi.input', e['wsgi.errors'])"}) {
        changes("pass");
        get(4);
        changes(statement);
        get(4);
        changes("pass");
        for (int i = 0; i < 4; i++)
            EXPECT_EQ(client->get("/p?q").body, untouched) << statement;
        EXPECT_EQ(value("marks"), "[]") << statement;
    }
}

// What is kept stays what it was, and is of no use for another.
TEST_F(Spare, IsNotWhatTheApplicationKept)
{
    struct {
        const char *statement, *kept;
    } cases[] = {
        {"kept.append(e)", "kept[-1]['PATH_INFO']"},
        {"kept.append(e.keys())", "('PATH_INFO' in kept[-1]) and '/p'"},
        {"kept.append(iter(e.items()))", "dict(kept[-1])['PATH_INFO']"},
        {"kept.append(lambda: e)", "kept[-1]()['PATH_INFO']"},
    };

    for (auto &c : cases) {
        changes("pass");
        get(4);
        changes(c.statement);
        get(3);
        changes("pass");
        client->get("/other");
        client->get("/another");
        EXPECT_EQ(value(c.kept), "/p") << c.statement;
    }
}

TEST_F(Spare, HasNoInputThatTheApplicationKept)
{
    for (const char *statement :
         {"kept.append(e['wsgi.input'])", "kept.append(e['wsgi.input'].read)"}) {
        changes("pass");
        get(4);
        changes(statement);
        get(1);
        changes("pass");
        EXPECT_EQ(ask(*client, "POST / HTTP/1.1", "Host: x\r\nContent-Length: 2\r\n", "ab").back(),
                  'b');
        define("def read():\n"
               "    try: return getattr(kept[-1], 'read', kept[-1])()\n"
               "    except RuntimeError: return 'raised'");
        EXPECT_EQ(value("read()"), "raised");
        changes("marks.append(read())");
        get(2);
        EXPECT_EQ(value("marks"), "['raised', 'raised']");
        define("marks.clear()");
    }
}

// The collector knows all dicts there are, so the application may come by one later.
TEST_F(Spare, IsNotWhatTheApplicationFound)
{
    get(4);
    define("import gc\n"
           "kept = [d for d in gc.get_objects() if type(d) is dict and d.get('wsgi.input')]");
    EXPECT_EQ(value("len(kept) > 0"), SERVES_AGAIN ? "True" : "False");
    client->get("/other");
    EXPECT_EQ(value("{d['PATH_INFO'] for d in kept} & {'/other'}"), "set()");
    for (const char *change : {"d.update(mark=1)", "d.pop('wsgi.input')"}) {
        get(4);
        define("kept = [d for d in gc.get_objects() if type(d) is dict and d.get('wsgi.input')]\n"
               "for d in kept: " +
               std::string(change) +
               "\n"
               "d = kept.clear()");
        client->get("/other");
        get(2);
    }
    EXPECT_EQ(value("marks"), "[]");
}

TEST_F(Spare, OneOfSeveralAtATime)
{
    define(R"py(
def app(e, s):
    s('200 OK', [])
    def later():
        yield e['PATH_INFO'].encode()
        for _ in range(3): yield b'.' * 300000
        yield e['PATH_INFO'].encode()
    return later() if e['QUERY_STRING'] else [e['PATH_INFO'].encode()]
)py");
    ASSERT_EQ(wsgi_load(wsgi), 0);
    for (int i = 0; i < 3; i++)
        client->get("/a");
    Client slow(*this), second(*this);
    slow.send("GET /slow?x HTTP/1.1\r\nHost: localhost\r\n\r\n");
    second.send("GET /second?x HTTP/1.1\r\nHost: localhost\r\n\r\n");
    turns(3);
    for (int i = 0; i < 3; i++)
        EXPECT_EQ(client->get("/b").body, "/b");
    EXPECT_EQ(slow.response().body, "/slow" + std::string(900000, '.') + "/slow");
    EXPECT_EQ(second.response().body, "/second" + std::string(900000, '.') + "/second");
    EXPECT_EQ(client->get("/c").body, "/c");
}

TEST_F(Spare, AfterAFailure)
{
    for (int i = 0; i < 3; i++) {
        changes("pass");
        get(3);
        changes("e.update(mark=1); 1 / 0");
        EXPECT_EQ(client->get("/p?q").status, 500);
        changes("1 / 0");
        EXPECT_EQ(client->get("/p?q").status, 500);
    }
    changes("pass");
    get(2);
    EXPECT_EQ(value("marks"), "[]");
}

} // namespace
