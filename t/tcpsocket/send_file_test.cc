// Output that is in a file.

#include "tcpsocket/stream_support.h"

class SendFileTest : public StreamTest {
  protected:
    static constexpr size_t size = 3'000'000;

    SendFileTest() : StreamTest({65536, 49152, 16384, 1 << 20})
    {
        char path[] = "/tmp/send_file_test.XXXXXX";
        file = mkstemp(path);
        unlink(path);
        EXPECT_EQ(write(file, all.data(), all.size()), static_cast<ssize_t>(all.size()));
        lseek(file, 7, SEEK_SET);
        int buffer = 100'000; // so that it is much less than the file
        setsockopt(stream.target.fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    }

    ~SendFileTest() override
    {
        EXPECT_EQ(lseek(file, 0, SEEK_CUR), 7) << "its own place is not moved";
        close(file);
    }

    // How much of it was taken; a negative number is an error.
    ssize_t send_file(size_t offset, size_t length)
    {
        size_t taken = SIZE_MAX;
        int error = tcpsocket_stream_send_file(&stream, file, offset, length, &taken);
        if (error == 0) {
            EXPECT_LE(taken, length);
        } else {
            EXPECT_EQ(taken, SIZE_MAX) << "written only on success";
        }
        return error ? error : static_cast<ssize_t>(taken);
    }

    // Sends all from `offset` on as there is room, and gives what arrived.
    std::string send_all(size_t offset)
    {
        bool failed = false;
        auto more = [&] {
            while (!failed && offset < size && !tcpsocket_stream_full(&stream)) {
                ssize_t n = send_file(offset, size - offset);
                failed = n < 0;
                offset += static_cast<size_t>(failed ? 0 : n);
            }
        };
        std::string got;
        stream.on_drained = more;
        more();
        loop.tick = 0;
        EXPECT_TRUE(loop.run_until([&] {
            got += far_gets();
            return failed || (offset == size && stream.unsent() == 0);
        }));
        EXPECT_FALSE(failed);
        stream.on_drained = [] {};
        return got + far_gets();
    }

    const std::string all = pattern(0, size);
    int file = -1;
};

INSTANTIATE_TEST_SUITE_P(Over, SendFileTest, testing::Values(Tcp, Unix),
                         testing::PrintToStringParamName());

TEST_P(SendFileTest, HeadAndFile)
{
    ASSERT_TRUE(stream.put("head "));
    EXPECT_EQ(send_file(10, 1000), 1000);
    EXPECT_EQ(calls.send.count, 1u);
    EXPECT_EQ(calls.send_flags & MSG_MORE, MSG_MORE);
    EXPECT_EQ(calls.sendfile.count, 1u);
    EXPECT_EQ(stream.sent, 1005u);
    EXPECT_EQ(stream.unsent(), 0u);
    EXPECT_FALSE(tcpsocket_stream_full(&stream));
    EXPECT_EQ(stream.target.wanted, unsigned{DISPATCH_READ});
    EXPECT_EQ(far_gets(), "head " + all.substr(10, 1000));
    EXPECT_EQ(stream.send("next"), 0);
    EXPECT_EQ(calls.send_flags & MSG_MORE, 0);
    EXPECT_EQ(far_gets(), "next");
    EXPECT_EQ(held(), 0u);
    ASSERT_TRUE(stream.put("head of much "));
    EXPECT_GT(send_file(0, 140'000), 0);
    EXPECT_EQ(calls.send_flags & MSG_MORE, 0) << "its segments are its own";
}

TEST_P(SendFileTest, AsTheReaderTakesIt)
{
    ASSERT_TRUE(stream.put("head "));
    std::string got = send_all(5);
    EXPECT_TRUE(got == "head " + all.substr(5));
    EXPECT_EQ(stream.sent, got.size());
    EXPECT_GT(stream.drains, 0);
    EXPECT_EQ(held(), 0u);
    EXPECT_EQ(stream.target.wanted, unsigned{DISPATCH_READ});
}

TEST_P(SendFileTest, WhatIsRefusedMakesItFull)
{
    ssize_t taken = send_file(0, size);
    EXPECT_GT(taken, 0);
    ASSERT_LT(taken, static_cast<ssize_t>(size)) << "the socket takes it all";
    EXPECT_TRUE(tcpsocket_stream_full(&stream));
    EXPECT_EQ(stream.unsent(), 0u);
    EXPECT_EQ(held(), 0u) << "nothing is copied";
    EXPECT_EQ(send_file(static_cast<size_t>(taken), 1000), 0);
    EXPECT_EQ(send_file(static_cast<size_t>(taken), 0), 0);
    EXPECT_TRUE(tcpsocket_stream_full(&stream));
    EXPECT_EQ(calls.sendfile.count, 1u) << "before there is room it is not tried again";
    for (int i = 0; i < 20; i++)
        loop.turn();
    EXPECT_EQ(stream.drains, 0);
    std::string got;
    EXPECT_TRUE(loop.run_until([&] {
        got += far_gets();
        return stream.drains > 0;
    }));
    EXPECT_FALSE(tcpsocket_stream_full(&stream));
    for (int i = 0; i < 20; i++)
        loop.turn();
    EXPECT_EQ(stream.drains, 1) << "once";
    got += far_gets();
    EXPECT_TRUE(got == all.substr(0, static_cast<size_t>(taken)));
}

TEST_P(SendFileTest, ShortAndInterrupted)
{
    calls.sendfile_most = 1000;
    calls.sendfile.errors = {0, EINTR, 0, EAGAIN, 0, 0, EAGAIN, EINTR};
    EXPECT_EQ(send_file(0, size), 1000);
    EXPECT_TRUE(tcpsocket_stream_full(&stream));
    loop.turn();
    EXPECT_EQ(stream.drains, 1);
    EXPECT_EQ(send_file(1000, size), 0);
    EXPECT_TRUE(tcpsocket_stream_full(&stream));
    loop.turn();
    EXPECT_EQ(stream.drains, 2);
    EXPECT_EQ(send_file(1000, 1000), 1000);
    EXPECT_FALSE(tcpsocket_stream_full(&stream));
    calls.sendfile_most = 100'000;
    EXPECT_TRUE(send_all(2000) == all);
}

TEST_P(SendFileTest, HeadThatIsRefused)
{
    calls.send_most = 3;
    ASSERT_TRUE(stream.put("head "));
    EXPECT_EQ(send_file(0, 10), 0);
    EXPECT_EQ(stream.unsent(), 2u);
    EXPECT_TRUE(tcpsocket_stream_full(&stream)) << "whatever the marks say";
    EXPECT_EQ(calls.sendfile.count, 0u);
    calls.send_most = 1;
    loop.turn();
    EXPECT_EQ(stream.drains, 1);
    EXPECT_EQ(send_file(0, 10), 0) << "one byte of it still waits";
    EXPECT_TRUE(tcpsocket_stream_full(&stream));
    loop.turn();
    EXPECT_EQ(stream.drains, 2);
    EXPECT_EQ(send_file(0, 10), 10);
    EXPECT_EQ(far_gets(), "head " + all.substr(0, 10));
}

TEST_P(SendFileTest, BehindOutputThatWaits)
{
    fill();
    size_t before = stream.sent + stream.unsent();
    EXPECT_EQ(send_file(0, 10), 0);
    EXPECT_TRUE(tcpsocket_stream_full(&stream));
    std::string got;
    EXPECT_TRUE(loop.run_until([&] {
        got += far_gets();
        return stream.unsent() == 0;
    }));
    EXPECT_EQ(send_file(0, 10), 10);
    got += far_gets();
    EXPECT_EQ(got.size(), before + 10);
    EXPECT_EQ(got.substr(before), all.substr(0, 10));
}

// What was parked for another stream goes first too.
TEST_P(SendFileTest, BehindOutputOfItsOwnBuffer)
{
    Stream other;
    int far_other = add(other);
    ASSERT_TRUE(stream.put("head "));
    ASSERT_TRUE(other.put("other"));
    EXPECT_EQ(send_file(0, 10), 10);
    EXPECT_EQ(far_gets(), "head " + all.substr(0, 10));
    EXPECT_EQ(other.send(), 0);
    EXPECT_EQ(far_gets(far_other), "other");
    other.shut();
    close(far_other);
}

TEST_P(SendFileTest, DataFollows)
{
    ssize_t taken = send_file(0, size);
    ASSERT_LT(taken, static_cast<ssize_t>(size));
    EXPECT_EQ(stream.send("tail"), 0); // though the file is not at its end
    EXPECT_EQ(stream.unsent(), 4u);
    std::string got;
    EXPECT_TRUE(loop.run_until([&] {
        got += far_gets();
        return stream.unsent() == 0;
    }));
    got += far_gets();
    EXPECT_TRUE(got == all.substr(0, static_cast<size_t>(taken)) + "tail");
    EXPECT_FALSE(tcpsocket_stream_full(&stream));
}

TEST_P(SendFileTest, ShutdownInTheMiddle)
{
    ssize_t taken = send_file(0, size);
    ASSERT_LT(taken, static_cast<ssize_t>(size));
    tcpsocket_stream_shutdown(&stream);
    std::string got;
    EXPECT_TRUE(loop.run_until([&] {
        got += far_gets();
        return got.size() == static_cast<size_t>(taken);
    }));
    EXPECT_EQ(far_state(far), Far::Ended);
    for (int i = 0; i < 20; i++)
        loop.turn();
    EXPECT_EQ(stream.drains, 0);
}

TEST_P(SendFileTest, EndOfTheFile)
{
    ASSERT_TRUE(stream.put("head "));
    EXPECT_EQ(send_file(size - 10, 100), 10);
    EXPECT_TRUE(tcpsocket_stream_full(&stream));
    loop.turn();
    EXPECT_EQ(stream.drains, 1);
    EXPECT_EQ(send_file(size, 90), -EIO);
    EXPECT_EQ(send_file(size + 1000, 90), -EIO);
    EXPECT_EQ(stream.error, 0);
    EXPECT_EQ(stream.send("tail"), 0);
    EXPECT_EQ(far_gets(), "head " + all.substr(size - 10) + "tail");
}

TEST_P(SendFileTest, FailureBreaksTheStream)
{
    for (int error : {EIO, EPIPE, ECONNRESET}) {
        Stream one;
        size_t taken = 42;
        int its_far = add(one);
        calls.sendfile.errors = {error};
        EXPECT_EQ(tcpsocket_stream_send_file(&one, file, 0, 10, &taken), -error);
        EXPECT_EQ(one.error, -error);
        EXPECT_EQ(tcpsocket_stream_send_file(&one, file, 0, 10, &taken), -error);
        EXPECT_EQ(taken, 42u);
        for (int i = 0; i < 20; i++)
            loop.turn();
        EXPECT_EQ(one.failures, 0);
        one.shut();
        close(its_far);
    }
    EXPECT_EQ(calls.sendfile.count, 3u);
    calls.send.errors = {EPIPE};
    ASSERT_TRUE(stream.put("head"));
    EXPECT_EQ(send_file(0, 10), -EPIPE);
    EXPECT_EQ(calls.sendfile.count, 3u);
}

// SIGPIPE ends the test: see StreamTest.
TEST_P(SendFileTest, PeerThatWentAwayRaisesNoSignal)
{
    hang_up();
    tcpsocket_stream_pause(&stream);
    while (!stream.error)
        send_file(0, 10);
    EXPECT_TRUE(stream.error == -EPIPE || stream.error == -ECONNRESET) << stream.error;
    sigset_t pending, blocked;
    sigpending(&pending);
    sigprocmask(SIG_BLOCK, nullptr, &blocked);
    EXPECT_FALSE(sigismember(&pending, SIGPIPE));
    EXPECT_FALSE(sigismember(&blocked, SIGPIPE));
}

// Some of it was taken before.
TEST_P(SendFileTest, PeerThatGoesAwayMeanwhileRaisesNoSignal)
{
    calls.sendfile_most = 1000;
    calls.sendfile_breaks = true;
    EXPECT_EQ(send_file(0, 2000), 1000);
    sigset_t pending;
    sigpending(&pending);
    EXPECT_FALSE(sigismember(&pending, SIGPIPE));
}

// An application may have the signal blocked, and wait for it.
TEST_P(SendFileTest, BlockedSignalStaysSo)
{
    sigset_t pipe, blocked;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigprocmask(SIG_BLOCK, &pipe, nullptr);
    EXPECT_EQ(send_file(0, 2000), 2000);
    sigprocmask(SIG_UNBLOCK, &pipe, &blocked);
    EXPECT_TRUE(sigismember(&blocked, SIGPIPE));
}

// -- Where there is no sendfile(2) for it

TEST_P(SendFileTest, ReadInstead)
{
    calls.sendfile.errors = {EINVAL, ENOSYS, EOPNOTSUPP};
    ASSERT_TRUE(stream.put("head "));
    EXPECT_EQ(send_file(0, size), 32768);
    EXPECT_FALSE(tcpsocket_stream_full(&stream));
    EXPECT_EQ(send_file(size - 10, 10), 10);
    EXPECT_EQ(send_file(size, 10), -EIO);
    EXPECT_EQ(stream.error, 0);
    EXPECT_EQ(stream.sent, 5u + 32768 + 10);
    EXPECT_TRUE(far_gets() == "head " + all.substr(0, 32768) + all.substr(size - 10));
    calls.sendfile.errors.assign(10000, EINVAL);
    EXPECT_TRUE(send_all(0) == all);
    EXPECT_EQ(held(), 0u);
}

TEST_P(SendFileTest, ReadInsteadForASlowReader)
{
    calls.sendfile.errors.assign(10000, ENOSYS);
    calls.send_most = 100;
    EXPECT_EQ(send_file(0, 1000), 1000) << "it is kept";
    EXPECT_EQ(stream.unsent(), 900u);
    EXPECT_EQ(send_file(1000, 1000), 0);
    EXPECT_TRUE(tcpsocket_stream_full(&stream));
    calls.send_most = 50'000;
    EXPECT_TRUE(send_all(1000) == all);
}

TEST_P(SendFileTest, CannotBeRead)
{
    size_t taken;
    int directory = open("/", O_RDONLY | O_CLOEXEC);
    EXPECT_EQ(tcpsocket_stream_send_file(&stream, directory, 0, 10, &taken), -EISDIR);
    close(directory);
    EXPECT_EQ(stream.error, 0);
    EXPECT_EQ(stream.send("still"), 0);
    EXPECT_EQ(far_gets(), "still");
}
