"""Running asynwsgi-load: several processes at once, whose lines are read as they come."""

import json
import os
import selectors
import shutil
import sys
import tempfile

from .failure import Failure, Usage
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


def run(commands, progress=None):
    """Runs [(group, words for asynwsgi-load)] at the same time; {group: [result of each]}."""
    clients, results = [], {}
    try:
        with selectors.DefaultSelector() as selector:
            for group, words in commands:
                clients.append(Client(group, words))
                selector.register(clients[-1].output, selectors.EVENT_READ, clients[-1])
            while selector.get_map():
                for key, _ in selector.select():
                    if not key.data.read():
                        selector.unregister(key.fd)
                        key.data.check()
                if progress:
                    progress.show([client.intervals for client in clients])
    finally:
        if progress:
            progress.clear()
        for client in clients:
            client.stop()
    for client in clients:
        results.setdefault(client.group, []).append(client.result)
    return results
