/*
 * Resolving: names by getaddrinfo(3), which may block for many seconds and so has a
 * thread of its own; addresses at once.
 *
 * The job is shared by the caller's object and the thread, and freed by whoever is
 * done with it last.  Under its mutex: `resolve` is NULL once nobody waits for the
 * result any more, and the waker is only woken while it is not, so that never a
 * waker is woken that was removed.
 */
#include <asynwsgi/httpclient.h>

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum {
    HOST_ROOM = 254 /* a name has at most 253 characters (RFC 1035, 3.1) */
};

struct httpclient_resolve_job {
    pthread_mutex_t lock;
    struct httpclient_resolve *resolve;
    bool finished; /* the thread has ended, or there is none */
    int error;
    uint16_t port;
    size_t count;
    struct tcpsocket_address addresses[HTTPCLIENT_ADDRESSES];
    char host[HOST_ROOM];
};

static void free_job(struct httpclient_resolve_job *job)
{
    pthread_mutex_destroy(&job->lock);
    free(job);
}

static int resolve_error(int error)
{
    switch (error) {
    case EAI_AGAIN:
        return -EAGAIN;
    case EAI_MEMORY:
        return -ENOMEM;
    case EAI_SYSTEM:
        return errno ? -errno : -EIO;
    default:
        return -ENOENT;
    }
}

static void keep(struct httpclient_resolve_job *job, const struct addrinfo *found)
{
    struct tcpsocket_address *address = &job->addresses[job->count];

    if (found->ai_family != AF_INET && found->ai_family != AF_INET6)
        return;
    *address = (struct tcpsocket_address){.length = found->ai_addrlen};
    memcpy(&address->socket, found->ai_addr, found->ai_addrlen);
    if (found->ai_family == AF_INET6)
        address->socket.v6.sin6_port = htons(job->port);
    else
        address->socket.v4.sin_port = htons(job->port);
    job->count++;
}

/* Their order is that of RFC 6724, which getaddrinfo(3) sees to. */
static int look_up(struct httpclient_resolve_job *job, int flags)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags};
    struct addrinfo *found;
    int error = getaddrinfo(job->host, NULL, &hints, &found);

    if (error)
        return resolve_error(error);
    for (struct addrinfo *at = found; at && job->count < HTTPCLIENT_ADDRESSES; at = at->ai_next)
        keep(job, at);
    freeaddrinfo(found);
    return job->count > 0 ? 0 : -ENOENT;
}

static void *run(void *argument)
{
    struct httpclient_resolve_job *job = argument;
    bool wanted;
    int error = look_up(job, 0);

    pthread_mutex_lock(&job->lock);
    job->error = error;
    job->finished = true;
    wanted = job->resolve != NULL;
    if (wanted)
        dispatch_wake(&job->resolve->waker);
    pthread_mutex_unlock(&job->lock);
    if (!wanted)
        free_job(job);
    return NULL;
}

/* A detached thread, in which no signal handler of the process runs. */
static int start_thread(struct httpclient_resolve_job *job)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    pthread_t thread;
    int error = pthread_attr_init(&attributes);

    if (error)
        return -error;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&thread, &attributes, run, job);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return -error;
}

/* Take the job away from the caller's object. */
static struct httpclient_resolve_job *detach(struct httpclient_resolve *resolve)
{
    struct httpclient_resolve_job *job = resolve->job;

    dispatch_waker_remove(&resolve->waker);
    resolve->job = NULL;
    return job;
}

static void woken(struct dispatch_waker *waker)
{
    struct httpclient_resolve *resolve =
        (void *)((char *)waker - offsetof(struct httpclient_resolve, waker));
    struct httpclient_resolve_job *job = resolve->job;

    /* Once the thread lets go of this it has nothing to do with the job any more. */
    pthread_mutex_lock(&job->lock);
    pthread_mutex_unlock(&job->lock);
    detach(resolve);
    resolve->done(resolve, job->error, job->addresses, job->count);
    free_job(job);
}

static int start(struct httpclient_resolve *resolve, struct httpclient_resolve_job *job)
{
    int error = look_up(job, AI_NUMERICHOST);

    if (error == 0) {
        job->finished = true;
        dispatch_wake(&resolve->waker);
        return 0;
    }
    return error == -ENOENT ? start_thread(job) : error;
}

int httpclient_resolve_start(struct httpclient_resolve *resolve, struct dispatch *loop,
                             const char *host, size_t host_length, uint16_t port)
{
    struct httpclient_resolve_job *job;
    int error;

    if (host_length == 0 || host_length >= HOST_ROOM || memchr(host, '\0', host_length))
        return -EINVAL;
    job = calloc(1, sizeof *job);
    if (!job)
        return -ENOMEM;
    memcpy(job->host, host, host_length);
    job->port = port;
    job->resolve = resolve;
    error = -pthread_mutex_init(&job->lock, NULL);
    if (error)
        goto fail;
    resolve->waker = (struct dispatch_waker){.woken = woken};
    error = dispatch_waker_add(loop, &resolve->waker);
    if (error)
        goto fail_lock;
    error = start(resolve, job);
    if (error)
        goto fail_waker;
    resolve->job = job;
    return 0;

fail_waker:
    dispatch_waker_remove(&resolve->waker);
fail_lock:
    pthread_mutex_destroy(&job->lock);
fail:
    free(job);
    return error;
}

void httpclient_resolve_cancel(struct httpclient_resolve *resolve)
{
    struct httpclient_resolve_job *job = resolve->job;
    bool finished;

    if (!job)
        return;
    pthread_mutex_lock(&job->lock);
    job->resolve = NULL;
    finished = job->finished;
    pthread_mutex_unlock(&job->lock);
    detach(resolve);
    if (finished)
        free_job(job);
}
