/* The descriptors that a command is given, and what is printed there. */
#ifndef BENCH_STANDARD_H
#define BENCH_STANDARD_H

#include <stddef.h>
#include <stdio.h>

/*
 * To be called first: no socket is to get the number of one that was closed, and so what is
 * printed; and a pipe that nobody reads is an error, not a signal.
 */
void standard_open(void);

/* Text from elsewhere, for a terminal: what is not printable is written as \xNN. */
void standard_print(const void *text, size_t length, FILE *output);

#endif
