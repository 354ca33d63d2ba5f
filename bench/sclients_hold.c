/*
 * All connections, and whose turn it is.
 *
 * What is slow needs no timer for each: a kind's are gone over in turn, at a steady pace.
 * And as all that are to come later have to wait for the same time, they come in the
 * order in which they began to: so that is a queue.
 */
#include "sclients_hold.h"

#include "pace.h"

#include <errno.h>
#include <stdlib.h>

enum {
    NOBODY = UINT32_MAX, /* no index of a client */
    PAUSE = 100,         /* milliseconds until one that failed is tried again */
    BATCH = 64           /* attempts in a turn of the loop, that the others get theirs */
};

#define SECOND (1000 * MILLISECOND)

static const char slow_field[SCLIENTS_FIELD + 1] = "X-Slow: slow\r\n";

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

uint32_t sclients_now(const struct sclients_hold *hold)
{
    return (uint32_t)((dispatch_now(hold->loop) - hold->start) / MILLISECOND);
}

/* Have the opener see to it in the next turn, or when the first of them is due. */
static void call_opener(struct sclients_hold *hold)
{
    if (hold->now.first != NOBODY)
        dispatch_timer_set(&hold->opener, dispatch_now(hold->loop));
    else if (hold->later.first != NOBODY)
        dispatch_timer_set(&hold->opener,
                           hold->start +
                               (hold->clients[hold->later.first].since + PAUSE) * MILLISECOND);
}

void sclients_enqueue(struct client *client, struct queue *queue)
{
    struct sclients_hold *hold = client->group->hold;

    if (client->again && client->group->kind != SCLIENTS_PENDING) {
        if (hold->reconnects == 0)
            return;
        if (hold->reconnects != SCLIENTS_ANY)
            hold->reconnects--;
    }
    client->again = true;
    client->since = sclients_now(hold);
    append(hold, queue, client);
    call_opener(hold);
}

/* The next to be tried at this time, or NULL. */
static struct client *next_client(struct sclients_hold *hold)
{
    uint32_t now = sclients_now(hold);

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
        sclients_attempt(client);
    }
    call_opener(hold);
    if (hold->opened >= due && hold->opener.deadline != DISPATCH_NEVER)
        dispatch_timer_set(&hold->opener,
                           hold->start + pace_when(hold->opened, hold->rate, SECOND));
}

/* -- How it goes on ------------------------------------------------------- */

static void go_round(struct dispatch_timer *timer)
{
    struct group *group = (void *)((char *)timer - offsetof(struct group, timer));
    const struct sclients_hold *hold = group->hold;
    const struct sclients_wish *wish = &group->wish;
    uint64_t due = pace_due(dispatch_now(hold->loop) - hold->start, wish->count, wish->every);

    if (due - group->steps > wish->count) /* more than a round is late: it is lost */
        group->steps = due - wish->count;
    for (; group->steps < due; group->steps++)
        sclients_step(&group->clients[group->steps % wish->count]);
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
        hold->slow[i] = slow_field[i % (SCLIENTS_FIELD)];
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
            sclients_enqueue(&group->clients[i], &hold->now);
        if (group->wish.count > 0 && kind != SCLIENTS_SILENT && kind != SCLIENTS_IDLE)
            go_round(&group->timer);
    }
}

const struct sclients_counts *sclients_hold_counts(const struct sclients_hold *hold,
                                                   enum sclients_kind kind)
{
    return &hold->groups[kind].counts;
}

enum machine_limit sclients_hold_limit(const struct sclients_hold *hold)
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
                sclients_close(&group->clients[i]);
        dispatch_timer_remove(&group->timer);
    }
    dispatch_timer_remove(&hold->opener);
    free(hold->clients);
    free(hold);
}
