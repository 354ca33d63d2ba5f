#include "section.h"

#include <stdlib.h>
#include <string.h>

static uint64_t word(const unsigned char *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof(word));
    return word;
}

/* Of all bytes: clients often differ in a few only. */
static uint64_t hash(const unsigned char *bytes, size_t length)
{
    const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t h = length * factor;

    for (; length >= 8; bytes += 8, length -= 8) {
        h = (h ^ word(bytes)) * factor;
        h ^= h >> 32;
    }
    for (; length > 0; bytes++, length--)
        h = (h ^ *bytes) * factor;
    return h ^ h >> 32;
}

/* What is kept at a place, with room for the section of the request; NULL for want of memory. */
static struct http_section *make_room(struct http_section **place,
                                      const struct http_request *request, uint32_t length)
{
    size_t room = request->field_count * sizeof(*request->fields) + length;

    if (*place == NULL || (*place)->room < room) {
        free(*place);
        *place = malloc(sizeof(**place) + room);
        if (*place != NULL)
            (*place)->room = room;
    }
    return *place;
}

static void keep(struct http_section *section, const struct http_request *request, uint32_t start,
                 const struct http_framing *framing)
{
    section->length = request->length - start;
    section->field_count = request->field_count;
    section->framing = *framing;
    section->fields = (struct http_field *)(section + 1);
    section->bytes = (unsigned char *)(section->fields + request->field_count);
    memcpy(section->bytes, request->message + start, section->length);
    for (uint32_t i = 0; i < request->field_count; i++) {
        section->fields[i] = request->fields[i];
        section->fields[i].name.start -= start;
        section->fields[i].value.start -= start;
    }
}

static bool is_kept(const struct http_section *section, const unsigned char *bytes, uint32_t length)
{
    return section != NULL && section->length == length &&
           memcmp(section->bytes, bytes, length) == 0;
}

/* Give the request the number of its section, kept before or now; 0: not kept. */
static void find_or_keep(struct http_sections *sections, struct http_request *request,
                         const struct http_framing *framing)
{
    uint32_t start = request->fields[0].name.start, length = request->length - start;
    const unsigned char *bytes = request->message + start;
    struct http_section *section;
    uint64_t h;
    size_t place;

    if (length > SECTION_MOST)
        return;
    h = hash(bytes, length);
    place = h % SECTIONS;
    if (sections->hashes[place] != h) {
        sections->hashes[place] = h;
        return;
    }
    section = sections->kept[place];
    if (!is_kept(section, bytes, length)) {
        section = make_room(&sections->kept[place], request, length);
        if (section == NULL)
            return;
        keep(section, request, start, framing);
        section->number = ++sections->count << SECTION_BITS | place;
    }
    request->section = section->number;
}

enum http_fault http_sections_frame(struct http_sections *sections,
                                    const struct http_limits *limits, struct http_request *request,
                                    struct http_framing *framing)
{
    bool is_usual = request->minor > 0 && request->authority.length == 0;
    enum http_fault fault;

    if (is_usual && request->section != 0) {
        *framing = sections->kept[http_section_place(request)]->framing;
        return HTTP_COMPLETE;
    }
    fault = http_request_frame(request, limits, framing);
    if (fault == HTTP_COMPLETE && is_usual)
        find_or_keep(sections, request, framing);
    return fault;
}

void http_sections_fini(struct http_sections *sections)
{
    for (size_t i = 0; i < SECTIONS; i++)
        free(sections->kept[i]);
}
