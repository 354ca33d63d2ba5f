/*
 * asynwsgi-sclients: what its files share.
 *
 *   sclients_options.c  the command line -> struct sclients_settings
 *   sclients_hold.c     the connections, of which sclients_client.c has the life of each
 *   sclients_probe.c    an ordinary client beside them
 *   sclients_report.c   what came of it: table and JSON; sclients_html.c: a page
 *   sclients.c          main(): composes these
 */
#ifndef BENCH_SCLIENTS_H
#define BENCH_SCLIENTS_H

#include "failure.h"
#include "histogram.h"
#include "machine.h"
#include "recipe.h"
#include "target.h"

#include <stdio.h>

enum {
    SCLIENTS_OK = 0,
    SCLIENTS_FAILED = 1,
    SCLIENTS_USAGE = 2,
    SCLIENTS_LIMITED = 3,    /* by this machine, to fewer than were asked for */
    SCLIENTS_UNCONNECTED = 4 /* nothing could be connected */
};

/* -- What is asked for ---------------------------------------------------- */

enum sclients_kind {
    SCLIENTS_PENDING, /* attempts: what is connected, or too old, makes room for the next */
    SCLIENTS_SILENT,  /* connected, not a byte */
    SCLIENTS_IDLE,    /* a request, then nothing */
    SCLIENTS_HEAD,    /* a head without end */
    SCLIENTS_BODY,    /* a body that takes long */
    SCLIENTS_READ,    /* a request whose answer is read slowly */
    SCLIENTS_KINDS
};

extern const char *const sclients_kind_names[SCLIENTS_KINDS];

/* Of each kind: so many, `bytes` in each `every` (of a pending one, its age). */
struct sclients_wish {
    uint64_t count, bytes, every;
};

#define SCLIENTS_BYTES_MAX UINT64_C(65536)
#define SCLIENTS_ANY UINT64_MAX

struct sclients_settings {
    const char *url, *unix_socket, *probe_url, *json, *html;
    struct recipe recipe; /* of all requests */
    struct sclients_wish wishes[SCLIENTS_KINDS];
    int kind;                           /* that was named last; -1: none yet */
    uint64_t sources;                   /* 0: as many as it takes */
    uint64_t rate;                      /* of attempts a second; 0: any */
    uint64_t reconnect;                 /* in all; SCLIENTS_ANY */
    uint64_t length;                    /* of a slow body */
    uint64_t duration, warm_up;         /* nanoseconds */
    uint64_t probe_rate, probe_timeout; /* 0: no probe; nanoseconds */
    bool probe_kept, allow_remote, help, version;
};

/* 0, or -EINVAL, having said why. */
int sclients_options_read(struct sclients_settings *settings, char **argv);
void sclients_options_help(FILE *output);

/* -- The connections ------------------------------------------------------ */

/* What came of those of a kind. */
struct sclients_counts {
    uint64_t attempted, connected;
    uint64_t refused;       /* nobody listens, or of a unix socket its queue is full */
    uint64_t timed_out;     /* attempts, by the kernel */
    uint64_t given_up;      /* attempts that were too old */
    uint64_t reset, closed; /* by the server */
    uint64_t failed;        /* of other reasons, the last of which is `error` */
    uint64_t bytes;         /* that were sent or read slowly */
    uint64_t answers[1000]; /* first ones of a connection, by status; 0: not HTTP */
    struct histogram ended; /* milliseconds from `connected` to `reset` or `closed` */
    uint32_t trying, held, most_held;
    int error;
};

struct sclients_hold;

/* Those to be held need messages: those of HEAD, BODY and the others. */
struct sclients_messages {
    struct httpclient_message get, post;
};

/* What is pointed to stays in place.  0, -ENOMEM. */
int sclients_hold_new(struct dispatch *loop, const struct sclients_settings *settings,
                      const struct tcpsocket_address *server,
                      const struct sclients_messages *messages, struct sclients_hold **hold);
void sclients_hold_start(struct sclients_hold *hold);
const struct sclients_counts *sclients_hold_counts(const struct sclients_hold *hold,
                                                   enum sclients_kind kind);
/* The limit that was met, though it was not foreseen. */
enum machine_limit sclients_hold_limit(const struct sclients_hold *hold);
/* Closes them all.  NULL is harmless. */
void sclients_hold_free(struct sclients_hold *hold);

/* sclients_linux.c: a socket of a connection, being connected; or a negative errno. */
int sclients_connect(const struct tcpsocket_address *server, bool reads_slowly,
                     const struct tcpsocket_address *source);
/* Bytes of memory that are this process' alone; 0: it is not known. */
uint64_t sclients_private_memory(void);

/* -- The probe ------------------------------------------------------------ */

struct sclients_probe_counts {
    uint64_t asked, answered;
    uint64_t failures[FAILURES];
    uint64_t statuses[1000];  /* of those that were answered */
    struct histogram latency; /* nanoseconds from when they were due, of those after the warm-up */
};

/* A second of the probe. */
struct sclients_moment {
    uint64_t answered, failed, waiting;
    uint64_t median, p99, max; /* nanoseconds */
};

struct sclients_probe;

int sclients_probe_new(struct dispatch *loop, const struct sclients_settings *settings,
                       const struct target *target, const struct httpclient_message *message,
                       struct sclients_probe **probe);
void sclients_probe_start(struct sclients_probe *probe);
/* What came since the last call. */
void sclients_probe_moment(struct sclients_probe *probe, struct sclients_moment *moment);
const struct sclients_probe_counts *sclients_probe_counts(const struct sclients_probe *probe);
void sclients_probe_free(struct sclients_probe *probe);

/* -- The report ----------------------------------------------------------- */

/* A second of all. */
struct sclients_second {
    double at;                                  /* its end, in seconds */
    uint64_t held, trying;                      /* then */
    uint64_t connected, refused, closed, reset; /* in it */
    struct sclients_moment probe;
};

struct sclients_report {
    const struct sclients_settings *settings;
    const struct machine *limits;
    enum machine_limit limit; /* that made it fewer */
    uint64_t asked, share;    /* connections, and those that the limit left */
    uint64_t reserve;         /* other descriptors */
    uint64_t sources;
    uint64_t memory; /* private bytes of its own at the end, beyond those before; 0: not known */
    double elapsed;  /* seconds */
    const struct sclients_counts *counts[SCLIENTS_KINDS];
    const struct sclients_probe_counts *probe; /* NULL: there was none */
    const struct sclients_second *seconds;
    size_t second_count;
};

/* The summary is what the table has above its seconds. */
void sclients_report_summary(const struct sclients_report *report, FILE *output);
void sclients_report_table(const struct sclients_report *report, FILE *output);
void sclients_report_json(const struct sclients_report *report, FILE *output);
void sclients_report_html(const struct sclients_report *report, FILE *output);

#endif
