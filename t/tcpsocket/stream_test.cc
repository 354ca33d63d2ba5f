// A stream's life: ends, resets, hang-ups, and being closed at any moment.

#include "tcpsocket/stream_support.h"

// One for each of ten thousand idle connections.
static_assert(sizeof(tcpsocket_stream) <= 112);

class LifeTest : public StreamTest {
  protected:
    // Turns in which a spinning loop would show.
    void turns()
    {
        for (int i = 0; i < 20; i++)
            loop.turn();
    }
};

INSTANTIATE_TEST_SUITE_P(Over, LifeTest, testing::Values(Tcp, Unix),
                         testing::PrintToStringParamName());

TEST_P(LifeTest, PeerEndsFirst)
{
    far_sends("ask");
    shutdown(far, SHUT_WR);
    turns();
    EXPECT_TRUE(tcpsocket_stream_ended(&stream));
    EXPECT_EQ(stream.send("answer"), 0);
    EXPECT_EQ(far_gets(), "answer");
    turns();
    EXPECT_EQ(stream.failures, 0);
    tcpsocket_stream_shutdown(&stream);
    EXPECT_EQ(far_state(far), Far::Ended);
    turns();
    EXPECT_EQ(stream.failures, 0) << "it came to its end in good order";
    EXPECT_EQ(stream.inputs, 2);
    EXPECT_EQ(stream.target.loop, nullptr) << "hang-ups would keep the loop awake";
}

TEST_P(LifeTest, WeEndFirst)
{
    EXPECT_EQ(stream.send("bye"), 0);
    tcpsocket_stream_shutdown(&stream);
    EXPECT_EQ(far_gets(), "bye");
    far_sends("late");
    turns();
    EXPECT_EQ(stream.got, "late");
    EXPECT_FALSE(tcpsocket_stream_ended(&stream));
    hang_up();
    turns();
    EXPECT_TRUE(tcpsocket_stream_ended(&stream));
    EXPECT_EQ(stream.inputs, 2);
    EXPECT_EQ(stream.failures, 0);
}

TEST_P(LifeTest, PeerEndsWhileOutputWaits)
{
    fill();
    shutdown(far, SHUT_WR);
    turns();
    EXPECT_TRUE(tcpsocket_stream_ended(&stream));
    EXPECT_EQ(stream.failures, 0);
    size_t all = stream.sent + stream.unsent(), got = 0;
    tcpsocket_stream_shutdown(&stream);
    ASSERT_TRUE(loop.run_until([&] {
        got += far_gets().size();
        return far_state(far) == Far::Ended;
    }));
    EXPECT_EQ(got, all);
    EXPECT_EQ(stream.failures, 0);
}

TEST_P(LifeTest, ResetWhileReading)
{
    far_resets();
    turns();
    EXPECT_EQ(stream.failures, 1);
    EXPECT_EQ(stream.failure, -ECONNRESET);
    EXPECT_EQ(stream.inputs, 0);
}

TEST_P(LifeTest, ResetWhilePaused)
{
    tcpsocket_stream_pause(&stream);
    far_resets();
    turns();
    EXPECT_EQ(stream.failures, 1);
    EXPECT_EQ(stream.failure, -ECONNRESET);
    EXPECT_EQ(calls.recv.count, 0u);
}

TEST_P(LifeTest, ResetAfterTheEnd)
{
    shutdown(far, SHUT_WR);
    turns();
    far_resets();
    turns();
    EXPECT_EQ(stream.inputs, 1);
    EXPECT_EQ(stream.failures, 1);
    EXPECT_EQ(stream.failure, GetParam() == Tcp ? -EPIPE : -ECONNRESET) << "as SO_ERROR has it";
}

TEST_P(LifeTest, ResetWhileOutputWaits)
{
    fill();
    tcpsocket_stream_pause(&stream);
    far_resets();
    turns();
    EXPECT_EQ(stream.failures, 1);
    EXPECT_EQ(stream.drains, 0);
}

// A client that sends and goes: all its input comes, then the end, then that it is gone.
TEST_P(LifeTest, PeerIsGoneAfterItsInput)
{
    far_sends("last words");
    hang_up();
    turns();
    EXPECT_EQ(stream.got, "last words");
    EXPECT_TRUE(tcpsocket_stream_ended(&stream));
    EXPECT_EQ(stream.inputs, 2);
    EXPECT_EQ(stream.failures, GetParam() == Unix ? 1 : 0); // TCP can't tell it from a half-close
}

