// A connection without a socket: the parsers are given what has arrived and not been consumed, in
// memory of its own of just that size, so that a sanitizer sees what is read beyond it. Each
// connection comes three times, so that its field sections are known the third time.

#include "http/parsed.h"

#include <algorithm>
#include <memory>
#include <stdexcept>

extern "C" {
#include <section.h>
}

namespace {

class Parsed {
  public:
    Reading reading;

    // Without sections: chunked content, without a head.
    Parsed(const struct http_limits &its_limits, struct http_sections *its_sections)
        : limits(its_limits), sections(its_sections)
    {
        http_request_parser_init(&parser);
        if (!sections) {
            reading.messages.emplace_back();
            reading.messages[0].body = HTTP_BODY_CHUNKED;
            http_chunked_init(&chunked);
            state = CHUNKED;
        }
    }

    void feed(const std::string &piece)
    {
        pending += piece;
        while (state != OVER && !pending.empty() && step())
            ;
    }

    void finish()
    {
        if (state == OVER)
            reading.end =
                reading.faults.empty() ? pending.empty() ? End::CLEAN : End::UNREAD : End::REFUSED;
        else if (state != HEAD || !pending.empty())
            reading.end = End::INCOMPLETE;
    }

  private:
    // Does what can be done with what is pending; false: more is needed.
    bool step()
    {
        std::unique_ptr<unsigned char[]> input(new unsigned char[pending.size()]);
        std::copy(pending.begin(), pending.end(), input.get());
        switch (state) {
        case HEAD:
            return head(input.get());
        case SIZED:
            return sized();
        default:
            return chunk(input.get());
        }
    }

    bool head(const unsigned char *input)
    {
        std::unique_ptr<struct http_field[]> fields(new struct http_field[limits.fields]);
        struct http_request request = {};
        request.fields = fields.get();
        enum http_fault fault = http_request_parse_known(
            &parser, &limits, input, pending.size(), http_sections_at(sections, place), &request);
        if (fault == HTTP_INCOMPLETE)
            return false;
        if (fault != HTTP_COMPLETE)
            return fail(fault);
        struct http_framing framing = {};
        fault = http_sections_frame(sections, &limits, &request, &framing);
        if (fault != HTTP_COMPLETE)
            return fail(fault);
        if (request.section != 0)
            place = http_section_place(&request);
        take(request, framing);
        consume(request.length);
        http_request_parser_init(&parser);
        http_chunked_init(&chunked);
        state = framing.body == HTTP_BODY_CHUNKED ? CHUNKED : SIZED;
        remaining = framing.length;
        if (state == SIZED && remaining == 0)
            end();
        return true;
    }

    void take(const struct http_request &request, const struct http_framing &framing)
    {
        auto text = [&](struct http_span span) {
            return std::string(reinterpret_cast<const char *>(request.message) + span.start,
                               span.length);
        };
        Message message;
        message.method = text(request.method);
        message.target = text(request.target);
        message.authority = text(request.authority);
        message.path = text(request.path);
        message.query = text(request.query);
        message.form = request.form;
        message.minor = request.minor;
        for (uint32_t i = 0; i < request.field_count; i++)
            message.fields.emplace_back(text(request.fields[i].name),
                                        text(request.fields[i].value));
        message.body = framing.body;
        message.length = framing.length;
        message.persistent = framing.persistent;
        message.expects_continue = framing.expects_continue;
        reading.messages.push_back(message);
        if (request.is_head != (message.method == "HEAD"))
            throw std::logic_error("is_head");
    }

    bool sized()
    {
        size_t length = std::min<uint64_t>(remaining, pending.size());
        reading.messages.back().content += pending.substr(0, length);
        consume(length);
        if ((remaining -= length) == 0)
            end();
        return true;
    }

