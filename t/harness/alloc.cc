// Counts allocations, and makes them fail: the unit tests are linked with --wrap for each of these
// functions.

#include "harness/harness.h"

#include <atomic>
#include <cerrno>
#include <cstddef>

static std::atomic<unsigned long> allocations, fail_at;

unsigned long test_allocations()
{
    return allocations;
}

void test_fail_allocation(unsigned long n)
{
    fail_at = n == 0 ? 0 : allocations + n;
}

// Counts a call; true if it is to fail.
static bool counted_fails()
{
    if (++allocations != fail_at)
        return false;
    errno = ENOMEM;
    return true;
}

extern "C" {
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size)
{
    return counted_fails() ? nullptr : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return counted_fails() ? nullptr : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return counted_fails() ? nullptr : __real_realloc(old, size);
}
}
