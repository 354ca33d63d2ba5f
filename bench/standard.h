/* The descriptors that a command is given. */
#ifndef BENCH_STANDARD_H
#define BENCH_STANDARD_H

/*
 * To be called first: no socket is to get the number of one that was closed, and so what is
 * printed; and a pipe that nobody reads is an error, not a signal.
 */
void standard_open(void);

/* Let the process have as many descriptors as the system allows it. */
void standard_raise_limit(void);

#endif
