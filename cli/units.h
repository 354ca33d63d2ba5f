#ifndef CLI_UNITS_H
#define CLI_UNITS_H

#include <stdint.h>

/* Values as people write them.  0, -EINVAL, or -ERANGE: too large. */

/* "4711" */
int cli_number_parse(const char *text, uint64_t *number);

/* "90", "90s", "1m30s", "500ms", "250us", "2h"; in nanoseconds. */
int cli_duration_parse(const char *text, uint64_t *nanoseconds);

/* "8190", "64k", "10m", "1g"; in bytes. */
int cli_size_parse(const char *text, uint64_t *bytes);

/* The shortest way to write it; room for CLI_UNITS characters. */
enum {
    CLI_UNITS = 32
};
void cli_number_format(uint64_t number, char text[CLI_UNITS]);
void cli_duration_format(uint64_t nanoseconds, char text[CLI_UNITS]);
void cli_size_format(uint64_t bytes, char text[CLI_UNITS]);

#endif
