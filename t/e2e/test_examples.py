"""The programs in examples/ do what they say, run and asked as their first lines have it."""

import concurrent.futures
import contextlib
import hashlib
import io
import itertools
import json
import re
import socket
import subprocess
import tarfile
import threading

import pytest

import command
from conftest import APPS
from peer import chunked_request, request
from serving import eventually, needs

EXAMPLES = APPS.parents[2] / 'examples'


def curl(*arguments, **options):
    done = subprocess.run(['curl', '-sS', '--max-time', str(command.PATIENCE), *arguments],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def documented(example, program):
    """The lines of an example's description that run a program."""
    text = (EXAMPLES / f'{example}.py').read_text().split('"""')[1]
    return re.findall(rf'\n    (.*\b{program}\b.*)', text)


@pytest.mark.parametrize('example', sorted(path.stem for path in EXAMPLES.glob('*.py')))
def test_says_how_it_is_run(example):
    text = (EXAMPLES / f'{example}.py').read_text()
    assert re.match(rf'""".*: asynwsgi --chdir examples {example}(:\w+)?\n?', text)


def test_hello(serve, client_of):
    assert client_of(serve('hello', apps=EXAMPLES))('GET', '/').text == 'Hello, world!\n'


def test_flask_app(serve, client_of):
    client = client_of(serve('flask_app:app', apps=EXAMPLES))
    assert client('GET', '/?name=you').json() == {'hello': 'you'}
    assert client('POST', '/upload', files={'file': ('a', b'content')}).json() == {
        'name': 'a', 'size': 7, 'sha256': hashlib.sha256(b'content').hexdigest()}
    with client('GET', '/numbers', stream=True) as response:
        lines = itertools.islice(response.iter_lines(), 100_000)
        assert all(int(line) == number for number, line in enumerate(lines))
    assert client('GET', '/').json() == {'hello': 'world'}


# -- uploader -------------------------------------------------------------------------------------

@pytest.fixture(scope='module')
def uploads(tmp_path_factory):
    return tmp_path_factory.mktemp('uploads')


@pytest.fixture(scope='module')
def uploader(serve, uploads):
    return serve('uploader', apps=EXAMPLES, env={'UPLOADS': str(uploads)})


CONTENT = bytes(range(256)) * 5000
STORED = {'size': len(CONTENT), 'sha256': hashlib.sha256(CONTENT).hexdigest()}


@needs('curl')
def test_uploads_by_curl(uploader, uploads, tmp_path):
    """The lines of the description."""
    (tmp_path / 'README.md').write_bytes(CONTENT)
    for line in documented('uploader', 'curl'):
        line = line.replace('http://127.0.0.1:8000', uploader.url).replace('curl', 'curl -sS')
        done = subprocess.run(line, shell=True, cwd=tmp_path, stdout=subprocess.PIPE)
        stored = json.loads(done.stdout)
        data = (uploads / stored['name']).read_bytes()
        assert stored['size'] == len(data) and stored['sha256'] == hashlib.sha256(data).hexdigest()
    assert (uploads / 'README.md').read_bytes() == CONTENT
    backup = tarfile.open(fileobj=io.BytesIO((uploads / 'backup.tar').read_bytes()))
    assert backup.extractfile('./README.md').read() == CONTENT


def test_hundreds_of_uploads_at_once(uploader, uploads):
    """Each gets some further in each round, sized and chunked, and each is whole in the end."""
    clients = [uploader.connect() for _ in range(200)]
    bodies = [bytes([n]) * 50_000 for n in range(len(clients))]
    messages = [chunked_request('POST', f'/at-once-{n}', *[body[:20_000], body[20_000:]]) if n % 2
                else request('PUT', f'/at-once-{n}', body=body) for n, body in enumerate(bodies)]
    for at in range(0, max(map(len, messages)), 10_000):
        for client, message in zip(clients, messages):
            client.send(message[at:at + 10_000])
    for n, (client, body) in enumerate(zip(clients, bodies)):
        response = client.response()
        assert response.status == 201
        assert json.loads(response.body) == {'name': f'at-once-{n}', 'size': len(body),
                                             'sha256': hashlib.sha256(body).hexdigest()}
        assert (uploads / f'at-once-{n}').read_bytes() == body
        client.close()


@pytest.mark.parametrize('target, name', [
    ('/', 'upload'), ('/a/b/c', 'c'), ('/..', 'upload'), ('/../../etc/passwd', 'passwd'),
    ('/.profile', 'profile'), ('/..%2f..%2fevil', 'evil'), ('/..%5Cevil', 'evil'),
    ('/a%0Ab%3B', 'a_b_'), ('/caf%C3%A9', 'caf\xe9'), ('/%FF', '_'),
    ('/' + 'x' * 300, 'x' * 60), ('/.upload-1', 'upload-1')])
def test_names_of_uploads(uploader, uploads, target, name):
    before = set(uploads.iterdir())
    assert json.loads(uploader.post(target, CONTENT).body) == {'name': name, **STORED}
    assert set(uploads.iterdir()) == before | {uploads / name}
    assert (uploads / name).read_bytes() == CONTENT


def test_an_empty_upload(uploader, uploads):
    assert uploader.post('/empty', b'').status == 201
    assert (uploads / 'empty').read_bytes() == b''
    assert uploader.ask(chunked_request('PUT', '/empty-chunked')).status == 201
    assert (uploads / 'empty-chunked').read_bytes() == b''


def test_an_upload_is_not_seen_before_it_is_whole(uploader, uploads):
    assert uploader.post('/replaced', b'before').status == 201
    with uploader.connect() as client:
        message = request('PUT', '/replaced', body=b'after')
        client.send(message[:-1])
        eventually(lambda: list(uploads.glob('.upload-*')))
        assert (uploads / 'replaced').read_bytes() == b'before'
        client.send(message[-1:])
        assert client.response().status == 201
    assert (uploads / 'replaced').read_bytes() == b'after'
    assert not list(uploads.glob('.upload-*'))


@pytest.mark.parametrize('message', [request('PUT', '/broken', body=CONTENT),
                                     chunked_request('PUT', '/broken', CONTENT)],
                         ids=['sized', 'chunked'])
@pytest.mark.parametrize('leave', ['close', 'reset'])
def test_an_upload_that_is_broken_off_leaves_nothing(uploader, uploads, message, leave):
    client = uploader.connect()
    client.send(message[:-1])
    eventually(lambda: list(uploads.glob('.upload-*')))
    getattr(client, leave)()
    eventually(lambda: not list(uploads.glob('.upload-*')))
    assert not (uploads / 'broken').exists()


def test_the_uploader_takes_uploads_only(uploader):
    with uploader.connect() as client:
        client.send(request('GET', '/') * 2)
        for _ in range(2):
            response = client.response()
            assert (response.status, response['Allow']) == (405, 'POST, PUT')


# -- events ---------------------------------------------------------------------------------------

@pytest.fixture(scope='module')
def events(serve):
    return serve('events', apps=EXAMPLES, env={'TICK': '0.2'})


def numbers_of(text):
    """The numbers of the events in a text, of which the last may be cut."""
    found = re.findall(r'id: (\d+)\ndata: (\{.*\})\n\n', text)
    assert all(json.loads(data)['number'] == int(number) for number, data in found)
    return [int(number) for number, _ in found]


def take_events(client, count, *fields):
    """The numbers of so many events from now on."""
    client.send(request('GET', '/events', *fields))
    _, status, _, fields = client.head()
    assert status == 200 and ('Content-Type', 'text/event-stream') in fields
    text, chunks = '', client.chunks()
    while len(numbers_of(text)) < count:
        text += next(chunks).decode()
    assert text.startswith('retry: 1000\n\n')
    return numbers_of(text)


@needs('curl')
def test_events_by_curl(events):
    line, = documented('events', 'curl')
    arguments = line.replace('http://127.0.0.1:8000', events.url).split()[1:]
    with subprocess.Popen(['curl', '-sS', *arguments], stdout=subprocess.PIPE) as process:
        text = ''
        while len(numbers := numbers_of(text)) < 2:
            line = process.stdout.readline()
            assert line, text
            text += line.decode()
        process.terminate()
    assert numbers == [numbers[0], numbers[0] + 1]


def test_each_event_comes_to_each_client(events):
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(events.connect()) for _ in range(100)]
        with concurrent.futures.ThreadPoolExecutor(len(clients)) as pool:
            taken = list(pool.map(lambda client: take_events(client, 3), clients))
    for numbers in taken:
        assert numbers == list(range(numbers[0], numbers[0] + 3))


