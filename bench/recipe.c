/* Recipes.  A header without a value is kept, so that none is added by itself, and left out. */
#include "recipe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* "NAME: VALUE" or "NAME:". */
static int split(const char *line, struct http_header *header)
{
    size_t name = strcspn(line, ":"), value;
    const char *start = line + name;

    if (!*start++)
        return -EINVAL;
    start += strspn(start, " \t");
    value = strlen(start);
    while (value > 0 && (start[value - 1] == ' ' || start[value - 1] == '\t'))
        value--;
    if (value > UINT32_MAX / 2 || name > UINT32_MAX / 2)
        return -EINVAL;
    *header = (struct http_header){.name = (const unsigned char *)line,
                                   .value = (const unsigned char *)start,
                                   .name_length = (uint32_t)name,
                                   .value_length = (uint32_t)value};
    return http_field_name_valid(header->name, name) && http_field_value_valid(header->value, value)
               ? 0
               : -EINVAL;
}

static int append(struct recipe *recipe, const struct http_header *header)
{
    struct httpclient_request *request = &recipe->request;
    struct http_header *more =
        realloc(recipe->headers, (request->header_count + 1) * sizeof *header);

    if (!more)
        return -ENOMEM;
    more[request->header_count++] = *header;
    request->headers = recipe->headers = more;
    return 0;
}

int recipe_header(struct recipe *recipe, const char *line)
{
    struct http_header header;
    int error = split(line, &header);

    if (error)
        return error;
    switch (http_field_name(header.name, header.name_length)) {
    case HTTP_FIELD_HOST:
        recipe->request.authority = (const char *)header.value;
        recipe->request.authority_length = header.value_length;
        return 0;
    case HTTP_FIELD_CONTENT_LENGTH:
    case HTTP_FIELD_EXPECT:
    case HTTP_FIELD_TRANSFER_ENCODING:
        return -EINVAL;
    default:
        return append(recipe, &header);
    }
}

int recipe_default(struct recipe *recipe, const char *name, const char *line)
{
    for (size_t i = 0; i < recipe->request.header_count; i++)
        if (recipe->headers[i].name_length == strlen(name) &&
            strncasecmp((const char *)recipe->headers[i].name, name, strlen(name)) == 0)
            return 0;
    return recipe_header(recipe, line);
}

size_t recipe_room(const struct recipe *recipe, const struct httpclient_url *url)
{
    const struct httpclient_request *request = &recipe->request;
    size_t room = 256 + url->target_length + url->authority_length + request->authority_length +
                  (request->method ? strlen(request->method) : 0);

    for (size_t i = 0; i < request->header_count; i++)
        room += (size_t)request->headers[i].name_length + request->headers[i].value_length + 4;
    return room;
}

int recipe_write(const struct recipe *recipe, const struct httpclient_url *url, void *buffer,
                 size_t room, struct httpclient_message *message)
{
    struct httpclient_request request = recipe->request;
    struct http_header said[HTTP_FIELDS_MAX];

    if (request.header_count > HTTP_FIELDS_MAX)
        return -EINVAL;
    request.headers = said;
    request.header_count = 0;
    for (size_t i = 0; i < recipe->request.header_count; i++)
        if (recipe->headers[i].value_length > 0)
            said[request.header_count++] = recipe->headers[i];
    if (!request.method)
        request.method = request.body == HTTP_BODY_NONE ? "GET" : "POST";
    request.target = url->target;
    request.target_length = url->target_length;
    if (!request.authority) {
        request.authority = url->authority;
        request.authority_length = url->authority_length;
    }
    return httpclient_request_write(&request, buffer, room, message);
}

void recipe_fini(struct recipe *recipe)
{
    free(recipe->headers);
    *recipe = (struct recipe){0};
}
