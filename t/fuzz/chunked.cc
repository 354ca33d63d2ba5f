// The chunked coding alone, as the oracle reads it.

#include "fuzz/fuzz.h"
#include "http/parsed.h"

std::vector<std::string> fuzz_seeds()
{
    return fuzz_page_seeds([](const std::string &message) {
        size_t end = message.find("\r\n\r\n");
        bool is_chunked = message.find("chunked") < end;
        return is_chunked && end != std::string::npos ? message.substr(end + 4) : "";
    });
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
