#ifndef ASYNWSGI_UNITS_H
#define ASYNWSGI_UNITS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Values as people write them.  0, -EINVAL, or -ERANGE: too large. */

/* "4711" */
int units_number_parse(const char *text, uint64_t *number);

/* "100", "20k", "1M", "1G", in thousands; the letters in either case. */
int units_count_parse(const char *text, uint64_t *count);

/* "90", "90s", "1m30s", "500ms", "250us", "2h"; in nanoseconds. */
int units_duration_parse(const char *text, uint64_t *nanoseconds);

/* "8190", "64k", "10m", "1g"; in bytes. */
int units_size_parse(const char *text, uint64_t *bytes);

/* The shortest way to write it; room for UNITS_ROOM characters. */
enum {
    UNITS_ROOM = 32
};
void units_number_format(uint64_t number, char text[UNITS_ROOM]);
void units_duration_format(uint64_t nanoseconds, char text[UNITS_ROOM]);
void units_size_format(uint64_t bytes, char text[UNITS_ROOM]);

#ifdef __cplusplus
}
#endif
#endif