def test_events_go_on_after_the_last_that_was_seen(events):
    with events.connect() as client:
        first, second = take_events(client, 2)
    with events.connect() as client:
        assert take_events(client, 2, f'Last-Event-ID: {first}')[:2] == [second, second + 1]


def test_the_page_of_events(events):
    response = events.get('/')
    assert response['Content-Type'] == 'text/html; charset=utf-8'
    assert b"new EventSource('/events')" in response.body
    assert events.get('/nowhere').status == 404


def test_who_left_gets_no_more_events(events):
    before = events.connections()
    clients = [events.connect() for _ in range(50)]
    for client in clients:
        client.send(request('GET', '/events'))
        assert client.head()[1] == 200
    for n, client in enumerate(clients):
        (client.reset if n % 2 else client.close)()
    eventually(lambda: events.connections() <= before)


# -- longpoll -------------------------------------------------------------------------------------

@pytest.fixture
def chat(serve):
    return serve('longpoll', apps=EXAMPLES)


@needs('curl')
def test_a_chat_by_curl(chat):
    say, listen = [line.replace('http://127.0.0.1:8000', chat.url)
                   for line in documented('longpoll', 'curl')]
    listener = subprocess.Popen(listen, shell=True, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL)
    assert json.loads(subprocess.check_output(say + ' -sS', shell=True)) == 1
    assert json.loads(listener.communicate()[0]) == [{'number': 1, 'text': 'Hello, all'}]
    assert listener.returncode == 0


