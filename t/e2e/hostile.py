"""asynwsgi-httpclient as a process, and servers that say what a test has them say."""

import json
import os
import pathlib
import re
import shlex
import socket
import struct
import subprocess
import threading

from command import PATIENCE, environment

PROGRAM = [*shlex.split(os.environ.get('ASYNWSGI_TEST_WRAP', '')),
           os.path.abspath('asynwsgi-httpclient')]
HELLO = b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'


def run(*arguments, status=0, **how):
    """Runs the program to its end, which is to have that exit status. Its output is bytes, what it
    says of itself text."""
    how = {'stdin': subprocess.DEVNULL, 'stdout': subprocess.PIPE, **how}
    if 'input' in how:
        del how['stdin']
    ended = subprocess.run([*PROGRAM, *map(str, arguments)], env=environment(),
                           stderr=subprocess.PIPE, timeout=PATIENCE, **how)
    ended.stderr = ended.stderr.decode()
    assert ended.returncode == status, ended.stderr
    return ended


def bulkfetch(*arguments, **how):
    """What `bulkfetch --json -` tells."""
    ended = run('bulkfetch', '--json', '-', *arguments, **how)
    return json.loads(ended.stdout)


def options_of(command):
    """The options of a command: in its help, and in the manual page."""
    page = (pathlib.Path(__file__).parents[2] / 'man/asynwsgi-httpclient.1').read_text()
    section = page.split(f'.Ss {command}\n')[1].split('\n.Sh')[0].split('\n.Ss')[0]
    shown = run(command, '--help').stdout.decode()
    return (set(re.findall(r'^  (?:-(\w), |    )--([a-z-]+)(?: (\S+))?', shown, re.M)),
            {(letter, name, (value or '').upper()) for letter, name, value in
             re.findall(r'^\.It Fl (?:(\w) , )?-([a-z-]+)(?: Ar (\S+))?', section, re.M)})


class Connection:
    """The server's end of a connection. What goes wrong with it is the client's doing."""

    def __init__(self, server, sock):
        self.server = server
        self.socket = sock
        self.input = b''

    def head(self):
        """The next request up to its empty line; empty: there is none."""
        while b'\r\n\r\n' not in self.input:
            piece = self.socket.recv(65536)
            if not piece:
                return b''
            self.input += piece
        with self.server.lock:
            self.server.requests += 1
        head, self.input = self.input.split(b'\r\n\r\n', 1)
        return head + b'\r\n\r\n'

    def content(self, length):
        while len(self.input) < length:
            self.input += self.socket.recv(65536) or b'?' * length
        content, self.input = self.input[:length], self.input[length:]
        return content

    def send(self, *pieces):
        for piece in pieces:
            self.socket.sendall(piece)

    def wait(self):
        """Until the client has gone."""
        while self.socket.recv(65536):
            pass

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.socket.close()


class Server:
    """Calls script(connection) in a thread for each connection, and closes it after that."""

    def __init__(self, script, path=None):
        self.script = script
        self.requests = 0
        self.lock = threading.Lock()
        if path:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(path)
            self.listener.listen(100)
        else:
            self.listener = socket.create_server(('127.0.0.1', 0), backlog=100)
            self.authority = '127.0.0.1:%d' % self.listener.getsockname()[1]
            self.url = f'http://{self.authority}/'
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                accepted, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(accepted,), daemon=True).start()

    def _serve(self, sock):
        with sock:
            sock.settimeout(PATIENCE)
            try:
                self.script(Connection(self, sock))
            except OSError:
                pass

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def says(*pieces):
    """A script: the request is read, and answered so."""
    def script(connection):
        if connection.head():
            connection.send(*pieces)
    return script


def keeps(*pieces):
    """The same, for any number of requests."""
    def script(connection):
        while connection.head():
            connection.send(*pieces)
    return script
