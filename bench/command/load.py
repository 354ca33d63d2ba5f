"""Running asynwsgi-load: several processes at once, whose lines are read as they come."""

import contextlib
import json
import os
import selectors
import shutil
import signal
import sys
import tempfile

from .failure import Failure, Stopped, Usage
from .guard import Guarded


def find(name):
    """A program of ours: beside this one, or on PATH."""
    beside = os.path.join(os.path.dirname(os.path.realpath(sys.argv[0])), name)
    found = beside if os.access(beside, os.X_OK) else shutil.which(name)
    if not found:
        raise Failure(f"{name} is neither in {os.path.dirname(beside)} nor on PATH")
    return found


class Client:
    """A process of asynwsgi-load: its intervals so far, and in the end its result."""

    def __init__(self, group, words):
        self.group, self.result, self.intervals, self.rest = group, None, [], b""
        self.stderr = tempfile.TemporaryFile()
        self.output, output = os.pipe()
        try:
            self.process = Guarded([find("asynwsgi-load"), *words], output, self.stderr.fileno())
        finally:
            os.close(output)

    def read(self):
        """What there is; whether there will be more."""
        data = os.read(self.output, 1 << 20)
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            event = json.loads(line)
            kind = event.pop("event", None)
            if kind == "interval":
                self.intervals.append(event)
            elif kind == "end":
                self.result = {**event, "intervals": self.intervals}
        return bool(data)

    def check(self):
        """It has ended."""
        status = self.process.poll(wait=True)
        if self.result is None:
            self.stderr.seek(0)
            lines = self.stderr.read().decode(errors="replace").split("\n")
            last = next((line for line in reversed(lines) if line), f"ended with status {status}")
            raise (Usage if status == 2 else Failure)(last if "asynwsgi-load" in last else f"asynwsgi-load: {last}")

    def stop(self):
        self.process.stop()
        os.close(self.output)
        self.stderr.close()


@contextlib.contextmanager
def caught_signals(then):
    """A list that has the first signal as soon as it comes, when `then` is called. A second one is as ever."""
    caught, numbers = [], (signal.SIGINT, signal.SIGTERM)
    handlers = [signal.getsignal(number) for number in numbers]

    def restore():
        for number, handler in zip(numbers, handlers):
            signal.signal(number, handler)

    def catch(number, _):
        restore()
        caught.append(number)
        then()

    for number in numbers:
        signal.signal(number, catch)
    try:
        yield caught
    finally:
        restore()


def read_all(clients, progress, caught):
    """To their ends."""
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client.output, selectors.EVENT_READ, client)
        while selector.get_map():
            for key, _ in selector.select():
                if not key.data.read():
                    selector.unregister(key.fd)
                    if not caught:
                        key.data.check()
            if progress:
                progress.show([client.intervals for client in clients])


def run(commands, progress=None):
    """Runs [(group, words for asynwsgi-load)] at the same time; ({group: [result of each]}, None), or in place
    of None a Stopped, by which it has ended early."""
    clients, results = [], {}

    def end():
        for client in clients:
            client.process.end()

    try:
        with caught_signals(end) as caught:
            for group, words in commands:
                clients.append(Client(group, words))
            if caught:
                end()
            read_all(clients, progress, caught)
    finally:
        if progress:
            progress.clear()
        for client in clients:
            client.stop()
    stopped = Stopped(caught[0]) if caught else None
    for client in clients:
        if not client.result:  # it had not begun
            raise stopped
        results.setdefault(client.group, []).append(client.result)
    return results, stopped
