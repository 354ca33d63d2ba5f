"""A server with an application of apps/: its address, its log, its processes, and what the
application notes."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import pytest

import command
import peer


def eventually(condition, seconds=10):
    """Waits for a condition to hold, and gives its value."""
    deadline = time.monotonic() + seconds * command.FACTOR
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f'still {value!r} after {seconds} s')
        time.sleep(0.01)


def needs(program):
    """Marks what can be tested only where there is that program."""
    return pytest.mark.skipif(not shutil.which(program), reason=f'there is no {program}')


running = []  # servers and proxies, for the report of a failure


class Server:
    """Applications can leave notes for their test in the folder that they find as $NOTES
    (apps/notes.py)."""

    def __init__(self, folder, apps, application, *options, bind='127.0.0.1:0', env={}):
        self.application = application
        self.notes = folder / 'notes'
        self.notes.mkdir()
        self.command = command.Running(
            [os.environ['ASYNWSGI'], '--bind', bind, '--chdir', str(apps), *options, application],
            env=command.environment(NOTES=str(self.notes), **env))
        try:
            self.address, = self.command.wait_ready().addresses
            self.pids = eventually(self.workers)
        except BaseException:
            self.command.stop()
            raise
        if self.address.startswith('http://'):
            self.url = self.address
            self.authority = self.url[len('http://'):]
            self.host, port = self.authority.rsplit(':', 1)
            self.port = int(port)
        running.append(self)

    def __str__(self):
        return f'{self.application} at {self.address}'

    @property
    def log(self):
        return self.command.log

    def logged(self, text, lines=1):
        """Waits for a text to be in that many lines of the log."""
        self.command.wait_for(re.escape(text), lines)

    def noted(self, name, *lines, sort=False):
        """Waits for the notes of that name to be these lines; with sort, in any order."""
        file = self.notes / name
        lines = sorted(lines) if sort else list(lines)

        def read():
            found = file.read_text().splitlines() if file.exists() else []
            return sorted(found) if sort else found
        try:
            eventually(lambda: read() == lines, 5)
        except AssertionError:
            assert read() == lines

    # -- its processes --------------------------------------------------------------------------

    def workers(self):
        pid = self.command.pid
        return [int(child) for child in
                pathlib.Path(f'/proc/{pid}/task/{pid}/children').read_text().split()]

    def descriptors(self):
        """What the workers have open, each as the target of its link in /proc."""
        found = []
        for pid in self.workers():
            for link in pathlib.Path(f'/proc/{pid}/fd').iterdir():
                try:
                    found.append(os.readlink(link))
                except FileNotFoundError:
                    pass
        return [link for link in found if 'valgrind' not in link]

    def connections(self):
        """The number of sockets among them."""
        return sum(link.startswith('socket:') for link in self.descriptors())

    def at_rest(self, target):
        """What it has open, sorted, when one client is connected, whose requests are for that
        target, and all that were before have been seen. Sockets and pipes have no numbers."""
        with self.connect() as client:
            for _ in range(2):
                client.send(peer.request('GET', target))
                client.response()
            return sorted(link.split(':[')[0] for link in self.descriptors())

    def resident(self):
        """Bytes of memory that the workers take."""
        return sum(1024 * int(re.search(r'VmRSS:\s+(\d+) kB',
                                        pathlib.Path(f'/proc/{pid}/status').read_text()).group(1))
                   for pid in self.workers())

    def stop(self):
        """Ends it, and gives what was wrong with its life: a list of sentences."""
        faults = []
        if self.command.process.poll() is None and self.workers() != self.pids:
            faults.append(f'workers {self.pids} have become {self.workers()}')
        self.command.signal(signal.SIGTERM)
        try:
            if (status := self.command.wait()) != 0:
                faults.append(f'exit status {status}')
        except subprocess.TimeoutExpired:
            faults.append('does not end by SIGTERM')
        self.command.stop()
        running.remove(self)
        if 'Sanitizer' in self.log:
            faults.append('a fault that a sanitizer found')
        if faults:
            print(self.log)
        return faults

    # -- talking to it ------------------------------------------------------------------------

    def connect(self):
        return peer.Peer((self.host, self.port))

    def ask(self, request, method='GET'):
        """One request on a connection of its own, and its response."""
        with self.connect() as client:
            client.send(request)
            return client.response(method)

    def get(self, target, *fields):
        return self.ask(peer.request('GET', target, *fields))

    def post(self, target, body, *fields):
        return self.ask(peer.request('POST', target, *fields, body=body))
