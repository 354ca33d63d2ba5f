"""A server as processes: started on a core, asked for its CPU time and memory, stopped."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import time

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def connect(address, timeout=20):
    """To a port of this machine or the path of a unix socket. Closing it leaves no TIME_WAIT."""
    sock = socket.socket(socket.AF_INET if isinstance(address, int) else socket.AF_UNIX)
    sock.settimeout(timeout)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    sock.connect(("127.0.0.1", address) if isinstance(address, int) else address)
    return sock


@contextlib.contextmanager
def pinned(cpu):
    """Children that are started meanwhile run on that core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Server:
    """A running server, and what all the processes of its session take."""

    def __init__(self, command, cpu, address=None, cwd=HERE, env=None, patience=20):
        """`command` makes the arguments of an address, which is a free port unless it is given."""
        self.port = self.address = address or free_port()
        with pinned(cpu):
            self.process = subprocess.Popen(
                command(self.address), cwd=cwd, env=env, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + patience
        while True:
            try:
                connect(self.address, 1).close()
                return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    self.stop()
                    raise RuntimeError(f"{self.process.args[0]} did not start") from None
                time.sleep(0.0005)

    def pids(self):
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat") as stat:
                    if int(stat.read().rpartition(")")[2].split()[3]) == self.process.pid:
                        yield pid
            except OSError:
                pass

    def cpu_ns(self):
        """Run time of all threads, in user space and in the kernel."""
        total = 0
        for pid in self.pids():
            try:
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/schedstat") as schedstat:
                        total += int(schedstat.read().split()[0])
            except OSError:
                pass
        return total

    def memory(self, what):
        """Bytes of each process, as smaps_rollup counts: "Rss" or "Private_(?:Clean|Dirty)"."""
        found = []
        for pid in self.pids():
            with open(f"/proc/{pid}/smaps_rollup") as rollup:
                found.append(1024 * sum(map(int, re.findall(rf"^{what}: +(\d+)", rollup.read(), re.M))))
        return found

    def stop(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
