"""Applications that fail, and clients that leave, in each phase of a request. The iterable is
closed once wherever there is one, and the worker lives on."""

import json
import signal

import pytest

from peer import request
from serving import eventually

BUFFERED = ['body', 'sized', 'generator', 'file', 'write', 'replaced']
STREAMING = [f'streaming/{kind}' for kind in BUFFERED if kind != 'file']
KINDS = BUFFERED + STREAMING
LONG = [kind for kind in KINDS if 'sized' not in kind]
ERRORS = ['ValueError', 'SystemExit', 'KeyboardInterrupt', 'GeneratorExit', 'StopIteration',
          'MemoryError']
BEFORE = ['call', 'started', 'written']  # there is nothing to close yet
WITHIN = ['input', 'taken', 'slept', 'expired', 'writable']  # where its input is streamed
PHASES = [*BEFORE, 'iter', 'first', 'held', *WITHIN, 'body', 'end', 'close']


def exists(kind, phase):
    """Whether a request of this kind comes by this phase."""
    return (phase != 'written' or 'write' in kind) and \
        (phase != 'iter' or not ('generator' in kind or kind == 'file')) and \
        (phase not in WITHIN or kind in STREAMING)


def post(target):
    return request('POST', target, body=b'body')


@pytest.fixture(scope='module')
def server(serve):
    return serve('phases', '--streaming', '/streaming')


@pytest.fixture
def name(request):
    """For the notes of this test."""
    return ''.join(c for c in request.node.name if c.isalnum())


def ended(kind, phase):
    """(status, body, complete) of one that fails there: nothing that is not whole seems to be, and
    no head is sent that does not have to be."""
    before, whole = b'written ' if 'write' in kind else b'', b'some body'
    if phase == 'end' or phase == 'close' and 'generator' in kind:  # whose close() is its end
        return 200, before + whole, 'sized' in kind  # no last chunk
    if phase == 'close':
        return 200, before + whole, True
    if phase == 'body':
        return 200, before + b'some ', False
    if before and phase not in ('call', 'started'):
        return 200, before, False
    return 500, None, True


@pytest.mark.parametrize('error', ERRORS)
@pytest.mark.parametrize('kind', KINDS)
def test_a_failure_in_each_phase(server, name, kind, error):
    for phase in filter(lambda phase: exists(kind, phase), PHASES):
        notes = name + phase
        response = server.ask(post(f'/{kind}?phase={phase}&error={error}&notes={notes}'))
        status, body, complete = ended(kind, phase)
        assert (phase, response.status, response.complete) == (phase, status, complete)
        assert body is None or response.body == body
        assert ('X-Phase' in response) == (status == 200)
        # The next request comes later, so whatever is called twice has been.
        assert server.ask(post(f'/{kind}')).complete
        server.noted(notes, *[] if phase in BEFORE else ['made', 'close'])
    assert server.workers() == server.pids


@pytest.mark.parametrize('kind', KINDS)
def test_no_failure(server, name, kind):
    response = server.ask(post(f'/{kind}?notes={name}'))
    assert response.body == (b'written some body' if 'write' in kind else b'some body')
    assert response.complete
    server.noted(name, 'made', 'close')


class Notes:
    """What the application notes of one request."""

    def __init__(self, server, name):
        self.file, self.on = server.notes / name, server.notes / (name + '.on')

    def lines(self):
        return self.file.read_text().splitlines() if self.file.exists() else []

    def await_line(self, line):
        eventually(lambda: line in self.lines())

    def closed(self):
        """Waits for what was made to be closed, and says how often each was."""
        eventually(lambda: self.lines().count('close') >= self.lines().count('made'))
        return self.lines().count('made'), self.lines().count('close')


LEAVE = pytest.mark.parametrize('leave', ['close', 'reset'])


@LEAVE
@pytest.mark.parametrize('kind', KINDS)
def test_the_client_leaves_in_each_phase(server, name, kind, leave):
    """It does so while Python runs, so that the server sees it only afterwards."""
    for phase in filter(lambda phase: exists(kind, phase), PHASES):
        notes = Notes(server, name + phase)
        client = server.connect()
        client.send(post(f'/{kind}?phase={phase}&notes={notes.file.name}'))
        notes.await_line(f'in {phase}')
        getattr(client, leave)()
        notes.on.touch()
        assert server.ask(post(f'/{kind}')).complete
        # write() to a client that has left raises, and then there is nothing to close.
        expected = [(1, 1)]
        if 'write' in kind and phase in ('call', 'started'):
            expected.append((0, 0))
        eventually(lambda: notes.closed() in expected)  # a thread may be behind others
    assert server.workers() == server.pids


