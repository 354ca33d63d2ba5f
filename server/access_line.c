/*
 * A line of the access log.  The parts' limits add up to less than a line:
 *
 *   before: address 128 + date 32 + request line QUOTED_REQUEST + quotes
 *   result: 3 + 20 digits, spaces;  after: 2 * QUOTED_FIELD + quotes
 */
#include "access_line.h"

#include "escape.h"

#include <asynwsgi/tcpsocket.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum {
    QUOTED_REQUEST = 2200,
    QUOTED_FIELD = 800
};

_Static_assert(TCPSOCKET_ADDRESS_TEXT + QUOTED_REQUEST + 2 * QUOTED_FIELD + 128 <
                   SERVER_ACCESS_LINE,
               "a line has room for its parts");

/* Not strftime, for an application may change the locale. */
void server_access_date(int64_t seconds_since_epoch, char date[SERVER_ACCESS_DATE])
{
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)seconds_since_epoch;
    char format[] = "%d/Mon/%Y:%H:%M:%S %z";
    struct tm tm;

    localtime_r(&seconds, &tm);
    memcpy(format + 3, months[tm.tm_mon], 3);
    if (strftime(date, SERVER_ACCESS_DATE, format, &tm) == 0)
        date[0] = '\0';
}

static char *put(char *output, const char *text, size_t length)
{
    memcpy(output, text, length);
    return output + length;
}

/* `room` shrinks by what is written; bytes that find none leave "..." at the end. */
static char *put_escaped(char *output, size_t *room, const struct http_request *request,
                         struct http_span span)
{
    static const char cut[] = "...";
    size_t taken, written;

    if (*room == 0)
        return output;
    written =
        server_escape(request->message + span.start, span.length, true, output, *room, &taken);
    *room -= written;
    output += written;
    if (taken < span.length) {
        *room = 0;
        output = put(output, cut, strlen(cut));
    }
    return output;
}

static char *put_request_line(char *output, const struct http_request *request)
{
    size_t room = QUOTED_REQUEST;

    if (!request)
        return put(output, "-", 1);
    output = put_escaped(output, &room, request, request->method);
    *output++ = ' ';
    output = put_escaped(output, &room, request, request->target);
    output = put(output, " HTTP/1.", 8);
    *output++ = (char)('0' + request->minor);
    return output;
}

size_t server_access_line_before(char *output, const struct sockaddr *peer, const char *date,
                                 const struct http_request *request)
{
    char host[TCPSOCKET_ADDRESS_TEXT];
    size_t length = tcpsocket_address_host(peer, host);
    char *end = length > 0 ? put(output, host, length) : put(output, "-", 1);

    end = put(end, " - - [", 6);
    end = put(end, date, strlen(date));
    end = put(end, "] \"", 3);
    end = put_request_line(end, request);
    end = put(end, "\" ", 2);
    return (size_t)(end - output);
}

size_t server_access_line_result(char *output, unsigned status, uint64_t bytes)
{
    enum {
        ROOM = 32
    };

    return (size_t)snprintf(output, ROOM, "%u %llu", status ? status : 499u,
                            (unsigned long long)bytes);
}

/* The first field of that name, given in small letters. */
static const struct http_field *find(const struct http_request *request, const char *name)
{
    size_t length = strlen(name);

    for (uint32_t i = 0; request && i < request->field_count; i++) {
        const struct http_field *field = &request->fields[i];
        const void *start = request->message + field->name.start;

        if (field->name.length == length && strncasecmp(start, name, length) == 0)
            return field;
    }
    return NULL;
}

static char *put_field(char *output, const struct http_request *request, const char *name)
{
    const struct http_field *field = find(request, name);
    size_t room = QUOTED_FIELD;

    output = put(output, " \"", 2);
    output = field ? put_escaped(output, &room, request, field->value) : put(output, "-", 1);
    return put(output, "\"", 1);
}

size_t server_access_line_after(char *output, const struct http_request *request)
{
    char *end = put_field(output, request, "referer");

    end = put_field(end, request, "user-agent");
    *end++ = '\n';
    return (size_t)(end - output);
}
