/* asynwsgi-httpclient. */
#include "httpclient_commands.h"
#include "standard.h"

#include <stdio.h>
#include <string.h>

#include "config.h"

enum {
    USAGE = 2,
    WRITE_ERROR = 23
};

static int printed(void)
{
    return fflush(stdout) == 0 ? 0 : WRITE_ERROR;
}

static int help(void)
{
    puts("Usage: asynwsgi-httpclient oneraw [options] URL\n"
         "       asynwsgi-httpclient bulkfetch [options] [URL...]\n"
         "       asynwsgi-httpclient COMMAND --help\n\n"
         "oneraw     send one request and show the response as it comes, byte by byte\n"
         "bulkfetch  fetch many URLs over connections that are kept");
    return printed();
}

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";

    standard_open();
    if (strcmp(command, "oneraw") == 0)
        return oneraw_main(argv + 1);
    if (strcmp(command, "bulkfetch") == 0)
        return bulkfetch_main(argv + 1);
    if (strcmp(command, "--help") == 0 || strcmp(command, "-h") == 0)
        return help();
    if (strcmp(command, "--version") == 0) {
        puts("asynwsgi-httpclient " PACKAGE_VERSION);
        return printed();
    }
    fprintf(stderr, "asynwsgi-httpclient: %s%sit is oneraw or bulkfetch; see --help\n", command,
            *command ? " is no command; " : "");
    return USAGE;
}
