/* References, and the URLs they stand for (RFC 3986, 4 and 5). */
#include <asynwsgi/httpclient.h>

#include "text.h"

#include <errno.h>

bool equal_nocase(struct part part, const char *lower)
{
    if (part.length != strlen(lower))
        return false;
    for (size_t i = 0; i < part.length; i++) {
        unsigned char byte = (unsigned char)part.text[i];

        if ((is_alpha(byte) ? byte | 0x20 : byte) != lower[i])
            return false;
    }
    return true;
}

/* What lies from `at` to the first of `stops`, or the end. */
static struct part until(const char *at, const char *end, const char *stops)
{
    const char *p = at;

    while (p < end && (*p == '\0' || !strchr(stops, *p)))
        p++;
    return (struct part){at, (size_t)(p - at)};
}

/* RFC 3986, 3.1: scheme ":", or nothing. */
static struct part scheme(const char *text, const char *end)
{
    struct part found = until(text, end, ":/?#");

    if (text + found.length == end || text[found.length] != ':' || found.length == 0 ||
        !is_alpha((unsigned char)text[0]))
        return (struct part){0};
    for (size_t i = 0; i < found.length; i++) {
        unsigned char byte = (unsigned char)text[i];

        if (!is_alpha(byte) && !is_digit(byte) && byte != '+' && byte != '-' && byte != '.')
            return (struct part){0};
    }
    return found;
}

void reference_split(const char *text, size_t length, struct reference *parts)
{
    const char *end = text + length;

    *parts = (struct reference){.scheme = scheme(text, end)};
    if (parts->scheme.text)
        text += parts->scheme.length + 1;
    if (end - text >= 2 && text[0] == '/' && text[1] == '/') {
        parts->authority = until(text + 2, end, "/?#");
        text += 2 + parts->authority.length;
    }
    parts->path = until(text, end, "?#");
    text += parts->path.length;
    if (text < end && *text == '?') {
        parts->query = until(text + 1, end, "#");
        text += 1 + parts->query.length;
    }
    if (text < end)
        parts->fragment = (struct part){text + 1, (size_t)(end - text) - 1};
}

/* Bytes written one behind the other; what there is no room for is only counted. */
struct writer {
    char *output;
    size_t room, length;
};

static void add(struct writer *to, const char *text, size_t length)
{
    if (length > 0 && to->length + length <= to->room)
        memcpy(to->output + to->length, text, length);
    to->length += length;
}

static void add_part(struct writer *to, const char *before, struct part part, const char *after)
{
    if (!part.text)
        return;
    add(to, before, strlen(before));
    add(to, part.text, part.length);
    add(to, after, strlen(after));
}

/*
 * RFC 3986, 5.2.4: take the segments "." and ".." out of a path, in place; gives what
 * is left.  A path that does not begin with "/" does so after that where one was left
 * out in front.
 */
static size_t remove_dots(char *path, size_t length)
{
    size_t in = 0, out = 0;

    while (in < length) {
        size_t slash = path[in] == '/';
        struct part segment = until(path + in + slash, path + length, "/");
        bool last = in + slash + segment.length == length;
        bool here = segment.length == 1 && segment.text[0] == '.';
        bool up = segment.length == 2 && memcmp(segment.text, "..", 2) == 0;

        if (!here && !up) {
            memmove(path + out, path + in, slash + segment.length);
            out += slash + segment.length;
        } else {
            if (up && slash)
                while (out > 0 && path[--out] != '/')
                    ;
            if (last && slash)
                path[out++] = '/';
        }
        in += slash + segment.length;
    }
    return out;
}

/* The path that is meant: that of the reference, or merged with the base's (5.2.3). */
static void add_path(struct writer *to, const struct reference *base, const struct reference *from)
{
    size_t start = to->length;
    struct part kept = base->path;

    if (!from->scheme.text && !from->authority.text && from->path.text[0] != '/') {
        while (kept.length > 0 && kept.text[kept.length - 1] != '/')
            kept.length--;
        if (base->authority.text && base->path.length == 0)
            add(to, "/", 1);
        add(to, kept.text, kept.length);
    }
    add(to, from->path.text, from->path.length);
    if (to->length <= to->room)
        to->length = start + remove_dots(to->output + start, to->length - start);
}

/* RFC 3986, 5.2.2 and 5.3. */
static void add_target(struct writer *to, const struct reference *base,
                       const struct reference *from)
{
    bool absolute = from->scheme.text != NULL;
    bool authority = absolute || from->authority.text;
    bool same_path = !authority && from->path.length == 0;

    add_part(to, "", absolute ? from->scheme : base->scheme, ":");
    add_part(to, "//", authority ? from->authority : base->authority, "");
    if (same_path)
        add(to, base->path.text, base->path.length);
    else if (from->path.length > 0)
        add_path(to, base, from);
    add_part(to, "?", same_path && !from->query.text ? base->query : from->query, "");
    add_part(to, "#", from->fragment.text ? from->fragment : base->fragment, "");
}

int httpclient_url_resolve(const char *base, size_t base_length, const char *reference,
                           size_t reference_length, char *output, size_t room, size_t *length)
{
    struct writer to = {.output = output, .room = room};
    struct reference at, from;

    reference_split(base, base_length, &at);
    reference_split(reference, reference_length, &from);
    if (!at.scheme.text)
        return -EINVAL;
    add_target(&to, &at, &from);
    if (to.length > room)
        return -ENOBUFS;
    *length = to.length;
    return 0;
}
