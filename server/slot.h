/*
 * A slot: the place of one worker, with one process at a time.
 */
#ifndef SERVER_SLOT_H
#define SERVER_SLOT_H

#include <asynwsgi/dispatch.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct server_slot {
    pid_t pid;                       /* 0: there is none */
    struct dispatch_target lifeline; /* our end; its fd is -1 when it is closed */
    bool booted;
    uint64_t booted_at;
    uint64_t pause; /* before the last start; see server_backoff() */
    uint64_t due;   /* when the next worker is to be started */
    void (*changed)(struct server_slot *slot);
    void *context;
};

/* `changed` is called from the loop when the worker has booted, or closes its lifeline. */
void server_slot_init(struct server_slot *slot, void (*changed)(struct server_slot *slot),
                      void *context);

/*
 * Fork a worker.  As fork(2): 0 in the new process, with its end of the
 * lifeline, and with all signals blocked, since what it inherited would handle
 * them.  A negative errno value in the old process means that it failed.
 */
int server_slot_start(struct server_slot *slot, struct dispatch *loop, int *lifeline);

/* Whether the worker has ended; then its status as of waitpid(2), and when the next is due. */
bool server_slot_reap(struct server_slot *slot, uint64_t now, int *status);

/* Have the next worker started after a pause. */
void server_slot_delay(struct server_slot *slot, uint64_t now);

/* Let go of the worker; it notices.  In a new process: of another's. */
void server_slot_close(struct server_slot *slot);

#endif
