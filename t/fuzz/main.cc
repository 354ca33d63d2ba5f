// What libFuzzer calls first. With FUZZ_SEEDS=FOLDER the program writes its seeds there and ends.

#include "fuzz/fuzz.h"

#include <cstdlib>
#include <fstream>

extern "C" int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *, char ***)
{
    const char *folder = std::getenv("FUZZ_SEEDS");
    if (folder == nullptr)
        return 0;
    unsigned number = 0;
    for (const std::string &seed : fuzz_seeds())
        std::ofstream(std::string(folder) + "/seed-" + std::to_string(number++)) << seed;
    std::exit(number > 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}
