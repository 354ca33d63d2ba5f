"""System calls and allocations that fail, in the running command: t/e2e/faults.c has them do so.
Whatever fails, the next client is served, by the same worker, and nothing stays open."""

import enum
import errno
import itertools
import mmap
import os
import pathlib
import resource
import signal
import struct

import pytest

import command
from peer import Peer, chunked_request, request
from serving import Server, eventually

WRAPPED = bool(os.environ.get('ASYNWSGI_TEST_WRAP'))  # and slow
if not WRAPPED:
    # Whose calls are Python's its place tells.
    os.environ['ASYNWSGI'] = os.path.abspath('t/e2e/shared')
INSTRUMENTED = command.instrumented()
# In the build folder, which is the current one.
FAULTS = pathlib.Path('t/e2e/faults-calls.so' if INSTRUMENTED else 't/e2e/faults.so').absolute()
APPS = pathlib.Path(__file__).parent / 'apps'
FULL = bool(os.environ.get('ASYNWSGI_TEST_ALL_FAULTS'))
SHORT = 0  # in place of an error: the call does the first byte only


class Call(enum.IntEnum):
    """As in faults.c."""
    ALLOCATE, ACCEPT, RECEIVE, SEND, CONTROL, WRITE, READ, MAKE_FILE, FORK = range(1, 10)


ALLOCATE, ACCEPT, RECEIVE, SEND, CONTROL, WRITE, READ, MAKE_FILE, FORK = Call


# A sanitizer wants to be loaded first, which matters for malloc only.
ASAN_OPTIONS = os.environ.get('ASAN_OPTIONS', '') + ':verify_asan_link_order=0'
has_malloc = pytest.mark.skipif(INSTRUMENTED, reason='there is another malloc already')


class Plan:
    """What is to fail: struct plan of faults.c."""

    def __init__(self, folder):
        self.path = folder / 'plan'
        self.path.write_bytes(bytes(24))
        with self.path.open('r+b') as file:
            self.memory = mmap.mmap(file.fileno(), 24)
        self.environment = {'LD_PRELOAD': str(FAULTS), 'FAULTS': str(self.path),
                            'ASAN_OPTIONS': ASAN_OPTIONS}

    def set(self, call, position, error, times=1, process=0):
        """The call at that position, counted from now on, and those behind it, `times` in all."""
        struct.pack_into('I', self.memory, 0, 0)
        struct.pack_into('IiiiI', self.memory, 4, process, error, times, position, 0)
        struct.pack_into('I', self.memory, 0, call)

    def clear(self):
        """How many calls have failed."""
        struct.pack_into('I', self.memory, 0, 0)
        return struct.unpack_from('I', self.memory, 20)[0]


class Faulty(Server):
    def __init__(self, folder, *options, **how):
        folder.mkdir(exist_ok=True)
        self.plan = Plan(folder)
        super().__init__(folder, APPS, 'pep3333', '--body-memory', '1k', *options,
                         env={**self.plan.environment, 'TMPDIR': str(folder)}, **how)
        self.worker, = self.pids
        self.opened = self.open_now()
        self.served()  # by now it has told the kernel all that it watches

    def set(self, call, position, error, times=1):
        self.plan.set(call, position, error, times, self.worker)

    def open_now(self):
        return sorted(link.split(':[')[0] for link in self.descriptors())

    def served(self):
        """It is as if nothing had been."""
        response = self.post('/echo', b'x' * 5000)
        assert response.status == 200 and response.body == b'x' * 5000
        assert self.workers() == self.pids
        eventually(lambda: self.open_now() == self.opened)


@pytest.fixture
def faulty(tmp_path):
    """Starts a server, and ends the one before."""
    present, numbers = [], itertools.count()

    def stop():
        while present:
            assert present.pop().stop() == []

    def start(*options, **how):
        stop()
        present.append(Faulty(tmp_path / f'server{next(numbers)}', *options, **how))
        return present[0]

    yield start
    stop()


def name_of(value):
    """Of a parameter: a call, an error or a number."""
    if isinstance(value, Call):
        return value.name.lower()
    return 'short' if value == SHORT else errno.errorcode.get(value)


def numbers(most, everyone):
    """From one on, all of them or fewer and fewer."""
    n = 1
    while n < most:
        yield n
        n += 1 if everyone else 1 + n // 6


# -- A session with all there is --------------------------------------------------------------

