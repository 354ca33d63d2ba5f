/*
 * The load generator: what its files share.
 *
 *   load.c           a run: its phases and its end
 *   load_client.c    connections, and what they ask for when
 *   load_message.c   the requests as bytes
 *   load_upload.c    bodies that are made up on the fly, and their digests
 *   load_report.c    figures to lines of JSON
 *   load_options.c   the command line
 *
 * A request is due at a time: by the schedule in an open loop, and in a closed one as
 * soon as a connection has room for it.  One that could not be sent, since its
 * connection was lost before, is due still.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "alarm_linux.h"
#include "digest.h"
#include "histogram.h"
#include "load_options.h"
#include "schedule.h"
#include "target.h"

#include <asynwsgi/httpclient.h>

enum {
    LOAD_STATUSES = 1000, /* RFC 9110, 15: three digits */
    LOAD_ANSWER = 512     /* bytes of an answer in which a digest is looked for */
};

/* -- Requests as bytes ---------------------------------------------------- */

struct load_messages {
    struct httpclient_message *all; /* one for each URL, asked for in turn */
    size_t count, next;
    uint64_t body_sent; /* bytes that the body of each takes as it is framed */
    unsigned char *content, **heads;
};

/* All are of the first URL's host.  0, -ENOMEM, or -EINVAL after a message. */
int load_messages_init(struct load_messages *messages, const struct load_options *options,
                       const struct httpclient_url *first);
void load_messages_fini(struct load_messages *messages);

/* Bytes as random as they have to be not to be compressed. */
void load_fill(unsigned char *bytes, size_t length);

/* -- Uploads -------------------------------------------------------------- */

/* Of each exchange, where bodies are made up on the fly. */
struct load_upload {
    uint64_t left;         /* chunks */
    struct digest *digest; /* NULL: not to be checked */
    char sent[DIGEST_TEXT], answer[LOAD_ANSWER];
    size_t answer_length;
};

/* What they share: the bytes of a chunk, the first of which differ from chunk to chunk. */
struct load_uploads {
    unsigned char *chunk;
    size_t chunk_size;
    uint64_t chunks, serial;
    struct load_upload *all;
    size_t count;
};

/* 0, -ENOMEM. */
int load_uploads_init(struct load_uploads *uploads, const struct load_options *options,
                      size_t exchanges);
void load_uploads_fini(struct load_uploads *uploads);

void load_upload_begin(const struct load_uploads *uploads, struct load_upload *upload);
void load_upload_produce(struct load_uploads *uploads, struct load_upload *upload,
                         struct httpclient_exchange *exchange);
void load_upload_answer(struct load_upload *upload, const void *data, size_t length);

/* Whether the answer has the digest of what was sent. */
bool load_upload_matches(struct load_upload *upload);

/* -- Figures -------------------------------------------------------------- */

struct load_counts {
    uint64_t requests; /* that were answered */
    uint64_t bytes_in;
    uint64_t connect, read, timeout, status; /* errors */
};

struct load_figures {
    struct load_counts counts, reported; /* of these, in intervals that were written */
    uint64_t bytes_out, statuses[LOAD_STATUSES], mismatches, unfinished, connections_opened;
    uint64_t in_time; /* answers from begin to end, to requests of the warm-up, too */
    /* Latencies: since the last interval, and before that. */
    struct histogram recent, all;
    struct histogram uncorrected, late;
};

/* -- A run ---------------------------------------------------------------- */

struct load;
struct load_connection;

struct load_slot {
    struct httpclient_exchange exchange;
    struct load_connection *owner;
    struct load_slot *next; /* of those of its connection that are free */
    struct load_upload *upload;
    uint64_t due; /* in an open loop */
    bool counted; /* it is one of the run, and not of its warm-up */
    bool on_time; /* a connection was waiting for it */
};

struct load_connection {
    struct httpclient_connection connection;
    struct load *load;
    struct dispatch_timer timer; /* until the next attempt to connect */
    struct load_slot *free;
    struct load_connection *next, **link; /* while it waits for requests to be due */
    uint64_t waiting_since;
    uint32_t failures; /* since the last answer */
    bool is_noted;     /* it is known to have been made */
    bool is_answered;
};

enum load_phase {
    LOAD_PREPARING,
    LOAD_WARMING,
    LOAD_MEASURING,
    LOAD_ENDING /* nothing more is sent; what was is awaited */
};

struct load {
    const struct load_options *options;
    struct load_messages messages;
    struct load_uploads uploads;
    struct load_figures figures;

    struct dispatch *loop;
    struct httpclient *client;
    struct target target;
    struct dispatch_timer phase_timer, interval_timer;
    struct dispatch_signal signals[2];
    struct alarm alarm; /* for the next request that is due */

    enum load_phase phase;
    uint64_t begun;        /* the run, its warm-up left out */
    uint64_t ended;        /* when nothing more was sent */
    uint64_t interval_end; /* of the last that was written */
    uint64_t cpu;          /* ns; at the beginning, and then what was taken since */

    struct load_connection *connections;
    struct load_slot *slots;
    struct load_connection *waiting, **waiting_end; /* the one that has waited longest first */
    struct schedule schedule;
    uint64_t *returned; /* times at which those are due that came back unsent */
    size_t returned_count;
    uint64_t asked;     /* of the run, in a closed loop */
    uint64_t finished;  /* of the run */
    uint64_t under_way; /* exchanges */
    uint32_t hopeless;  /* connections that never were made, or not for long */
    bool is_connected;  /* one was made, ever */
    int error;          /* the last of a connection */
    int signal;         /* that ended the run; 0: none */
};

/* -- load.c -- */

/* The exit status; that of a run which a signal ended is its number more than LOAD_SIGNAL. */
enum {
    LOAD_DONE,
    LOAD_FAILED,
    LOAD_USAGE,
    LOAD_SIGNAL = 128
};

int load_run(const struct load_options *options);

/* Nothing more is to be sent. */
void load_end(struct load *load);

/* An exchange is over, or the situation has changed otherwise. */
void load_settle(struct load *load);

/* -- load_client.c -- */

int load_client_init(struct load *load);
void load_client_fini(struct load *load);

/* Open the connections, and have them ask. */
void load_client_start(struct load *load);

/* Count what has no answer, as it is now. */
void load_client_abandon(struct load *load);

/* -- load_report.c -- */

/* Both give 0, or a negative errno value if it could not be written. */
int load_report_interval(struct load *load, uint64_t now);
int load_report_end(struct load *load);

#endif
