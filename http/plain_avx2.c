/* Compiled for processors that have AVX2, and called on these only. */
#include "plain.h"

#ifdef __AVX2__
#define HTTP_SCAN_AVX2
#include "plain_take.h"

const unsigned char *http_plain_take_avx2(const struct http_limits *limits,
                                          const unsigned char *message, const unsigned char *line,
                                          const unsigned char *end, struct http_field *fields,
                                          uint32_t *count)
{
    return take(limits, message, line, end, fields, count);
}
#endif
