/* Hosts, and their addresses: found once, and forgotten when there are many others. */
#include "bulkfetch.h"

#include "target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEPT = 256
};

static void resolved(struct httpclient_resolve *resolve, int error,
                     const struct tcpsocket_address *addresses, size_t count)
{
    struct host *host = (void *)((char *)resolve - offsetof(struct host, resolve));
    struct bulkfetch *bulk = host->bulk;
    struct fetch *fetch;

    host->resolving = false;
    host->error = error;
    if (!error) {
        host->count = count;
        memcpy(host->addresses, addresses, count * sizeof *addresses);
    }
    while ((fetch = host->pending.first)) {
        host->pending.first = fetch->next;
        if (error)
            fetch_fail(fetch, FAILURE_RESOLVE, target_error_text(error));
        else
            fetch_append(&bulk->waiting, fetch);
    }
    bulkfetch_pump(bulk, NULL);
}

static void find_addresses(struct host *host, const struct httpclient_url *url)
{
    const struct bulkfetch *bulk = host->bulk;

    if (bulk->settings.unix_socket) {
        host->count = 1;
        host->error = target_unix(bulk->settings.unix_socket, host->addresses);
        return;
    }
    host->resolve.done = resolved;
    host->error = httpclient_resolve_start(&host->resolve, bulk->loop, url->host, url->host_length,
                                           url->port);
    host->resolving = !host->error;
}

/* The one that was used the longest ago, if anybody needs none of them. */
static void forget_one(struct bulkfetch *bulk)
{
    struct host **last = NULL, *host;

    for (struct host **at = &bulk->hosts; *at; at = &(*at)->next)
        if ((*at)->users == 0)
            last = at;
    if (!last)
        return;
    host = *last;
    *last = host->next;
    bulk->host_count--;
    free(host);
}

static struct host *add(struct bulkfetch *bulk, const struct httpclient_url *url)
{
    struct host *host = calloc(1, sizeof *host + url->authority_length);

    if (!host)
        return NULL;
    if (bulk->host_count >= KEPT)
        forget_one(bulk);
    host->bulk = bulk;
    host->length = url->authority_length;
    memcpy(host->authority, url->authority, url->authority_length);
    find_addresses(host, url);
    bulk->host_count++;
    return host;
}

struct host *host_use(struct bulkfetch *bulk, const struct httpclient_url *url)
{
    struct host **at = &bulk->hosts, *host;

    while (*at && ((*at)->length != url->authority_length ||
                   memcmp((*at)->authority, url->authority, url->authority_length) != 0))
        at = &(*at)->next;
    host = *at;
    if (host)
        *at = host->next;
    else
        host = add(bulk, url);
    if (!host)
        return NULL;
    host->next = bulk->hosts;
    bulk->hosts = host;
    host->users++;
    return host;
}

void host_leave(struct host *host)
{
    if (host)
        host->users--;
}

void hosts_free(struct bulkfetch *bulk)
{
    struct host *host;

    while ((host = bulk->hosts)) {
        bulk->hosts = host->next;
        httpclient_resolve_cancel(&host->resolve);
        free(host);
    }
}
