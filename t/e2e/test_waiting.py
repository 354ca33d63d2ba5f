"""Applications that wait, for time, descriptors and events, and keep nobody waiting by that."""

import contextlib
import signal

import pytest

from peer import request
from serving import eventually


@pytest.fixture(scope='module')
def server(serve):
    return serve('waiting', '--streaming', '/upload')


@pytest.fixture
def nothing_stays_open(server):
    """After a test it has open what it had before."""
    before = server.at_rest('/hello')
    yield
    eventually(lambda: server.at_rest('/hello') == before)


def body(response):
    assert (response.status, response.complete) == (200, True)
    return response.body


# -- Time -----------------------------------------------------------------------------------------

@pytest.mark.parametrize('seconds', ['0', '0.05', '-1'])
def test_sleep(server, seconds):
    body(server.get(f'/sleep?sleep{seconds}&{seconds}'))
    server.noted('sleep' + seconds, 'sleeps', 'end', 'close')


def test_hundreds_that_sleep(server):
    """While they do, others are answered; and they do so all at once."""
    clients = [server.connect() for _ in range(200)]
    for n, client in enumerate(clients):
        client.send(request('GET', '/sleep?many&2') if n < 100 else request('GET', '/steps'))
    assert server.get('/hello').body == b'hello'
    for n, client in enumerate(clients[100:]):
        assert body(client.response()) == b''.join(b'%d ' % n for n in range(20))
    for client in clients[:100]:
        assert body(client.response())
    for client in clients:  # and their connections go on
        client.send(request('GET', '/hello'))
        assert body(client.response()) == b'hello'
        client.close()


def test_a_head_after_a_wait(server):
    response = server.get('/sleep-before-the-head')
    assert (response.status, response.reason, response.body) == (202, 'Late', b'late')


def test_what_is_not_empty_drops_the_wait(server):
    assert body(server.get('/dropped')) == b'not waited'


def test_the_end_drops_the_wait(server):
    assert body(server.get('/returned')) == b'body'
    assert body(server.get('/last')) == b'body'


def test_requests_behind_one_that_waits(server):
    with server.connect() as client:
        client.send(request('GET', '/steps') + request('GET', '/hello') + request('GET', '/steps'))
        assert [len(body(client.response())) for _ in range(3)] == [50, 5, 50]


def test_bodies_that_are_read_after_a_wait(server):
    """Each is its own, whole with its head or not, though others were received meanwhile."""
    bodies = [bytes([n]) * size for n, size in enumerate([1, 1000, 16_000, 60_000, 200_000] * 4)]
    clients = [server.connect() for _ in bodies]
    for client, sent in zip(clients, bodies):
        client.send(request('POST', '/input-after-a-wait?0.2', body=sent))
    for client, sent in zip(clients, bodies):
        assert body(client.response()) == sent
        client.close()


def test_a_head_request_that_waits(server):
    assert server.ask(request('HEAD', '/steps'), 'HEAD').status == 200


def test_wsgiref_validate(server):
    assert body(server.get('/validated')) == b'ready'
    assert 'AssertionError' not in server.log


# -- Descriptors ----------------------------------------------------------------------------------

def test_a_pipe_that_another_request_writes_to(server, nothing_stays_open):
    with server.connect() as client:
        client.send(request('GET', '/pipe?pipe'))
        server.noted('pipe', 'waits')
        assert body(server.get('/write-pipe?pipe')) == b'written'
        assert body(client.response()) == b'from another, ready'
    server.noted('pipe', 'waits', 'end', 'close')


def test_a_pipe_that_a_thread_writes_to(server, nothing_stays_open):
    assert body(server.get('/pipe-thread')) == b'from a thread, ready'


def test_sockets(server, nothing_stays_open):
    assert body(server.get('/sockets')) == b"ready, timed out, ready, ready, b''"


def test_a_file_is_ready(server, nothing_stays_open):
    assert body(server.get('/file')) == b'ready'


def test_whether_a_wait_timed_out(server):
    assert body(server.get('/timeouts')) == \
        b'[False, True, False, True, False, True, False, True]'


def test_wrong_arguments(server, nothing_stays_open):
    said = body(server.get('/wrong')).decode().split()
    assert said[:9] == ['ValueError', 'TypeError', 'TypeError', 'TypeError', 'OverflowError',
                        'TypeError', 'TypeError', 'TypeError', 'ValueError']
    assert said[9] in ('OSError', 'nothing')  # a wait for what is closed does not last
    assert said[10] == 'TypeError'


def test_numbers_that_are_used_again(server, nothing_stays_open):
    """A descriptor is not taken for the one that had its number before."""
    clients = [server.connect() for _ in range(10)]
    for client in clients:
        client.send(request('GET', '/close-in-use?again'))
    for client in clients:
        assert body(client.response()) == b'fine'
        client.close()


