/* The asynwsgi command. */
#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "config.h"

static int run(const struct cli_settings *settings)
{
    int status;

    if (!settings->check)
        return server_run(&settings->server);
    status = server_check(&settings->server);
    if (status == SERVER_OK)
        printf("asynwsgi: the options are right, and %s can be served\n",
               settings->server.wsgi.application);
    return status;
}

/* Printing is all there is to do, and can fail. */
static int printed(void)
{
    return fflush(stdout) == 0 ? SERVER_OK : SERVER_FAILED;
}

/* Who starts us with one closed shall not have what is printed go to a socket of that number. */
static void open_standard(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int main(int argc, char **argv)
{
    struct cli_settings settings;
    char explanation[CLI_EXPLANATION] = "";
    int r, status;

    open_standard();
    cli_settings_init(&settings);
    r = cli_options_read(&settings, argc, argv, explanation);
    if (r == 0 && settings.help) {
        cli_options_help(stdout);
        status = printed();
    } else if (r == 0 && settings.version) {
        printf("asynwsgi %s (Python %s)\n", PACKAGE_VERSION, wsgi_python_version);
        status = printed();
    } else if (r < 0 || (r = cli_settings_apply(&settings, explanation)) < 0) {
        fprintf(stderr, "asynwsgi: %s\n", r == -EINVAL ? explanation : strerror(-r));
        status = r == -EINVAL ? SERVER_USAGE : SERVER_FAILED;
    } else {
        status = run(&settings);
    }
    cli_settings_fini(&settings);
    return status;
}
