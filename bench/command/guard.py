"""A process beside each command that is run, which ends the command and all that it has started.

It is in a session of its own, so that Ctrl+C does not reach it or the command; adopts what loses its
parent below it, such as the children of a daemon; and reads from a pipe that nobody writes to. When
that ends, by our closing it or by our death, it sends the command TERM, and KILL to all that is left
after a while. Should it be killed itself, the command is killed, too.

The folder of a command is the guard's: made by it, and removed when nothing runs any more.
"""

import contextlib
import ctypes
import fcntl
import os
import select
import shutil
import signal
import subprocess
import sys

GRACE = 3  # seconds from TERM to KILL
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # that end us in an orderly way
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36

libc = ctypes.CDLL(None, use_errno=True)


def prctl(option, value):
    if libc.prctl(option, value, 0, 0, 0) < 0:
        raise OSError(ctypes.get_errno(), "prctl")


def descendants(pid):
    """Of a process, and not itself."""
    found = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as file:
                for child in file.read().split():
                    found += [int(child), *descendants(child)]
    return found


def kill_all():
    """Until there is none; those whose parent dies become children of ours."""
    while True:
        for pid in descendants(os.getpid()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def watch(command, lifeline):
    """Until the command ends, or is ended; its status."""
    done = os.pidfd_open(command.pid)
    poll = select.poll()
    poll.register(done, select.POLLIN)
    poll.register(lifeline, select.POLLIN)
    if done not in dict(poll.poll()):
        command.terminate()
        poll.unregister(lifeline)
        poll.poll(GRACE * 1000)
    # What it has started may still be at it: a server that leaves its workers is no server.
    status = command.poll()
    kill_all()
    return status


@contextlib.contextmanager
def folder_of(path, files):
    """With these files; None: there is none."""
    if not path:
        yield
        return
    os.mkdir(path, 0o700)
    try:
        for name, text in files.items():
            with open(os.path.join(path, name), "w", encoding="utf-8") as file:
                file.write(text)
        yield
    finally:
        shutil.rmtree(path, ignore_errors=True)


def guard(argv, lifeline, folder, files, how):
    os.setsid()
    for number in SIGNALS:
        signal.signal(number, lambda *_: None)  # a handler, since exec() hands on what is ignored
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        with folder_of(folder, files):
            command = subprocess.Popen(argv, stdin=subprocess.DEVNULL, **how,
                                       preexec_fn=lambda: prctl(PR_SET_PDEATHSIG, signal.SIGKILL))
            status = watch(command, lifeline)
    except (OSError, ValueError) as error:
        print(f"{getattr(error, 'filename', None) or argv[0]}: {getattr(error, 'strerror', error)}",
              file=sys.stderr, flush=True)
        return 127
    if status is None:
        return 128 + signal.SIGKILL
    return status if status >= 0 else 128 - status


class Guarded:
    """A command, as subprocess.Popen has one; its output goes to these files. It may have a folder, with
    {name: text}, as long as it runs."""
    running = []

    def __init__(self, argv, stdout, stderr, folder=None, files=None, **how):
        lifeline, self.lifeline = os.pipe()
        self.status = None
        sys.stdout.flush()
        sys.stderr.flush()
        # Python loses an exception in what it does itself at a fork, and a signal's handler raises one.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                numbers = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (lifeline, stdout, stderr)]
                for number, wanted in zip(numbers, (3, 1, 2)):
                    os.dup2(number, wanted, inheritable=False)
                os.closerange(4, os.sysconf("SC_OPEN_MAX"))
                os.set_inheritable(1, True)
                os.set_inheritable(2, True)
                status = guard(argv, 3, folder, files or {}, how)
            finally:
                os._exit(status)
        os.close(lifeline)
        self.running.append(self)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

    def poll(self, wait=False):
        """The status, if it has ended."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, 0 if wait else os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status

    def cpu_seconds(self):
        """That it, and all that it has started, has used."""
        ticks = 0
        for pid in descendants(self.pid):
            with contextlib.suppress(OSError):
                with open(f"/proc/{pid}/stat") as file:
                    # utime, stime, and those of children that have ended
                    ticks += sum(map(int, file.read().rpartition(")")[2].split()[11:15]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def end(self):
        """Have it end."""
        if self.lifeline is not None:
            lifeline, self.lifeline = self.lifeline, None
            os.close(lifeline)

    def stop(self):
        """Once it returns, nothing of the command runs."""
        self.end()
        self.poll(wait=True)


def stop_all():
    """Whatever has not been stopped, since a signal came in the middle of something."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    for command in Guarded.running:
        command.stop()
