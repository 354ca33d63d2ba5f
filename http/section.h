/*
 * section: field sections that came more than once, and what was found in them.
 * A client mostly sends the same one with each of its requests, and then it is
 * enough to see that its bytes are the same.
 */
#ifndef HTTP_SECTION_H
#define HTTP_SECTION_H

#include <string.h>

#include <asynwsgi/http.h>

enum {
    SECTION_BITS = 7, /* at most 8 */
    SECTIONS = 1 << SECTION_BITS,
    SECTION_MOST = 2048 /* bytes of the longest that is kept */
};

struct http_section {
    uint64_t number; /* what http_request.section is then; its low bits are its place */
    uint32_t length, field_count;
    size_t room;               /* bytes behind this struct, for: */
    struct http_field *fields; /* counted from the start of the section */
    unsigned char *bytes;
    struct http_framing framing; /* for a version above 1.0 and a target without authority */
};

struct http_sections {
    uint64_t hashes[SECTIONS]; /* of the last that came for this place, kept or not */
    struct http_section *kept[SECTIONS];
    uint64_t count; /* of those kept so far */
};

/* The one that is kept at a place; NULL: none. */
static inline const struct http_section *http_sections_at(const struct http_sections *sections,
                                                          unsigned place)
{
    return sections->kept[place];
}

/* Where the section of a request is kept that was found, or has just been kept. */
static inline uint8_t http_section_place(const struct http_request *request)
{
    return request->section % SECTIONS;
}

/* Takes the fields of a section that may be known (or NULL), if it is the one from `start` on. */
static inline bool http_section_take(const struct http_section *known, const unsigned char *start,
                                     const unsigned char *end, struct http_request *head)
{
    uint32_t offset = (uint32_t)(start - head->message);

    if (known == NULL || known->length > end - start ||
        memcmp(start, known->bytes, known->length) != 0)
        return false;
    head->section = known->number;
    head->field_count = known->field_count;
    for (uint32_t i = 0; i < known->field_count; i++) {
        head->fields[i] = known->fields[i];
        head->fields[i].name.start += offset;
        head->fields[i].value.start += offset;
    }
    return true;
}

/* As http_request_parse(), where `known` (or NULL) may be the field section. */
enum http_fault http_request_parse_known(struct http_head_parser *parser,
                                         const struct http_limits *limits,
                                         const unsigned char *message, size_t length,
                                         const struct http_section *known,
                                         struct http_request *request);

/*
 * As http_request_frame(), for a request that was parsed under the same limits.
 * Its section is kept if it is not the first time that it comes.
 */
enum http_fault http_sections_frame(struct http_sections *sections,
                                    const struct http_limits *limits, struct http_request *request,
                                    struct http_framing *framing);

void http_sections_fini(struct http_sections *sections);

#endif
