/* The descriptors that a command is given, and what is printed there. */
#include "standard.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

void standard_open(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
    signal(SIGPIPE, SIG_IGN);
}

void standard_print(const void *text, size_t length, FILE *output)
{
    const unsigned char *byte = text;

    for (; length > 0; length--, byte++)
        if ((*byte < ' ' && *byte != '\t') || *byte >= 0x7f)
            fprintf(output, "\\x%02x", *byte);
        else
            fputc(*byte, output);
}
