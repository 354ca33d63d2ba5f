// Input of a stream.

#include "tcpsocket/stream_support.h"

class InputTest : public StreamTest {
  protected:
    explicit InputTest(tcpsocket_limits l = {65536, 65536, 16384, 1 << 20}) : StreamTest(l) {}
};

INSTANTIATE_TEST_SUITE_P(Over, InputTest, testing::Values(Tcp, Unix),
                         testing::PrintToStringParamName());

TEST_P(InputTest, IsSeenWithoutCopying)
{
    stream.on_input = [&] {
        const unsigned char *bytes = stream.peeked();
        EXPECT_EQ(stream.input, nullptr);
        EXPECT_EQ(stream.peeked(), bytes);
        tcpsocket_stream_consume(&stream, 2);
        EXPECT_EQ(stream.peeked(), bytes + 2);
        EXPECT_EQ(stream.available(), 3u);
        tcpsocket_stream_consume(&stream, 3);
        EXPECT_EQ(stream.available(), 0u);
        EXPECT_EQ(memcmp(bytes, "hello", 5), 0);
    };
    far_sends("hello");
    unsigned long before = test_allocations();
    loop.turn();
    EXPECT_EQ(stream.inputs, 1);
    EXPECT_EQ(calls.recv.count, 1u);
    EXPECT_EQ(test_allocations(), before);
}

TEST_P(InputTest, NothingIsThereAtFirst)
{
    size_t n = 1;
    EXPECT_NE(tcpsocket_stream_peek(&stream, &n), nullptr);
    EXPECT_EQ(n, 0u);
    tcpsocket_stream_consume(&stream, 0);
    loop.turn();
    EXPECT_EQ(calls.recv.count, 0u);
}

TEST_P(InputTest, WhatIsLeftIsKept)
{
    stream.on_input = [&] { tcpsocket_stream_consume(&stream, 2); };
    far_sends("abcdef");
    loop.turn();
    EXPECT_EQ(stream.available(), 4u);
    EXPECT_GT(held(), 0u);
    far_sends("ghi");
    loop.turn();
    stream.take(SIZE_MAX);
    EXPECT_EQ(stream.got, "efghi");
}

TEST_P(InputTest, IsWholeHoweverItIsCutAndConsumed)
{
    unsigned seed = 1;
    auto random = [&](unsigned below) {
        return (seed = seed * 1103515245 + 12345) / 65536 % below;
    };
    stream.on_input = [&] { stream.take(random(700)); };
    const std::string all = pattern(0, 300000);
    for (size_t sent = 0; sent < all.size();) {
        size_t n = std::min<size_t>(random(1200), all.size() - sent);
        n = std::min(n, 60000 - (sent - stream.got.size())); // or it would block
        far_sends(all.substr(sent, n));
        sent += n;
        loop.turn();
    }
    while (stream.available() > 0)
        stream.take(random(700));
    EXPECT_EQ(stream.got, all);
    loop.turn();
    EXPECT_EQ(held(), 0u);
}

// A request head that comes byte by byte.
TEST_P(InputTest, StalledPartHoldsLittleMore)
{
    stream.on_input = [] {};
    unsigned long before = test_allocations();
    for (size_t n = 1; n <= 1500; n++) {
        far_sends("x");
        loop.turn();
        ASSERT_EQ(stream.available(), n);
        ASSERT_LE(held(), n + 256);
    }
    // Not a copy for each byte, either.
    EXPECT_LT(test_allocations() - before, 50u);
}

TEST_P(InputTest, EmptyBufferIsGivenBack)
{
    bool whole = false;
    stream.on_input = [&] {
        if (!whole)
            return;
        const unsigned char *bytes = stream.peeked();
        tcpsocket_stream_consume(&stream, stream.available());
        EXPECT_GT(held(), 0u);
        EXPECT_EQ(memcmp(bytes, "partial", 7), 0) << "valid until the callback returns";
    };
    far_sends("part");
    loop.turn();
    EXPECT_GT(held(), 0u);
    whole = true;
    far_sends("ial");
    loop.turn();
    EXPECT_EQ(held(), 0u);
}

TEST_P(InputTest, EmptyBufferIsGivenBackAfterOthersCallbacks)
{
    stream.on_input = [] {};
    far_sends("kept");
    loop.turn();
    const unsigned char *bytes = stream.peeked();
    tcpsocket_stream_consume(&stream, 4);
    EXPECT_EQ(stream.available(), 0u);
    EXPECT_EQ(memcmp(bytes, "kept", 4), 0);
    loop.turn();
    EXPECT_EQ(held(), 0u);
    EXPECT_EQ(stream.target.wanted, unsigned{DISPATCH_READ});
    EXPECT_EQ(calls.send.count, 0u);
    far_sends("more");
    loop.turn();
    EXPECT_EQ(stream.available(), 4u);
}

