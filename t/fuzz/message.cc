// A whole connection, without a socket: heads, bodies and what follows them, as the oracle reads
// them.

#include "fuzz/fuzz.h"
#include "http/parsed.h"

std::vector<std::string> fuzz_seeds()
{
    return fuzz_page_seeds([](const std::string &message) { return message; });
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arrival arrival = fuzz_arrival(Input(data, size));
    Reading right = oracle_read(arrival.bytes, arrival.limits);
    std::string difference;
    if (!agree(parsed(arrival.bytes, {}, arrival.limits), right, &difference))
        fuzz_fail("whole: " + difference);
    if (!agree(parsed(arrival.bytes, arrival.cuts, arrival.limits), right, &difference))
        fuzz_fail("in pieces: " + difference);
    return 0;
}
