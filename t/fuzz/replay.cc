// A fuzz target as an ordinary test: its seeds, and what chance makes of them, always the same.
// $FUZZ_CORPUS is a folder of further inputs.

#include "fuzz/fuzz.h"
#include "harness/harness.h"
#include "http/pages.h"

#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

static void run(const std::string &input)
{
    try {
        LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t *>(input.data()), input.size());
    } catch (const std::exception &failure) {
        ADD_FAILURE() << escape(input) << "\n" << failure.what();
    }
}

TEST(Fuzz, Seeds)
{
    std::vector<std::string> seeds = fuzz_seeds();
    EXPECT_FALSE(seeds.empty());
    for (const std::string &seed : seeds)
        run(seed);
}

TEST(Fuzz, Corpus)
{
    const char *folder = std::getenv("FUZZ_CORPUS");
    if (folder == nullptr)
        return;
    for (const auto &entry : std::filesystem::directory_iterator(folder)) {
        std::ifstream file(entry.path(), std::ios::binary);
        run(std::string(std::istreambuf_iterator<char>(file), {}));
    }
}

namespace {

class Mutator {
  public:
    std::string mutate(const std::vector<std::string> &seeds)
    {
        std::string bytes = seeds[pick(seeds.size())];
        for (size_t times = 1 + pick(4); times > 0; times--)
            change(bytes, seeds[pick(seeds.size())]);
        return bytes;
    }

  private:
    size_t pick(size_t n)
    {
        return n == 0 ? 0 : random() % n;
    }

    char byte()
    {
        static const std::string telling("\r\n \t:;,=\"%/?0189afAF\0\x7f\x80\xff", 25);
        return pick(2) ? telling[pick(telling.size())] : static_cast<char>(pick(256));
    }

    void change(std::string &bytes, const std::string &other)
    {
        size_t at = pick(bytes.size() + 1),
               length = pick(std::min<size_t>(bytes.size() - at, 16) + 1);
        size_t there = pick(other.size() + 1);
        switch (pick(6)) {
        case 0:
            bytes.insert(at, 1, byte());
            break;
        case 1:
            bytes.erase(at, length);
            break;
        case 2:
            bytes.insert(at, bytes.substr(at, length));
            break;
        case 3:
            bytes = bytes.substr(0, at) + other.substr(there);
            break;
        case 4:
            bytes.insert(at, other.substr(there, pick(40)));
            break;
        default:
            if (at < bytes.size())
                bytes[at] = byte();
        }
    }

    std::mt19937 random{1};
};

} // namespace

TEST(Fuzz, Mutations)
{
    std::vector<std::string> seeds = fuzz_seeds();
    Mutator mutator;
    for (int runs = 0; runs < 2000 && !HasFailure(); runs++)
        run(mutator.mutate(seeds));
}
