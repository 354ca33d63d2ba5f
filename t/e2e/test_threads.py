"""--threads: requests run beside each other, wait in a queue that has bounds, and the loop serves
those who are slow meanwhile."""

import collections
import concurrent.futures
import hashlib
import os
import random
import signal
import time

import pytest

import serving
from conftest import APPS
from peer import chunked_request, request
from serving import eventually

THREADS = 4
# Under valgrind one thread runs at a time, and one that loops may keep a worker from ending by itself in time.
KILLED = '|workers are not done in time: killing them' if 'ASYNWSGI_TEST_WRAP' in os.environ else ''


@pytest.fixture(scope='module')
def server(serve):
    return serve('pooled:application', '--threads', str(THREADS), '--streaming', '/digest',
                 '--streaming', '/read')


@pytest.fixture
def pooled(serve):
    """A server of its own for a test, whose threads may be held."""
    def start(*options):
        return serve('pooled:application', *options)
    return start


def at_once(*calls):
    """The results of functions that are called at the same time."""
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as threads:
        return [future.result() for future in [threads.submit(call) for call in calls]]


class Holding:
    """Requests that hold threads until they are let go of; then they are answered."""

    def __init__(self, server, count, name='gate'):
        self.server, self.name = server, name
        self.clients = [server.connect() for _ in range(count)]
        for client in self.clients:
            client.send(request('GET', f'/hold?{name}'))

    def __enter__(self):
        self.server.noted('held', *[self.name] * len(self.clients))
        return self

    def __exit__(self, *_):
        self.let_go()
        for client in self.clients:
            assert client.response().status == 200
            client.close()

    def let_go(self):
        (self.server.notes / self.name).touch()


def test_wsgi_multithread(server, pooled):
    assert server.get('/multithread').body == b'True'
    assert pooled('--threads', '1').get('/multithread').body == b'False'


def test_as_many_at_once_as_there_are_threads(server):
    answers = at_once(*[lambda: server.get('/together')] * THREADS)
    assert [answer.body for answer in answers] == [b'hello'] * THREADS


def test_threads_stay(server):
    """What an application keeps by threading.local is there for the thread's next request."""
    counts = collections.defaultdict(set)
    for answer in at_once(*[lambda: server.get('/thread')] * 40):
        thread, count = answer.body.split()
        counts[thread].add(int(count))
    assert len(counts) <= THREADS
    assert all(found == set(range(1, len(found) + 1)) for found in counts.values())


@pytest.mark.parametrize('path', ['/hang', '/loop'])
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGQUIT, signal.SIGTERM])
def test_one_that_never_returns(serve_alone, path, number):
    """Others are served beside it, and the server ends all the same."""
    server = serve_alone('--threads', '2', '--graceful-timeout', '500ms')
    stuck = server.connect()
    stuck.send(request('GET', path))
    server.noted('held', path[1:])
    for _ in range(10):
        assert server.get('/').body == b'hello'
    server.command.signal(number)
    assert server.command.wait() == 0
    if number != signal.SIGTERM:
        server.command.wait_for('threads do not come back from the application; ending without them' + KILLED)
    stuck.close()


@pytest.fixture
def serve_alone(tmp_path):
    """A server that a test ends by itself."""
    servers = []

    def start(*options):
        servers.append(serving.Server(tmp_path, APPS, 'pooled:application', *options))
        return servers[-1]
    yield start
    for server in servers:
        server.command.stop()
        serving.running.remove(server)
        assert 'Sanitizer' not in server.log


def test_term_lets_requests_finish(serve_alone):
    server = serve_alone('--threads', '2')
    before = server.connections()
    server.get('/atexit')
    with Holding(server, 2) as held, server.connect() as queued:
        queued.send(request('GET', '/'))
        eventually(lambda: server.connections() == before + 3)
        server.command.signal(signal.SIGTERM)
        server.logged('finishing the requests under way')
        time.sleep(0.1)
        held.let_go()
        assert queued.response().body == b'hello'
    assert server.command.wait() == 0
    server.noted('atexit', 'done')
    assert 'without them' not in server.log