TEST_P(InputTest, EmptyBufferIsGivenBackWhenMoreComes)
{
    stream.on_input = [] {};
    far_sends("kept");
    loop.turn();
    tcpsocket_stream_consume(&stream, 4);
    stream.on_input = [&] { stream.take(SIZE_MAX); };
    far_sends("more");
    loop.turn();
    EXPECT_EQ(stream.got, "more");
    EXPECT_EQ(held(), 0u);
}

TEST_P(InputTest, StopsWhilePaused)
{
    tcpsocket_stream_pause(&stream);
    far_sends("later");
    loop.turn();
    EXPECT_EQ(calls.recv.count, 0u);
    tcpsocket_stream_receive(&stream);
    EXPECT_EQ(calls.recv.count, 0u);
    tcpsocket_stream_resume(&stream);
    loop.turn();
    EXPECT_EQ(stream.got, "later");
}

TEST_P(InputTest, MayPauseInItsCallback)
{
    stream.on_input = [&] {
        stream.take(SIZE_MAX);
        tcpsocket_stream_pause(&stream);
    };
    far_sends("one");
    loop.turn();
    far_sends("two");
    loop.turn();
    EXPECT_EQ(stream.got, "one");
    tcpsocket_stream_resume(&stream);
    loop.turn();
    EXPECT_EQ(stream.got, "onetwo");
}

TEST_P(InputTest, HasAnEnd)
{
    stream.on_input = [&] {
        stream.take(2);
        EXPECT_EQ(tcpsocket_stream_ended(&stream), stream.inputs == 2);
    };
    far_sends("end");
    shutdown(far, SHUT_WR);
    for (int i = 0; i < 20; i++)
        loop.turn();
    EXPECT_EQ(stream.inputs, 2);
    EXPECT_EQ(calls.recv.count, 2u) << "nothing is to be heard after the end";
    EXPECT_EQ(stream.got, "end") << "what was left is there at the end";
    EXPECT_EQ(stream.failures, 0);
}

TEST_P(InputTest, IsReceivedAtOnce)
{
    far_sends("now");
    tcpsocket_stream_receive(&stream);
    EXPECT_EQ(stream.got, "now");
    tcpsocket_stream_receive(&stream); // nothing there
    EXPECT_EQ(stream.inputs, 1);
    EXPECT_EQ(stream.failures, 0);
    loop.turn();
    EXPECT_EQ(calls.recv.count, 2u);
}

TEST_P(InputTest, IsNotReceivedWithinACallback)
{
    Stream other;
    int other_far = add(other);
    stream.on_input = [&] {
        const unsigned char *bytes = stream.peeked();
        tcpsocket_stream_receive(&stream);
        tcpsocket_stream_receive(&other);
        EXPECT_EQ(memcmp(bytes, "first", 5), 0);
        stream.take(SIZE_MAX);
    };
    far_sends("first");
    EXPECT_EQ(send(other_far, "second", 6, 0), 6);
    tcpsocket_stream_receive(&stream);
    EXPECT_EQ(stream.inputs, 1);
    EXPECT_EQ(other.inputs, 0);
    loop.turn();
    EXPECT_EQ(other.got, "second");
    close(other_far);
}

TEST_P(InputTest, IsSeenFromOtherCallbacks)
{
    Stream other, third;
    int other_far = add(other), third_far = add(third);
    stream.on_input = [] {};
    far_sends("mine");
    loop.turn();
    other.on_input = [&] {
        EXPECT_EQ(third.available(), 0u);
        EXPECT_EQ(stream.available(), 4u);
        stream.take(SIZE_MAX);
        EXPECT_EQ(other.available(), 5u);
        other.take(SIZE_MAX);
    };
    EXPECT_EQ(send(other_far, "yours", 5, 0), 5);
    loop.turn();
    EXPECT_EQ(stream.got, "mine");
    EXPECT_EQ(other.got, "yours");
    close(other_far);
    close(third_far);
}

TEST_P(InputTest, InterruptionIsNoFailure)
{
    far_sends("x");
    calls.recv.errors = {EINTR, EAGAIN};
    loop.turn();
    loop.turn();
    EXPECT_EQ(stream.inputs, 0);
    loop.turn();
    EXPECT_EQ(stream.got, "x");
    EXPECT_EQ(stream.failures, 0);
}

TEST_P(InputTest, FailureIsReportedOnce)
{
    far_sends("x");
    calls.recv.errors = {ETIMEDOUT};
    for (int i = 0; i < 20; i++)
        loop.turn();
    EXPECT_EQ(stream.failures, 1);
    EXPECT_EQ(stream.failure, -ETIMEDOUT);
    EXPECT_EQ(stream.error, -ETIMEDOUT);
    EXPECT_EQ(calls.recv.count, 1u);
    EXPECT_EQ(stream.send("y"), -ETIMEDOUT);
    EXPECT_EQ(stream.failures, 1);
    tcpsocket_stream_receive(&stream);
    tcpsocket_stream_pause(&stream);
    tcpsocket_stream_resume(&stream);
    tcpsocket_stream_shutdown(&stream);
    loop.turn();
    EXPECT_EQ(calls.recv.count, 1u);
}

