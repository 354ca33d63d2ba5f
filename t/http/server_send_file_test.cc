// Bodies that are in a file.

#include "http/server_fixture.h"

static const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

class ServerSendFile : public ServerTest {
  public:
    static constexpr size_t size = 3'000'000;

    ServerSendFile()
    {
        char path[] = "/tmp/server_send_file_test.XXXXXX";
        file = mkstemp(path);
        unlink(path);
        for (size_t i = 0; i < size; i++)
            all += static_cast<char>(i ^ i >> 8 ^ i >> 16);
        EXPECT_EQ(write(file, all.data(), all.size()), static_cast<ssize_t>(all.size()));
        sendfile_errors.clear();
        sendfile_most = SIZE_MAX;
        calls = {};
        send_buffer = 100'000;
        on_request = [this](auto *c, const Request &) {
            respond(c, "200 OK", {}, static_cast<int64_t>(end - place));
            step(c);
        };
        on_writable = [this](auto *c) { step(c); };
    }

    ~ServerSendFile() override
    {
        stop();
        ::close(file);
    }

    // As a handler does it: on while there is room, and to the end.
    void step(struct http_connection *c)
    {
        size_t taken = 0;
        while (error == 0 && place < end && !http_full(c)) {
            error = http_send_file(c, file, place, end - place, &taken);
            EXPECT_LE(taken, most);
            place += error == 0 ? taken : 0;
        }
        if (error != 0)
            http_abort(c);
        else if (place == end)
            http_finish(c);
    }

    // The body of the answer as far as it has come.
    static std::string body(const Client &c)
    {
        size_t head = c.received.find("\r\n\r\n");
        return head == std::string::npos ? "" : c.received.substr(head + 4);
    }

    static std::string dechunked(const std::string &text)
    {
        std::string data;
        for (size_t at = 0, length = 1; length > 0; at += length + 2) {
            length = std::stoul(text.substr(at), nullptr, 16);
            at = text.find("\r\n", at) + 2;
            data += text.substr(at, length);
        }
        return data;
    }

    int file = -1;
    std::string all;
    size_t place = 0, end = size; // what is to be sent
    size_t most = 1 << 20;        // of it in one call
    int error = 0;
};

TEST_F(ServerSendFile, Sized)
{
    Client &c = client();
    c.send(get + get.substr(0, 10));
    EXPECT_TRUE(until([&] { return body(c).size() == size; }));
    EXPECT_TRUE(body(c) == all);
    EXPECT_NE(c.received.find("Content-Length: 3000000\r\n"), std::string::npos);
    EXPECT_GT(seen("writable"), 0u);
    EXPECT_EQ(records.back(), "ended 200 3000000");
    place = size - 5; // and the connection goes on
    c.received.clear();
    c.send(get.substr(10));
    EXPECT_TRUE(until([&] { return body(c) == all.substr(size - 5); }));
}

TEST_F(ServerSendFile, HeadGoesWithTheFile)
{
    end = 1000;
    Client &c = client();
    calls = {};
    c.send(get);
    EXPECT_TRUE(until([&] { return body(c).size() == end; }));
    EXPECT_EQ(calls.send, 1u);
    EXPECT_EQ(calls.sendfile, 1u);
}

// Answers before it, and data before and behind it, keep their places.
TEST_F(ServerSendFile, InItsPlace)
{
    on_request = [this](auto *c, const Request &r) {
        size_t taken = 0;
        if (r.target == "/1") {
            reply(c, "first");
            return;
        }
        respond(c, "200 OK", {}, 21);
        send(c, "before ");
        EXPECT_EQ(http_send_file(c, file, 100, 7, &taken), 0);
        EXPECT_EQ(taken, 7u);
        send(c, " behind");
        http_finish(c);
    };
    Client &c = client();
    c.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n" + get);
    EXPECT_TRUE(until([&] {
        return undated(c.received) ==
               answer("first") + answer("before " + all.substr(100, 7) + " behind");
    }));
}

TEST_F(ServerSendFile, ToAReaderThatStalls)
{
    Client &c = client(4096);
    c.stalled = true;
    c.send(get);
    EXPECT_TRUE(until([&] { return seen("GET /") == 1; }));
    pump();
    calls = {};
    run_for(20);
    EXPECT_EQ(calls.sendfile, 0u);
    EXPECT_EQ(calls.epoll_ctl, 0u);
    EXPECT_LT(http_server_memory(server), 1000u) << "nothing of it is held";
    EXPECT_LT(place, size);
    c.stalled = false;
    EXPECT_TRUE(until([&] { return body(c).size() == size; }));
    EXPECT_TRUE(body(c) == all);
}

TEST_F(ServerSendFile, WriteTimeOut)
{
    options.timeouts.write = 30 * millisecond;
    Client &c = client(4096);
    c.stalled = true;
    c.send(get);
    EXPECT_TRUE(gone());
    EXPECT_EQ(seen("abandoned"), 1u);
    EXPECT_EQ(records.back(), "ended 200 " + std::to_string(place));
}

// One that reads slowly is served for as long as it takes: longer than the time-out.
TEST_F(ServerSendFile, SlowReaderIsNotTimedOut)
{
    options.timeouts.write = 100 * millisecond;
    options.timeouts.write_rate = 0;
    end = 1'000'000;
    Client &c = client(4096);
    c.stalled = true;
    c.send(get);
    std::string got;
    uint64_t before = dispatch_now(loop);
    EXPECT_TRUE(until(
        [&] {
            static char buffer[4000];
            ssize_t n = __real_recv(c.fd, buffer, sizeof buffer, 0);
            got.append(buffer, static_cast<size_t>(n > 0 ? n : 0));
            return got.size() > 4 && got.size() - got.find("\r\n\r\n") - 4 == end;
        },
        60000));
    EXPECT_GT(dispatch_now(loop) - before, 200 * millisecond);
    EXPECT_EQ(seen("abandoned"), 0u);
}

