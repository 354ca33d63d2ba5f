#ifndef SERVER_SUPERVISOR_H
#define SERVER_SUPERVISOR_H

#include "worker.h"

/* Run the workers until a signal ends it, or they cannot boot. */
enum server_status server_supervise(struct server_setup *setup);

#endif
