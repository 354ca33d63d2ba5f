// Heads of requests and responses: what is found in one, however it is cut.

#ifndef FUZZ_HEAD_H
#define FUZZ_HEAD_H

#include "fuzz/fuzz.h"

#include <algorithm>
#include <memory>
#include <sstream>

// Hands a head to `parse` as it arrives, in memory that moves, and tells what came of it.
// `parse` is called with the bytes and their number, and gives a fault.
template <typename Parse>
enum http_fault head_arrives(const Arrival &arrival, const std::vector<size_t> &cuts, Parse parse)
{
    for (size_t i = 0; i <= cuts.size(); i++) {
        size_t length = i < cuts.size() ? cuts[i] : arrival.bytes.size();
        std::unique_ptr<unsigned char[]> input(new unsigned char[length]);
        std::copy_n(arrival.bytes.begin(), length, input.get());
        enum http_fault fault = parse(input.get(), length);
        if (fault != HTTP_INCOMPLETE)
            return fault;
    }
    return HTTP_INCOMPLETE;
}

// Spans of a head, checked and written down.
class HeadText {
  public:
    HeadText(const Arrival &its_arrival, uint32_t its_length)
        : arrival(its_arrival), length(its_length)
    {
        if (length > arrival.bytes.size() || length > arrival.limits.head)
            fuzz_fail("a head of " + std::to_string(length) + " bytes");
    }

    HeadText &add(struct http_span span)
    {
        if (span.start > length || span.length > length - span.start)
            fuzz_fail("a span outside of the head");
        text << "[" << arrival.bytes.substr(span.start, span.length) << "]";
        return *this;
    }

    HeadText &add(uint64_t number)
    {
        text << " " << number;
        return *this;
    }

    HeadText &add(const struct http_field *fields, uint32_t count)
    {
        if (count > arrival.limits.fields)
            fuzz_fail(std::to_string(count) + " fields");
        for (uint32_t i = 0; i < count; i++)
            add(fields[i].name).add(fields[i].value).add(fields[i].known);
        return *this;
    }

    HeadText &add(enum http_fault fault, const struct http_framing &framing)
    {
        add(fault);
        if (fault == HTTP_COMPLETE)
            add(framing.body).add(framing.length).add(framing.persistent);
        return *this;
    }

    std::string str() const
    {
        return text.str();
    }

  private:
    const Arrival &arrival;
    uint32_t length;
    std::ostringstream text;
};

#endif