# -- Events ---------------------------------------------------------------------------------------

@contextlib.contextmanager
def waiters(server, name, count=20):
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.connect()) for _ in range(count)]
        for client in clients:
            client.send(request('GET', f'/wait?{name}'))
        server.noted(name, *['waits'] * count)
        yield clients


def test_an_event_that_another_request_sets(server):
    with waiters(server, 'set') as clients:
        assert body(server.get('/set?set')) == b'True'
        assert [body(client.response()) for client in clients] == [b'ready'] * len(clients)
    assert body(server.get('/wait?set')) == b'ready'  # it still is


def test_a_pulse(server):
    """Those that wait go on, those to come wait."""
    with waiters(server, 'pulse') as clients:
        assert body(server.get('/pulse?pulse')) == b'False'
        assert [body(client.response()) for client in clients] == [b'ready'] * len(clients)
    assert body(server.get('/wait-timeout?pulse&0.01')) == b'timed out'


def test_an_event_that_a_thread_sets(server):
    """The loop, which had nothing to do, learns of it."""
    with waiters(server, 'thread') as clients:
        assert body(server.get('/set-by-thread?thread')) == b'soon'
        (server.notes / 'thread.go').touch()
        assert [body(client.response()) for client in clients] == [b'ready'] * len(clients)


def test_an_event_that_is_set_before_the_yield(server):
    assert body(server.get('/set-before-the-yield')) == b'ready'


def test_a_thread_and_a_request_in_turn(server):
    assert body(server.get('/ping-pong')) == b'ready'


def test_a_wait_for_an_event_that_ends(server):
    assert body(server.get('/wait-timeout?nobody&0.02')) == b'timed out'
    server.noted('nobody', 'end', 'close')


