"""Measures, each kind of figure in its way. Servers take turns within each round."""

import concurrent.futures
import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time

from measure.client import Client, Wrong, check, load
from measure.process import Server, connect, pinned
from measure.servers import APPS

ROUNDS_OF_A_START = 5  # then servers are started anew, since where their memory lies has an effect
MANY_CONNECTIONS = 8000


def start(servers, name, traffic, options, wrap=(), patience=20):
    command = servers.command(name, traffic)
    path = f"{servers.folder}/{name.replace(' ', '')}.sock" if traffic.unix else None
    if path:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
    return Server(lambda address: [*wrap, *command(address)], options.cpus[0], path, APPS,
                  os.environ | {"BENCH_FILE": f"{servers.folder}/file", "PYTHONHASHSEED": "1"}, patience)


def cpu_time(server, traffic, options, single=False):
    """Nanoseconds a request."""
    with contextlib.ExitStack() as stack:
        for _ in range(traffic.idle):
            stack.enter_context(contextlib.closing(connect(server.address)))
        before = server.cpu_ns()
        requests = load(server.address, traffic, options, 1 if single else traffic.connections)
        return (server.cpu_ns() - before) / requests


class Samples:
    """Of a scenario: those of each server that went well, and what went wrong."""

    def __init__(self, names):
        self.taken = {name: [] for name in names}
        self.wrong = {}

    @contextlib.contextmanager
    def of(self, name):
        """A server that does wrong is left out from then on."""
        try:
            yield self.taken[name]
        except (Wrong, OSError, RuntimeError, subprocess.SubprocessError) as error:
            self.wrong[name] = str(error)

    def left(self):
        return [name for name in self.taken if name not in self.wrong]


def of_cpu(servers, scenario, options, samples):
    rounds = range(options.rounds)
    for first in rounds[::ROUNDS_OF_A_START]:
        with contextlib.ExitStack() as stack:
            running = {}
            for name in samples.left():
                with samples.of(name):
                    server = start(servers, name, scenario.traffic, options)
                    stack.callback(server.stop)
                    check(server.address, scenario.traffic)
                    running[name] = server
            for _ in rounds[first:first + ROUNDS_OF_A_START]:
                for name in samples.left():
                    with samples.of(name) as taken:
                        taken.append(cpu_time(running[name], scenario.traffic, options,
                                              servers.is_single(name)))


def of_framework(servers, scenario, options, samples):
    """The same, and the application alone, that is called without a server."""
    of_cpu(servers, scenario, options, samples)
    samples.taken["raw"] = []
    with samples.of("raw") as taken:
        for _ in range(options.rounds):
            with pinned(options.cpus[0]):
                taken.append(float(subprocess.run(
                    [sys.executable, f"{APPS}/alone.py", scenario.traffic.app],
                    capture_output=True, text=True, check=True).stdout))


def of_start(servers, scenario, options, samples):
    """Milliseconds to the first response; raw: that the interpreter takes to import the application."""
    for _ in range(options.rounds):
        for name in samples.left():
            with samples.of(name) as taken:
                before = time.monotonic()
                if name == "raw":
                    with pinned(options.cpus[0]):
                        subprocess.run([sys.executable, "-c", f"import {scenario.traffic.app}"],
                                       cwd=APPS, check=True)
                    taken.append(1000 * (time.monotonic() - before))
                    continue
                server = start(servers, name, scenario.traffic, options)
                try:
                    with Client(server.address) as client:
                        client.send(scenario.traffic.request)
                        client.body_size()
                    taken.append(1000 * (time.monotonic() - before))
                finally:
                    server.stop()


def ask_each(clients, request):
    for client in clients:
        client.send(request)
        client.body_size()


def of_memory(servers, scenario, options, samples):
    """Private bytes of an idle connection that has had a request."""
    request = scenario.traffic.request
    for name in samples.left():
        with samples.of(name) as taken:
            server = start(servers, name, scenario.traffic, options)
            with contextlib.ExitStack() as stack:
                stack.callback(server.stop)

                def open_and_ask(count):
                    for _ in range(count):
                        client = stack.enter_context(contextlib.closing(connect(server.address)))
                        client.sendall(request)
                        if not client.recv(4096).startswith(b"HTTP/1.1 200"):
                            raise Wrong("refused a connection")

                open_and_ask(100)
                before = sum(server.memory("Private_(?:Clean|Dirty)"))
                open_and_ask(MANY_CONNECTIONS)
                taken.append((sum(server.memory("Private_(?:Clean|Dirty)")) - before) / MANY_CONNECTIONS)


def of_resident(servers, scenario, options, samples):
    """KiB that an idle worker has in memory, the largest process of its server."""
    for name in samples.left():
        with samples.of(name) as taken:
            server = start(servers, name, scenario.traffic, options)
            try:
                check(server.address, scenario.traffic)
                taken.append(max(server.memory("Rss")) / 1024)
            finally:
                server.stop()


def of_size(servers, scenario, options, samples):
    """KiB of what is loaded to run, beside libraries of the system and Python."""
    for name in samples.left():
        with samples.of(name) as taken:
            total = 0
            for binary in servers.binaries(name):
                with tempfile.NamedTemporaryFile() as stripped:
                    subprocess.run(["strip", "-o", stripped.name, binary], check=True)
                    total += os.path.getsize(stripped.name)
            taken.append(total / 1024)


def of_instructions(servers, scenario, options, samples):
    """In user space, for each request of one connection."""
    for name in samples.left():
        with samples.of(name) as taken, concurrent.futures.ThreadPoolExecutor() as pool:
            few, many = pool.map(lambda count: instructions(servers, name, scenario.traffic, options, count),
                                 (300, 1300))
            if many <= few:
                raise Wrong("not all of its processes were counted")
            taken.append((many - few) / 1000)


def instructions(servers, name, traffic, options, count):
    """In all, of a server that answers so many requests."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)  # nginx's worker is another user
        server = start(servers, name, traffic, options, patience=120, wrap=[
            "valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/%p"])
        try:
            with Client(server.address, 60) as client:
                for _ in range(count):
                    client.send(traffic.request)
                    client.body_size()
            server.process.terminate()
            server.process.wait(60)
        finally:
            server.stop()
        total = 0
        for dump in os.scandir(folder):
            with open(dump) as file:
                total += int(re.search(r"^(?:summary|totals): (\d+)", file.read(), re.M)[1])
        return total
