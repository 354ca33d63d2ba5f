"""Which system calls requests cost in the worker: each one that is made, as strace sees them."""

import collections
import os
import re
import shutil
import subprocess
import time

import pytest

import command
from peer import Peer, request

pytestmark = [
    pytest.mark.skipif(command.instrumented() or 'ASYNWSGI_THREADS' in os.environ
                       or os.environ.get('ASYNWSGI_BACKEND', 'epoll') != 'epoll',
                       reason='the figures are those of the ordinary build, run as it is'),
    pytest.mark.skipif(not shutil.which('strace'), reason='there is no strace'),
]

TIMES = 20
GET = request('GET', '/')
CLOSE = request('GET', '/', 'Connection: close')

FILE = '''
    import os
    def application(environ, start_response):
        start_response('200 OK', [])
        return environ['wsgi.file_wrapper'](open(os.environ['FILE'], 'rb'))
'''


class Trace:
    """The calls of a process between `with` and its end: in `calls`, without epoll_wait."""

    def __init__(self, pid, folder):
        self.pid, self.path = pid, folder / 'strace'

    def __enter__(self):
        self.strace = subprocess.Popen(
            ['strace', '-f', '-p', str(self.pid), '-o', str(self.path)], text=True,
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        first = self.strace.stderr.readline()
        if 'attached' not in first:
            self.strace.kill()
            self.strace.communicate()
            pytest.skip(first.strip())
        return self

    def names(self):
        """Of the calls that have returned, with what they returned."""
        return re.findall(r'^\d+ +(\w+)\(.*\) += (-?\d+)', self.path.read_text(), re.M)

    def wait_for(self, name, count):
        """Until strace wrote down so many calls of that name."""
        deadline = time.monotonic() + command.PATIENCE
        while sum(each == name for each, _ in self.names()) < count:
            assert time.monotonic() < deadline, self.path.read_text()
            time.sleep(0.01)

    def __exit__(self, *_):
        self.strace.terminate()
        self.strace.communicate(timeout=command.PATIENCE)
        found = self.names()
        self.calls = collections.Counter(name for name, _ in found if name != 'epoll_wait')
        #: those that had something to report, and those that ended because it was time
        self.waits = sum(name == 'epoll_wait' and result != '0' for name, result in found)
        self.pauses = sum(name == 'epoll_wait' and result == '0' for name, result in found)


@pytest.fixture(params=['tcp', 'unix'])
def served(request, start, tmp_path):
    """A server and where to reach it."""
    if request.param == 'unix':
        return start(bind=f'unix:{tmp_path}/socket'), f'{tmp_path}/socket'
    server = start()
    return server, ('127.0.0.1', server.port)


@pytest.fixture
def trace(served, tmp_path):
    return Trace(served[0].workers[0], tmp_path)


def ask(client, message=GET, answers=1):
    client.send(message)
    for _ in range(answers):
        assert client.response().body == b'Hello\n'


def test_kept_requests(served, trace):
    with Peer(served[1]) as client:
        for _ in range(TIMES):
            ask(client)
        with trace:
            for _ in range(TIMES):
                ask(client)
            trace.wait_for('sendto', TIMES)
    assert trace.calls == {'recvfrom': TIMES, 'sendto': TIMES}
    assert trace.waits <= TIMES


def test_pipelined_requests(served, trace):
    """Of a worker that was kept from the processor for 5 ms, the rest is answered in another turn."""
    with Peer(served[1]) as client:
        ask(client, 16 * GET, 16)
        for _ in range(3):
            with trace:
                for _ in range(TIMES):
                    ask(client, 16 * GET, 16)
                trace.wait_for('sendto', TIMES)
            if 'epoll_ctl' not in trace.calls:
                break
    assert trace.calls == {'recvfrom': TIMES, 'sendto': TIMES}
    assert trace.waits <= TIMES


def test_connections_that_the_server_closes(served, trace):
    """Without epoll_ctl: such a connection never waits. Over TCP it is accepted with its request there."""
    def one():
        with Peer(served[1]) as client:
            ask(client, CLOSE)
            assert client.at_end()

    one()
    with trace:
        for _ in range(TIMES):
            one()
        trace.wait_for('close', TIMES)
    # Over a unix socket, a client that was slow to send was waited for, which is no fault.
    waited = trace.calls.pop('epoll_ctl', 0)
    assert waited < TIMES if isinstance(served[1], str) else waited == 0
    assert trace.calls.pop('recvfrom') == TIMES + waited
    assert trace.calls == {'accept4': TIMES, 'sendto': TIMES, 'close': TIMES}
    assert trace.waits <= TIMES + waited


def test_connections_that_the_client_closes(served, trace):
    """Its end is one more to receive, and to be waited for."""
    def one():
        with Peer(served[1]) as client:
            ask(client)

    one()
    with trace:
        for _ in range(TIMES):
            one()
        trace.wait_for('close', TIMES)
    waited = trace.calls.pop('recvfrom') - 2 * TIMES
    assert waited < TIMES if isinstance(served[1], str) else waited == 0
    assert trace.calls.pop('epoll_ctl') <= TIMES
    assert trace.calls == {'accept4': TIMES, 'sendto': TIMES, 'close': TIMES}
    assert trace.waits <= 2 * TIMES + waited


def test_a_file(start, tmp_path):
    """It is all sent in one turn, and the client's next request makes none either."""
    (tmp_path / 'file').write_bytes(bytes(100_000))
    server = start(FILE, env={'FILE': str(tmp_path / 'file')})
    trace = Trace(server.workers[0], tmp_path)

    def fetch(client):
        client.send(GET)
        assert len(client.response().body) == 100_000

    with Peer(('127.0.0.1', server.port)) as client:
        for _ in range(2):  # from then on the connection is watched
            fetch(client)
        with trace:
            for _ in range(TIMES):
                fetch(client)
            trace.wait_for('sendfile', TIMES)
    assert {name: trace.calls[name] for name in ('recvfrom', 'sendto', 'sendfile', 'epoll_ctl')} == {
        'recvfrom': TIMES, 'sendto': TIMES, 'sendfile': TIMES, 'epoll_ctl': 0}
    assert trace.waits <= TIMES
    assert trace.pauses < TIMES / 2


def test_an_idle_worker(served, trace):
    """With a connection that is kept, too; the first calls may still be those of the request."""
    with Peer(served[1]) as client:
        ask(client)
        with trace:
            time.sleep(2)
    assert not trace.calls
    assert trace.waits == 0
    assert trace.pauses <= 2