def test_all_who_listen_hear(chat):
    clients = [chat.connect() for _ in range(100)]
    for client in clients:
        client.send(request('GET', '/?after=0'))
    assert chat.post('/', b'one').status == 201
    for client in clients:
        assert json.loads(client.response().body) == [{'number': 1, 'text': 'one'}]
        client.send(request('GET', '/?after=1'))
    assert chat.post('/', b'tw\xc3\xb6').body == b'2\n'
    for client in clients:
        assert json.loads(client.response().body) == [{'number': 2, 'text': 'tw\xf6'}]
        client.close()
    assert [message['number'] for message in json.loads(chat.get('/').body)] == [1, 2]


def test_a_poll_ends(serve):
    chat = serve('longpoll', apps=EXAMPLES, env={'POLL': '0.3'})
    with chat.connect() as client:
        for _ in range(2):
            client.send(request('GET', '/?after=7'))
            response = client.response()
            assert (response.status, response.body) == (200, b'[]\n')


def test_what_a_chat_refuses(chat):
    assert chat.post('/', b'').status == 400
    assert chat.post('/', b'x' * 2001).status == 400
    assert chat.get('/?after=-1').status == 400
    assert chat.ask(request('DELETE', '/'))['Allow'] == 'GET, POST'


def test_listeners_that_leave(chat):
    before = chat.connections()
    clients = [chat.connect() for _ in range(50)]
    for client in clients:
        client.send(request('GET', '/?after=0'))
    eventually(lambda: chat.connections() >= before + 50)
    for n, client in enumerate(clients):
        (client.reset if n % 2 else client.close)()
    eventually(lambda: chat.connections() <= before)
    assert chat.post('/', b'nobody').body == b'1\n'


# -- upstream -------------------------------------------------------------------------------------

class Service:
    """Listens, and treats each request with a function of its target and its socket."""

    def __init__(self, treat, backlog=1000):
        self.treat, self.requests = treat, []
        self.socket = socket.create_server(('127.0.0.1', 0), backlog=backlog)
        self.name = '127.0.0.1:%d' % self.socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.socket.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, client.makefile('rb') as file, contextlib.suppress(OSError):
            client.settimeout(command.PATIENCE)
            lines = list(iter(file.readline, b'\r\n'))
            self.requests.append(lines)
            self.treat(lines[0].decode().split()[1], client)

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


@pytest.fixture
def behind(serve):
    """behind(treat, ...) starts examples/upstream.py before a service."""
    services = []

    def start(treat, **env):
        services.append(Service(treat))
        server = serve('upstream', apps=EXAMPLES, env={'UPSTREAM': services[-1].name, **env})
        return server, services[-1]

    yield start
    for service in services:
        service.close()


