/*
 * scan: where runs of plain bytes end, a block of bytes at a time where there is
 * SIMD: 32 of them with AVX2, which is asked for by HTTP_SCAN_AVX2, or 16.  With
 * HTTP_SCAN_PORTABLE, byte by byte.
 *
 * Each function gives the first byte from `p` on that is not of its class, or
 * `end`.  What lies from `start` to `p` may be read too.  A class may leave out
 * bytes that a machine would take: it sees them one by one then.  It must not
 * hold any that the machine would refuse.
 */
#ifndef HTTP_SCAN_H
#define HTTP_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined HTTP_SCAN_PORTABLE
#elif defined HTTP_SCAN_AVX2
#include <immintrin.h>
#define SCAN_BLOCK 32
#elif defined __SSE2__
#include <emmintrin.h>
#define SCAN_BLOCK 16
#elif defined __ARM_NEON && defined __AARCH64EL__
#include <arm_neon.h>
#define SCAN_BLOCK 16
#endif

/*
 * What is not of a class, of a byte or of each in a block: `of` says which.
 * value: SP, HTAB, VCHAR and obs-text; text: SP and VCHAR, which are most bytes of
 * values; query: VCHAR but "#"; path: and but "?" and "%"; name: letters and "-",
 * which are most bytes of field names.
 */