    bool chunk(const unsigned char *input)
    {
        Message &message = reading.messages.back();
        struct http_piece piece;
        enum http_fault fault =
            http_chunked_parse(&chunked, &limits, input, pending.size(), &piece);
        if (fault > HTTP_INCOMPLETE)
            return fail(fault);
        if (piece.consumed == 0 || piece.consumed > pending.size())
            throw std::logic_error("consumed " + std::to_string(piece.consumed));
        if (piece.length > 0 &&
            (piece.data < input || piece.data + piece.length != input + piece.consumed))
            throw std::logic_error("data outside of the input");
        if (piece.trailer_length > 0 &&
            (piece.length > 0 || piece.trailer < input ||
             piece.trailer + piece.trailer_length > input + piece.consumed))
            throw std::logic_error("a trailer outside of the input");
        message.content.append(reinterpret_cast<const char *>(piece.data), piece.length);
        message.trailer.append(reinterpret_cast<const char *>(piece.trailer), piece.trailer_length);
        if (piece.chunk_begins)
            begun = true, message.chunks.push_back(piece.chunk_size);
        if (piece.length > 0 && (!begun || piece.chunk_size != message.chunks.back()))
            throw std::logic_error("data of another chunk");
        consume(piece.consumed);
        if (fault == HTTP_COMPLETE)
            end();
        return true;
    }

    void consume(size_t length)
    {
        pending.erase(0, length);
        consumed += length;
    }

    void end()
    {
        Message &message = reading.messages.back();
        message.whole = true;
        reading.position = consumed;
        state = message.persistent ? HEAD : OVER;
    }

    bool fail(enum http_fault fault)
    {
        reading.faults = {fault};
        state = OVER;
        return false;
    }

    const struct http_limits &limits;
    struct http_sections *sections;
    unsigned place = 0;
    enum {
        HEAD,
        SIZED,
        CHUNKED,
        OVER
    } state = HEAD;
    std::string pending;
    struct http_head_parser parser;
    struct http_chunked chunked;
    uint64_t remaining = 0;
    size_t consumed = 0;
    bool begun = false;
};

Reading run(Parsed parsed, const std::string &bytes, const std::vector<size_t> &cuts)
{
    size_t start = 0;
    for (size_t cut : cuts) {
        parsed.feed(bytes.substr(start, cut - start));
        start = cut;
    }
    parsed.feed(bytes.substr(start));
    parsed.finish();
    return parsed.reading;
}

std::string with_faults(const Reading &reading)
{
    std::string text = describe(reading);
    for (enum http_fault fault : reading.faults)
        text +=
            "  " + std::to_string(http_fault_status(fault)) + " " + http_fault_text(fault) + "\n";
    return text;
}

} // namespace

Reading parsed(const std::string &bytes, const std::vector<size_t> &cuts,
               const struct http_limits &limits)
{
    std::unique_ptr<struct http_sections, void (*)(struct http_sections *)> sections(
        new struct http_sections(), [](struct http_sections *old) {
            http_sections_fini(old);
            delete old;
        });
    Reading first = run(Parsed(limits, sections.get()), bytes, cuts);
    for (int again = 0; again < 2; again++)
        if (with_faults(run(Parsed(limits, sections.get()), bytes, cuts)) != with_faults(first))
            throw std::logic_error("with its sections known it reads otherwise");
    return first;
}

Reading parsed_chunked(const std::string &bytes, const std::vector<size_t> &cuts,
                       const struct http_limits &limits)
{
    return run(Parsed(limits, NULL), bytes, cuts);
}

bool agree(const Reading &by_parsers, const Reading &by_oracle, std::string *difference)
{
    if (describe(by_parsers) == describe(by_oracle) &&
        std::includes(by_oracle.faults.begin(), by_oracle.faults.end(), by_parsers.faults.begin(),
                      by_parsers.faults.end()))
        return true;
    *difference =
        "the parsers:\n" + with_faults(by_parsers) + "the oracle:\n" + with_faults(by_oracle);
    return false;
}
