// A whole connection, without a socket: heads, bodies and what follows them, as the oracle reads
// them; in every way that lines are taken.

#include "fuzz/fuzz.h"
#include "http/parsed.h"
#include "http/ways.h"

std::vector<std::string> fuzz_seeds()
{
    return fuzz_page_seeds([](const std::string &message) { return message; });
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arrival arrival = fuzz_arrival(Input(data, size));
    Reading right = oracle_read(arrival.bytes, arrival.limits);
    std::string difference;
    for (enum http_plain_way way : plain_ways()) {
        http_plain_choose(way);
        if (!agree(parsed(arrival.bytes, {}, arrival.limits), right, &difference))
            fuzz_fail("whole, way " + std::to_string(way) + ": " + difference);
        if (!agree(parsed(arrival.bytes, arrival.cuts, arrival.limits), right, &difference))
            fuzz_fail("in pieces, way " + std::to_string(way) + ": " + difference);
    }
    return 0;
}
