// The chunked coding alone, as the oracle reads it.

#include "fuzz/fuzz.h"
#include "http/parsed.h"

std::vector<std::string> fuzz_seeds()
{
    std::vector<std::string> seeds = fuzz_page_seeds([](const std::string &message) {
        size_t end = message.find("\r\n\r\n");
        bool is_chunked = message.find("chunked") < end;
        return is_chunked && end != std::string::npos ? message.substr(end + 4) : "";
    });
    // Where little of extensions is allowed: those that data makes up for, and one that it does
    // not.
    for (unsigned limits = 0; limits < fuzz_limits_count; limits++)
        for (const char *bytes : {"5;a=bc\r\nhello\r\n2;a\r\nab\r\n3;a=b\r\nabc\r\n0\r\n\r\n",
                                  "5;a\r\nhello\r\n1;aaaaaaaaaaaaaaaaaaaaaaaa\r\nb\r\n0\r\n\r\n"})
            seeds.push_back(fuzz_seed(bytes, limits));
    return seeds;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arrival arrival = fuzz_arrival(Input(data, size));
    if (arrival.bytes.empty())
        return 0;
    Reading right = oracle_read_chunked(arrival.bytes, arrival.limits);
    std::vector<size_t> none, everywhere = fuzz_cut_everywhere(arrival.bytes);
    for (const auto *cuts : {&none, &arrival.cuts, &everywhere}) {
        std::string difference;
        if (!agree(parsed_chunked(arrival.bytes, *cuts, arrival.limits), right, &difference))
            fuzz_fail(std::to_string(cuts->size()) + " cuts: " + difference);
    }
    return 0;
}