def test_the_queue_is_full(pooled):
    server = pooled('--threads', '2', '--queue', '3')
    with Holding(server, 2):
        queued = [server.connect() for _ in range(3)]
        for client in queued:
            client.send(request('GET', '/'))
        time.sleep(0.1)
        for refused in (server.get('/never'), server.post('/never', b'body'),
                        server.ask(chunked_request('POST', '/never', b'body'))):
            assert (refused.status, refused['Retry-After']) == (503, '1')
    for client in queued:
        assert client.response().body == b'hello'
        client.close()
    assert server.get('/').status == 200
    server.noted('never')
    server.logged('requests were refused because all threads are busy')


def test_the_queue_takes_too_long(pooled):
    server = pooled('--threads', '2', '--queue-timeout', '100ms')
    with Holding(server, 2), server.connect() as client:
        for _ in range(2):
            client.send(request('GET', '/never'))
            refused = client.response()
            assert (refused.status, refused['Retry-After']) == (503, '1')
    server.noted('never')
    assert server.get('/').status == 200


def test_slow_readers_have_no_thread(server):
    def readers():
        for number in range(3 * THREADS):
            client = server.connect()
            client.send(request('GET', f'/blocks?{number},400'))
            yield number, client
    slow = list(readers())
    assert server.get('/').body == b'hello'
    for number, client in slow:
        generator = random.Random(str(number))
        expected = b''.join(generator.randbytes(generator.randrange(1, 50000))
                            for _ in range(400))
        assert client.response().body == expected
        client.close()
    eventually(lambda: notes(server, 'closed')['blocks'] == 3 * THREADS)


def notes(server, name):
    file = server.notes / name
    return collections.Counter(file.read_text().splitlines() if file.exists() else [])


def test_clients_that_leave_in_mid_response(server):
    before = notes(server, 'closed')['blocks']
    for number in range(10):
        client = server.connect()
        client.send(request('GET', f'/blocks?{number},400'))
        client.head()
        client.reset()
    eventually(lambda: notes(server, 'closed')['blocks'] == before + 10)
    time.sleep(0.05)
    assert notes(server, 'closed')['blocks'] == before + 10
    assert server.get('/').body == b'hello'


def test_a_client_that_leaves_while_its_request_runs(pooled):
    server = pooled('--threads', '2')
    client = server.connect()
    client.send(request('GET', '/hold?gate'))
    server.noted('held', 'gate')
    client.reset()
    (server.notes / 'gate').touch()
    assert server.get('/').body == b'hello'
    assert 'exception' not in server.log


def test_exceptions(server):
    answers = at_once(*[lambda: server.get('/error?oops')] * 20)
    assert [answer.status for answer in answers] == [500] * 20
    server.logged('ZeroDivisionError: oops', 20)


def test_uploads_have_no_thread_while_they_wait(server):
    data = random.Random(1).randbytes(50000)
    clients = [server.connect() for _ in range(3 * THREADS)]
    for client in clients:
        client.send(request('POST', '/digest', f'Content-Length: {len(data)}'))
    for start in range(0, len(data), 10000):
        for client in clients:
            client.send(data[start:start + 10000])
        assert server.get('/').body == b'hello'
    for client in clients:
        assert client.response().body.decode() == hashlib.sha256(data).hexdigest()
        client.close()


def test_chunked_uploads(server):
    pieces = [random.Random(n).randbytes(1000 * n) for n in range(1, 30)]
    answers = at_once(*[lambda: server.ask(chunked_request('POST', '/digest', *pieces))] * 10)
    assert {answer.body.decode() for answer in answers} == \
        {hashlib.sha256(b''.join(pieces)).hexdigest()}


def test_reading_waits(server):
    with server.connect() as client:
        client.send(request('POST', '/read', 'Content-Length: 13'))
        for part in (b'on', b'e\ntw', b'o\nthr', b'ee'):
            client.send(part)
            time.sleep(0.02)
        assert client.response().body == b'one\n|two\n|three'


