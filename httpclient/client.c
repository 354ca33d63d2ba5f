/* What the connections of a loop share. */
#include "client.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define SECOND UINT64_C(1000000000)

/* Bytes: so much unsent of a generated body is enough, and so much little again. */
enum {
    OUTPUT_HIGH = 49152,
    OUTPUT_LOW = 16384
};

const struct httpclient_timeouts httpclient_timeouts_default = {
    .connect = 10 * SECOND,
    .send = 60 * SECOND,
    .expect = SECOND,
    .head = 60 * SECOND,
    .body = 60 * SECOND,
    .idle = 60 * SECOND,
};

/* Of input there is room for a head and what came with it. */
static struct tcpsocket_limits pool_limits(const struct http_limits *limits)
{
    uint32_t input = 65536;

    if (limits->head > input / 2)
        input = limits->head < UINT32_MAX / 2 ? 2 * limits->head : UINT32_MAX;
    return (struct tcpsocket_limits){.input = input,
                                     .output_high = OUTPUT_HIGH,
                                     .output_low = OUTPUT_LOW,
                                     .output_max = UINT32_MAX};
}

int httpclient_new(const struct httpclient_options *options, struct httpclient **result)
{
    struct tcpsocket_limits limits = pool_limits(&options->limits);
    struct httpclient *client;
    int error;

    if (options->limits.fields > HTTP_FIELDS_MAX)
        return -EINVAL;
    client = calloc(1, sizeof *client);
    if (!client)
        return -ENOMEM;
    client->options = *options;
    if (client->options.depth == 0)
        client->options.depth = 1;
    error = -ENOMEM;
    client->fields = calloc(options->limits.fields + 1, sizeof *client->fields);
    if (!client->fields)
        goto fail;
    error = tcpsocket_pool_new(options->loop, &limits, &httpclient_events, &client->pool);
    if (error)
        goto fail_fields;
    *result = client;
    return 0;

fail_fields:
    free(client->fields);
fail:
    free(client);
    return error;
}

void httpclient_free(struct httpclient *client)
{
    if (!client)
        return;
    assert(client->connections == 0);
    tcpsocket_pool_free(client->pool);
    free(client->fields);
    free(client);
}

size_t httpclient_memory(const struct httpclient *client)
{
    return tcpsocket_pool_held(client->pool);
}
