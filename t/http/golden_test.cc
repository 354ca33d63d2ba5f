// Replays the pages of t/http/golden; golden/README.md describes them.

#include "harness/harness.h"
#include "http/pages.h"
#include "http/ways.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <vector>

#include <asynwsgi/http.h>

namespace {

// -- Replaying

const char *fault_name(enum http_fault fault)
{
    static const std::map<enum http_fault, const char *> names = {
#define NAME(fault) {fault, #fault}
        NAME(HTTP_BAD_METHOD),
        NAME(HTTP_BAD_TARGET),
        NAME(HTTP_BAD_VERSION),
        NAME(HTTP_UNSUPPORTED_VERSION),
        NAME(HTTP_BAD_LINE_END),
        NAME(HTTP_BAD_FIELD_NAME),
        NAME(HTTP_BAD_FIELD_VALUE),
        NAME(HTTP_OBSOLETE_FOLD),
        NAME(HTTP_LONG_START_LINE),
        NAME(HTTP_LONG_FIELD),
        NAME(HTTP_MANY_FIELDS),
        NAME(HTTP_LONG_HEAD),
        NAME(HTTP_BAD_HOST),
        NAME(HTTP_BAD_CONTENT_LENGTH),
        NAME(HTTP_BAD_TRANSFER_ENCODING),
        NAME(HTTP_UNKNOWN_TRANSFER_CODING),
        NAME(HTTP_AMBIGUOUS_LENGTH),
        NAME(HTTP_UNKNOWN_EXPECTATION),
        NAME(HTTP_REPEATED_FIELD),
        NAME(HTTP_LONG_BODY),
        NAME(HTTP_BAD_CHUNK_SIZE),
        NAME(HTTP_BAD_CHUNK_EXTENSION),
        NAME(HTTP_LONG_CHUNK_EXTENSION),
        NAME(HTTP_BAD_CHUNK_END),
        NAME(HTTP_BAD_TRAILER),
        NAME(HTTP_LONG_TRAILER),
        NAME(HTTP_BAD_STATUS_LINE),
#undef NAME
    };
    return names.at(fault);
}

// A connection that reads messages as they arrive, and notes what the parsers say of them.
class Replay {
  public:
    explicit Replay(const Case &its_case) : test(its_case), limits(its_case.limits)
    {
        expect_head();
    }

    void feed(const std::string &bytes)
    {
        pending += bytes;
        while (state != OVER && !pending.empty() && step())
            ;
    }

    // What came, a line for each event.
    std::string finish()
    {
        if (state == OVER && !failed && !pending.empty())
            note("unread", pending);
        if (state == CLOSED)
            note("end");
        if (state == SIZED || state == CHUNKED || (state == HEAD && (interim || !pending.empty())))
            note("incomplete");
        std::string text;
        for (const auto &[name, value] : events)
            text += name + (value.empty() ? "" : " " + escape(value)) + "\n";
        return text;
    }

    bool over() const
    {
        return state == OVER;
    }

    bool failed = false;

  private:
    // Does what can be done with what is pending; false: more is needed. The bytes are handed over
    // in memory of their own of just that size, so that a sanitizer sees what is read beyond them.
    bool step()
    {
        std::unique_ptr<unsigned char[]> input(new unsigned char[pending.size()]);
        memcpy(input.get(), pending.data(), pending.size());
        switch (state) {
        case HEAD:
            return test.responses ? response(input.get()) : request(input.get());
        case SIZED:
            return sized();
        case CLOSED:
            data(pending);
            pending.clear();
            return true;
        default:
            return chunk(input.get());
        }
    }

    void expect_head()
    {
        state = HEAD;
        (test.responses ? http_response_parser_init : http_request_parser_init)(&parser);
    }