#define NOT_VALUE(of, b) ((((b) <= of(0x1f)) ^ ((b) == of('\t'))) | ((b) == of(0x7f)))
#define NOT_TEXT(of, b) ((of##_t)((b)-of(0x7f)) <= of(0xa0))
#define NOT_QUERY(of, b) (((of##_t)((b)-of(0x7f)) <= of(0xa1)) | ((b) == of('#')))
#define NOT_PATH(of, b) (NOT_QUERY(of, b) | ((b) == of('?')) | ((b) == of('%')))
#define NOT_NAME(of, b)                                                                 \
    ((((of##_signed)(((b) | of(0x20)) + of(0x7f - 'z')) > (of##_signed)of(0x7f - 26)) | \
      ((b) == of('-'))) == 0)

#define scan_byte(value) (value)
typedef unsigned char scan_byte_t;
typedef signed char scan_byte_signed;

#ifdef SCAN_BLOCK
typedef unsigned char scan_block_t __attribute__((vector_size(SCAN_BLOCK)));
typedef signed char scan_block_signed __attribute__((vector_size(SCAN_BLOCK)));

static inline scan_block_t scan_block(unsigned char value)
{
    const scan_block_t zeros = {0};

    return zeros + value;
}

static inline scan_block_t scan_load(const unsigned char *p)
{
    scan_block_t block;

    memcpy(&block, p, sizeof(block));
    return block;
}

/* Of the bytes that are not 0, which then are 0xff, the bits; SCAN_BITS for each. */
#if defined __ARM_NEON
#define SCAN_BITS 4
static inline uint64_t scan_bits(scan_block_t block)
{
    uint8x8_t halves = vshrn_n_u16(vreinterpretq_u16_u8((uint8x16_t)block), 4);

    return vget_lane_u64(vreinterpret_u64_u8(halves), 0);
}
#else
#define SCAN_BITS 1
static inline uint64_t scan_bits(scan_block_t block)
{
#if SCAN_BLOCK == 32
    return (unsigned)_mm256_movemask_epi8((__m256i)block);
#else
    return (unsigned)_mm_movemask_epi8((__m128i)block);
#endif
}
#endif
#define SCAN_PLACE(bits) ((unsigned)__builtin_ctzll(bits) / SCAN_BITS)

/* What is left behind the last whole block is seen in one that ends where it does. */
#define SKIP_BLOCKS(NOT_CLASS, p, end, start)                          \
    uint64_t stops;                                                    \
    for (; (end) - (p) >= SCAN_BLOCK; (p) += SCAN_BLOCK) {             \
        scan_block_t block = scan_load(p);                             \
        stops = scan_bits((scan_block_t)NOT_CLASS(scan_block, block)); \
        if (stops != 0)                                                \
            return (p) + SCAN_PLACE(stops);                            \
    }                                                                  \
    if ((p) < (end) && (end) - (start) >= SCAN_BLOCK) {                \
        scan_block_t block = scan_load((end)-SCAN_BLOCK);              \
        stops = scan_bits((scan_block_t)NOT_CLASS(scan_block, block)); \
        stops >>= SCAN_BITS * ((p) - ((end)-SCAN_BLOCK));              \
        return stops != 0 ? (p) + SCAN_PLACE(stops) : (end);           \
    }

/* Likewise; and where there is no whole block, two halves of one. */
#define CHECK_BLOCKS(NOT_CLASS, p, n)                                                      \
    scan_block_t block;                                                                    \
    if ((n) >= SCAN_BLOCK) {                                                               \
        for (; (n) > SCAN_BLOCK; (p) += SCAN_BLOCK, (n) -= SCAN_BLOCK) {                   \
            block = scan_load(p);                                                          \
            if (scan_bits((scan_block_t)NOT_CLASS(scan_block, block)) != 0)                \
                return false;                                                              \
        }                                                                                  \
        block = scan_load((p) + (n)-SCAN_BLOCK);                                           \
        return scan_bits((scan_block_t)NOT_CLASS(scan_block, block)) == 0;                 \
    }                                                                                      \
    if ((n) >= SCAN_BLOCK / 2) {                                                           \
        memcpy(&block, p, SCAN_BLOCK / 2);                                                 \
        memcpy((char *)&block + SCAN_BLOCK / 2, (p) + (n)-SCAN_BLOCK / 2, SCAN_BLOCK / 2); \
        return scan_bits((scan_block_t)NOT_CLASS(scan_block, block)) == 0;                 \
    }
#else
#define SKIP_BLOCKS(NOT_CLASS, p, end, start) (void)(start);
#define CHECK_BLOCKS(NOT_CLASS, p, n)
#endif

#define CLASS(class, NOT_CLASS)                       \
    static inline bool is_##class(unsigned char byte) \
    {                                                 \
        return !(NOT_CLASS(scan_byte, byte));         \
    }

#define SCAN(class, NOT_CLASS)                                                        \
    CLASS(class, NOT_CLASS)                                                           \
    static inline const unsigned char *scan_##class(                                  \
        const unsigned char *p, const unsigned char *end, const unsigned char *start) \
    {                                                                                 \
        SKIP_BLOCKS(NOT_CLASS, p, end, start)                                         \
        while (p < end && is_##class(*p))                                             \
            p++;                                                                      \
        return p;                                                                     \
    }

/* Whether all of the bytes are of the class. */
#define ALL(class, NOT_CLASS)                                        \
    static inline bool all_##class(const unsigned char *p, size_t n) \
    {                                                                \
        CHECK_BLOCKS(NOT_CLASS, p, n)                                \
        while (n > 0 && is_##class(*p))                              \
            p++, n--;                                                \
        return n == 0;                                               \
    }

SCAN(text, NOT_TEXT)
SCAN(query, NOT_QUERY)
SCAN(path, NOT_PATH)
SCAN(name, NOT_NAME)
CLASS(value, NOT_VALUE)
ALL(value, NOT_VALUE)
ALL(name, NOT_NAME)

/*
 * scan_name() and scan_text() of a field line at once, of which there must be
 * something: gives where its text ends, and in `name_end` where its name does.
 * Neither waits for the other, and mostly one block has both ends.
 */
static inline const unsigned char *scan_line(const unsigned char *p, const unsigned char *end,
                                             const unsigned char *start,
                                             const unsigned char **name_end)
{
#ifdef SCAN_BLOCK
    if (end - start >= SCAN_BLOCK) {
        const unsigned char *at = end - p >= SCAN_BLOCK ? p : end - SCAN_BLOCK;
        unsigned before = (unsigned)(SCAN_BITS * (p - at));
        scan_block_t block = scan_load(at);
        uint64_t name = scan_bits((scan_block_t)NOT_NAME(scan_block, block)) >> before;
        uint64_t text = scan_bits((scan_block_t)NOT_TEXT(scan_block, block)) >> before;

        if (name != 0) {
            *name_end = p + SCAN_PLACE(name);
            return text != 0 ? p + SCAN_PLACE(text) : scan_text(at + SCAN_BLOCK, end, start);
        }
    }
#endif
    *name_end = scan_name(p, end, start);
    return scan_text(p, end, start);
}

#undef SCAN
#undef CLASS
#undef ALL
#undef CHECK_BLOCKS
#undef SKIP_BLOCKS
#endif
