#define _GNU_SOURCE
/*
 * sendfile(2) is Linux'.  It knows no MSG_NOSIGNAL, so SIGPIPE is blocked around
 * it, and taken if it came, as it may when a part was sent before: an application
 * may have it do anything.
 */
#include "stream.h"

#include <errno.h>

#ifdef __linux__
#include <signal.h>
#include <sys/sendfile.h>
#include <time.h>

ssize_t tcpsocket_sendfile(int socket, int file, uint64_t offset, size_t length)
{
    const struct timespec now = {0};
    off_t place = (off_t)offset;
    sigset_t pipe, before;
    ssize_t taken;

    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    taken = sendfile(socket, file, &place, length);
    if (taken < 0)
        taken = -errno;
    if (!sigismember(&before, SIGPIPE)) {
        if (taken < (ssize_t)length)
            sigtimedwait(&pipe, NULL, &now);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    return taken;
}
#else
ssize_t tcpsocket_sendfile(int socket, int file, uint64_t offset, size_t length)
{
    (void)socket, (void)file, (void)offset, (void)length;
    return -ENOSYS;
}
#endif
