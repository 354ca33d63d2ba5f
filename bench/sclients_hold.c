/*
 * The connections.  A connection is 48 bytes, in one array with the others, those of a
 * kind behind each other; what else it has is the loop's, 32 bytes or twice that.
 *
 *   VACANT      it waits in `now` or in `later`, or there are no attempts left for it
 *   CONNECTING  it wants to write: then connect(2) is decided
 *   CONNECTED   it wants to read, one that reads slowly to hear of the end alone
 *
 * What is slow needs no timer for each: a kind's are gone over in turn, at a steady pace.
 * And as all that are to come later have to wait for the same time, they come in the
 * order in which they began to: so that is a queue.
 */
#include "sclients.h"

#include "pace.h"
#include "sources.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    VACANT,
    CONNECTING,
    CONNECTED
};

enum {
    NOBODY = UINT32_MAX, /* no index of a client */
    PAUSE = 100,         /* milliseconds until one that failed is tried again */
    BATCH = 64           /* attempts in a turn of the loop, that the others get theirs */
};

/* A d is a digit. */
static const char status_line[] = "HTTP/1.d ddd";

enum {
    STATUS_END = sizeof status_line - 1,
    STATUS_CODE = STATUS_END - 3
};

#define MILLISECOND UINT64_C(1000000)
#define SECOND (1000 * MILLISECOND)

static const char slow_field[] = "X-Slow: slow\r\n";

/* Times are milliseconds from the start. */
struct client {
    struct dispatch_target target;
    struct group *group;
    uint32_t next;  /* in a queue */
    uint32_t since; /* when it began to be what it is */
    uint32_t moved; /* bytes, slowly; of which only the place in slow_field matters */
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
    enum limit limit;
    struct group groups[SCLIENTS_KINDS];
    char slow[SCLIENTS_BYTES_MAX + sizeof slow_field]; /* slow_field again and again */
    unsigned char input[SCLIENTS_BYTES_MAX];
};

const char *const sclients_kind_names[SCLIENTS_KINDS] = {
    [SCLIENTS_PENDING] = "pending", [SCLIENTS_SILENT] = "silent",  [SCLIENTS_IDLE] = "idle",
    [SCLIENTS_HEAD] = "slow-head",  [SCLIENTS_BODY] = "slow-body", [SCLIENTS_READ] = "slow-read",
};

/* -- Queues --------------------------------------------------------------- */

static void append(struct sclients_hold *hold, struct queue *queue, struct client *client)
{
    uint32_t index = (uint32_t)(client - hold->clients);

    client->next = NOBODY;
    if (queue->first == NOBODY)
        queue->first = index;
    else
        hold->clients[queue->last].next = index;
    queue->last = index;
}

static struct client *take_first(struct sclients_hold *hold, struct queue *queue)
{
    struct client *client = &hold->clients[queue->first];

    queue->first = client->next;
    return client;
}

/* -- The ends of a connection --------------------------------------------- */

static uint32_t now_of(const struct sclients_hold *hold)
{
    return (uint32_t)((dispatch_now(hold->loop) - hold->start) / MILLISECOND);
}

/* Have the opener see to it in the next turn, or when the first of them is due. */
static void call_opener(struct sclients_hold *hold)
{
    const struct client *first = &hold->clients[hold->later.first];

    if (hold->now.first != NOBODY)
        dispatch_timer_set(&hold->opener, dispatch_now(hold->loop));
    else if (hold->later.first != NOBODY)
        dispatch_timer_set(&hold->opener, hold->start + (first->since + PAUSE) * MILLISECOND);
}

/* Have it tried (again), unless that was often enough. */
static void enqueue(struct client *client, struct queue *queue)
{
    struct sclients_hold *hold = client->group->hold;

    if (client->again && client->group->kind != SCLIENTS_PENDING) {
        if (hold->reconnects == 0)
            return;
        if (hold->reconnects != SCLIENTS_ANY)
            hold->reconnects--;
    }
    client->again = true;
    client->since = now_of(hold);
    append(hold, queue, client);
    call_opener(hold);
}

static void close_client(struct client *client)
{
    struct sclients_counts *counts = &client->group->counts;

    if (client->state == CONNECTING)
        counts->trying--;
    else
        counts->held--;
    client->state = VACANT;
    dispatch_remove(&client->target);
    close(client->target.fd);
}

