/* The error log. */
#include "log.h"

#include "escape.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Of a line; at most what a pipe takes in one piece (PIPE_BUF). */
enum {
    LINE = 4096,
    MESSAGE = 1024
};

const char *const server_log_levels[] = {"debug", "info", "warning", "error", "critical", NULL};

int server_log_open(const char *file, int standard, int *fd)
{
    if (strcmp(file, "-") == 0) {
        *fd = standard;
        return 0;
    }
    int opened = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);

    if (opened < 0)
        return -errno;
    *fd = opened;
    return 0;
}

void server_log_close(int fd)
{
    if (fd > STDERR_FILENO)
        close(fd);
}

void server_log_write(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, data, length);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return;
        data += n;
        length -= (size_t)n;
    }
}

/* What stands before the text. */
static size_t write_prefix(char line[LINE], enum server_log_level level)
{
    time_t now = time(NULL);
    struct tm tm;
    size_t length = strftime(line, LINE, "%Y-%m-%d %H:%M:%S %z", localtime_r(&now, &tm));
    int n = snprintf(line + length, LINE - length, " [%ld] [%s] ", (long)getpid(),
                     server_log_levels[level]);

    return length + (size_t)n;
}

void server_log_text(const struct server_log *log, enum server_log_level level, const char *text,
                     size_t length)
{
    const unsigned char *rest = (const unsigned char *)text;
    int saved = errno;

    if (level < log->level)
        return;
    do {
        char line[LINE];
        size_t used = write_prefix(line, level), taken;

        used += server_escape(rest, length, false, line + used, sizeof line - 1 - used, &taken);
        line[used++] = '\n';
        server_log_write(log->fd, line, used);
        rest += taken;
        length -= taken;
    } while (length > 0);
    errno = saved;
}

void server_log_print(const struct server_log *log, enum server_log_level level, const char *format,
                      ...)
{
    char text[MESSAGE];
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);

    va_end(arguments);
    if (length >= (int)sizeof text)
        length = (int)sizeof text - 1;
    if (length >= 0)
        server_log_text(log, level, text, (size_t)length);
}
