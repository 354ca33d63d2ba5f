/* Numbers of files in /proc. */
#include "proc.h"

#include <stdio.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool parse(const char *line, uint64_t *numbers, size_t count)
{
    uint64_t number;

    for (size_t i = 0; i < count; i++) {
        line += strcspn(line, "0123456789");
        if (!*line)
            return false;
        for (number = 0; is_digit(*line); line++)
            number = number * 10 + (uint64_t)(*line - '0');
        numbers[i] = number;
    }
    return true;
}

bool proc_read(const char *path, const char *beginning, uint64_t *numbers, size_t count)
{
    size_t length = strlen(beginning);
    FILE *file = fopen(path, "re");
    bool found = false;
    char line[256];

    if (!file)
        return false;
    while (!found && fgets(line, sizeof line, file))
        found = strncmp(line, beginning, length) == 0 && parse(line + length, numbers, count);
    fclose(file);
    return found;
}