/* An attempt came to nothing. */
static void count_failure(struct client *client, int error)
{
    struct sclients_counts *counts = &client->group->counts;
    struct sclients_hold *hold = client->group->hold;

    if (error == -ECONNREFUSED || error == -EAGAIN) {
        counts->refused++; /* -EAGAIN: a unix socket whose queue is full (connect(2)) */
    } else if (error == -ETIMEDOUT) {
        counts->timed_out++;
    } else if (error == -ECONNRESET) {
        counts->reset++;
    } else {
        counts->failed++;
        counts->error = error;
        if (!hold->limit)
            hold->limit = limits_met(-error);
    }
}

static void fail(struct client *client, int error)
{
    close_client(client);
    count_failure(client, error);
    enqueue(client, &client->group->hold->later);
}

/* The server has ended it; `error` is 0 or what it was found by. */
static void lose(struct client *client, int error)
{
    struct sclients_counts *counts = &client->group->counts;

    close_client(client);
    histogram_record(&counts->ended, now_of(client->group->hold) - client->since);
    if (error == 0)
        counts->closed++;
    else
        counts->reset++;
    enqueue(client, &client->group->hold->later);
}

/* -- What it hears -------------------------------------------------------- */

/* The status of its first answer, whatever pieces that comes in. */
static void read_status(struct client *client, const unsigned char *bytes, size_t length)
{
    for (size_t i = 0; i < length && client->heard < STATUS_END; i++, client->heard++) {
        unsigned char expected = (unsigned char)status_line[client->heard];
        bool is_digit = bytes[i] >= '0' && bytes[i] <= '9';

        if (expected == 'd' ? !is_digit : bytes[i] != expected) {
            client->status = 0;
            client->heard = STATUS_END - 1;
        } else if (client->heard >= STATUS_CODE) {
            client->status = (uint16_t)(client->status * 10 + (bytes[i] - '0'));
        }
        if (client->heard == STATUS_END - 1)
            client->group->counts.answers[client->status]++;
    }
}

/* As recv(2), of `most` bytes. */
static ssize_t receive(struct client *client, size_t most)
{
    struct sclients_hold *hold = client->group->hold;
    ssize_t n = recv(client->target.fd, hold->input, most, 0);

    if (n > 0)
        read_status(client, hold->input, (size_t)n);
    return n;
}

/* It is `over` as the kernel knows, so what was sent before is all that there is. */
static void hear(struct client *client, bool over)
{
    ssize_t n;

    do
        n = receive(client, sizeof client->group->hold->input);
    while (n > 0 && over);
    if (n > 0 || (n < 0 && errno == EAGAIN && !over))
        return;
    lose(client, n < 0 && errno != EAGAIN ? errno : 0);
}

/* -- How it begins -------------------------------------------------------- */

static void begin(struct client *client)
{
    struct group *group = client->group;
    struct sclients_counts *counts = &group->counts;

    counts->connected++;
    counts->trying--;
    counts->held++;
    client->state = CONNECTED;
    client->since = now_of(group->hold);
    if (group->kind == SCLIENTS_PENDING) {
        close_client(client);
        enqueue(client, &group->hold->now);
        return;
    }
    if (counts->held > counts->most_held)
        counts->most_held = counts->held;
    dispatch_want(&client->target, group->kind == SCLIENTS_READ ? DISPATCH_SHUT : DISPATCH_READ);
    /* It is far from filling an empty buffer; that the server has closed is heard of yet. */
    if (group->message)
        (void)send(client->target.fd, group->message, group->message_length, MSG_NOSIGNAL);
}

