// Output of a stream.

#include "tcpsocket/stream_support.h"

class OutputTest : public StreamTest {
  protected:
    explicit OutputTest(tcpsocket_limits l = {65536, 65536, 16384, 1 << 20}) : StreamTest(l) {}

    // The far end reads, and the loop runs, until nothing is unsent.
    std::string far_gets_all()
    {
        std::string all;
        EXPECT_TRUE(loop.run_until([&] {
            all += far_gets();
            return stream.unsent() == 0 || stream.error;
        }));
        return all + far_gets();
    }
};

INSTANTIATE_TEST_SUITE_P(Over, OutputTest, testing::Values(Tcp, Unix),
                         testing::PrintToStringParamName());

TEST_P(OutputTest, HeadAndBodyGoTogether)
{
    ASSERT_TRUE(stream.put("head "));
    ASSERT_TRUE(stream.put("more "));
    EXPECT_EQ(stream.unsent(), 10u);
    EXPECT_EQ(stream.send("body"), 0);
    EXPECT_EQ(calls.send.count, 1u);
    EXPECT_EQ(stream.unsent(), 0u);
    EXPECT_EQ(stream.sent, 14u);
    EXPECT_EQ(far_gets(), "head more body");
    EXPECT_EQ(stream.target.wanted, unsigned{DISPATCH_READ});
    EXPECT_EQ(stream.drains, 0);
}

TEST_P(OutputTest, NothingIsNoCall)
{
    EXPECT_EQ(stream.send(), 0);
    EXPECT_EQ(tcpsocket_stream_send(&stream, nullptr, 0), 0);
    ASSERT_NE(tcpsocket_stream_reserve(&stream, 100), nullptr);
    tcpsocket_stream_commit(&stream, 0);
    EXPECT_EQ(stream.send(), 0);
    EXPECT_EQ(calls.send.count, 0u);
}

TEST_P(OutputTest, PartOfAReservationIsCommitted)
{
    unsigned char *room = tcpsocket_stream_reserve(&stream, 1000);
    ASSERT_NE(room, nullptr);
    memcpy(room, "abc", 3);
    tcpsocket_stream_commit(&stream, 3);
    ASSERT_TRUE(stream.put("def"));
    EXPECT_EQ(stream.send(), 0);
    EXPECT_EQ(far_gets(), "abcdef");
}

TEST_P(OutputTest, GatheredOutputGoesInTheEnd)
{
    if (GetParam() == Unix)
        GTEST_SKIP() << "which has no segments";
    tcpsocket_stream_gather(&stream, true);
    EXPECT_EQ(option(stream.target.fd, IPPROTO_TCP, TCP_NODELAY), 0);
    std::string all, piece = "piece";
    for (int i = 0; i < 20; i++, all += piece)
        ASSERT_EQ(stream.send(piece), 0);
    tcpsocket_stream_gather(&stream, false);
    EXPECT_EQ(option(stream.target.fd, IPPROTO_TCP, TCP_NODELAY), 1);
    EXPECT_EQ(far_gets_all(), all);
}

// What a keep-alive request costs.
TEST_P(OutputTest, AnswerCostsTwoCallsAndNoMemory)
{
    stream.on_input = [&] {
        size_t n;
        EXPECT_EQ(memcmp(tcpsocket_stream_peek(&stream, &n), "ask", 3), 0);
        tcpsocket_stream_consume(&stream, n);
        EXPECT_TRUE(stream.put("answer"));
        EXPECT_EQ(tcpsocket_stream_send(&stream, " body", 5), 0);
    };
    unsigned long before = test_allocations();
    for (unsigned i = 1; i <= 100; i++) {
        ASSERT_EQ(__real_send(far, "ask", 3, 0), 3);
        loop.turn();
        ASSERT_EQ(calls.recv.count, i);
        ASSERT_EQ(calls.send.count, i);
    }
    EXPECT_EQ(far_gets().size(), 1100u);
    // The test's own is the copy in far_gets(), which comes after.
    EXPECT_EQ(test_allocations(), before);
}

