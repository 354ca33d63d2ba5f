// How the bytes of an input choose.

#include "fuzz/fuzz.h"
#include "http/pages.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

static const struct http_limits limits[] = {
    http_limits_default,
    {30, 30, 4, 120, 8, 12, 10},
    {14, 26, HTTP_FIELDS_MAX, 65536, 2, 0, 5},
    {8190, 8190, 1, 64, 1024, 100, 0},
    {0, 0, 0, 16, 0, 0, 1},
    {100, 60, 3, UINT32_MAX, 0, 50, UINT64_MAX},
    {UINT32_MAX, UINT32_MAX, 100, UINT32_MAX, UINT32_MAX, UINT32_MAX, 0},
    {8190, 10, 100, 200, 5, 6, INT64_MAX},
};

const unsigned fuzz_limits_count = sizeof limits / sizeof *limits;

std::string Input::choices(size_t count)
{
    std::string taken = bytes.substr(position, count);
    position += taken.size();
    return taken;
}

// The first byte: which limits, and how many bytes follow that say where to cut. Each of these is
// how much further on; with 0, the rest arrives byte by byte.
Arrival fuzz_arrival(Input input)
{
    unsigned first = input.choice();
    std::string steps = input.choices(first & 15);
    Arrival arrival = {limits[(first >> 4) % fuzz_limits_count], input.rest(), {}};
    size_t cut = 0;
    for (char step : steps) {
        if (step == 0) {
            while (++cut < arrival.bytes.size())
                arrival.cuts.push_back(cut);
            break;
        }
        cut += static_cast<unsigned char>(step);
        if (cut < arrival.bytes.size())
            arrival.cuts.push_back(cut);
    }
    return arrival;
}

std::string fuzz_seed(const std::string &bytes, unsigned which)
{
    return std::string(1, static_cast<char>(which << 4)) + bytes;
}

std::vector<std::string> fuzz_page_seeds(std::string (*change)(const std::string &message),
                                         bool responses)
{
    std::vector<std::string> seeds;
    for (const Case &test : read_pages()) {
        if (test.responses != responses)
            continue;
        std::string bytes = change(test.bytes);
        bool limited = memcmp(&test.limits, &http_limits_default, sizeof test.limits) != 0;
        unsigned count = limited ? fuzz_limits_count : 1;
        for (unsigned which = 0; which < count && !bytes.empty(); which++)
            seeds.push_back(fuzz_seed(bytes, which));
    }
    return seeds;
}

std::vector<size_t> fuzz_cut_everywhere(const std::string &bytes)
{
    std::vector<size_t> cuts;
    size_t step = 1 + bytes.size() / 500;
    for (size_t cut = step; cut < bytes.size(); cut += step)
        cuts.push_back(cut);
    return cuts;
}

void fuzz_fail(const std::string &what)
{
    throw std::logic_error(what);
}
