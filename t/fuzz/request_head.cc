// The head of a request: the same is found in it in one piece, at any cuts and byte by byte, in
// every way that lines are taken, by the machine alone without SIMD, and where its field section is
// known; and a fault is found at the same cut.

#include "fuzz/head.h"
#include "http/ways.h"

extern "C" {
#include <section.h>

void portable_request_parser_init(struct http_head_parser *parser);
enum http_fault portable_request_parse_known(struct http_head_parser *parser,
                                             const struct http_limits *limits,
                                             const unsigned char *message, size_t length,
                                             const struct http_section *known,
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

struct Found {
    std::string text;
    size_t length; // of what had arrived by then
};

static Found read(const Arrival &arrival, const std::vector<size_t> &cuts, bool simd,
                  const struct http_section *known)
{
    std::unique_ptr<struct http_field[]> fields(new struct http_field[arrival.limits.fields]);
    struct http_head_parser parser;
    Found found = {};
    (simd ? http_request_parser_init : portable_request_parser_init)(&parser);
    enum http_fault fault =
        head_arrives(arrival, cuts, [&](const unsigned char *bytes, size_t length) {
            struct http_request request = {};
            request.fields = fields.get();
            enum http_fault part = (simd ? http_request_parse_known : portable_request_parse_known)(
                &parser, &arrival.limits, bytes, length, known, &request);
            if (part == HTTP_COMPLETE)
                found.text = describe(arrival, request);
            found.length = length;
            return part;
        });
    found.text = http_fault_text(fault) + found.text;
    return found;
}

// What is kept of the field section, if it is one that is.
class Kept {
  public:
    explicit Kept(const Arrival &arrival)
    {
        std::unique_ptr<struct http_field[]> fields(new struct http_field[arrival.limits.fields]);
        for (int times = 0; times < 2; times++) {
            struct http_head_parser parser;
            struct http_request request = {};
            struct http_framing framing;
            request.fields = fields.get();
            http_request_parser_init(&parser);
            if (http_request_parse(&parser, &arrival.limits,
                                   reinterpret_cast<const unsigned char *>(arrival.bytes.data()),
                                   arrival.bytes.size(), &request) == HTTP_COMPLETE &&
                http_sections_frame(&sections, &arrival.limits, &request, &framing) ==
                    HTTP_COMPLETE &&
                request.section != 0)
                section = http_sections_at(&sections, http_section_place(&request));
        }
    }

    ~Kept()
    {
        http_sections_fini(&sections);
    }

    const struct http_section *section = nullptr;

  private:
    struct http_sections sections = {};
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arrival arrival = fuzz_arrival(Input(data, size));
    std::vector<size_t> none, everywhere = fuzz_cut_everywhere(arrival.bytes);
    Kept kept(arrival);
    std::string whole;
    for (const auto *cuts : {&none, &arrival.cuts, &everywhere}) {
        http_plain_choose(HTTP_PLAIN_MACHINE);
        Found right = read(arrival, *cuts, false, nullptr);
        if (cuts == &none)
            whole = right.text;
        for (enum http_plain_way way : plain_ways())
            for (bool simd : {false, true})
                for (const struct http_section *known :
                     {(const struct http_section *)nullptr, kept.section}) {
                    http_plain_choose(way);
                    Found found = read(arrival, *cuts, simd, known);
                    if (found.text != whole || found.length != right.length)
                        fuzz_fail("in one piece: " + whole + "\nway " + std::to_string(way) +
                                  (simd ? "" : " without SIMD") + (known ? ", known" : "") +
                                  ", at " + std::to_string(cuts->size()) + " cuts: " + found.text +
                                  "\nafter " + std::to_string(found.length) + " bytes, not " +
                                  std::to_string(right.length));
                }
    }
    return 0;
}
