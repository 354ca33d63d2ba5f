/*
 * bulkfetch.h: what the files of this command share.
 *
 *   bulkfetch.c          from the list to fetches, and what becomes of each
 *   bulkfetch_link.c     connections, and which fetch has which
 *   bulkfetch_host.c     hosts and their addresses
 *   bulkfetch_options.c  the options
 *   bulkfetch_report.c   progress, summary, JSON
 *
 * There are as many fetches as can be under way, and as many links.  A fetch is always in one
 * place:
 *
 *   free -> (its host is resolved) -> waiting -> on a link -> (backs off -> waiting) -> free
 *
 * and `active` counts those that are not free.
 */
#ifndef BENCH_BULKFETCH_H
#define BENCH_BULKFETCH_H

#include "failure.h"
#include "folder.h"
#include "list.h"
#include "recipe.h"

#include <stdio.h>

/* Exit codes. */
enum {
    BULKFETCH_OK = 0,
    BULKFETCH_SOME = 1,
    BULKFETCH_USAGE = 2,
    BULKFETCH_WRITE = 23,
    BULKFETCH_READ = 26,
    BULKFETCH_MEMORY = 27
};

struct bulkfetch_settings {
    struct recipe recipe;
    const char *input, *folder, *json, *unix_socket; /* NULL: none */
    char **urls;
    size_t url_count;
    uint64_t connections, depth, retries;
    uint64_t max_time, connect_timeout;
    bool quiet, help;
};

/* A URL, from its line to its end. */
struct fetch {
    struct httpclient_exchange exchange;
    struct httpclient_message message;
    struct dispatch_timer timer; /* while it backs off */
    struct bulkfetch *bulk;
    struct host *host;
    struct link *link;
    struct fetch *next;
    char *text; /* the URL with a NUL, and its request's head */
    size_t room;
    uint64_t attempts;    /* again, after failures */
    uint64_t retry_after; /* what the server asks for, in nanoseconds */
    int file;             /* -1: none */
    char name[FOLDER_NAME];
};

struct fetch_queue {
    struct fetch *first, *last;
};

struct host {
    struct host *next;
    struct bulkfetch *bulk;
    struct httpclient_resolve resolve;
    struct fetch_queue pending; /* while it is resolved */
    bool resolving;
    int error;
    size_t users; /* fetches and links */
    size_t count;
    struct tcpsocket_address addresses[HTTPCLIENT_ADDRESSES];
    size_t length;
    char authority[];
};

/* A connection. */
struct link {
    struct httpclient_connection connection;
    struct bulkfetch *bulk;
    struct host *host;  /* NULL: it is not open */
    uint64_t load;      /* fetches on it */
    uint64_t completed; /* since it was opened */
    bool ending;        /* takes no more */
};

struct bulkfetch_counts {
    uint64_t done, good; /* fetches; those with a 2xx */
    uint64_t bytes;      /* of content */
    uint64_t retries;    /* after failures */
    uint64_t repeats;    /* since a kept connection had ended */
    uint64_t opened;     /* connections */
    uint64_t failures[FAILURES];
    uint64_t statuses[1000];
};

struct bulkfetch {
    struct bulkfetch_settings settings;
    struct dispatch *loop;
    struct httpclient *client;
    struct list list;
    struct dispatch_target input; /* while the list has nothing yet */
    struct folder folder;
    struct fetch *fetches, *free;
    size_t active;
    struct fetch_queue waiting;
    struct link *links;
    struct host *hosts;
    size_t host_count;
    struct dispatch_timer tick; /* for the progress */
    struct dispatch_signal interrupt, terminate;
    struct bulkfetch_counts counts;
    uint64_t started, ended;
    bool list_ended, interrupted, shows_progress;
    int status;
};

/* -- bulkfetch.c -- */

/* Go on with what waits; `link` has just come to have room, or is NULL.  Last in every callback. */
void bulkfetch_pump(struct bulkfetch *bulk, struct link *link);

/* It ended so, without an exchange, and is free again. */
void fetch_fail(struct fetch *fetch, enum failure failure, const char *why);

void fetch_append(struct fetch_queue *queue, struct fetch *fetch);

/* -- bulkfetch_link.c -- */

/*
 * Put it on a link, best on that one, which may be NULL, or end it.  False: there is none with
 * room.
 */
bool link_place(struct fetch *fetch, struct link *link);

void link_init(struct link *link, struct bulkfetch *bulk);

/* -- bulkfetch_host.c -- */

/* The host of a URL, of which the caller is a user; NULL with errno. */
struct host *host_use(struct bulkfetch *bulk, const struct httpclient_url *url);
void host_leave(struct host *host);
void hosts_free(struct bulkfetch *bulk);

/* -- bulkfetch_options.c -- */

int bulkfetch_options_read(struct bulkfetch_settings *settings, char **argv);
void bulkfetch_options_help(FILE *output);

/* -- bulkfetch_report.c -- */

/* "asynwsgi-httpclient bulkfetch: WHAT: WHY", on standard error. */
void bulkfetch_complain(const struct bulkfetch *bulk, const char *what, const char *why);

void bulkfetch_show_progress(const struct bulkfetch *bulk);

/* The summary, and JSON where it is asked for; 0 or a negative errno. */
int bulkfetch_report(struct bulkfetch *bulk);

#endif
