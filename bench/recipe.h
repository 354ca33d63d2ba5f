/*
 * A recipe: what is asked for, but for the URL.  Made of options such as
 * -m METHOD, -H "NAME: VALUE" and -d DATA, and put to one URL or to many.
 */
#ifndef BENCH_RECIPE_H
#define BENCH_RECIPE_H

#include <asynwsgi/httpclient.h>

/* All zero at first. */
struct recipe {
    /*
     * Where `method` is NULL it is GET, or POST with a body.  The caller may set all but
     * the headers, the authority, which a header Host is, and the target.
     */
    struct httpclient_request request;
    struct http_header *headers;
};

/*
 * Add a header as it is written, which stays in place.  "NAME:" takes the name away,
 * that is, recipe_default() adds none.  -EINVAL: no header, or one that would say what
 * httpclient_request_write() says; -ENOMEM.
 */
int recipe_header(struct recipe *recipe, const char *line);

/* Add one, unless one of that name was. */
int recipe_default(struct recipe *recipe, const char *name, const char *line);

/* Write it for a URL: as httpclient_request_write(). */
int recipe_write(const struct recipe *recipe, const struct httpclient_url *url, void *buffer,
                 size_t room, struct httpclient_message *message);

/* Room that is enough for the head. */
size_t recipe_room(const struct recipe *recipe, const struct httpclient_url *url);

void recipe_fini(struct recipe *recipe);

#endif
