// What plug-ins are built with: where this test fails, those that were built before would not work
// any more, and ASYNWSGI_TARGET_VERSION is to be raised before the new figures are written here.

#include "harness/harness.h"

#include <asynwsgi/http_server.h>
#include <asynwsgi/target.h>

#include <cstddef>

#define EXPECT_SIZE(type, size) EXPECT_EQ(sizeof(struct type), size##u) << #type
#define EXPECT_OFFSET(type, member, offset) \
    EXPECT_EQ(offsetof(struct type, member), offset##u) << #type

TEST(Target, VersionOneHasTheseStructures)
{
    if (sizeof(void *) != 8)
        GTEST_SKIP() << "the figures are those of 64 bits";
    ASSERT_EQ(ASYNWSGI_TARGET_VERSION, 1);
    EXPECT_SIZE(asynwsgi_target, 32);
    EXPECT_OFFSET(asynwsgi_target, version, 0);
    EXPECT_SIZE(asynwsgi_target_worker, 32);
    EXPECT_OFFSET(asynwsgi_target_worker, log, 24);
    EXPECT_SIZE(dispatch_target, 24);
    EXPECT_SIZE(dispatch_timer, 32);
    EXPECT_SIZE(dispatch_waker, 40);
    EXPECT_SIZE(dispatch_signal, 56);
    EXPECT_SIZE(tcpsocket_address, 116);
    EXPECT_SIZE(tcpsocket_listener, 80);
    EXPECT_OFFSET(tcpsocket_listener, accepted, 56);
    EXPECT_SIZE(tcpsocket_connect, 64);
    EXPECT_OFFSET(tcpsocket_connect, done, 56);
    EXPECT_SIZE(tcpsocket_limits, 16);
    EXPECT_SIZE(tcpsocket_stream_events, 32);
    EXPECT_SIZE(tcpsocket_stream, 56);
    EXPECT_SIZE(http_limits, 32);
    EXPECT_SIZE(http_field, 20);
    EXPECT_SIZE(http_request, 80);
    EXPECT_OFFSET(http_request, fields, 64);
    EXPECT_SIZE(http_head_parser, 16);
    EXPECT_SIZE(http_response_head, 40);
    EXPECT_SIZE(http_framing, 24);
    EXPECT_SIZE(http_chunked, 32);
    EXPECT_SIZE(http_piece, 56);
    EXPECT_SIZE(http_header, 24);
    EXPECT_SIZE(http_lines, 24);
    EXPECT_SIZE(http_response, 40);
    EXPECT_SIZE(http_handler, 40);
    EXPECT_SIZE(http_observer, 16);
    EXPECT_SIZE(http_timeouts, 48);
    EXPECT_SIZE(http_server_options, 152);
    EXPECT_OFFSET(http_server_options, memory, 128);
}
