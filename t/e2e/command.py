"""The command as a process: started and stopped, its log, its signals. Nothing here waits longer
than PATIENCE seconds."""

import ctypes
import http.client
import os
import re
import resource
import shlex
import signal
import socket
import subprocess
import threading
import time

# How much more time than usual everything is given: the command may run under valgrind.
FACTOR = float(os.environ.get('ASYNWSGI_TEST_PATIENCE', 1))
PATIENCE = 20 * FACTOR

HELLO = '''
    def application(environ, start_response):
        start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', '6')])
        return [b'Hello\\n']
'''


def environment(**variables):
    """The environment of the tests, without what the command would take an option from."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(('ASYNWSGI_', 'PYTHONPATH'))
            and name not in ('PORT', 'WEB_CONCURRENCY', 'VIRTUAL_ENV')}
    for name in ('ASYNWSGI_BACKEND', 'ASYNWSGI_THREADS'):
        if name in os.environ:
            kept[name] = os.environ[name]
    return {**kept, **variables}


def program(name):
    """The words that start another of the programs, which are beside the command."""
    folder = os.environ.get('ASYNWSGI_TEST_PROGRAMS') or os.path.dirname(os.environ['ASYNWSGI'])
    return [*shlex.split(os.environ.get('ASYNWSGI_TEST_WRAP', '')), os.path.join(folder, name)]


def limits_descriptors(soft, hard):
    """For Popen's preexec_fn; to root they apply, too: without CAP_SYS_RESOURCE (24) it may raise no
    limit (PR_CAPBSET_DROP)."""
    def limit():
        ctypes.CDLL(None).prctl(24, 24, 0, 0, 0)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return limit


def instrumented():
    """Whether the command's memory is not its own: a sanitizer's, or that of what it runs under."""
    with open(os.environ['ASYNWSGI'], 'rb') as program:
        return bool(os.environ.get('ASYNWSGI_TEST_WRAP')) or b'__asan_init' in program.read()


class Response:
    def __init__(self, response):
        self.status = response.status
        self.reason = response.reason
        self.headers = response.headers
        self.body = response.read()


class Running:
    """A running command, with the lines of its error log so far."""

    def __init__(self, arguments, **popen):
        self.lines = []
        self.news = threading.Condition()
        self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **popen)
        self.pid = self.process.pid
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stderr:
            with self.news:
                self.lines.append(line.decode(errors='replace').rstrip('\n'))
                self.news.notify_all()
        with self.news:
            self.lines.append(None)
            self.news.notify_all()

    @property
    def log(self):
        return '\n'.join(line for line in self.lines if line is not None)

    def forget(self):
        """Lets go of the log so far, if there will be much of it."""
        with self.news:
            self.lines.clear()

    def wait_for(self, pattern, count=1, timeout=PATIENCE):
        """The matches of a pattern in the log, as soon as there are `count`."""
        deadline = time.monotonic() + timeout
        with self.news:
            while True:
                found = [m for m in (re.search(pattern, line) for line in self.lines if line) if m]
                if len(found) >= count:
                    return found
                left = deadline - time.monotonic()
                if left <= 0 or None in self.lines:
                    raise AssertionError(f'no {pattern!r} in:\n{self.log}')
                self.news.wait(left)

    def wait_ready(self, addresses=1):
        self.addresses = [m[1] for m in self.wait_for(r'Listening at: (\S+)', addresses)]
        return self

    @property
    def port(self):
        return int(self.addresses[0].rsplit(':', 1)[1])

    @property
    def workers(self):
        """The pids of the workers, in the order in which they were ready."""
        return [int(m[1]) for m in self.wait_for(r'\[(\d+)\] \[info\] worker ready')]

    def connect(self):
        """A new connection to the first address."""
        return connect(self.addresses[0])

    def request(self, method='GET', path='/', body=None, headers={}, **options):
        """A request on a connection of its own."""
        connection = http.client.HTTPConnection('localhost', timeout=PATIENCE)
        connection.sock = self.connect()
        try:
            connection.request(method, path, body, headers, **options)
            return Response(connection.getresponse())
        finally:
            connection.close()

    def get(self, path='/', **headers):
        return self.request('GET', path, headers=headers)

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=PATIENCE):
        """The exit status."""
        status = self.process.wait(timeout)
        self.reader.join(timeout)
        return status

    def stop(self):
        """Stop at once, if it is running; the exit status."""
        self.signal(signal.SIGINT)
        try:
            return self.wait()
        finally:
            self.process.kill()
            self.process.stdout.close()


def connect(address):
    """A socket connected to an address as the log has it."""
    if address.startswith('unix:'):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(PATIENCE)
        sock.connect(re.sub('^@', '\0', address[len('unix:'):]))
        return sock
    host, port = address[len('http://'):].rsplit(':', 1)
    return socket.create_connection((host.strip('[]'), int(port)), PATIENCE)


def finish(*arguments, env={}, **options):
    """Runs the command to its end; its output is text."""
    return subprocess.run([os.environ['ASYNWSGI'], *map(str, arguments)], env=environment(**env),
                          text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=PATIENCE, **options)