    bool request(const unsigned char *input)
    {
        std::vector<struct http_field> fields(limits.fields);
        struct http_request head;
        memset(&head, 0xaa, sizeof head);
        head.fields = fields.data();
        enum http_fault fault = http_request_parse(&parser, &limits, input, pending.size(), &head);
        if (fault != HTTP_COMPLETE)
            return fault != HTTP_INCOMPLETE && fail(fault);
        describe(head);
        if ((fault = http_request_frame(&head, &limits, &framing)) != HTTP_COMPLETE)
            return fail(fault);
        EXPECT_NE(framing.body, HTTP_BODY_CLOSED);
        pending.erase(0, head.length);
        body();
        return true;
    }

    bool response(const unsigned char *input)
    {
        std::vector<struct http_field> fields(limits.fields);
        struct http_response_head head;
        memset(&head, 0xaa, sizeof head);
        head.fields = fields.data();
        enum http_fault fault = http_response_parse(&parser, &limits, input, pending.size(), &head);
        if (fault != HTTP_COMPLETE)
            return fault != HTTP_INCOMPLETE && fail(fault);
        describe(head);
        if ((fault = http_response_frame(&head, test.to_head, &limits, &framing)) != HTTP_COMPLETE)
            return fail(fault);
        EXPECT_FALSE(framing.expects_continue);
        interim = head.status < 200 && head.status != 101;
        pending.erase(0, head.length);
        body();
        return true;
    }

    // What follows a head, by its framing.
    void body()
    {
        note(framing.persistent ? "persistent" : "not persistent");
        if (framing.expects_continue)
            note("expects 100-continue");
        remaining = framing.length;
        http_chunked_init(&chunked);
        switch (framing.body) {
        case HTTP_BODY_NONE:
            note("no body");
            end();
            break;
        case HTTP_BODY_SIZED:
            note("body", std::to_string(remaining));
            state = SIZED;
            if (remaining == 0)
                end();
            break;
        case HTTP_BODY_CHUNKED:
            note("body chunked");
            state = CHUNKED;
            break;
        case HTTP_BODY_CLOSED:
            note("body up to the end of the connection");
            state = CLOSED;
            break;
        }
    }

    void describe(const struct http_request &head)
    {
        static const char *const forms[] = {"origin", "absolute", "authority", "asterisk"};
        auto text = [&](struct http_span span) { return text_of(head.message, span); };
        note("method", text(head.method));
        note("target", text(head.target));
        note("form", forms[head.form]);
        if (head.authority.length > 0)
            note("authority", text(head.authority));
        if (head.path.length > 0)
            note("path", text(head.path));
        if (head.query.length > 0)
            note("query", text(head.query));
        note("version", "1." + std::to_string(head.minor));
        describe_fields(head.message, head.fields, head.field_count);
        EXPECT_EQ(head.is_head, text(head.method) == "HEAD");
    }

    void describe(const struct http_response_head &head)
    {
        note("status", std::to_string(head.status));
        if (head.reason.length > 0)
            note("reason", text_of(head.message, head.reason));
        note("version", "1." + std::to_string(head.minor));
        describe_fields(head.message, head.fields, head.field_count);
    }

    void describe_fields(const unsigned char *message, const struct http_field *fields,
                         uint32_t count)
    {
        for (uint32_t i = 0; i < count; i++) {
            std::string name = text_of(message, fields[i].name);
            std::string value = text_of(message, fields[i].value);
            note("field", value.empty() ? name + ":" : name + ": " + value);
        }
    }

    static std::string text_of(const unsigned char *bytes, size_t length)
    {
        return {reinterpret_cast<const char *>(bytes), length};
    }

    static std::string text_of(const unsigned char *message, struct http_span span)
    {
        return text_of(message + span.start, span.length);
    }

    bool sized()
    {
        size_t taken = std::min<uint64_t>(remaining, pending.size());
        data(pending.substr(0, taken));
        pending.erase(0, taken);
        if ((remaining -= taken) == 0)
            end();
        return true;
    }

