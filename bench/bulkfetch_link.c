/* Connections, and which fetch has which. */
#include "bulkfetch.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* Smaller is better. */
enum {
    IDLE,      /* open to the host, with nothing on it */
    CLOSED,    /* to be opened */
    ELSEWHERE, /* idle, to another host */
    SHARED,    /* with others that wait for their responses */
    NONE
};

static int rank(const struct link *link, const struct host *host, uint64_t depth)
{
    if (link->ending)
        return NONE;
    if (!link->host)
        return CLOSED;
    if (link->host != host)
        return link->load == 0 ? ELSEWHERE : NONE;
    if (link->load == 0)
        return IDLE;
    return link->load < depth ? SHARED : NONE;
}

static struct link *choose(struct bulkfetch *bulk, const struct host *host)
{
    struct link *best = NULL;
    int best_rank = NONE;

    for (uint64_t i = 0; i < bulk->settings.connections && best_rank > IDLE; i++) {
        struct link *link = &bulk->links[i];
        int its = rank(link, host, bulk->settings.depth);

        if (its < best_rank || (its == SHARED && best_rank == SHARED && link->load < best->load)) {
            best = link;
            best_rank = its;
        }
    }
    return best;
}

static void let_go(struct link *link)
{
    host_leave(link->host);
    link->host = NULL;
    link->ending = false;
}

static void closed(struct httpclient_connection *connection, int error)
{
    struct link *link = (struct link *)connection;

    (void)error;
    let_go(link);
    bulkfetch_pump(link->bulk, link);
}

static int open_to(struct link *link, struct host *host)
{
    struct bulkfetch *bulk = link->bulk;
    int error;

    httpclient_connection_close(&link->connection);
    let_go(link);
    error =
        httpclient_connection_open(&link->connection, bulk->client, host->addresses, host->count);
    if (error)
        return error;
    link->host = host;
    link->completed = 0;
    host->users++;
    bulk->counts.opened++;
    return 0;
}

bool link_place(struct fetch *fetch, struct link *link)
{
    struct bulkfetch *bulk = fetch->bulk;
    struct host *host = fetch->host;
    int its = NONE;

    assert(host);
    if (link)
        its = rank(link, host, bulk->settings.depth);
    if (its == NONE || its == ELSEWHERE)
        link = choose(bulk, host);
    for (; link; link = choose(bulk, host)) {
        int error = link->host == host ? 0 : open_to(link, host);

        if (error) {
            fetch_fail(fetch, FAILURE_CONNECT, strerror(-error));
            return true;
        }
        if (httpclient_queue(&link->connection, &fetch->exchange) == 0) {
            link->load++;
            fetch->link = link;
            httpclient_flush(&link->connection);
            return true;
        }
        link->ending = true;
    }
    return false;
}

void link_init(struct link *link, struct bulkfetch *bulk)
{
    link->bulk = bulk;
    link->connection.closed = closed;
}
