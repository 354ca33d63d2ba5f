#include "arrival.h"

#include <stdlib.h>
#include <string.h>

static union wsgi_socket copy(const struct sockaddr *socket)
{
    union wsgi_socket result = {.any.sa_family = socket->sa_family};

    if (socket->sa_family == AF_INET)
        memcpy(&result.v4, socket, sizeof result.v4);
    else if (socket->sa_family == AF_INET6)
        memcpy(&result.v6, socket, sizeof result.v6);
    return result;
}

struct wsgi_arrival *wsgi_arrival_new(const struct http_connection *connection,
                                      const struct http_request *head)
{
    size_t fields = head->field_count * sizeof *head->fields;
    struct wsgi_arrival *arrival = malloc(sizeof *arrival + fields + head->length);
    unsigned char *message;

    if (!arrival)
        return NULL;
    message = (unsigned char *)arrival->fields + fields;
    arrival->head = *head;
    arrival->head.fields = arrival->fields;
    arrival->head.message = message;
    arrival->local = copy(http_connection_local(connection));
    arrival->peer = copy(http_connection_peer(connection));
    memcpy(arrival->fields, head->fields, fields);
    memcpy(message, head->message, head->length);
    return arrival;
}