TEST_P(LifeTest, TheEndIsHeededWhilePaused)
{
    tcpsocket_stream_pause(&stream);
    far_sends("words");
    tcpsocket_stream_heed_end(&stream, true);
    turns();
    EXPECT_EQ(stream.failures, 0);
    shutdown(far, SHUT_WR);
    turns();
    EXPECT_EQ(stream.failures, 1);
    EXPECT_EQ(stream.failure, -ECONNRESET);
}

TEST_P(LifeTest, InputThatIsNotWantedIsLeftToTheKernel)
{
    bool wanted = false;

    stream.wanted = [&] {
        if (!wanted)
            tcpsocket_stream_pause(&stream);
        return wanted;
    };
    far_sends("words");
    calls = {};
    turns();
    EXPECT_EQ(calls.recv.count, 0u);
    EXPECT_EQ(stream.inputs, 0);
    wanted = true;
    tcpsocket_stream_resume(&stream);
    turns();
    EXPECT_EQ(stream.got, "words");
}

TEST_P(LifeTest, PeerIsGoneWhilePaused)
{
    tcpsocket_stream_pause(&stream);
    hang_up();
    turns();
    EXPECT_EQ(stream.failures, GetParam() == Unix ? 1 : 0);
    EXPECT_EQ(stream.failure, GetParam() == Unix ? -ECONNRESET : 0);
    tcpsocket_stream_resume(&stream);
    turns();
    EXPECT_EQ(stream.inputs, GetParam() == Unix ? 0 : 1);
}

// Input that nobody asked for may be lost; but that it is over is not.
TEST_P(LifeTest, BothEndWhilePaused)
{
    tcpsocket_stream_pause(&stream);
    tcpsocket_stream_shutdown(&stream);
    hang_up();
    turns();
    EXPECT_EQ(stream.failures, 1);
    EXPECT_EQ(stream.failure, -ECONNRESET);
}

// What a peer says before it refuses the rest of a long output is read first.
TEST_P(LifeTest, AnswerBeforeTheRefusal)
{
    fill();
    far_sends("enough");
    hang_up();
    stream.on_input = [&] {
        stream.take(SIZE_MAX);
        EXPECT_EQ(stream.failures, 0);
    };
    turns();
    EXPECT_EQ(stream.got, "enough");
    EXPECT_EQ(stream.failures, 1);
}

// Writing failed: what the peer said before is received by whoever asks for that, in pieces too.
TEST_P(LifeTest, LastWordsAreHeardOnlyWhenAskedFor)
{
    for (bool asked : {false, true}) {
        stream.shut();
        hang_up();
        far = add(stream);
        stream.got.clear();
        stream.last_words = asked;
        stream.on_input = [&] {
            if (tcpsocket_stream_ended(&stream))
                stream.take(SIZE_MAX);
        };
        std::string words = pattern(0, 40000); // more than one receive gives
        far_sends(words);
        hang_up();
        calls.send.errors = {EPIPE};
        EXPECT_EQ(stream.send("x"), -EPIPE);
        for (int i = 0; i < 10 && !tcpsocket_stream_ended(&stream); i++)
            tcpsocket_stream_receive(&stream);
        EXPECT_EQ(stream.got, asked ? words : "");
        EXPECT_EQ(stream.failures, 0);
        turns();
        EXPECT_EQ(stream.failures, 0);
    }
}

TEST_P(LifeTest, ClosesInInput)
{
    stream.on_input = [&] { stream.shut(); };
    far_sends("x");
    loop.turn();
    EXPECT_EQ(far_state(far) == Far::Open, false);
    turns();
    EXPECT_EQ(stream.inputs, 1);

    // With something kept, by receive(), and with output that waits.
    far = (hang_up(), add(stream));
    stream.on_input = [] {};
    far_sends("y");
    loop.turn();
    fill();
    stream.on_input = [&] { stream.shut(); };
    far_sends("z");
    tcpsocket_stream_receive(&stream);
    turns();
    EXPECT_FALSE(stream.is_open);
    EXPECT_EQ(stream.drains, 0);
    EXPECT_EQ(held(), 0u);
}

