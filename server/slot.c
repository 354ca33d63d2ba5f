/* A slot. */
#include "slot.h"

#include "backoff.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A byte says that it has booted.  The end, that it has closed: SIGCHLD will tell the rest. */
static void read_lifeline(struct server_slot *slot)
{
    char byte;

    if (recv(slot->lifeline.fd, &byte, 1, MSG_DONTWAIT) == 1) {
        slot->booted = true;
        slot->booted_at = dispatch_now(slot->lifeline.loop);
    } else {
        dispatch_remove(&slot->lifeline);
    }
}

static void lifeline_ready(struct dispatch_target *target, unsigned events)
{
    struct server_slot *slot = (void *)((char *)target - offsetof(struct server_slot, lifeline));

    (void)events;
    read_lifeline(slot);
    slot->changed(slot);
}

void server_slot_init(struct server_slot *slot, void (*changed)(struct server_slot *slot),
                      void *context)
{
    *slot = (struct server_slot){
        .lifeline = {.ready = lifeline_ready, .fd = -1}, .changed = changed, .context = context};
}

static int open_lifeline(int ends[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        return -errno;
    for (int i = 0; i < 2; i++)
        fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    return 0;
}

static pid_t fork_blocked(void)
{
    sigset_t all, former;
    pid_t pid;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &former);
    pid = fork();
    if (pid != 0)
        sigprocmask(SIG_SETMASK, &former, NULL);
    return pid < 0 ? -errno : pid;
}

int server_slot_start(struct server_slot *slot, struct dispatch *loop, int *lifeline)
{
    int ends[2];
    int r = open_lifeline(ends);

    if (r < 0)
        return r;
    r = dispatch_add(loop, &slot->lifeline, ends[0], DISPATCH_READ);
    if (r < 0) {
        close(ends[0]);
        close(ends[1]);
        return r;
    }
    r = fork_blocked();
    if (r == 0) {
        *lifeline = ends[1];
        return 0;
    }
    close(ends[1]);
    if (r < 0)
        server_slot_close(slot);
    else
        slot->pid = r;
    slot->booted = false;
    return r;
}

bool server_slot_reap(struct server_slot *slot, uint64_t now, int *status)
{
    if (slot->pid == 0 || waitpid(slot->pid, status, WNOHANG) != slot->pid)
        return false;
    slot->pid = 0;
    if (slot->lifeline.loop && !slot->booted)
        read_lifeline(slot);
    server_slot_close(slot);
    server_slot_delay(slot, now);
    return true;
}

void server_slot_delay(struct server_slot *slot, uint64_t now)
{
    slot->pause = server_backoff(slot->pause, slot->booted ? now - slot->booted_at : 0);
    slot->due = now + slot->pause;
}

void server_slot_close(struct server_slot *slot)
{
    dispatch_remove(&slot->lifeline);
    if (slot->lifeline.fd >= 0)
        close(slot->lifeline.fd);
    slot->lifeline.fd = -1;
}