def exchange(server, pieces, answers, whole, **options):
    """Sends the pieces, and reads what comes. What is whole is an answer as awaited, or a refusal;
    `whole` if it all has to be."""
    try:
        with Peer((server.host, server.port), **options) as client:
            for piece in pieces:
                client.send(piece)
                if len(pieces) > 1:
                    client.socket.setsockopt(6, 1, 1)  # TCP_NODELAY sends it now
            for answer in answers:
                response = client.response()
                assert response.status in (200, 400, 408, 500, 503, 507), response
                if whole:
                    assert response.complete and response.status == (200 if answer else 400)
                if response.status == 200 and response.complete:
                    assert response.body == answer
                if response.status != 200 or not response.complete:
                    break
    except TimeoutError:
        raise
    except (ConnectionError, ValueError) as error:
        # The connection ended: within a line, or before it.
        assert not isinstance(error, ValueError) or r'\n' not in str(error), error
        assert not whole, error


def vanish(server, message):
    client = server.connect()
    client.send(message)
    client.socket.recv(1000)
    client.reset()


def large(pieces, size):
    return b''.join(bytes([65 + count % 26]) * size for count in range(pieces))


LARGE = large(40, 100_000)
BODY = b'line of a body\n' * 300
# The first chunk is kept in memory, and goes to the file with the second.
CHUNKED = chunked_request('POST', '/echo', BODY[:500], BODY[500:])
GET = request('GET', '/large?10')
TEN = b'x' * 10


def session(server, whole=False):
    exchange(server, [GET], [TEN], whole)
    exchange(server, [GET[:20], GET[20:]], [TEN], whole)
    exchange(server, [request('POST', '/echo', body=BODY)], [BODY], whole)
    exchange(server, [CHUNKED], [BODY], whole)
    exchange(server, [GET + GET], [TEN, TEN], whole)
    exchange(server, [request('GET', '/large-pieces?40,100000')], [LARGE], whole,
             receive_buffer=4096)
    exchange(server, [b'NONSENSE\r\n\r\n'], [None], whole)
    try:
        vanish(server, request('GET', '/large-pieces?40,100000'))
    except ConnectionError:
        pass


# After these the call is tried again, and nobody is to see that they were.
HARMLESS = {SHORT, errno.EINTR, errno.EAGAIN, errno.ECONNABORTED}


def every(server, call, error, times=1, most=2000, everyone=True):
    """A session for each call that may fail in it; how many they were."""
    for n in numbers(most, everyone):
        server.set(call, n, error, times)
        session(server, whole=error in HARMLESS)
        failed = server.plan.clear()
        server.served()
        if not failed:
            return n - 1
    return most


# -- Each call --------------------------------------------------------------------------------

def test_the_session_is_served_whole(faulty, tmp_path):
    """Without a failure it is; and the library does have calls fail."""
    server = faulty()
    answers = []
    for answer in [server.ask(GET), server.post('/echo', BODY),
                   server.get('/large-pieces?40,100000')]:
        answers.append(answer.body)
    assert answers == [TEN, BODY, LARGE]
    server.served()  # nobody else is left, whose call it could be
    server.set(RECEIVE, 1, errno.ECONNRESET)
    with pytest.raises((ValueError, ConnectionError)):
        server.ask(GET)
    assert server.plan.clear() == 1


@has_malloc
@pytest.mark.parametrize('times', [1, 1000], ids=['one', 'all from there'])
def test_memory(faulty, times):
    """The worker has what it allocates only once already."""
    server = faulty()
    session(server)
    before = server.resident()
    assert every(server, ALLOCATE, errno.ENOMEM, times) >= 10
    assert server.resident() - before < 2_000_000


@has_malloc
def test_memory_of_a_new_worker(faulty):
    for n in itertools.count(1, 1 if FULL else 3):
        server = faulty()
        server.set(ALLOCATE, n, errno.ENOMEM)
        session(server)
        failed = server.plan.clear()
        server.served()
        if not failed:
            break
    assert n >= 10


