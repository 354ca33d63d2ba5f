/* The asynwsgi-load command. */
#include "load.h"

#include <stdio.h>

#include "config.h"

int main(int argc, char **argv)
{
    struct load_options options;
    char explanation[LOAD_EXPLANATION] = "";

    if (load_options_read(&options, argc, argv, explanation) < 0) {
        fprintf(stderr, "asynwsgi-load: %s\n", explanation);
        return 2;
    }
    if (options.help)
        load_options_help(stdout);
    else if (options.version)
        printf("asynwsgi-load %s\n", PACKAGE_VERSION);
    else
        return load_run(&options);
    return fflush(stdout) == 0 ? 0 : 1;
}
