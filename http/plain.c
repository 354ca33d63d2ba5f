/*
 * Which way plain lines are taken: from the first time on the best that there is.
 * It is the same for all, and any will do, so that nothing needs to be in order.
 */
#include "plain.h"

#include "config.h"
#include <stdatomic.h>

#include "plain_take.h"

static const unsigned char *take_none(const struct http_limits *limits,
                                      const unsigned char *message, const unsigned char *line,
                                      const unsigned char *end, struct http_field *fields,
                                      uint32_t *count)
{
    (void)limits, (void)message, (void)end, (void)fields, (void)count;
    return line;
}

static const unsigned char *take_first(const struct http_limits *limits,
                                       const unsigned char *message, const unsigned char *line,
                                       const unsigned char *end, struct http_field *fields,
                                       uint32_t *count);

static const unsigned char *(*_Atomic way)(const struct http_limits *, const unsigned char *,
                                           const unsigned char *, const unsigned char *,
                                           struct http_field *, uint32_t *) = take_first;

bool http_plain_choose(enum http_plain_way chosen)
{
    const unsigned char *(*const ways[HTTP_PLAIN_AVX2 + 1])(
        const struct http_limits *, const unsigned char *, const unsigned char *,
        const unsigned char *, struct http_field *, uint32_t *) = {
        [HTTP_PLAIN_MACHINE] = take_none,
        [HTTP_PLAIN_BASE] = take,
#ifdef HAVE_AVX2
        [HTTP_PLAIN_AVX2] = __builtin_cpu_supports("avx2") ? http_plain_take_avx2 : NULL,
#endif
    };

    if (ways[chosen] == NULL)
        return false;
    atomic_store_explicit(&way, ways[chosen], memory_order_relaxed);
    return true;
}

static const unsigned char *take_first(const struct http_limits *limits,
                                       const unsigned char *message, const unsigned char *line,
                                       const unsigned char *end, struct http_field *fields,
                                       uint32_t *count)
{
    if (!http_plain_choose(HTTP_PLAIN_AVX2))
        http_plain_choose(HTTP_PLAIN_BASE);
    return http_plain_take(limits, message, line, end, fields, count);
}

const unsigned char *http_plain_take(const struct http_limits *limits, const unsigned char *message,
                                     const unsigned char *line, const unsigned char *end,
                                     struct http_field *fields, uint32_t *count)
{
    return atomic_load_explicit(&way, memory_order_relaxed)(limits, message, line, end, fields,
                                                            count);
}
