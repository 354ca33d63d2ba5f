// What every unit test has at hand. The harness supplies main(), and fails a test that ends with
// other descriptors open than it began with.

#ifndef HARNESS_HARNESS_H
#define HARNESS_HARNESS_H

#include <gtest/gtest.h>

// The dispatch backend that this run is to use: "epoll", "poll" or "io_uring". Where the kernel
// forbids the last, a program of tests is one that is skipped.
const char *test_backend();

// Lets the running test end with descriptors open that were not open when it began.
void test_allow_open_descriptors();

// Calls of malloc, calloc and realloc by the libraries under test, and by the test itself, so far.
// What libc and libstdc++ allocate for themselves is not counted.
unsigned long test_allocations();

// Makes the n-th counted allocation from now fail (1 is the next); 0 makes none fail. Every test
// begins with 0.
void test_fail_allocation(unsigned long n);

#endif