def test_several_that_wait_for_one_descriptor(server, nothing_stays_open):
    """Each goes on, though they wait for one number."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.connect()) for _ in range(5)]
        for client in clients:
            client.send(request('GET', '/shared?shared'))
        server.noted('shared', *['waits'] * 5)
        assert body(server.get('/write-shared')) == b'written'
        assert [body(client.response()) for client in clients] == [b'ready'] * 5


def test_waits_in_a_list(server):
    """An iterable need not be a generator."""
    with server.connect() as client:
        client.send(request('GET', '/list'))
        server.noted('list', 'waits')
        client.socket.settimeout(0.1)
        with pytest.raises(TimeoutError):
            client.socket.recv(1)
        client.socket.settimeout(15)
        assert body(server.get('/pulse?list')) == b'False'
        assert body(client.response()) == b'went on'


def test_some_time_out_and_some_do_not(server):
    with waiters(server, 'mixed', 5) as clients:
        hasty = [server.connect() for _ in range(5)]
        for client in hasty:
            client.send(request('GET', '/wait-timeout?hasty-mixed&0.01'))
        for client in hasty:
            assert body(client.response()) == b'timed out'
            client.close()
        assert body(server.get('/set?mixed')) == b'True'
        assert [body(client.response()) for client in clients] == [b'ready'] * 5


# -- Outside of a request -------------------------------------------------------------------------

def test_outside_of_a_request(server):
    """While the application is loaded, and in a thread that serves none."""
    assert body(server.get('/outside')).split() == [b'RuntimeError'] * 4


def test_waits_of_a_request_that_is_over(server):
    assert body(server.get('/keep')) == b'kept'
    assert body(server.get('/use-kept')).split() == [b'RuntimeError'] * 6
    assert body(server.get('/hello')) == b'hello'


# -- Clients that leave ---------------------------------------------------------------------------

LONG = ['/readable', '/readable-timeout', '/writable', '/sleep-long', '/wait-event', '/pipe']


@pytest.mark.parametrize('target', LONG)
@pytest.mark.parametrize('leave', ['close', 'reset', 'half_close'])
def test_clients_that_leave(server, nothing_stays_open, target, leave):
    """Within their wait, which ends at once, and the iterable is closed, once."""
    name = f'{leave}-{target[1:]}'
    client = server.connect()
    client.send(request('GET', f'{target}?{name}'))
    server.noted(name, 'waits')
    getattr(client, leave)()
    server.noted(name, 'waits', 'GeneratorExit', 'close')
    client.close()


@pytest.mark.parametrize('leave', ['close', 'reset'])
def test_hundreds_of_clients_that_leave(server, nothing_stays_open, leave):
    clients = [server.connect() for _ in range(120)]
    for n, client in enumerate(clients):
        client.send(request('GET', f'{LONG[n % 5]}?hundreds-{leave}-{n}'))
        server.noted(f'hundreds-{leave}-{n}', 'waits')
    for client in clients:
        getattr(client, leave)()
    for n, client in enumerate(clients):
        server.noted(f'hundreds-{leave}-{n}', 'waits', 'GeneratorExit', 'close')


def test_a_client_that_leaves_after_more_requests(server, nothing_stays_open):
    """They are not answered, and do not hide that it has gone."""
    client = server.connect()
    client.send(request('GET', '/sleep-long?more') + request('GET', '/hello') * 3)
    server.noted('more', 'waits')
    client.reset()
    server.noted('more', 'waits', 'GeneratorExit', 'close')


def test_an_event_that_is_set_when_its_waiter_has_gone(server, nothing_stays_open):
    with waiters(server, 'gone', 10) as clients:
        for client in clients[:5]:
            client.reset()
        server.noted('gone', *['waits'] * 10, *['GeneratorExit', 'close'] * 5, sort=True)
        assert body(server.get('/pulse?gone')) == b'False'
        assert [body(client.response()) for client in clients[5:]] == [b'ready'] * 5


def test_iterables_that_do_not_just_end(server, nothing_stays_open):
    for name, notes in (('stubborn', ['RuntimeError']), ('waits-at-its-end', None)):
        client = server.connect()
        client.send(request('GET', f'/{name}?{name}'))
        server.noted(name, 'waits')
        client.close()
        if notes is None:
            server.noted(name, 'waits', 'RuntimeError', 'GeneratorExit', 'close')
    assert body(server.get('/hello')) == b'hello'


def test_a_client_that_leaves_while_it_is_computed_for(server):
    with server.connect() as client:
        client.send(request('GET', '/computes?computes'))
        assert client.head()[1] == 200
        server.noted('computes', 'False')
    server.noted('computes', 'False', 'True')
    assert body(server.get('/here')) == b'False'


# -- Input and waits ------------------------------------------------------------------------------

def test_waits_between_pieces_of_input(server):
    data = bytes(range(256)) * 2000
    with server.connect() as client:
        client.send(request('POST', '/upload?upload', body=data))
        assert body(client.response()) == data


@pytest.mark.parametrize('leave', ['close', 'reset'])
def test_a_client_that_leaves_an_upload(server, nothing_stays_open, leave):
    client = server.connect()
    name = 'upload-' + leave
    client.send(request('POST', f'/upload?{name}', 'Content-Length: 10000') + bytes(100))
    server.noted(name, 'called')
    getattr(client, leave)()
    server.noted(name, 'called', 'GeneratorExit', 'close')


# -- Processes ------------------------------------------------------------------------------------

def test_two_workers(serve):
    """What waits in one does not keep the other."""
    server = serve('waiting', '--workers', '2')
    clients = [server.connect() for _ in range(40)]
    for client in clients:
        client.send(request('GET', '/steps'))
    for client in clients:
        assert len(body(client.response())) == 50
        client.close()


@pytest.mark.parametrize('target', ['/sleep-long', '/readable', '/wait-event'])
def test_a_graceful_stop_does_not_wait_for_ever(serve, target):
    """It ends those that are suspended when its time is over, by a GeneratorExit."""
    server = serve('waiting', '--graceful-timeout', '1s')
    with server.connect() as client:
        client.send(request('GET', f'{target}?stop'))
        server.noted('stop', 'waits')
        server.command.signal(signal.SIGTERM)
        assert server.command.wait() == 0
        assert client.file.read() == b''
    server.noted('stop', 'waits', 'GeneratorExit', 'close')


def test_a_graceful_stop_lets_them_end(serve):
    server = serve('waiting')
    with server.connect() as client:
        client.send(request('GET', '/sleep?lets&1'))
        server.noted('lets', 'sleeps')
        server.command.signal(signal.SIGTERM)
        assert client.response().status == 200
    assert server.command.wait() == 0


def test_a_stop_at_once(serve):
    server = serve('waiting')
    with server.connect() as client:
        client.send(request('GET', '/sleep-long?once'))
        server.noted('once', 'waits')
        server.command.signal(signal.SIGINT)
        assert server.command.wait() == 0


def test_time_outs_of_connections_are_not_those_of_waits(serve):
    """Nobody is slow where the application waits."""
    server = serve('waiting', *[word for name in ('body', 'write', 'idle', 'head')
                                for word in (f'--timeout-{name}', '300ms')])
    assert body(server.get('/sleep?long&1')) == b'ready'


def test_an_application_that_cannot_wait(start):
    """In one that runs elsewhere the module's functions are what they are: exceptions."""
    running = start('''
        import asynwsgi
        asynwsgi.Event().set()
        try:
            asynwsgi.sleep(1)
        except RuntimeError as error:
            print('refused:', error)

        def application(environ, start_response):
            start_response('200 OK', [('Content-Type', 'text/plain')])
            yield asynwsgi.sleep(0.01)
            yield b'fine'
    ''')
    assert running.get().body == b'fine'