TEST_P(OutputTest, GoesOutInTheOrderGiven)
{
    const std::string all = pattern(0, 200000);
    calls.send_most = 1000;
    calls.send.errors = {0, EINTR, 0, EAGAIN, 0, 0, EINTR, EINTR};
    size_t at = 0;
    auto next = [&](size_t n) { return all.substr(at, n), at += n, all.substr(at - n, n); };
    ASSERT_TRUE(stream.put(next(700)));
    EXPECT_EQ(stream.send(next(800)), 0); // cut in the second piece
    EXPECT_EQ(stream.unsent(), 500u);
    ASSERT_TRUE(stream.put(next(3000)));
    EXPECT_EQ(stream.send(next(100)), 0);
    loop.turn(); // interrupted
    EXPECT_EQ(stream.unsent(), 3600u);
    loop.turn();
    EXPECT_EQ(stream.unsent(), 2600u);
    ASSERT_TRUE(stream.put(next(all.size() - at)));
    EXPECT_EQ(stream.send(), 0);
    EXPECT_TRUE(far_gets_all() == all);
    EXPECT_EQ(stream.sent, all.size());
    EXPECT_EQ(stream.target.wanted, unsigned{DISPATCH_READ});
    EXPECT_EQ(held(), 0u);
}

TEST_P(OutputTest, CutInTheFirstPiece)
{
    calls.send_most = 3;
    ASSERT_TRUE(stream.put("no body "));
    EXPECT_EQ(tcpsocket_stream_send(&stream, nullptr, 0), 0);
    EXPECT_EQ(stream.unsent(), 5u);
    EXPECT_EQ(far_gets_all(), "no body ");
    ASSERT_TRUE(stream.put("head "));
    EXPECT_EQ(stream.send("body"), 0);
    EXPECT_EQ(stream.unsent(), 6u);
    calls.send_most = SIZE_MAX;
    EXPECT_EQ(far_gets_all(), "head body");
}

TEST_P(OutputTest, SomeIsWhatTheKernelTakes)
{
    std::string all = pattern(0, 200000);
    size_t taken = 0, more = 1;
    calls.send_most = 1000;
    ASSERT_TRUE(stream.put("head"));
    EXPECT_EQ(tcpsocket_stream_send_some(&stream, all.data(), all.size(), &taken), 0);
    EXPECT_EQ(taken, 996u);
    EXPECT_EQ(stream.unsent(), 0u);
    EXPECT_TRUE(tcpsocket_stream_full(&stream));
    EXPECT_EQ(tcpsocket_stream_send_some(&stream, all.data(), all.size(), &more), 0);
    EXPECT_EQ(more, 0u);
    calls.send_most = SIZE_MAX;
    EXPECT_TRUE(far_gets_all() == "head" + all.substr(0, taken));
    EXPECT_EQ(stream.drains, 1);
    EXPECT_FALSE(tcpsocket_stream_full(&stream));
}

TEST_P(OutputTest, SomeIsNoneWhereTheRestComesFirst)
{
    std::string all = pattern(0, 200000);
    size_t taken = 1;
    calls.send_most = 2;
    ASSERT_TRUE(stream.put("head"));
    EXPECT_EQ(tcpsocket_stream_send_some(&stream, all.data(), all.size(), &taken), 0);
    EXPECT_EQ(taken, 0u);
    EXPECT_EQ(stream.unsent(), 2u);
    EXPECT_TRUE(tcpsocket_stream_full(&stream));
    calls.send_most = SIZE_MAX;
    EXPECT_EQ(far_gets_all(), "head");
    EXPECT_EQ(stream.drains, 1);
    EXPECT_FALSE(tcpsocket_stream_full(&stream));
}

TEST_P(OutputTest, SomeIsAllThatTheKernelTakes)
{
    size_t taken = 0;
    EXPECT_EQ(tcpsocket_stream_send_some(&stream, "bytes", 5, &taken), 0);
    EXPECT_EQ(taken, 5u);
    EXPECT_EQ(far_gets(), "bytes");
    calls.send.errors = {EPIPE};
    EXPECT_EQ(tcpsocket_stream_send_some(&stream, "bytes", 5, &taken), -EPIPE);
}

