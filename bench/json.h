/*
 * JSON as it is written, with nothing kept of it: objects and arrays are begun and
 * ended, and what stands between the two is within.  `key` is NULL in an array, and
 * for what stands alone.
 */
#ifndef BENCH_JSON_H
#define BENCH_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* The caller sets `output`, whose errors are for him to see. */
struct json {
    FILE *output;
    bool follows; /* what comes next follows something of its kind */
};

void json_object_begin(struct json *json, const char *key);
void json_object_end(struct json *json);
void json_array_begin(struct json *json, const char *key);
void json_array_end(struct json *json);

/* A byte beyond ASCII becomes the character of that number, as in an HTTP field.  NULL: null. */
void json_text(struct json *json, const char *key, const char *text);
void json_integer(struct json *json, const char *key, uint64_t number);
void json_real(struct json *json, const char *key, double number); /* to six decimals */
void json_truth(struct json *json, const char *key, bool truth);

/* An object of those that are not 0, each by its place, such as a status. */
void json_counts(struct json *json, const char *key, const uint64_t *counts, size_t size);

/* End the line, and hand it over.  0, or a negative errno value if any of it was lost. */
int json_line_end(struct json *json);

#endif