// Nothing of it shows in the others.
TEST_P(LifeTest, ClosesInInputAmongOthers)
{
    Stream other;
    int other_far = add(other);
    stream.on_input = [&] { stream.shut(); };
    far_sends("x");
    loop.turn();
    calls.send.errors = {EAGAIN};
    EXPECT_EQ(other.send("y"), 0);
    loop.turn(); // in which it only writes
    EXPECT_EQ(other.drains, 1);
    EXPECT_EQ(other.available(), 0u);

    far = (hang_up(), add(stream));
    far_sends("x");
    loop.turn();
    EXPECT_EQ(stream.inputs, 2);
    ASSERT_EQ(send(other_far, "z", 1, 0), 1);
    tcpsocket_stream_receive(&other);
    EXPECT_EQ(other.got, "z");
    close(other_far);
}

TEST_P(LifeTest, ClosesInInputWhileWritable)
{
    calls.send.errors = {EAGAIN};
    EXPECT_EQ(stream.send("never"), 0);
    stream.on_input = [&] { stream.shut(); };
    far_sends("x");
    loop.turn();
    EXPECT_EQ(stream.inputs, 1);
    EXPECT_EQ(stream.drains, 0);
    EXPECT_EQ(calls.send.count, 1u);
}

TEST_P(LifeTest, ClosesInDrained)
{
    calls.send.errors = {EAGAIN};
    EXPECT_EQ(stream.send("all"), 0);
    stream.on_drained = [&] { stream.shut(); };
    loop.turn();
    EXPECT_EQ(stream.drains, 1);
    EXPECT_EQ(far_gets(), "all");
    turns();
}

TEST_P(LifeTest, ClosesInFailed)
{
    stream.on_failed = [&] { stream.shut(); };
    calls.recv.errors = {EIO};
    far_sends("x");
    turns();
    EXPECT_EQ(stream.failures, 1);
}

TEST_P(LifeTest, FreedWithItsPoolInEveryCallback)
{
    enum {
        Input,
        Received,
        Drained,
        Failed,
        PausedAndGone
    };
    for (int when : {Input, Received, Drained, Failed, PausedAndGone}) {
        tcpsocket_pool *own;
        int ends[2];
        ASSERT_EQ(tcpsocket_pool_new(loop, &limits, &Stream::table, &own), 0);
        make_pair(GetParam(), ends);
        Stream *doomed = new Stream;
        ASSERT_EQ(doomed->open(own, ends[0]), 0);
        bool done = false;
        auto free_all = [&, doomed] {
            auto &noted = done; // what is captured goes with it
            auto pool_of_it = own;
            delete doomed;
            tcpsocket_pool_free(pool_of_it);
            noted = true;
        };
        doomed->on_input = [f = free_all] {
            auto copy = f;
            copy();
        };
        doomed->on_drained = doomed->on_failed = doomed->on_input;
        if (when == Input || when == Received || when == Failed) {
            ASSERT_EQ(__real_send(ends[1], "x", 1, 0), 1);
        }
        if (when == Received)
            tcpsocket_stream_receive(doomed);
        if (when == Failed)
            calls.recv.errors = {EIO};
        if (when == Drained) {
            calls.send.errors = {EAGAIN};
            EXPECT_EQ(doomed->send("x"), 0);
        }
        if (when == PausedAndGone) {
            tcpsocket_stream_pause(doomed);
            EXPECT_EQ(doomed->send("unread"), 0);
            close_hard(ends[1]);
            ends[1] = -1;
        }
        EXPECT_TRUE(loop.run_until([&] { return done; })) << when;
        if (ends[1] >= 0)
            close(ends[1]);
    }
}

// A stream at the same place, opened before the callback returns, is another.
TEST_P(LifeTest, ReopensInItsCallback)
{
    int again = -1;
    stream.on_input = [&] {
        stream.shut();
        again = add(stream);
        EXPECT_EQ(stream.available(), 0u);
        stream.on_input = [&] { stream.take(SIZE_MAX); };
    };
    far_sends("old");
    loop.turn();
    EXPECT_EQ(stream.available(), 0u);
    ASSERT_EQ(send(again, "new", 3, 0), 3);
    loop.turn();
    EXPECT_EQ(stream.got, "new");
    close(again);
}

