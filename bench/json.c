/* JSON (RFC 8259), in ASCII. */
#include "json.h"

#include <errno.h>

static void put_text(FILE *output, const char *text)
{
    putc('"', output);
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;

        if (byte == '"' || byte == '\\')
            fprintf(output, "\\%c", byte);
        else if (byte < ' ' || byte > '~')
            fprintf(output, "\\u%04x", byte);
        else
            putc(byte, output);
    }
    putc('"', output);
}

static void begin_value(struct json *json, const char *key)
{
    if (json->follows)
        putc(',', json->output);
    if (key) {
        put_text(json->output, key);
        putc(':', json->output);
    }
    json->follows = true;
}

static void begin(struct json *json, const char *key, char bracket)
{
    begin_value(json, key);
    putc(bracket, json->output);
    json->follows = false;
}

static void end(struct json *json, char bracket)
{
    putc(bracket, json->output);
    json->follows = true;
}

void json_object_begin(struct json *json, const char *key)
{
    begin(json, key, '{');
}

void json_object_end(struct json *json)
{
    end(json, '}');
}

void json_array_begin(struct json *json, const char *key)
{
    begin(json, key, '[');
}

void json_array_end(struct json *json)
{
    end(json, ']');
}

void json_text(struct json *json, const char *key, const char *text)
{
    begin_value(json, key);
    if (text)
        put_text(json->output, text);
    else
        fputs("null", json->output);
}

void json_integer(struct json *json, const char *key, uint64_t number)
{
    begin_value(json, key);
    fprintf(json->output, "%llu", (unsigned long long)number);
}

void json_real(struct json *json, const char *key, double number)
{
    begin_value(json, key);
    fprintf(json->output, "%.6f", number);
}

void json_truth(struct json *json, const char *key, bool truth)
{
    begin_value(json, key);
    fputs(truth ? "true" : "false", json->output);
}

void json_counts(struct json *json, const char *key, const uint64_t *counts, size_t size)
{
    char place[24];

    json_object_begin(json, key);
    for (size_t i = 0; i < size; i++) {
        if (counts[i] == 0)
            continue;
        snprintf(place, sizeof place, "%zu", i);
        json_integer(json, place, counts[i]);
    }
    json_object_end(json);
}

int json_line_end(struct json *json)
{
    json->follows = false;
    putc('\n', json->output);
    if (fflush(json->output) != 0)
        return -errno;
    return ferror(json->output) ? -EIO : 0;
}
