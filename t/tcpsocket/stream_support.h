// What the tests of streams share: a stream with functions for events, and the far end of it.

#ifndef TCPSOCKET_STREAM_SUPPORT_H
#define TCPSOCKET_STREAM_SUPPORT_H

#include "tcpsocket/support.h"

#include <csignal>
#include <sys/ioctl.h>

struct Stream : tcpsocket_stream {
    std::function<void()> on_input = [this] { take(SIZE_MAX); };
    std::function<void()> on_drained = [] {};
    std::function<void()> on_failed = [] {};
    std::function<bool()> wanted = [] { return true; };
    std::string got; // what take() took
    int inputs = 0, drains = 0, failures = 0, failure = 0;
    bool is_open = false;

    Stream() : tcpsocket_stream{} {}
    ~Stream()
    {
        shut();
    }

    int open(tcpsocket_pool *of, int fd)
    {
        int r = tcpsocket_stream_open(this, of, fd);
        is_open = r == 0;
        return r;
    }

    void shut()
    {
        if (is_open)
            tcpsocket_stream_close(this);
        is_open = false;
    }

    size_t available() const
    {
        size_t n;
        tcpsocket_stream_peek(this, &n);
        return n;
    }

    const unsigned char *peeked() const
    {
        size_t n;
        return tcpsocket_stream_peek(this, &n);
    }

    // Consumes as much as there is, `most` at most.
    void take(size_t most)
    {
        size_t n;
        const unsigned char *bytes = tcpsocket_stream_peek(this, &n);
        n = std::min(n, most);
        got.append(reinterpret_cast<const char *>(bytes), n);
        tcpsocket_stream_consume(this, n);
    }

    // Reserves and commits.
    bool put(const std::string &bytes)
    {
        unsigned char *room = tcpsocket_stream_reserve(this, bytes.size());
        if (!room)
            return false;
        memcpy(room, bytes.data(), bytes.size());
        tcpsocket_stream_commit(this, bytes.size());
        return true;
    }

    int send(const std::string &data = "")
    {
        // A copy that is gone at once: the stream may not keep the pointer.
        std::unique_ptr<char[]> copy(new char[data.size()]);
        memcpy(copy.get(), data.data(), data.size());
        return tcpsocket_stream_send(this, copy.get(), data.size());
    }

    size_t unsent() const
    {
        return tcpsocket_stream_unsent(this);
    }

  private:
    static Stream *self(tcpsocket_stream *stream)
    {
        return static_cast<Stream *>(stream);
    }

    static void input_came(tcpsocket_stream *stream)
    {
        self(stream)->inputs++;
        self(stream)->on_input();
    }

    static void output_drained(tcpsocket_stream *stream)
    {
        self(stream)->drains++;
        self(stream)->on_drained();
    }

    static void stream_failed(tcpsocket_stream *stream, int error)
    {
        self(stream)->failures++;
        self(stream)->failure = error;
        self(stream)->on_failed();
    }

    static bool is_wanted(tcpsocket_stream *stream)
    {
        return self(stream)->wanted();
    }

  public:
    static constexpr tcpsocket_stream_events table = {input_came, output_drained, stream_failed,
                                                      is_wanted};
};

inline void signal_is_a_failure(int)
{
    static const char message[] = "SIGPIPE was raised\n";
    if (write(2, message, sizeof message - 1) > 0)
        _exit(1);
}

enum Kind {
    Tcp,
    Unix
};

inline void PrintTo(Kind kind, std::ostream *out)
{
    *out << (kind == Tcp ? "Tcp" : "Unix");
}

// Two connected sockets, the first of them non-blocking.
inline void make_pair(Kind kind, int ends[2])
{
    if (kind == Unix) {
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    } else {
        int fd = listening("127.0.0.1:0");
        ends[1] = connected(fd);
        ends[0] = accept(fd, nullptr, nullptr);
        close(fd);
        int on = 1;
        setsockopt(ends[1], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
}

// Each test has an open stream, and its far end is `far`.
class StreamTest : public testing::TestWithParam<Kind> {
  protected:
    explicit StreamTest(tcpsocket_limits l = {65536, 65536, 16384, 1 << 20}) : limits(l)
    {
        signal(SIGPIPE, signal_is_a_failure);
        EXPECT_EQ(tcpsocket_pool_new(loop, &limits, &Stream::table, &pool), 0);
        far = add(stream);
    }

    ~StreamTest() override
    {
        stream.shut();
        hang_up();
        EXPECT_EQ(tcpsocket_pool_held(pool), 0u);
        tcpsocket_pool_free(pool);
    }

    // Opens a stream; gives the far end.
    int add(Stream &s)
    {
        int ends[2];
        make_pair(GetParam(), ends);
        EXPECT_EQ(s.open(pool, ends[0]), 0);
        return ends[1];
    }

    void hang_up()
    {
        if (far >= 0)
            close(far);
        far = -1;
    }

    void far_sends(const std::string &bytes)
    {
        ASSERT_EQ(__real_send(far, bytes.data(), bytes.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(bytes.size()));
    }

    // All that has arrived at the far end.
    std::string far_gets()
    {
        return far_gets(far);
    }

    static std::string far_gets(int fd)
    {
        static char buffer[1 << 20];
        std::string all;
        ssize_t n;
        while ((n = __real_recv(fd, buffer, sizeof buffer, MSG_DONTWAIT)) > 0)
            all.append(buffer, static_cast<size_t>(n));
        return all;
    }

    // A unix socket that is closed with something unread resets.
    void far_resets()
    {
        if (GetParam() == Unix && !stream.blocked) {
            EXPECT_EQ(stream.send("unread"), 0);
        }
        close_hard(far);
        far = -1;
    }

    size_t held() const
    {
        return tcpsocket_pool_held(pool);
    }

    // Fills the socket until it takes no more; gives how much it took.
    size_t fill()
    {
        size_t before = stream.sent;
        while (!stream.blocked)
            EXPECT_EQ(stream.send(std::string(65536, 'f')), 0);
        return stream.sent - before;
    }

    Loop loop;
    tcpsocket_limits limits;
    tcpsocket_pool *pool = nullptr;
    int far = -1;
    Stream stream;
};

// Bytes that show where they come from.
inline std::string pattern(size_t from, size_t length)
{
    std::string s(length, 0);
    for (size_t i = 0; i < length; i++, from++)
        s[i] = static_cast<char>(from ^ from >> 8 ^ from >> 16);
    return s;
}

#endif