@needs('curl')
def test_upstream_by_curl(serve, tmp_path):
    """A real service."""
    (tmp_path / 'file').write_bytes(CONTENT)
    web = subprocess.Popen(
        ['/usr/bin/python3', '-u', '-m', 'http.server', '0', '--bind', '127.0.0.1'],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        port = re.search(r'port (\d+)', web.stdout.readline())[1]
        server = serve('upstream', apps=EXAMPLES, env={'UPSTREAM': f'127.0.0.1:{port}'})
        assert curl(f'{server.url}/file?x=y') == CONTENT
        assert b' 404 ' in curl('-i', f'{server.url}/nowhere').splitlines()[0]
        head = curl('-I', f'{server.url}/file').decode()
        assert f'Content-Length: {len(CONTENT)}' in head.splitlines()
    finally:
        web.kill()
        web.communicate()


def test_hundreds_wait_for_a_slow_service_at_once(behind):
    """None is answered before all have come to the service."""
    come, count = threading.Barrier(100), 100

    def treat(target, client):
        come.wait(command.PATIENCE)
        client.sendall(b'HTTP/1.1 200 OK\r\nX-Is: %b\r\nConnection: x\r\n\r\n' % target.encode())
        client.sendall(target.encode() * 10_000)

    server, _ = behind(treat)
    clients = [server.connect() for _ in range(count)]
    for n, client in enumerate(clients):
        client.send(request('GET', f'/{n:03}'))
    for n, client in enumerate(clients):
        response = client.response()
        assert (response.status, response['X-Is'], response.complete) == (200, f'/{n:03}', True)
        assert 'x' not in response.all('Connection') and response.body == b'/%03d' % n * 10_000
        client.close()


def test_what_the_service_is_asked(behind):
    """What a client hides in its target stays there."""
    server, service = behind(lambda target, client: client.sendall(b'HTTP/1.0 204\r\n\r\n'))
    assert server.get('/a%20b%0D%0AX-Evil:%20yes?c=%0D%0A').status == 204
    assert service.requests[0][0] == b'GET /a%20b%0D%0AX-Evil%3A%20yes?c=%0D%0A HTTP/1.0\r\n'
    assert len(service.requests[0]) == 3
    assert server.post('/', b'body').status == 501


def test_a_service_that_is_silent(behind):
    server, _ = behind(lambda target, client: client.recv(1), UPSTREAM_TIMEOUT='0.3')
    assert [server.get('/').status for _ in range(2)] == [504, 504]


def test_a_service_that_cannot_be_reached(serve):
    with socket.create_server(('127.0.0.1', 0)) as gone:
        port = gone.getsockname()[1]
    server = serve('upstream', apps=EXAMPLES, env={'UPSTREAM': f'127.0.0.1:{port}'})
    response = server.get('/')
    assert response.status == 502 and b'Connection refused' in response.body


def test_a_service_that_does_not_accept(serve):
    """Connecting, too, does not block: others are answered while it goes on."""
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.create_server(('127.0.0.1', 0), backlog=0))
        for _ in range(4):  # who takes the places in its queue
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        server = serve('upstream', apps=EXAMPLES,
                       env={'UPSTREAM': '127.0.0.1:%d' % full.getsockname()[1],
                            'UPSTREAM_TIMEOUT': '1'})
        clients = [stack.enter_context(server.connect()) for _ in range(3)]
        for client in clients:
            client.send(request('GET', '/'))
        assert server.post('/', b'').status == 501
        for client in clients:
            assert client.response().status == 504


@pytest.mark.parametrize('answer', [b'', b'HTTP/1.0 200 OK\r\n', b'SSH-2.0-OpenSSH\r\n\r\n',
                                    b'HTTP/1.0 200 OK\r\n' + b'X: ' + b'x' * 200_000,
                                    b'HTTP/1.0 20\r\n\r\n'], ids=range(5))
def test_a_service_that_talks_nonsense(behind, answer):
    server, _ = behind(lambda target, client: client.sendall(answer))
    assert server.get('/').status == 502


def test_a_service_that_stops_in_the_middle(behind):
    """The client sees that."""
    server, _ = behind(lambda target, client: client.sendall(
        b'HTTP/1.0 200 OK\r\nContent-Length: 100\r\n\r\nsome'))
    response = server.get('/')
    assert (response.status, response.body, response.complete) == (200, b'some', False)


def test_a_client_that_leaves_is_not_waited_for(behind):
    """The service sees that at once."""
    left = threading.Event()

    def treat(target, client):
        if client.recv(1) == b'':
            left.set()

    server, service = behind(treat)
    client = server.connect()
    client.send(request('GET', '/'))
    eventually(lambda: service.requests)
    client.close()
    assert left.wait(command.PATIENCE / 2)