@LEAVE
@pytest.mark.parametrize('kind', KINDS)
def test_the_client_leaves_before_the_call(server, name, kind, leave):
    """Its request is complete, but the worker has another."""
    busy, notes = Notes(server, name + 'busy'), Notes(server, name)
    with server.connect() as other:
        other.send(post(f'/body?phase=call&notes={busy.file.name}'))
        busy.await_line('in call')
        client = server.connect()
        client.send(post(f'/{kind}?notes={name}') * 3)
        getattr(client, leave)()
        busy.on.touch()
        assert other.response().body == b'some body'
    assert server.ask(post(f'/{kind}')).complete
    made, closed = notes.closed()
    assert made == closed


@LEAVE
@pytest.mark.parametrize('kind', LONG)
def test_the_client_leaves_while_the_output_is_full(server, name, kind, leave):
    notes = Notes(server, name)
    client = server.connect()
    client.send(post(f'/{kind}?blocks=1000&notes={name}'))
    notes.await_line('made')
    client.socket.recv(10_000)
    for _ in range(3):  # the server has filled what it may
        assert server.ask(post(f'/{kind}')).complete
    assert notes.lines() == ['made']
    getattr(client, leave)()
    assert notes.closed() == (1, 1)
    assert server.ask(post(f'/{kind}')).complete
    assert notes.closed() == (1, 1)


@pytest.mark.parametrize('kind', LONG)
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_the_server_is_stopped(serve, name, kind, number):
    server = serve('phases', '--graceful-timeout', '1ms', '--streaming', '/streaming')
    notes = Notes(server, name)
    with server.connect() as client:
        client.send(post(f'/{kind}?blocks=1000&notes={name}'))
        assert client.head()[1] == 200
        server.command.signal(number)
        assert server.command.wait() == 0
        assert notes.closed() == (1, 1)


WAITS = pytest.mark.parametrize('wait', ['sleep', 'event', 'timeout', 'readable'])


@LEAVE
@WAITS
@pytest.mark.parametrize('kind', STREAMING)
def test_the_client_leaves_during_a_wait(server, name, kind, wait, leave):
    notes = Notes(server, name)
    client = server.connect()
    client.send(post(f'/{kind}?wait={wait}&notes={name}'))
    notes.await_line('waits')
    assert server.ask(post(f'/{kind}')).complete
    getattr(client, leave)()
    assert notes.closed() == (1, 1)
    assert 'goes on' not in notes.lines()


@LEAVE
@pytest.mark.parametrize('kind', STREAMING)
def test_the_client_leaves_during_its_upload(server, name, kind, leave):
    notes = Notes(server, name)
    client = server.connect()
    client.send(post(f'/{kind}?notes={name}')[:-1])
    notes.await_line('made')
    assert server.ask(post(f'/{kind}')).complete
    assert notes.lines() == ['made']
    getattr(client, leave)()
    assert notes.closed() == (1, 1)


@WAITS
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_the_server_is_stopped_during_a_wait(serve, name, wait, number):
    server = serve('phases', '--graceful-timeout', '1ms', '--streaming', '/streaming')
    notes = Notes(server, name)
    with server.connect() as client:
        client.send(post(f'/streaming/body?wait={wait}&notes={name}'))
        notes.await_line('waits')
        server.command.signal(number)
        assert server.command.wait() == 0
        assert notes.closed() == (1, 1)


@pytest.mark.parametrize('kept', ['/keep', '/streaming/keep'])
def test_what_is_kept_is_dead(server, kept):
    with server.connect() as client:
        client.send(post(kept))
        assert client.response().body == b'kept'
        client.send(post('/streaming/use-kept'))
        response = client.response()
    taken, said = map(json.loads, response.body.splitlines())
    assert (response.status, taken) == (200, ["b'body'"])
    assert set(said.values()) == {'RuntimeError'}, said
    assert len(said) == 13
