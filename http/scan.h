/*
 * scan: where runs of plain bytes end, 16 bytes at a time where there is SSE2.
 *
 * Each function gives the first byte from `p` on that is not of its class, or
 * `end`.  A class may leave out bytes that a machine would take: it sees them
 * one by one then.  It must not hold any that the machine would refuse.
 */
#ifndef HTTP_SCAN_H
#define HTTP_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#if defined __SSE2__ && !defined HTTP_SCAN_PORTABLE
#include <emmintrin.h>
#define SCAN_SSE2 1

/* Bytes of a field value: SP, HTAB, VCHAR and obs-text. */
static inline __m128i not_value_16(__m128i bytes)
{
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
    __m128i tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
    __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));

    return _mm_or_si128(_mm_andnot_si128(tab, control), del);
}

/* VCHAR but "#": bytes of a query. */
static inline __m128i not_query_16(__m128i bytes)
{
    __m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x21)); /* and those above 0x7f */
    __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
    __m128i hash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('#'));

    return _mm_or_si128(_mm_or_si128(low, del), hash);
}

/* Those but "?" and "%": bytes of a path. */
static inline __m128i not_path_16(__m128i bytes)
{
    __m128i question = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('?'));
    __m128i percent = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('%'));

    return _mm_or_si128(_mm_or_si128(question, percent), not_query_16(bytes));
}

/* Letters and "-": most bytes of a field name. */
static inline __m128i not_name_16(__m128i bytes)
{
    __m128i lower = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
    __m128i place = _mm_sub_epi8(lower, _mm_set1_epi8('a'));
    __m128i letter = _mm_cmpeq_epi8(_mm_min_epu8(place, _mm_set1_epi8(25)), place);
    __m128i hyphen = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('-'));

    return _mm_cmpeq_epi8(_mm_or_si128(letter, hyphen), _mm_setzero_si128());
}
#endif

static inline bool is_value(unsigned char byte)
{
    return (byte >= ' ' && byte != 0x7f) || byte == '\t';
}

static inline bool is_query(unsigned char byte)
{
    return byte > ' ' && byte < 0x7f && byte != '#';
}

static inline bool is_path(unsigned char byte)
{
    return is_query(byte) && byte != '?' && byte != '%';
}

static inline bool is_name(unsigned char byte)
{
    return (unsigned char)((byte | 0x20) - 'a') < 26 || byte == '-';
}

#ifdef SCAN_SSE2
#define SKIP_BLOCKS(class, p, end)                                           \
    for (; (end) - (p) >= 16; (p) += 16) {                                   \
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(p)); \
        int stops = _mm_movemask_epi8(not_##class##_16(bytes));              \
        if (stops != 0)                                                      \
            return (p) + __builtin_ctz((unsigned)stops);                     \
    }
#else
#define SKIP_BLOCKS(class, p, end)
#endif

#define SCAN(class)                                                           \
    static inline const unsigned char *scan_##class(const unsigned char *p,   \
                                                    const unsigned char *end) \
    {                                                                         \
        SKIP_BLOCKS(class, p, end)                                            \
        while (p < end && is_##class(*p))                                     \
            p++;                                                              \
        return p;                                                             \
    }

SCAN(value)
SCAN(query)
SCAN(path)
SCAN(name)

/* Whether all of the bytes are of the class; the last block overlaps the one before it. */
#ifdef SCAN_SSE2
#define HAS_STOPS(class, bytes) (_mm_movemask_epi8(not_##class##_16(bytes)) != 0)
#define BLOCK(p) _mm_loadu_si128((const __m128i *)(const void *)(p))
#define HALF(p) _mm_loadl_epi64((const __m128i *)(const void *)(p))
#define CHECK_BLOCKS(class, p, n)                      \
    if ((n) >= 16) {                                   \
        for (; (n) > 16; (p) += 16, (n) -= 16)         \
            if (HAS_STOPS(class, BLOCK(p)))            \
                return false;                          \
        return !HAS_STOPS(class, BLOCK((p) + (n)-16)); \
    }                                                  \
    if ((n) >= 8)                                      \
        return !HAS_STOPS(class, _mm_unpacklo_epi64(HALF(p), HALF((p) + (n)-8)));
#else
#define CHECK_BLOCKS(class, p, n)
#endif

#define ALL(class)                                                   \
    static inline bool all_##class(const unsigned char *p, size_t n) \
    {                                                                \
        CHECK_BLOCKS(class, p, n)                                    \
        while (n > 0 && is_##class(*p))                              \
            p++, n--;                                                \
        return n == 0;                                               \
    }

ALL(value)
ALL(name)

#undef SCAN
#undef ALL
#undef CHECK_BLOCKS
#undef SKIP_BLOCKS
#endif