TEST_P(OutputTest, InterruptedAtFirst)
{
    calls.send.errors = {EINTR, EAGAIN};
    EXPECT_EQ(stream.send("x"), 0);
    EXPECT_EQ(stream.unsent(), 1u);
    loop.turn();
    EXPECT_EQ(stream.drains, 0) << "no write took place";
    loop.turn();
    EXPECT_EQ(far_gets(), "x");
    EXPECT_EQ(stream.drains, 1);
}

TEST_P(OutputTest, FullSocketIsNotTriedAgain)
{
    size_t taken = fill();
    size_t unsent = stream.unsent();
    EXPECT_GT(taken, 0u);
    EXPECT_GT(unsent, 0u);
    unsigned long before = calls.send.count;
    ASSERT_TRUE(stream.put("more"));
    EXPECT_EQ(stream.send("and more"), 0);
    loop.turn();
    EXPECT_EQ(calls.send.count, before);
    EXPECT_EQ(stream.unsent(), unsent + 12);
    std::string all = far_gets_all();
    EXPECT_EQ(all.substr(all.size() - 12), "moreand more");
    EXPECT_EQ(all.size(), stream.sent);
    EXPECT_EQ(held(), 0u);
}

TEST_P(OutputTest, ProgressIsWhatThePeerReads)
{
    fill();
    uint64_t before = tcpsocket_stream_progress(&stream);
    loop.turn();
    EXPECT_EQ(tcpsocket_stream_progress(&stream), before);
    far_gets();
    EXPECT_TRUE(loop.run_until([&] { return tcpsocket_stream_progress(&stream) != before; }));
}

TEST_P(OutputTest, DrainedIsCalledBelowTheLowMark)
{
    stream.on_drained = [&] { EXPECT_LE(stream.unsent(), limits.output_low); };
    fill();
    while (!tcpsocket_stream_full(&stream))
        EXPECT_EQ(stream.send(std::string(10000, 'x')), 0);
    EXPECT_GE(stream.unsent(), limits.output_high);

    far_gets();
    calls.send_most = 1000;
    while (stream.unsent() > limits.output_low) {
        EXPECT_EQ(stream.drains, 0);
        loop.turn();
        far_gets();
    }
    EXPECT_EQ(stream.drains, 1);
    EXPECT_FALSE(tcpsocket_stream_full(&stream));
    size_t unsent = stream.unsent();
    loop.turn();
    EXPECT_LT(stream.unsent(), unsent);
    EXPECT_EQ(stream.drains, 2) << "after each write";
}

TEST_P(OutputTest, IsFullFromTheHighMarkOn)
{
    calls.send_most = 1;
    EXPECT_EQ(stream.send(std::string(65536, 'x')), 0);
    EXPECT_EQ(stream.unsent(), 65535u);
    EXPECT_FALSE(tcpsocket_stream_full(&stream));
    EXPECT_EQ(stream.send("x"), 0);
    EXPECT_TRUE(tcpsocket_stream_full(&stream));
    loop.turn();
    EXPECT_FALSE(tcpsocket_stream_full(&stream));
}

TEST_P(OutputTest, DrainedMaySendMore)
{
    int rounds = 0;
    stream.on_drained = [&] {
        if (rounds++ < 5) {
            EXPECT_EQ(stream.send(pattern(0, 3000)), 0);
        }
    };
    calls.send_most = 1000;
    EXPECT_EQ(stream.send("start" + std::string(2000, 's')), 0);
    std::string all = far_gets_all();
    EXPECT_EQ(all.size(), 2005u + 5 * 3000);
    EXPECT_EQ(all.substr(2005, 3000), pattern(0, 3000));
}

TEST_P(OutputTest, FailureIsReturned)
{
    EXPECT_TRUE(stream.put("x"));
    calls.send.errors = {ECONNRESET};
    EXPECT_EQ(stream.send("y"), -ECONNRESET);
    EXPECT_EQ(stream.error, -ECONNRESET);
    EXPECT_EQ(stream.send("z"), -ECONNRESET);
    EXPECT_EQ(stream.send(), -ECONNRESET);
    EXPECT_EQ(calls.send.count, 1u);
    EXPECT_EQ(stream.unsent(), 0u);
    loop.turn();
    EXPECT_EQ(stream.failures, 0);
}

