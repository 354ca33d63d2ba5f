/* The asynwsgi-load command. */
#include "load.h"
#include "standard.h"

#include <stdio.h>

#include "config.h"

int main(int argc, char **argv)
{
    struct load_options options;
    int status = LOAD_USAGE;

    (void)argc;
    standard_open();
    if (load_options_read(&options, argv) < 0)
        goto out;
    if (options.help || options.version) {
        if (options.help)
            load_options_help(stdout);
        else
            printf("asynwsgi-load %s\n", PACKAGE_VERSION);
        status = fflush(stdout) == 0 ? LOAD_DONE : LOAD_FAILED;
    } else {
        status = load_run(&options);
    }
out:
    load_options_fini(&options);
    return status;
}
