/*
 * The listening sockets: for each address one for each worker, with a queue of
 * its own (SO_REUSEPORT), or a single one that the workers share where it is a
 * unix socket or an inherited one.  The supervisor has them all open for as
 * long as it serves, so that a worker which takes the place of one that died
 * goes on with its queue.
 */
#ifndef SERVER_LISTENERS_H
#define SERVER_LISTENERS_H

#include "log.h"

#include <asynwsgi/tcpsocket.h>
#include <sys/types.h>

struct server_listener {
    struct tcpsocket_address address; /* the real one, with the port that 0 got */
    int *descriptors;
    unsigned count; /* 1, or the number of workers */
    bool inherited; /* others may use it too */
    /* The file of a unix socket we made; inode 0: there is none. */
    dev_t device;
    ino_t inode;
};

struct server_listeners {
    struct server_listener *items;
    size_t count;
};

/* Whether the addresses can be understood: SERVER_OK, or what was logged. */
enum server_status server_listeners_check(const char *const *binds, const struct server_log *log);

/* Open them all; SERVER_OK, or what was logged. */
enum server_status server_listeners_open(struct server_listeners *listeners,
                                         const struct server_options *options,
                                         const struct server_log *log);

/* The descriptor of an address that the worker in this slot serves. */
int server_listener_descriptor(const struct server_listener *listener, unsigned slot);

/* In a worker: close those of the others. */
void server_listeners_keep(struct server_listeners *listeners, unsigned slot);

/* Room for it with its scheme. */
#define SERVER_URL (TCPSOCKET_ADDRESS_TEXT + 8)

/* "http://127.0.0.1:8000", "unix:/run/socket" */
void server_listener_url(const struct server_listener *listener, char url[SERVER_URL]);

/*
 * Listen no more, in any process: not even a worker that is too busy to close
 * its socket does then.  The files of unix sockets go, where they are still
 * ours.  What was inherited stays as it is.
 */
void server_listeners_end(const struct server_listeners *listeners);

/* Close them.  Harmless when it is done. */
void server_listeners_close(struct server_listeners *listeners);

#endif