@pytest.mark.parametrize('call, error', [
    (ACCEPT, errno.EMFILE), (ACCEPT, errno.ENFILE), (ACCEPT, errno.ECONNABORTED),
    (ACCEPT, errno.EINTR), (ACCEPT, errno.ENOMEM),
    (RECEIVE, errno.ECONNRESET), (RECEIVE, errno.EINTR), (RECEIVE, errno.ENOMEM), (RECEIVE, SHORT),
    (SEND, errno.EAGAIN), (SEND, errno.EINTR), (SEND, errno.EPIPE), (SEND, errno.ENOBUFS),
    (SEND, SHORT),
    (CONTROL, errno.ENOMEM), (CONTROL, errno.ENOSPC),
    (WRITE, errno.ENOSPC), (WRITE, errno.EIO), (WRITE, errno.EINTR), (WRITE, SHORT),
    (READ, errno.EIO), (READ, errno.EINTR), (READ, SHORT),
    (MAKE_FILE, errno.EMFILE), (MAKE_FILE, errno.ENOSPC),
], ids=name_of)
@pytest.mark.parametrize('times', [1, 5] if FULL else [1], ids='{} in a row'.format)
def test_calls(faulty, call, error, times):
    if call == CONTROL and os.environ.get('ASYNWSGI_BACKEND', 'epoll') != 'epoll':
        pytest.skip('only epoll has it')
    least = {ACCEPT: 7, RECEIVE: 10, SEND: 10, CONTROL: 5, WRITE: 3, READ: 2, MAKE_FILE: 2}
    most = 400 if FULL else 4 if WRAPPED else 16
    assert every(faulty(), call, error, times, most, FULL) >= min(most, least[call])


@pytest.mark.parametrize('call, error, status', [
    (MAKE_FILE, errno.EMFILE, 503), (MAKE_FILE, errno.EACCES, 503), (MAKE_FILE, errno.ENOSPC, 507),
    (WRITE, errno.ENOSPC, 507), (WRITE, errno.EDQUOT, 507), (WRITE, errno.EIO, 503),
    (READ, errno.EIO, 500),
], ids=name_of)
@pytest.mark.parametrize('coded', [False, True], ids=['sized', 'chunked'])
def test_a_body_that_cannot_be_stored(faulty, call, error, status, coded):
    server = faulty()
    server.set(call, 1, error, 1000)
    with server.connect() as client:
        client.send(CHUNKED if coded else request('POST', '/echo', body=BODY))
        response = client.response()
        assert response.status == status and response.complete
        if status != 500:  # the body was read whole then
            assert response['Connection'] == 'close'
            assert client.at_end()
    assert server.plan.clear() >= 1
    server.served()


# -- A full disk ------------------------------------------------------------------------------

def refused_for_space(server, size):
    with server.connect() as client:
        client.send(request('POST', '/echo', f'Content-Length: {size}'))
        try:
            client.send(bytes(size))
        except ConnectionError:
            pass
        response = client.response()
        assert response.status == 507 and response['Connection'] == 'close'
        assert client.at_end()


def test_a_full_disk(small_disk, serve):
    server = serve('pep3333', '--body-memory', '1k', env={'TMPDIR': str(small_disk)})
    before = len(server.descriptors())
    empty = os.statvfs(small_disk).f_bfree
    for _ in range(20):
        refused_for_space(server, 400_000)
        assert server.post('/echo', bytes(100_000)).body == bytes(100_000)
    eventually(lambda: os.statvfs(small_disk).f_bfree == empty)
    eventually(lambda: len(server.descriptors()) == before)
    server.logged('cannot store the body: No space left on device', 20)


def test_a_limit_to_files(start):
    """RLIMIT_FSIZE comes with a signal that would end the worker."""
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
    server = start(command.HELLO, '--body-memory', '1k', preexec_fn=limit)
    worker, = server.workers
    assert server.request('POST', '/', bytes(200_000)).status == 507
    assert server.request('POST', '/', bytes(50_000)).status == 200
    assert server.workers == [worker]


# -- Processes --------------------------------------------------------------------------------

def test_no_process_for_the_next_worker(start, tmp_path):
    plan = Plan(tmp_path)
    server = start(env=plan.environment)
    plan.set(FORK, 1, errno.EAGAIN, 3)
    os.kill(server.workers[0], signal.SIGKILL)
    server.wait_for('cannot start a worker: Resource temporarily unavailable', 3)
    server.wait_for('worker ready', 2)
    assert plan.clear() == 3
    assert server.get().status == 200


def test_no_process_for_the_first_worker(start, tmp_path):
    plan = Plan(tmp_path)
    plan.set(FORK, 1, errno.EAGAIN)
    server = start(env=plan.environment, ready=False)
    assert server.wait() == 3
    assert 'cannot start a worker: Resource temporarily unavailable' in server.log


@has_malloc
def test_no_memory_to_start(start, tmp_path):
    """Then it says so, and ends."""
    for n in itertools.count(1, 1 if FULL else 5):
        plan = Plan(tmp_path)
        plan.set(ALLOCATE, n, errno.ENOMEM)
        server = start(env=plan.environment, ready=False)
        eventually(lambda: 'Listening' in server.log or server.process.poll() is not None)
        failed = plan.clear()
        if 'Listening' in server.log:
            server.stop()
        else:
            assert server.wait() in (1, 2, 3) and failed and server.log, n
        if not failed:
            break
    assert n > 10