TEST_P(InputTest, NoMemoryToKeepIt)
{
    stream.on_input = [&] { stream.take(1); };
    far_sends("lost");
    test_fail_allocation(1);
    loop.turn();
    EXPECT_EQ(stream.failures, 1);
    EXPECT_EQ(stream.failure, -ENOMEM);
    EXPECT_EQ(stream.inputs, 1);
}

TEST_P(InputTest, NoMemoryToAddToIt)
{
    stream.on_input = [&] {};
    far_sends("a");
    loop.turn();
    far_sends(std::string(1000, 'b'));
    test_fail_allocation(1);
    loop.turn();
    EXPECT_EQ(stream.failures, 1);
    EXPECT_EQ(stream.failure, -ENOMEM);
    EXPECT_EQ(stream.available(), 1u);
    EXPECT_EQ(stream.inputs, 1);
}

TEST_P(InputTest, NoMemoryAndClosedByTheFailure)
{
    stream.on_input = [] {};
    stream.on_failed = [&] { stream.shut(); };
    far_sends("lost");
    test_fail_allocation(1);
    loop.turn();
    EXPECT_EQ(stream.failures, 1);
    EXPECT_FALSE(stream.is_open);
}

TEST_P(InputTest, NoMemoryAfterAnotherFailure)
{
    stream.on_input = [&] {
        calls.send.errors = {ECONNRESET};
        EXPECT_EQ(stream.send("x"), -ECONNRESET);
    };
    far_sends("lost");
    test_fail_allocation(1);
    loop.turn();
    EXPECT_EQ(stream.inputs, 1);
    EXPECT_EQ(stream.failures, 0) << "whoever sent knows already";
}

class LargeInputTest : public InputTest {
  protected:
    LargeInputTest() : InputTest({1 << 20, 65536, 16384, 1 << 20}) {}
};

INSTANTIATE_TEST_SUITE_P(Over, LargeInputTest, testing::Values(Tcp, Unix),
                         testing::PrintToStringParamName());

TEST_P(LargeInputTest, ComesInPiecesOfTheSharedBuffer)
{
    const std::string all = pattern(0, 150000);
    far_sends(all);
    stream.on_input = [&] {
        EXPECT_LE(stream.available(), 65536u);
        stream.take(SIZE_MAX);
    };
    ASSERT_TRUE(loop.run_until([&] { return stream.got.size() >= all.size(); }));
    EXPECT_TRUE(stream.got == all);
    stream.got.clear();

    far_sends(all);
    stream.on_input = [] {};
    ASSERT_TRUE(loop.run_until([&] { return stream.available() == all.size(); }));
    stream.take(SIZE_MAX);
    EXPECT_TRUE(stream.got == all);
    loop.turn();
}

class InputLimitTest : public InputTest {
  protected:
    InputLimitTest() : InputTest({1000, 65536, 16384, 1 << 20}) {}
};

INSTANTIATE_TEST_SUITE_P(Over, InputLimitTest, testing::Values(Tcp, Unix),
                         testing::PrintToStringParamName());

TEST_P(InputLimitTest, BoundsWhatIsHeld)
{
    const std::string all = pattern(0, 5000);
    stream.on_input = [] {};
    far_sends(all);
    for (int i = 0; i < 20; i++)
        loop.turn();
    EXPECT_EQ(stream.available(), 1000u);
    EXPECT_EQ(calls.recv.count, 1u);
    tcpsocket_stream_receive(&stream);
    EXPECT_EQ(calls.recv.count, 1u);

    stream.take(300);
    for (int i = 0; i < 20; i++)
        loop.turn();
    EXPECT_EQ(stream.available(), 1000u);
    EXPECT_EQ(calls.recv.count, 2u);
    EXPECT_LE(held(), 1256u);

    while (stream.got.size() < all.size()) {
        stream.take(999);
        loop.turn();
    }
    EXPECT_EQ(stream.got, all);
}

TEST_P(InputLimitTest, EndIsHeardBehindIt)
{
    stream.on_input = [] {};
    far_sends(std::string(1000, 'x'));
    shutdown(far, SHUT_WR);
    loop.turn();
    loop.turn();
    EXPECT_FALSE(tcpsocket_stream_ended(&stream));
    stream.take(1);
    loop.turn();
    EXPECT_TRUE(tcpsocket_stream_ended(&stream));
    EXPECT_EQ(stream.available(), 999u);
}

TEST(InputLimit, MayNotBeZero)
{
    Loop loop;
    tcpsocket_limits limits = {0, 1, 1, 1};
    tcpsocket_pool *pool = nullptr;
    EXPECT_EQ(tcpsocket_pool_new(loop, &limits, &Stream::table, &pool), -EINVAL);
    EXPECT_EQ(pool, nullptr);
    tcpsocket_pool_free(nullptr);
    limits.input = 1;
    test_fail_allocation(1);
    EXPECT_EQ(tcpsocket_pool_new(loop, &limits, &Stream::table, &pool), -ENOMEM);
}
