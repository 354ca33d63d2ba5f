/* A process that does not outlive the one that started it. */
#ifndef BENCH_PARENT_LINUX_H
#define BENCH_PARENT_LINUX_H

/*
 * Be killed when the thread that started this process ends.  0 or a negative errno
 * value; -ESRCH: it has ended meanwhile.
 */
int parent_die_with(void);

#endif
