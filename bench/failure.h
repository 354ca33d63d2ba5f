/* Why an exchange failed, in classes to be counted and in words to be read. */
#ifndef BENCH_FAILURE_H
#define BENCH_FAILURE_H

#include <asynwsgi/httpclient.h>

enum failure {
    FAILURE_NONE,
    FAILURE_URL,      /* it is none; of no exchange */
    FAILURE_RESOLVE,  /* the name has no address; of no exchange */
    FAILURE_CONNECT,  /* refused, unreachable */
    FAILURE_TIMEOUT,  /* of connecting, too */
    FAILURE_SEND,     /* the connection broke while the request was sent */
    FAILURE_EMPTY,    /* it ended without a byte of the response */
    FAILURE_RECEIVE,  /* it broke within its head */
    FAILURE_PARTIAL,  /* or within its body */
    FAILURE_PROTOCOL, /* what came is no response */
    FAILURE_CODING,   /* or has a body that is none */
    FAILURE_ABORTED,  /* it ended before it was the turn of this one */
    FAILURES
};

/* Of an exchange that is over. */
enum failure failure_of(const struct httpclient_exchange *exchange);

/* Its name in tables: "connect", "timeout". */
const char *failure_name(enum failure failure);

/* What happened, in some words, for a message. */
const char *failure_text(const struct httpclient_exchange *exchange);

#endif