TEST_F(ServerSendFile, ClientThatLeaves)
{
    Client &c = client(4096);
    c.stalled = true;
    c.send(get);
    EXPECT_TRUE(until([&] { return seen("GET /") == 1; }));
    c.reset();
    EXPECT_TRUE(gone());
    EXPECT_EQ(seen("abandoned"), 1u);
}

TEST_F(ServerSendFile, UntilTheConnectionEnds)
{
    on_request = [this](auto *c, const Request &) {
        respond(c, "200 OK", {}, -1);
        step(c);
    };
    Client &c = client();
    c.send("GET / HTTP/1.0\r\n\r\n");
    EXPECT_TRUE(until([&] { return c.ended; }));
    EXPECT_TRUE(body(c) == all);
}

TEST_F(ServerSendFile, Chunked)
{
    most = 16384;
    on_request = [this](auto *c, const Request &) {
        respond(c, "200 OK", {}, -1);
        step(c);
    };
    Client &c = client();
    calls = {};
    c.send(get);
    EXPECT_TRUE(until([&] { return c.received.find("\r\n0\r\n\r\n") != std::string::npos; }));
    EXPECT_TRUE(dechunked(body(c)) == all);
    EXPECT_EQ(records.back(), "ended 200 3000000");
    EXPECT_EQ(calls.sendfile, 0u);
}

TEST_F(ServerSendFile, CutAtTheContentLength)
{
    on_request = [this](auto *c, const Request &) {
        size_t taken = 0;
        respond(c, "200 OK", {{"Content-Length", "10"}}, -1);
        EXPECT_EQ(http_send_file(c, file, 0, 6, &taken), 0);
        EXPECT_EQ(taken, 6u);
        EXPECT_EQ(http_send_file(c, file, 6, 600, &taken), -EMSGSIZE);
        EXPECT_EQ(taken, 600u);
        EXPECT_EQ(http_send_file(c, file, 10, 60, &taken), -EMSGSIZE);
        EXPECT_EQ(taken, 60u);
        http_finish(c);
    };
    Client &c = client();
    c.send(get);
    EXPECT_TRUE(until([&] { return undated(c.received) == answer(all.substr(0, 10)); }));
}

TEST_F(ServerSendFile, NoBodyToHead)
{
    on_request = [this](auto *c, const Request &) {
        size_t taken = 0;
        respond(c, "200 OK", {}, 10);
        EXPECT_EQ(http_send_file(c, file, 0, 10, &taken), 0);
        EXPECT_EQ(taken, 10u);
        http_finish(c);
    };
    Client &c = client();
    calls = {};
    c.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(until([&] { return records.size() == 2; }));
    pump();
    EXPECT_EQ(undated(c.received), "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
    EXPECT_EQ(calls.sendfile, 0u);
    EXPECT_EQ(records.back(), "ended 200 0");
}

TEST_F(ServerSendFile, EmptyPart)
{
    end = 0;
    Client &c = client();
    c.send(get);
    EXPECT_TRUE(until([&] { return undated(c.received) == answer(""); }));
}

// What is missing cannot be mended; the client sees that it is.
TEST_F(ServerSendFile, FileThatIsTooShort)
{
    for (bool chunked : {false, true}) {
        on_request = [&](auto *c, const Request &) {
            respond(c, "200 OK", {}, chunked ? -1 : 20);
            place = size - 10;
            end = size + 10;
            error = 0;
            step(c);
        };
        Client &c = client();
        c.send(get);
        EXPECT_TRUE(until([&] { return c.ended; }));
        EXPECT_EQ(error, -EIO);
        std::string rest = all.substr(size - 10);
        EXPECT_EQ(body(c), chunked ? "a\r\n" + rest + "\r\n" : rest);
        EXPECT_EQ(records.back(), "ended 200 10");
    }
}

TEST_F(ServerSendFile, ShortInterruptedAndFailing)
{
    sendfile_most = 10'000;
    sendfile_errors = {0, EAGAIN, 0, EINTR, EINVAL, ENOSYS};
    Client &c = client();
    c.send(get);
    EXPECT_TRUE(until([&] { return body(c).size() == size; }));
    EXPECT_TRUE(body(c) == all);
    for (int failure : {EIO, EPIPE}) {
        place = 0;
        sendfile_errors = {0, 0, failure};
        Client &other = client();
        other.send(get);
        EXPECT_TRUE(until([&] { return other.closed(); }));
        EXPECT_EQ(error, -failure);
        EXPECT_EQ(records.back(), "ended 200 20000");
        error = 0;
    }
}

TEST_F(ServerSendFile, OthersHaveTheirTurn)
{
    send_buffer = 0; // and the kernel gives it what it needs
    Client &c = client();
    c.send(get);
    EXPECT_TRUE(until([&] { return body(c).size() == size; }));
    EXPECT_GE(calls.sendfile, 3u);
}

TEST_F(ServerSendFile, NoChunkIsReadWhileItIsFull)
{
    on_request = [this](auto *c, const Request &) {
        size_t taken = 1;
        respond(c, "200 OK", {}, -1);
        while (!http_full(c))
            send(c, all);
        EXPECT_EQ(http_send_file(c, file, 0, 10, &taken), 0);
        EXPECT_EQ(taken, 0u);
        http_finish(c);
    };
    client().send(get);
    EXPECT_TRUE(until([&] { return records.size() == 2; }));
}