def test_more_waits_than_threads(server):
    with concurrent.futures.ThreadPoolExecutor(41) as pool:
        waiting = [pool.submit(server.get, f'/event?{number}') for number in range(40)]
        time.sleep(0.2)
        assert server.get('/sleep?me').body == b'me'
        server.get('/set')
        assert [future.result().body for future in waiting] == \
            [b'%d' % number for number in range(40)]
    eventually(lambda: notes(server, 'closed')['event'] == 40)


@pytest.mark.parametrize('options, env, seconds', [
    ([], {}, b'0.005'),
    (['--switch-interval', '250us'], {}, b'0.00025'),
    (['--switch-interval', '0'], {}, b'0.005'),
    ([], {'ASYNWSGI_SWITCH_INTERVAL': '1s'}, b'1.0'),
])
def test_switch_interval(start, options, env, seconds):
    """Of the interpreter, from before the application is loaded."""
    server = start('''
        import sys
        loaded = sys.getswitchinterval()

        def application(environ, start_response):
            start_response('200 OK', [])
            assert loaded == sys.getswitchinterval()
            return [b'%r' % loaded]
        ''', *options, env=env)
    assert server.get().body == seconds


def test_processes_of_the_application(server):
    assert server.get('/child').body == b'child\n'
    assert server.get('/fork').body == b'256'
    assert server.get('/').body == b'hello'


def test_signal_handlers_of_the_application(start):
    server = start('''
        import signal
        seen = []
        signal.signal(signal.SIGWINCH, lambda number, frame: seen.append(number))

        def application(environ, start_response):
            start_response('200 OK', [])
            return [b'%d' % len(seen)]
        ''', '--threads', '3')
    worker, = server.workers
    os.kill(worker, signal.SIGWINCH)
    eventually(lambda: server.get().body == b'1')
    os.kill(worker, signal.SIGWINCH)
    eventually(lambda: server.get().body == b'2')


@pytest.mark.parametrize('site, apps, path, text', [
    ('flask_site:app', APPS, '/rows?word=x', b'0,x\n1,x\n2,x\n3,x\n4,x\n'),
    ('site_wsgi:application', APPS / 'djangosite', '/', b'<ul>'),
])
def test_frameworks(serve, site, apps, path, text):
    pytest.importorskip(site.split('_')[0].replace('site', 'django'))
    server = serve(site, '--threads', '8', apps=apps)
    for answer in at_once(*[lambda: server.get(path)] * 50):
        assert answer.status == 200 and text in answer.body


def test_load(pooled):
    """Of all kinds at once, with several workers: every byte is what it should be."""
    server = pooled('--threads', '8', '--workers', '4', '--streaming', '/digest')
    expected = {}
    for seed in range(5):
        generator = random.Random(str(seed))
        expected[seed] = b''.join(generator.randbytes(generator.randrange(1, 50000))
                                  for _ in range(30))

    def client(seed):
        choice = random.Random(seed)
        with server.connect() as peer:
            for _ in range(25):
                number = choice.randrange(5)
                kind = choice.choice(['blocks', 'sized', 'chunked', 'hello', 'sleep', 'error'])
                if kind == 'blocks':
                    peer.send(request('GET', f'/blocks?{number},30'))
                    assert peer.response().body == expected[number]
                elif kind in ('sized', 'chunked'):
                    data = expected[number]
                    peer.send(request('POST', '/digest', body=data) if kind == 'sized' else
                              chunked_request('POST', '/digest', data[:9999], data[9999:]))
                    assert peer.response().body.decode() == hashlib.sha256(data).hexdigest()
                elif kind == 'error':
                    peer.send(request('GET', '/error'))
                    assert peer.response().status == 500
                else:
                    peer.send(request('GET', f'/{kind}?hello'))
                    assert peer.response().body == b'hello'

    at_once(*[lambda seed=seed: client(seed) for seed in range(32)])
