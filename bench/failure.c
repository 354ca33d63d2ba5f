/* Why an exchange failed. */
#include "failure.h"

#include <errno.h>
#include <string.h>

/* The server was gone before its response was complete. */
static enum failure lost(const struct httpclient_exchange *x)
{
    if (x->progress >= HTTPCLIENT_ANSWERED)
        return FAILURE_PARTIAL;
    if (x->times.first)
        return FAILURE_RECEIVE;
    return x->times.sent ? FAILURE_EMPTY : FAILURE_SEND;
}

enum failure failure_of(const struct httpclient_exchange *x)
{
    if (!x->error)
        return FAILURE_NONE;
    if (x->late)
        return FAILURE_TIMEOUT;
    if (x->error == -EPROTO)
        return x->progress >= HTTPCLIENT_ANSWERED ? FAILURE_CODING : FAILURE_PROTOCOL;
    if (x->error == -ECONNABORTED)
        return FAILURE_ABORTED;
    return x->progress == HTTPCLIENT_QUEUED ? FAILURE_CONNECT : lost(x);
}

const char *failure_name(enum failure failure)
{
    static const char *const names[FAILURES] = {
        [FAILURE_NONE] = "none",       [FAILURE_URL] = "url",
        [FAILURE_RESOLVE] = "resolve", [FAILURE_CONNECT] = "connect",
        [FAILURE_TIMEOUT] = "timeout", [FAILURE_SEND] = "send",
        [FAILURE_EMPTY] = "empty",     [FAILURE_RECEIVE] = "receive",
        [FAILURE_PARTIAL] = "partial", [FAILURE_PROTOCOL] = "protocol",
        [FAILURE_CODING] = "coding",   [FAILURE_ABORTED] = "aborted",
    };

    return names[failure];
}

static const char *late_text(enum httpclient_timeout late)
{
    switch (late) {
    case HTTPCLIENT_LATE_CONNECT:
        return "no connection in time";
    case HTTPCLIENT_LATE_SEND:
        return "the server does not take the request in time";
    case HTTPCLIENT_LATE_HEAD:
        return "no response head in time";
    case HTTPCLIENT_LATE_BODY:
        return "no more of the body in time";
    default:
        return "not complete in time";
    }
}

/* http's own words name a server's options where a limit is passed. */
static const char *fault_text(enum http_fault fault)
{
    switch (fault) {
    case HTTP_LONG_START_LINE:
        return "status line too long";
    case HTTP_LONG_FIELD:
        return "field line too long";
    case HTTP_MANY_FIELDS:
        return "too many fields";
    case HTTP_LONG_HEAD:
        return "head too large";
    case HTTP_LONG_BODY:
        return "body too large";
    case HTTP_LONG_CHUNK_EXTENSION:
        return "chunk extensions too long";
    case HTTP_LONG_TRAILER:
        return "trailer section too large";
    default:
        return http_fault_text(fault);
    }
}

const char *failure_text(const struct httpclient_exchange *x)
{
    if (x->late)
        return late_text(x->late);
    if (x->error == -EPROTO)
        return fault_text(x->fault);
    if (x->error != -ECONNRESET)
        return strerror(-x->error);
    switch (lost(x)) {
    case FAILURE_SEND:
        return "the connection broke while the request was sent";
    case FAILURE_EMPTY:
        return "the server closed without a response";
    case FAILURE_RECEIVE:
        return "the connection ended within the head of the response";
    default:
        return "the connection ended within the body";
    }
}
