"""A running server: the command that $ASYNWSGI names, its address, its log and its processes."""
import os
import pathlib
import re
import signal
import subprocess
import time

import peer


def eventually(condition, seconds=10):
    """Waits for a condition to hold, and gives its value."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f'still {value!r} after {seconds} s')
        time.sleep(0.01)


class Server:
    """The log is what it wrote on standard error. Applications can leave notes for their test in
    the folder that they find as $NOTES (apps/notes.py)."""

    def __init__(self, folder, apps, application, *options, bind='127.0.0.1:0', env=()):
        self.logfile = folder / 'log'
        self.notes = folder / 'notes'
        self.notes.mkdir()
        with open(self.logfile, 'wb') as log:
            self.process = subprocess.Popen(
                [os.environ['ASYNWSGI'], '--bind', bind, '--chdir', str(apps), *options,
                 application],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, 'NOTES': str(self.notes), **dict(env)})
        try:
            self.address = eventually(self._listens, 20)
            self.pids = eventually(self.workers, 20)
        except BaseException:
            self.process.kill()
            self.process.wait()
            print(self.log())
            raise
        if self.address.startswith('http://'):
            self.url = self.address
            self.host, port = self.url[len('http://'):].rsplit(':', 1)
            self.port = int(port)
            self.authority = f'{self.host}:{self.port}'

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        faults = self.stop()
        if kind is None:
            assert not faults

    def _listens(self):
        assert self.process.poll() is None, self.log()
        found = re.search(r'Listening at: (\S+)', self.log())
        return found and found.group(1)

    def log(self):
        return self.logfile.read_text('utf-8', 'replace')

    def logged(self, text, times=1):
        """Waits for a text in the log."""
        def found():
            return self.log().count(text) >= times
        try:
            return eventually(found)
        except AssertionError:
            raise AssertionError(f'no {text!r} in the log:\n{self.log()}') from None

    def noted(self, name, *lines):
        """Waits for the notes of that name to be these lines."""
        file = self.notes / name

        def read():
            return file.read_text().splitlines() if file.exists() else []
        try:
            eventually(lambda: read() == list(lines), 5)
        except AssertionError:
            assert read() == list(lines)

    # -- its processes ------------------------------------------------------------------------

    def workers(self):
        pid = self.process.pid
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
        return found

    def connections(self):
        return sum(link.startswith('socket:') for link in self.descriptors())

    def resident(self):
        """Bytes of memory that the workers take."""
        return sum(1024 * int(re.search(r'VmRSS:\s+(\d+) kB',
                                        pathlib.Path(f'/proc/{pid}/status').read_text()).group(1))
                   for pid in self.workers())

    def sanitized(self):
        return b'__asan_init' in pathlib.Path(os.environ['ASYNWSGI']).read_bytes()

    def stop(self):
        """Ends it, and gives what was wrong with its life: a list of sentences."""
        faults = []
        if self.process.poll() is None:
            if self.workers() != self.pids:
                faults.append(f'workers {self.pids} have become {self.workers()}')
            self.process.send_signal(signal.SIGTERM)
        try:
            if self.process.wait(20) != 0:
                faults.append(f'exit status {self.process.returncode}')
        except subprocess.TimeoutExpired:
            faults.append('still running 20 s after SIGTERM')
            for pid in self.workers():
                os.kill(pid, signal.SIGKILL)
            self.process.kill()
            self.process.wait()
        if faults:
            print(self.log())
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