TEST_P(OutputTest, FailureInTheLoopIsReported)
{
    calls.send.errors = {EAGAIN, EPIPE};
    EXPECT_EQ(stream.send("x"), 0);
    for (int i = 0; i < 20; i++)
        loop.turn();
    EXPECT_EQ(stream.failures, 1);
    EXPECT_EQ(stream.failure, -EPIPE);
    EXPECT_EQ(stream.drains, 0);
    EXPECT_EQ(calls.send.count, 2u);
}

TEST_P(OutputTest, PeerThatWentAwayRaisesNoSignal)
{
    for (std::string head : {"", "head"}) {
        Stream one;
        close(add(one));
        tcpsocket_stream_pause(&one);
        while (!one.error) { // over TCP the first is answered by the reset
            EXPECT_TRUE(one.put(head));
            one.send("x");
        }
        EXPECT_TRUE(one.error == -EPIPE || one.error == -ECONNRESET) << one.error;
        for (int i = 0; i < 20; i++)
            loop.turn();
        EXPECT_EQ(one.failures, 0);
    }
}

TEST_P(OutputTest, ReservationsBeyondTheSharedBuffer)
{
    const std::string all = pattern(0, 500000);
    ASSERT_TRUE(stream.put(all.substr(0, 60000)));
    ASSERT_TRUE(stream.put(all.substr(60000, 5536)));
    EXPECT_EQ(held(), 0u);
    ASSERT_TRUE(stream.put(all.substr(65536, 1)));
    EXPECT_GT(held(), 65536u);
    ASSERT_TRUE(stream.put(all.substr(65537, 300000)));
    EXPECT_EQ(stream.unsent(), 365537u);
    EXPECT_EQ(stream.send(all.substr(365537)), 0);
    EXPECT_TRUE(far_gets_all() == all);
    EXPECT_EQ(held(), 0u);
}

TEST_P(OutputTest, LargeReservationAlone)
{
    const std::string all = pattern(0, 100000);
    ASSERT_TRUE(stream.put(all));
    EXPECT_EQ(stream.send(), 0);
    EXPECT_TRUE(far_gets_all() == all);

    ASSERT_NE(tcpsocket_stream_reserve(&stream, 100000), nullptr); // never committed
    EXPECT_GT(held(), 0u);
    far_sends("x");
    loop.turn();
    EXPECT_EQ(held(), 0u);

    ASSERT_NE(tcpsocket_stream_reserve(&stream, 100000), nullptr);
    EXPECT_EQ(stream.send("small"), 0);
    EXPECT_EQ(held(), 0u);
    EXPECT_EQ(far_gets(), "small");
    ASSERT_NE(tcpsocket_stream_reserve(&stream, 100000), nullptr);
    ASSERT_TRUE(stream.put("small"));
    EXPECT_EQ(stream.unsent(), 5u);
    EXPECT_EQ(stream.send(), 0);
    EXPECT_EQ(far_gets(), "small");
}

TEST_P(OutputTest, OfAnotherStreamIsParked)
{
    Stream other;
    int other_far = add(other);
    ASSERT_TRUE(stream.put("mine "));
    ASSERT_TRUE(other.put("yours "));
    EXPECT_EQ(stream.unsent(), 5u);
    EXPECT_EQ(other.unsent(), 6u);
    EXPECT_EQ(other.send("too"), 0);
    ASSERT_TRUE(stream.put("again "));
    EXPECT_EQ(stream.send("whole"), 0);
    EXPECT_EQ(calls.send.count, 2u);
    EXPECT_EQ(far_gets(), "mine again whole");
    EXPECT_EQ(far_gets(other_far), "yours too");
    EXPECT_EQ(held(), 0u);
    close(other_far);
}

