#ifndef SERVER_SUPERVISOR_H
#define SERVER_SUPERVISOR_H

#include "worker.h"

/* Run the workers until a signal ends it, or they cannot boot. */
enum server_status server_supervise(struct server_setup *setup);

/* How a process ended, by its status as of waitpid(2), as what a sentence goes on with. */
void server_describe_end(int status, char text[64]);

#endif
