/* Numbers that the kernel shows as text. */
#ifndef BENCH_PROC_H
#define BENCH_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The first `count` numbers behind the beginning of a line that has as many, the first
 * that does.
 */
bool proc_read(const char *path, const char *beginning, uint64_t *numbers, size_t count);

#endif