TEST_P(OutputTest, ParkedIsSentByTheLoopAtLast)
{
    Stream other;
    int other_far = add(other);
    ASSERT_TRUE(stream.put("forgotten"));
    ASSERT_TRUE(other.put("x"));
    loop.turn();
    EXPECT_EQ(far_gets(), "forgotten");
    other.shut(); // and what it built goes with it
    ASSERT_TRUE(stream.put("y"));
    EXPECT_EQ(stream.send(), 0);
    EXPECT_EQ(far_gets(), "y");
    close(other_far);
}

TEST_P(OutputTest, NoMemoryToPark)
{
    Stream other;
    int other_far = add(other);
    ASSERT_TRUE(stream.put("kept"));
    test_fail_allocation(1);
    EXPECT_FALSE(other.put("x"));
    EXPECT_EQ(stream.send(), 0);
    EXPECT_EQ(far_gets(), "kept");
    test_fail_allocation(1);
    EXPECT_FALSE(stream.put(std::string(100000, 'x')));
    EXPECT_EQ(stream.error, 0);
    EXPECT_EQ(stream.send("y"), 0);
    EXPECT_EQ(far_gets(), "y");
    close(other_far);
}

TEST_P(OutputTest, ShutdownIsAtOnceWithoutOutput)
{
    tcpsocket_stream_shutdown(&stream);
    EXPECT_EQ(far_state(far), Far::Ended);
    EXPECT_EQ(stream.failures, 0);
}

TEST_P(OutputTest, ShutdownWaitsForTheOutput)
{
    fill();
    tcpsocket_stream_shutdown(&stream);
    std::string all;
    Far state = Far::Open;
    ASSERT_TRUE(loop.run_until([&] {
        all += far_gets();
        return (state = far_state(far)) != Far::Open;
    }));
    EXPECT_EQ(state, Far::Ended);
    EXPECT_EQ(all.size(), stream.sent);
    EXPECT_EQ(stream.unsent(), 0u);
    EXPECT_EQ(stream.send("late"), -EPIPE);
}

TEST_P(OutputTest, ShutdownWaitsForWhatIsBuilt)
{
    ASSERT_TRUE(stream.put("last"));
    tcpsocket_stream_shutdown(&stream);
    EXPECT_EQ(far_state(far), Far::Open);
    EXPECT_EQ(stream.send(), 0);
    EXPECT_EQ(far_gets(), "last");
    EXPECT_EQ(far_state(far), Far::Ended);
}

// Long output through a reader that is slower, in pieces of all sizes, head and body.
class FlowTest : public OutputTest {
  protected:
    void flow(size_t total, int socket_buffer);

    // Bytes from a place in the flow on; up to `beyond` of them.
    const char *at(size_t place) const
    {
        return source.data() + place % period;
    }

    unsigned random(unsigned below)
    {
        return (seed = seed * 1103515245 + 12345) / 65536 % below;
    }

    static constexpr size_t period = 1'000'003, beyond = 70000;
    const std::string source = pattern(0, period) + pattern(0, beyond);
    unsigned seed = 1;
};

INSTANTIATE_TEST_SUITE_P(Over, FlowTest, testing::Values(Tcp, Unix),
                         testing::PrintToStringParamName());

void FlowTest::flow(size_t total, int socket_buffer)
{
    size_t written = 0, read = 0, most = 0;
    auto pump = [&] {
        while (!tcpsocket_stream_full(&stream) && written < total) {
            size_t head = random(300), body = random(4) ? random(9000) : random(60000);
            EXPECT_TRUE(stream.put(std::string(at(written), head)));
            written += head;
            EXPECT_EQ(tcpsocket_stream_send(&stream, at(written), body), 0);
            written += body;
            most = std::max(most, held());
        }
    };
    stream.on_drained = [&] {
        EXPECT_LE(stream.unsent(), limits.output_low);
        pump();
    };
    setsockopt(stream.target.fd, SOL_SOCKET, SO_SNDBUF, &socket_buffer, sizeof socket_buffer);
    pump();
    loop.tick = 0;
    ASSERT_TRUE(loop.run_until([&] {
        static char buffer[beyond];
        ssize_t n = __real_recv(far, buffer, 1 + random(beyond), MSG_DONTWAIT);
        if (n > 0) {
            EXPECT_EQ(memcmp(buffer, at(read), static_cast<size_t>(n)), 0);
            read += static_cast<size_t>(n);
        }
        return (written >= total && read == written) || HasFailure();
    }));
    EXPECT_EQ(stream.sent, written);
    EXPECT_GT(most, limits.output_low) << "the reader was not slower";
    EXPECT_LT(most, (limits.output_high + 60300) * 9 / 8 + 64);
    EXPECT_EQ(held(), 0u);
}

