/* One connection: how it begins, what it hears and moves, and how it ends. */
#include "sclients_hold.h"

#include "sources.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

/* A d is a digit. */
static const char status_line[] = "HTTP/1.d ddd";

enum {
    STATUS_END = sizeof status_line - 1,
    STATUS_CODE = STATUS_END - 3
};

/* -- How it ends ---------------------------------------------------------- */

void sclients_close(struct client *client)
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
            hold->limit = machine_limit_met(-error);
    }
}

static void fail(struct client *client, int error)
{
    sclients_close(client);
    count_failure(client, error);
    sclients_enqueue(client, &client->group->hold->later);
}

/* The server has ended it; `error` is 0 or what it was found by. */
static void lose(struct client *client, int error)
{
    struct sclients_counts *counts = &client->group->counts;

    sclients_close(client);
    histogram_record(&counts->ended, sclients_now(client->group->hold) - client->since);
    if (error == 0)
        counts->closed++;
    else
        counts->reset++;
    sclients_enqueue(client, &client->group->hold->later);
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
    client->since = sclients_now(group->hold);
    if (group->kind == SCLIENTS_PENDING) {
        sclients_close(client);
        sclients_enqueue(client, &group->hold->now);
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

void sclients_attempt(struct client *client)
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
        sclients_enqueue(client, &hold->later);
        return;
    }
    client->target.ready = ready;
    client->heard = 0;
    client->status = 0;
    client->moved = 0;
    client->since = sclients_now(hold);
    int error = dispatch_add(hold->loop, &client->target, fd, DISPATCH_WRITE);

    if (error) {
        close(fd);
        count_failure(client, error);
        sclients_enqueue(client, &hold->later);
        return;
    }
    client->state = CONNECTING;
    group->counts.trying++;
}

/* -- How it goes on ------------------------------------------------------- */

static void send_slowly(struct client *client, uint64_t bytes)
{
    struct sclients_hold *hold = client->group->hold;
    size_t offset = client->moved % (SCLIENTS_FIELD);
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

void sclients_step(struct client *client)
{
    struct group *group = client->group;
    struct sclients_hold *hold = group->hold;
    uint64_t left;

    if (group->kind == SCLIENTS_PENDING) {
        if (client->state == CONNECTING &&
            sclients_now(hold) - client->since >= group->wish.every / MILLISECOND) {
            sclients_close(client);
            group->counts.given_up++;
            sclients_enqueue(client, &hold->now);
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