    bool chunk(const unsigned char *input)
    {
        struct http_piece piece;
        enum http_fault fault =
            http_chunked_parse(&chunked, &limits, input, pending.size(), &piece);
        if (fault > HTTP_INCOMPLETE)
            return fail(fault);
        if (piece.chunk_begins)
            note("chunk", std::to_string(piece.chunk_size));
        if (piece.length > 0)
            data(text_of(piece.data, piece.length));
        if (piece.trailer_length > 0)
            note_more("trailer", text_of(piece.trailer, piece.trailer_length));
        EXPECT_GT(piece.consumed, 0U);
        EXPECT_LE(piece.consumed, pending.size());
        pending.erase(0, piece.consumed);
        if (fault == HTTP_COMPLETE)
            end();
        return piece.consumed > 0;
    }

    void end()
    {
        note("end");
        if (framing.persistent || interim)
            expect_head();
        else
            state = OVER;
    }

    bool fail(enum http_fault fault)
    {
        // How much of a section that is refused was handed on depends on the pieces it came in.
        if (!events.empty() && events.back().first == "trailer")
            events.pop_back();
        note(std::string("fault ") + fault_name(fault) + " " +
             std::to_string(http_fault_status(fault)));
        state = OVER;
        failed = true;
        return false;
    }

    void data(const std::string &bytes)
    {
        note_more("data", bytes);
    }

    // Bytes that may come in several pieces, which the event does not show.
    void note_more(const std::string &name, const std::string &bytes)
    {
        if (events.back().first == name)
            events.back().second += bytes;
        else
            note(name, bytes);
    }

    void note(const std::string &name, const std::string &value = "")
    {
        events.emplace_back(name, value);
    }

    const Case &test;
    const struct http_limits limits;
    enum {
        HEAD,
        SIZED,
        CHUNKED,
        CLOSED,
        OVER
    } state;
    std::string pending;
    std::vector<std::pair<std::string, std::string>> events;
    struct http_head_parser parser;
    struct http_framing framing;
    struct http_chunked chunked;
    uint64_t remaining = 0;
    bool interim = false;
};

// -- Pages

std::string bytewise(const Case &test)
{
    Replay replay(test);
    for (size_t i = 0; i < test.bytes.size(); i++) {
        replay.feed(test.bytes.substr(i, 1));
        if (replay.failed) {
            std::string events = replay.finish();
            return events.substr(0, events.size() - 1) + " at " + std::to_string(i + 1) + "\n";
        }
    }
    return replay.finish();
}

std::string test_name(const testing::TestParamInfo<Case> &info)
{
    std::string name = std::to_string(info.index) + "_" + info.param.name;
    std::replace_if(
        name.begin(), name.end(), [](unsigned char c) { return !std::isalnum(c); }, '_');
    return name;
}

class Golden : public testing::TestWithParam<Case> {};

// Only byte by byte does one see where a fault is found.
std::string without_place(const std::string &events)
{
    size_t last = events.rfind('\n', events.size() - 2) + 1;
    if (events.compare(last, 6, "fault ") != 0)
        return events;
    return events.substr(0, events.find(" at ", last)) + "\n";
}

TEST_P(Golden, EveryCut)
{
    const Case &test = GetParam();
    for (enum http_plain_way way : plain_ways()) {
        http_plain_choose(way);
        ASSERT_EQ(bytewise(test), test.events) << "byte by byte, way " << way;

        std::string events = without_place(test.events);
        for (size_t cut = 0; cut <= test.bytes.size(); cut++) {
            Replay replay(test);
            replay.feed(test.bytes.substr(0, cut));
            replay.feed(test.bytes.substr(cut));
            ASSERT_EQ(replay.finish(), events) << "cut behind byte " << cut << ", way " << way;
        }
    }
}

std::vector<Case> pages()
{
    return std::getenv("GOLDEN_WRITE") != nullptr ? read_pages(bytewise) : read_pages();
}

INSTANTIATE_TEST_SUITE_P(Pages, Golden, testing::ValuesIn(pages()), test_name);

} // namespace