TEST_P(FlowTest, AtTheReadersPace)
{
    flow(50'000'000, 65536);
}

TEST_P(FlowTest, ThroughATinySocketBuffer)
{
    flow(2'000'000, 1);
}

// The n-th allocation fails, for every n: what comes out is a prefix, and errors say why.
TEST_P(OutputTest, NoMemoryAnywhere)
{
    for (unsigned long n = 1;; n++) {
        Stream one, two;
        int ends[] = {add(one), add(two)};
        const std::string x = pattern(0, 3000), y = pattern(0, 70000);
        calls.send_most = 100;
        unsigned long before = test_allocations();
        test_fail_allocation(n);
        bool ok = one.put(x) && two.put(x);
        int error = 0;
        if (ok)
            error = tcpsocket_stream_send(&one, y.data(), y.size());
        if (ok && !error)
            error = tcpsocket_stream_send(&two, y.data(), y.size());
        if (ok && !error)
            ok = two.put(x);
        unsigned long used = test_allocations() - before;
        test_fail_allocation(0);
        EXPECT_TRUE(error == 0 || error == -ENOMEM);
        EXPECT_EQ(ok && error == 0, used < n);
        EXPECT_LT(one.unsent(), 80000u);
        close(ends[0]);
        close(ends[1]);
        if (ok && error == 0)
            break;
        ASSERT_LT(n, 20u);
    }
}

class OutputLimitTest : public OutputTest {
  protected:
    OutputLimitTest() : OutputTest({65536, 65536, 16384, 100000}) {}
};

INSTANTIATE_TEST_SUITE_P(Over, OutputLimitTest, testing::Values(Tcp, Unix),
                         testing::PrintToStringParamName());

TEST_P(OutputLimitTest, BoundsWhatIsReserved)
{
    EXPECT_EQ(tcpsocket_stream_reserve(&stream, 100001), nullptr);
    EXPECT_NE(tcpsocket_stream_reserve(&stream, 100000), nullptr);
    ASSERT_TRUE(stream.put(std::string(60000, 'x')));
    EXPECT_EQ(tcpsocket_stream_reserve(&stream, 40001), nullptr);
    EXPECT_NE(tcpsocket_stream_reserve(&stream, 40000), nullptr);
    EXPECT_EQ(tcpsocket_stream_reserve(&stream, SIZE_MAX), nullptr);
    EXPECT_EQ(stream.error, 0);
    EXPECT_EQ(stream.send(), 0);
    EXPECT_EQ(far_gets_all().size(), 60000u);
}

TEST_P(OutputLimitTest, BoundsWhatIsUnsent)
{
    calls.send_most = 1;
    EXPECT_EQ(stream.send(std::string(100001, 'x')), 0);
    EXPECT_EQ(stream.unsent(), 100000u);
    EXPECT_EQ(tcpsocket_stream_reserve(&stream, 1), nullptr);
    EXPECT_EQ(stream.send("x"), -ENOBUFS);
    EXPECT_EQ(stream.error, -ENOBUFS);
}

// What the kernel takes at once doesn't count.
TEST_P(OutputLimitTest, IsForWhatIsLeft)
{
    int large = 1 << 20;
    setsockopt(stream.target.fd, SOL_SOCKET, SO_SNDBUF, &large, sizeof large);
    EXPECT_EQ(stream.send(std::string(120000, 'x')), 0);
    EXPECT_EQ(far_gets_all().size(), 120000u);
}
