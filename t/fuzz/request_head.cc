// The head of a request: the same is found in it in one piece, at any cuts and byte by byte, in
// every way that lines are taken, and by the machine alone without SIMD.

#include "fuzz/head.h"
#include "http/ways.h"

extern "C" {
void portable_request_parser_init(struct http_head_parser *parser);
enum http_fault portable_request_parse(struct http_head_parser *parser,
                                       const struct http_limits *limits,
                                       const unsigned char *message, size_t length,
                                       struct http_request *request);
}

std::vector<std::string> fuzz_seeds()
{
    return fuzz_page_seeds([](const std::string &message) {
        return message.substr(0, message.find("\r\n\r\n", 2) + 4);
    });
}

// A path that is let through has no broken triplets, and no NUL in it when it is decoded.
static void check_path(const struct http_request &request)
{
    const unsigned char *path = request.message + request.path.start;
    auto triplets = static_cast<size_t>(std::count(path, path + request.path.length, '%'));
    std::string decoded(request.path.length, ' ');
    size_t length = http_percent_decode(path, request.path.length,
                                        reinterpret_cast<unsigned char *>(decoded.data()));
    if (length + 2 * triplets != request.path.length || decoded.find('\0') < length)
        fuzz_fail("the path");
}

static std::string describe(const Arrival &arrival, const struct http_request &request)
{
    struct http_framing framing = {};
    check_path(request);
    HeadText text(arrival, request.length);
    text.add(request.length).add(request.method).add(request.target).add(request.authority);
    text.add(request.path).add(request.query).add(request.form).add(request.minor);
    text.add(request.is_head).add(request.fields, request.field_count);
    text.add(http_request_frame(&request, &arrival.limits, &framing), framing);
    return text.add(framing.expects_continue).str();
}

static std::string read(const Arrival &arrival, const std::vector<size_t> &cuts, bool simd)
{
    std::unique_ptr<struct http_field[]> fields(new struct http_field[arrival.limits.fields]);
    struct http_head_parser parser;
    std::string text;
    (simd ? http_request_parser_init : portable_request_parser_init)(&parser);
    enum http_fault fault =
        head_arrives(arrival, cuts, [&](const unsigned char *bytes, size_t length) {
            struct http_request request = {};
            request.fields = fields.get();
            enum http_fault found = (simd ? http_request_parse : portable_request_parse)(
                &parser, &arrival.limits, bytes, length, &request);
            if (found == HTTP_COMPLETE)
                text = describe(arrival, request);
            return found;
        });
    return http_fault_text(fault) + text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arrival arrival = fuzz_arrival(Input(data, size));
    std::vector<size_t> none, everywhere = fuzz_cut_everywhere(arrival.bytes);
    std::string whole = read(arrival, none, true);
    for (enum http_plain_way way : plain_ways()) {
        http_plain_choose(way);
        for (bool simd : {false, true})
            for (const auto *cuts : {&none, &arrival.cuts, &everywhere}) {
                std::string found = read(arrival, *cuts, simd);
                if (found != whole)
                    fuzz_fail("in one piece: " + whole + "\nway " + std::to_string(way) + ", at " +
                              std::to_string(cuts->size()) +
                              (simd ? " cuts: " : " cuts, without SIMD: ") + found);
            }
    }
    return 0;
}
