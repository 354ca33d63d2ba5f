#ifndef SERVER_BACKOFF_H
#define SERVER_BACKOFF_H

#include <stdint.h>

/*
 * How long to wait before a worker is started again, after `previous` the last
 * time (0: none) and when it has served for `served`.  Nanoseconds.
 */
uint64_t server_backoff(uint64_t previous, uint64_t served);

#endif
