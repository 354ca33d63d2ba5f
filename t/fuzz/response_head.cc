// The head of a response: the same is found in it in one piece, at any cuts and byte by byte, in
// every way that lines are taken.

#include "fuzz/head.h"
#include "http/ways.h"

// The pages' responses; and their requests, with another first line.
std::vector<std::string> fuzz_seeds()
{
    std::vector<std::string> seeds =
        fuzz_page_seeds([](const std::string &message) { return message; }, true);
    for (const std::string &seed : fuzz_page_seeds([](const std::string &message) {
             size_t line = message.find("\r\n", 2);
             return line == std::string::npos ? "" : "HTTP/1.1 200 OK" + message.substr(line);
         }))
        seeds.push_back(seed);
    return seeds;
}

static std::string describe(const Arrival &arrival, const struct http_response_head &response)
{
    HeadText text(arrival, response.length);
    text.add(response.length).add(response.status).add(response.reason).add(response.minor);
    text.add(response.fields, response.field_count);
    for (bool to_head : {false, true}) {
        struct http_framing framing = {};
        text.add(http_response_frame(&response, to_head, &arrival.limits, &framing), framing);
    }
    return text.str();
}

static std::string read(const Arrival &arrival, const std::vector<size_t> &cuts)
{
    std::unique_ptr<struct http_field[]> fields(new struct http_field[arrival.limits.fields]);
    struct http_head_parser parser;
    std::string text;
    http_response_parser_init(&parser);
    enum http_fault fault =
        head_arrives(arrival, cuts, [&](const unsigned char *bytes, size_t length) {
            struct http_response_head response = {};
            response.fields = fields.get();
            enum http_fault found =
                http_response_parse(&parser, &arrival.limits, bytes, length, &response);
            if (found == HTTP_COMPLETE)
                text = describe(arrival, response);
            return found;
        });
    return http_fault_text(fault) + text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arrival arrival = fuzz_arrival(Input(data, size));
    std::vector<size_t> none, everywhere = fuzz_cut_everywhere(arrival.bytes);
    std::string whole = read(arrival, none);
    for (enum http_plain_way way : plain_ways()) {
        http_plain_choose(way);
        for (const auto *cuts : {&none, &arrival.cuts, &everywhere}) {
            std::string found = read(arrival, *cuts);
            if (found != whole)
                fuzz_fail("in one piece: " + whole + "\nway " + std::to_string(way) + ", at " +
                          std::to_string(cuts->size()) + " cuts: " + found);
        }
    }
    return 0;
}