TEST_P(LifeTest, OnesCallbackClosesTheOther)
{
    Stream other;
    int other_far = add(other);
    stream.on_input = [&] { other.shut(); };
    other.on_input = [&] { stream.shut(); };
    far_sends("x");
    ASSERT_EQ(send(other_far, "x", 1, 0), 1);
    turns();
    EXPECT_EQ(stream.inputs + other.inputs > 0, true);
    EXPECT_NE(stream.is_open, other.is_open);
    close(other_far);
}

TEST_P(LifeTest, SocketThatCantBeWatched)
{
    int fd = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC); // a regular file
    Stream other;
    ASSERT_EQ(other.open(pool, fd), 0);
    turns();
    EXPECT_EQ(other.failures, 1);
}

TEST_P(LifeTest, KernelWontWatchMore)
{
    if (test_backend() != std::string("epoll"))
        GTEST_SKIP() << "poll watches anything";
    Stream other;
    int other_far = add(other);
    calls.watch.errors = {ENOSPC};
    turns();
    EXPECT_EQ(other.failures, 1);
    EXPECT_EQ(other.failure, -ECONNRESET);
    close(other_far);
}

TEST_P(LifeTest, FailsToOpen)
{
    Stream other;
    EXPECT_EQ(other.open(pool, -1), -EBADF);
    EXPECT_EQ(other.open(pool, stream.target.fd), -EEXIST);
    far_sends("x");
    loop.turn();
    EXPECT_EQ(stream.got, "x") << "the descriptor stays the caller's";
}

// Thousands of connections, of which some stall and some leave output, and nothing is left over.
TEST_P(LifeTest, LeavesNothingBehind)
{
    unsigned long before = 0;
    for (int i = 0; i < 3000; i++) {
        if (i == 100)
            before = test_allocations();
        Stream one;
        int end = add(one);
        one.on_input = [&] {
            tcpsocket_stream_consume(&one, one.available());
            EXPECT_TRUE(one.put("answer"));
            EXPECT_EQ(one.send(), 0);
        };
        ASSERT_EQ(send(end, "ask", 3, 0), 3);
        loop.turn();
        ASSERT_EQ(one.inputs, 1);
        close(end);
    }
    EXPECT_EQ(test_allocations(), before);
    for (int i = 0; i < 300; i++) {
        Stream one;
        int end = add(one);
        one.on_input = [] {};
        ASSERT_EQ(send(end, "ask", 3, 0), 3);
        loop.turn();
        calls.send.errors = {EAGAIN};
        EXPECT_EQ(one.send("answer"), 0);
        EXPECT_GT(held(), 0u);
        close(end);
        one.shut();
        ASSERT_EQ(held(), 0u);
    }
}

// -- Asking whether the peer has left

TEST_P(LifeTest, GoneOnceThePeerHasShutItsSide)
{
    tcpsocket_stream_pause(&stream);
    EXPECT_FALSE(tcpsocket_stream_gone(&stream));
    far_sends("unread");
    EXPECT_FALSE(tcpsocket_stream_gone(&stream));
    shutdown(far, SHUT_WR);
    EXPECT_TRUE(tcpsocket_stream_gone(&stream));
    EXPECT_FALSE(tcpsocket_stream_ended(&stream)) << "nothing was read";
    tcpsocket_stream_resume(&stream);
    turns();
    EXPECT_EQ(stream.got, "unread");
    EXPECT_TRUE(tcpsocket_stream_ended(&stream));
    EXPECT_TRUE(tcpsocket_stream_gone(&stream));
}

TEST_P(LifeTest, GoneWithAReset)
{
    EXPECT_FALSE(tcpsocket_stream_gone(&stream));
    far_resets();
    EXPECT_TRUE(tcpsocket_stream_gone(&stream));
    turns();
    EXPECT_EQ(stream.failures, 1);
    EXPECT_TRUE(tcpsocket_stream_gone(&stream));
}

TEST_P(LifeTest, GoneWhenItFailed)
{
    calls.send.errors = {EIO};
    EXPECT_EQ(stream.send("x"), -EIO);
    EXPECT_TRUE(tcpsocket_stream_gone(&stream));
}