static void decide(struct client *client, unsigned events)
{
    int error = 0;
    socklen_t length = sizeof error;

    if (getsockopt(client->target.fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
        error = errno;
    else if (!error && events & DISPATCH_ERROR)
        error = ENOSPC; /* epoll_ctl(2) would not watch it */
    if (error)
        fail(client, -error);
    else
        begin(client);
}

static void ready(struct dispatch_target *target, unsigned events)
{
    static_assert(offsetof(struct client, target) == 0, "ready() casts");
    struct client *client = (struct client *)target;

    if (client->state == CONNECTING)
        decide(client, events);
    else
        hear(client, events & (DISPATCH_HANGUP | DISPATCH_ERROR | DISPATCH_SHUT));
}

static void attempt(struct client *client)
{
    struct group *group = client->group;
    struct sclients_hold *hold = group->hold;
    struct tcpsocket_address source;
    uint64_t index = (uint64_t)(client - hold->clients);
    int fd;

    group->counts.attempted++;
    sources_address(index % hold->sources, &source);
    fd = sclients_connect(&hold->server, group->kind == SCLIENTS_READ,
                          hold->sources > 1 ? &source : NULL);
    if (fd < 0) {
        count_failure(client, fd);
        enqueue(client, &hold->later);
        return;
    }
    client->target.ready = ready;
    client->heard = 0;
    client->status = 0;
    client->moved = 0;
    client->since = now_of(hold);
    int error = dispatch_add(hold->loop, &client->target, fd, DISPATCH_WRITE);

    if (error) {
        close(fd);
        count_failure(client, error);
        enqueue(client, &hold->later);
        return;
    }
    client->state = CONNECTING;
    group->counts.trying++;
}

/* The next to be tried at this time, or NULL. */
static struct client *next_client(struct sclients_hold *hold)
{
    uint32_t now = now_of(hold);

    if (hold->later.first != NOBODY && now >= hold->clients[hold->later.first].since + PAUSE)
        return take_first(hold, &hold->later);
    return hold->now.first != NOBODY ? take_first(hold, &hold->now) : NULL;
}

static void open_some(struct dispatch_timer *timer)
{
    struct sclients_hold *hold = (void *)((char *)timer - offsetof(struct sclients_hold, opener));
    uint64_t due = UINT64_MAX;
    struct client *client;

    if (hold->rate)
        due = pace_due(dispatch_now(hold->loop) - hold->start, hold->rate, SECOND) + 1;
    /* What was not used is not made up for, or only that of a moment. */
    if (hold->rate && due - hold->opened > hold->rate / 10 + 1)
        hold->opened = due - hold->rate / 10 - 1;
    for (int i = 0; i < BATCH && hold->opened < due && (client = next_client(hold)); i++) {
        hold->opened++;
        attempt(client);
    }
    call_opener(hold);
    if (hold->opened >= due && hold->opener.deadline != DISPATCH_NEVER)
        dispatch_timer_set(&hold->opener,
                           hold->start + pace_when(hold->opened, hold->rate, SECOND));
}

/* -- How it goes on ------------------------------------------------------- */

static void send_slowly(struct client *client, uint64_t bytes)
{
    struct sclients_hold *hold = client->group->hold;
    size_t offset = client->moved % (sizeof slow_field - 1);
    ssize_t n = send(client->target.fd, hold->slow + offset, bytes, MSG_NOSIGNAL);

    /* An error is reported as an event, too, behind what the server said before. */
    if (n > 0) {
        client->moved += (uint32_t)n;
        client->group->counts.bytes += (uint64_t)n;
    }
}

static void read_slowly(struct client *client, uint64_t bytes)
{
    ssize_t n = receive(client, bytes);

    if (n > 0)
        client->group->counts.bytes += (uint64_t)n;
    else if (n == 0 || errno != EAGAIN)
        lose(client, n < 0 ? errno : 0);
}

static void step(struct client *client)
{
    struct group *group = client->group;
    struct sclients_hold *hold = group->hold;
    uint64_t left;

    if (group->kind == SCLIENTS_PENDING) {
        if (client->state == CONNECTING &&
            now_of(hold) - client->since >= group->wish.every / MILLISECOND) {
            close_client(client);
            group->counts.given_up++;
            enqueue(client, &hold->now);
        }
        return;
    }
    if (client->state != CONNECTED)
        return;
    switch (group->kind) {
    case SCLIENTS_HEAD:
        send_slowly(client, group->wish.bytes);
        break;
    case SCLIENTS_BODY: /* all but the last byte, for which the server waits on */
        left = hold->length - 1 - client->moved;
        if (left > 0)
            send_slowly(client, left < group->wish.bytes ? left : group->wish.bytes);
        break;
    default:
        read_slowly(client, group->wish.bytes);
    }
}

static void go_round(struct dispatch_timer *timer)
{
    struct group *group = (void *)((char *)timer - offsetof(struct group, timer));
    const struct sclients_hold *hold = group->hold;
    const struct sclients_wish *wish = &group->wish;
    uint64_t due = pace_due(dispatch_now(hold->loop) - hold->start, wish->count, wish->every);

    if (due - group->steps > wish->count) /* more than a round is late: it is lost */
        group->steps = due - wish->count;
    for (; group->steps < due; group->steps++)
        step(&group->clients[group->steps % wish->count]);
    dispatch_timer_set(timer, hold->start + pace_when(due + 1, wish->count, wish->every));
}

/* -- All of them ---------------------------------------------------------- */

static int make_group(struct sclients_hold *hold, enum sclients_kind kind, struct client *clients,
                      const struct sclients_messages *messages)
{
    struct group *group = &hold->groups[kind];
    const struct httpclient_message *message =
        kind == SCLIENTS_BODY ? &messages->post : &messages->get;

    group->hold = hold;
    group->kind = kind;
    group->clients = clients;
    for (uint64_t i = 0; i < group->wish.count; i++)
        clients[i].group = group;
    if (kind > SCLIENTS_SILENT) {
        group->message = message->head;
        group->message_length = message->head_length;
    }
    if (kind == SCLIENTS_HEAD)
        group->message_length -= 2; /* the empty line at its end */
    group->timer.fired = go_round;
    return dispatch_timer_add(hold->loop, &group->timer);
}

int sclients_hold_new(struct dispatch *loop, const struct sclients_settings *settings,
                      const struct tcpsocket_address *server,
                      const struct sclients_messages *messages, struct sclients_hold **made)
{
    struct sclients_hold *hold = calloc(1, sizeof *hold);
    uint64_t count = 0;
    int error = -ENOMEM;

    if (!hold)
        return -ENOMEM;
    hold->loop = loop;
    hold->server = *server;
    hold->rate = settings->rate;
    hold->reconnects = settings->reconnect;
    hold->sources = settings->sources;
    hold->length = settings->length;
    hold->now.first = hold->later.first = NOBODY;
    hold->opener.fired = open_some;
    for (size_t i = 0; i < sizeof hold->slow; i++)
        hold->slow[i] = slow_field[i % (sizeof slow_field - 1)];
    for (int kind = 0; kind < SCLIENTS_KINDS; kind++) {
        hold->groups[kind].wish = settings->wishes[kind];
        count += settings->wishes[kind].count;
    }
    hold->clients = calloc(count + 1, sizeof *hold->clients);
    if (!hold->clients || (error = dispatch_timer_add(loop, &hold->opener)) < 0)
        goto failed;
    count = 0;
    for (int kind = 0; kind < SCLIENTS_KINDS; kind++) {
        error = make_group(hold, (enum sclients_kind)kind, hold->clients + count, messages);
        if (error)
            goto failed;
        count += hold->groups[kind].wish.count;
    }
    *made = hold;
    return 0;

failed:
    sclients_hold_free(hold);
    return error;
}

void sclients_hold_start(struct sclients_hold *hold)
{
    hold->start = dispatch_now(hold->loop);
    for (int kind = SCLIENTS_KINDS; kind-- > 0;) { /* the pending last, which have no end */
        struct group *group = &hold->groups[kind];

        for (uint64_t i = 0; i < group->wish.count; i++)
            enqueue(&group->clients[i], &hold->now);
        if (group->wish.count > 0 && kind != SCLIENTS_SILENT && kind != SCLIENTS_IDLE)
            go_round(&group->timer);
    }
}

const struct sclients_counts *sclients_hold_counts(const struct sclients_hold *hold,
                                                   enum sclients_kind kind)
{
    return &hold->groups[kind].counts;
}

enum limit sclients_hold_limit(const struct sclients_hold *hold)
{
    return hold->limit;
}

void sclients_hold_free(struct sclients_hold *hold)
{
    if (!hold)
        return;
    for (int kind = 0; kind < SCLIENTS_KINDS; kind++) {
        struct group *group = &hold->groups[kind];

        for (uint64_t i = 0; group->clients && i < group->wish.count; i++)
            if (group->clients[i].state != VACANT)
                close_client(&group->clients[i]);
        dispatch_timer_remove(&group->timer);
    }
    dispatch_timer_remove(&hold->opener);
    free(hold->clients);
    free(hold);
}
