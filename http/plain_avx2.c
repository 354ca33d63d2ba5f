/* Compiled for processors that have AVX2, and called on these only. */
#include "plain.h"

#ifdef __AVX2__
#define HTTP_SCAN_AVX2
#include "plain_take.h"

const struct http_plain http_plain_avx2 = {take_lines, take_head};
#endif
