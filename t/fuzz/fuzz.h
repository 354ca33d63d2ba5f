// What the fuzz targets share. A target is a file with the two functions below; linked with
// main.cc it is a libFuzzer program, with replay.cc a test that needs no more than a compiler.

#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <asynwsgi/http.h>

// Throws when something does not hold.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// What to begin with.
std::vector<std::string> fuzz_seeds();

// An input is some bytes that choose, and the bytes that are read by what is tested.
class Input {
  public:
    Input(const uint8_t *data, size_t size)
        : bytes(reinterpret_cast<const char *>(data), size), position(0)
    {
    }

    // The next byte that chooses; 0 behind the last.
    unsigned choice()
    {
        return position < bytes.size() ? static_cast<unsigned char>(bytes[position++]) : 0;
    }

    std::string choices(size_t count);

    std::string rest() const
    {
        return bytes.substr(position);
    }

  private:
    std::string bytes;
    size_t position;
};

// Bytes that arrive in pieces.
struct Arrival {
    struct http_limits limits;
    std::string bytes;
    std::vector<size_t> cuts; // ascending
};

// How many sets of limits there are; the first is the default.
extern const unsigned fuzz_limits_count;

Arrival fuzz_arrival(Input input);

// The input that makes the bytes arrive in one piece, under a set of limits.
std::string fuzz_seed(const std::string &bytes, unsigned limits = 0);

// A seed for each request of the golden pages, or response, and for one that has limits of its own,
// under each set of them.
// `change` makes of a message what the target reads; empty: nothing.
std::vector<std::string> fuzz_page_seeds(std::string (*change)(const std::string &message),
                                         bool responses = false);

// Where to cut so that each piece is a byte; longer ones where that would take long.
std::vector<size_t> fuzz_cut_everywhere(const std::string &bytes);

[[noreturn]] void fuzz_fail(const std::string &what);

#endif
