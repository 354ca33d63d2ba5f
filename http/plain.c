/*
 * Which way plain lines are taken: from the first time on the best that there is.
 * It is the same for all, and any will do, so that nothing needs to be in order.
 */
#include "plain.h"

#include "config.h"

#include "plain_take.h"

static const unsigned char *no_lines(const struct http_limits *limits, const unsigned char *message,
                                     const unsigned char *line, const unsigned char *end,
                                     struct http_field *fields, uint32_t *count)
{
    (void)limits, (void)message, (void)end, (void)fields, (void)count;
    return line;
}

static const unsigned char *no_head(const struct http_limits *limits, const unsigned char *end,
                                    const struct http_section *known, struct http_request *head)
{
    (void)limits, (void)end, (void)known;
    return head->message;
}

static const struct http_plain none = {no_lines, no_head}, base = {take_lines, take_head};

const struct http_plain *http_plain_chosen;

bool http_plain_choose(enum http_plain_way chosen)
{
    const struct http_plain *const ways[HTTP_PLAIN_AVX2 + 1] = {
        [HTTP_PLAIN_MACHINE] = &none,
        [HTTP_PLAIN_BASE] = &base,
#ifdef HAVE_AVX2
        [HTTP_PLAIN_AVX2] = __builtin_cpu_supports("avx2") ? &http_plain_avx2 : NULL,
#endif
    };

    if (ways[chosen] == NULL)
        return false;
    __atomic_store_n(&http_plain_chosen, ways[chosen], __ATOMIC_RELAXED);
    return true;
}

const struct http_plain *http_plain_best(void)
{
    if (!http_plain_choose(HTTP_PLAIN_AVX2))
        http_plain_choose(HTTP_PLAIN_BASE);
    return http_plain_get();
}
