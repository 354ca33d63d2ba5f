/* Redirects: where they lead, and what is left of the request there. */
#include "oneraw.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_named(const unsigned char *text, size_t length, const char *name)
{
    return length == strlen(name) && strncasecmp((const char *)text, name, length) == 0;
}

/* The only Location. */
static const struct http_field *find_location(const struct http_response_head *response)
{
    const struct http_field *found = NULL;

    for (uint32_t i = 0; i < response->field_count; i++) {
        const struct http_field *field = &response->fields[i];

        if (!is_named(response->message + field->name.start, field->name.length, "location"))
            continue;
        if (found)
            return NULL;
        found = field;
    }
    return found;
}

char *oneraw_redirect_find(const struct http_response_head *response, const char *base)
{
    const struct http_field *location = find_location(response);
    size_t room, length;
    char *url;

    if (!location)
        return NULL;
    room = strlen(base) + location->value.length + 2;
    url = malloc(room + 1);
    if (!url)
        return NULL;
    if (httpclient_url_resolve(base, strlen(base),
                               (const char *)response->message + location->value.start,
                               location->value.length, url, room, &length)) {
        free(url);
        return NULL;
    }
    url[length] = '\0';
    return url;
}

static bool is_elsewhere(const char *from, const char *to)
{
    struct httpclient_url a, b;

    return httpclient_url_parse(from, strlen(from), &a) ||
           httpclient_url_parse(to, strlen(to), &b) || a.authority_length != b.authority_length ||
           memcmp(a.authority, b.authority, a.authority_length) != 0;
}

/* RFC 9110, 15.4: what is said of content that is not sent, and what others should not learn. */
static bool is_to_go(const struct http_header *header, bool without_body, bool elsewhere)
{
    static const char *const secrets[] = {"authorization", "cookie", "proxy-authorization"};

    if (without_body && header->name_length > 8 &&
        strncasecmp((const char *)header->name, "content-", 8) == 0)
        return true;
    for (size_t i = 0; elsewhere && i < sizeof secrets / sizeof *secrets; i++)
        if (is_named(header->name, header->name_length, secrets[i]))
            return true;
    return false;
}

void oneraw_redirect_take(struct recipe *recipe, enum httpclient_redirect kind, const char *from,
                          const char *to)
{
    struct httpclient_request *request = &recipe->request;
    bool as_get = kind == HTTPCLIENT_AGAIN_AS_GET, elsewhere = is_elsewhere(from, to);

    if (as_get) {
        request->method = "GET";
        request->body = HTTP_BODY_NONE;
        request->expects_continue = false;
    }
    if (elsewhere)
        request->authority = NULL;
    for (size_t i = 0; i < request->header_count; i++)
        if (is_to_go(&recipe->headers[i], as_get, elsewhere))
            recipe->headers[i].value_length = 0;
}
