/*
 * The inside of what is held.  A connection is 48 bytes, in one array with the others,
 * those of a kind behind each other; what else it has is the loop's, 32 bytes or twice that.
 *
 *   VACANT      it waits in `now` or in `later`, or there are no attempts left for it
 *   CONNECTING  it wants to write: then connect(2) is decided
 *   CONNECTED   it wants to read, one that reads slowly to hear of the end alone
 *
 *   sclients_client.c  one connection
 *   sclients_hold.c    all of them: whose turn it is
 */
#ifndef BENCH_SCLIENTS_HOLD_H
#define BENCH_SCLIENTS_HOLD_H

#include "sclients.h"

#define MILLISECOND UINT64_C(1000000)

enum {
    VACANT,
    CONNECTING,
    CONNECTED
};

enum {
    SCLIENTS_FIELD = 14 /* characters of the field line that is sent slowly */
};

/* Times are milliseconds from the start. */
struct client {
    struct dispatch_target target;
    struct group *group;
    uint32_t next;  /* in a queue */
    uint32_t since; /* when it began to be what it is */
    uint32_t moved; /* bytes, slowly; of which only the place in the field line matters */
    uint16_t status;
    uint8_t heard : 4; /* characters of the status line, up to STATUS_END */
    uint8_t state : 2;
    bool again : 1; /* it was tried before */
};

struct queue {
    uint32_t first, last;
};

struct group {
    struct sclients_hold *hold;
    enum sclients_kind kind;
    struct sclients_wish wish;
    const unsigned char *message; /* sent when connected; NULL: nothing is */
    size_t message_length;
    struct client *clients; /* wish.count of them */
    struct dispatch_timer timer;
    uint64_t steps; /* that were taken */
    struct sclients_counts counts;
};

struct sclients_hold {
    struct dispatch *loop;
    struct tcpsocket_address server;
    struct client *clients;
    struct queue now, later; /* `now` goes first */
    struct dispatch_timer opener;
    uint64_t start, opened; /* attempts since then */
    uint64_t rate, reconnects, sources, length;
    enum machine_limit limit;
    struct group groups[SCLIENTS_KINDS];
    char slow[SCLIENTS_BYTES_MAX + SCLIENTS_FIELD]; /* a field line, again and again */
    unsigned char input[SCLIENTS_BYTES_MAX];
};

/* The time of the turn, as in struct client. */
uint32_t sclients_now(const struct sclients_hold *hold);

/* Have it tried (again), unless that was often enough. */
void sclients_enqueue(struct client *client, struct queue *queue);

/* sclients_client.c: try to connect it. */
void sclients_attempt(struct client *client);

/* Its turn to move something, or to be given up. */
void sclients_step(struct client *client);

/* Closed, and no more than that. */
void sclients_close(struct client *client);

#endif
