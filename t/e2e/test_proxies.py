"""Behind nginx and HAProxy, which keep their connections to the server: over TCP and over a unix
socket."""

import concurrent.futures
import hashlib
import http.client
import random
import subprocess

import pytest

import proxy
from peer import Peer, request
from serving import eventually, needs

requests = pytest.importorskip('requests')


KEPT = 25  # more sockets than a proxy keeps for later, and the server has of its own


@pytest.fixture(scope='module', params=['tcp', 'unix'])
def server(serve, request, tmp_path_factory):
    """A server for the proxies; server.upstream is what they call its address."""
    if request.param == 'tcp':
        server = serve('pep3333')
        server.upstream = server.authority
    else:
        path = tmp_path_factory.mktemp('unix') / 'socket'
        server = serve('pep3333', bind=f'unix:{path}')
        server.upstream = f'unix:{path}'
    return server


@pytest.fixture(scope='module', params=[proxy.nginx, proxy.haproxy])
def front(server, request, tmp_path_factory):
    running = request.param(tmp_path_factory.mktemp('proxy'), server.upstream)
    yield running
    running.stop()


@pytest.fixture(scope='module')
def nginx(server, tmp_path_factory):
    running = proxy.nginx(tmp_path_factory.mktemp('nginx'), server.upstream)
    yield running
    running.stop()


@pytest.fixture
def session():
    with requests.Session() as session:
        session.trust_env = False
        yield session


def test_connections_to_the_server_are_kept(server, front, session):
    session.get(front.url + '/large?1', timeout=20)
    before = server.connections()
    for n in range(50):
        assert session.get(f'{front.url}/large?{n}', timeout=20).text == 'x' * n
    assert server.connections() <= before


def test_environ(front, session):
    environ = session.get(front.url + '/environ?a=%20b', timeout=20).json()
    assert environ['HTTP_HOST'] == front.authority
    assert (environ['PATH_INFO'], environ['QUERY_STRING']) == ('/environ', 'a=%20b')
    assert environ['SERVER_NAME'] and environ['SERVER_PORT'].isdigit()
    assert environ['SERVER_PROTOCOL'] == 'HTTP/1.1'


@pytest.mark.parametrize('chunked', [False, True], ids=['sized', 'chunked'])
@pytest.mark.parametrize('size', [0, 1000, 10_000_000])
def test_upload(server, front, session, size, chunked):
    if chunked and front.name == 'haproxy' and server.upstream.startswith('unix:'):
        size = min(size, 100_000)  # once such a socket was full, HAProxy 2.6 may not go on with it
    body = random.Random(size).randbytes(size)
    pieces = (body[at:at + 30_000] for at in range(0, size, 30_000))
    response = session.post(front.url + '/echo', data=pieces if chunked else body, timeout=20)
    assert hashlib.sha256(response.content).digest() == hashlib.sha256(body).digest()


@pytest.mark.parametrize('target, length', [
    ('/large?10000000', 10_000_000), ('/large-pieces?1000,5000', 5_000_000),
    ('/large-pieces?3,1', 3), ('/file?whole', 500_000), ('/write', 29)])
def test_download(front, session, target, length):
    assert len(session.get(front.url + target, timeout=20).content) == length


def test_methods_and_statuses(front, session):
    for method, target, status, body in [
            ('HEAD', '/large?100', 200, b''), ('GET', '/status?204%20None,,', 204, b''),
            ('GET', '/status?304%20Same,,', 304, b''),
            ('GET', '/status?404%20Gone,away,4', 404, b'away'),
            ('GET', '/error-at-once', 500, None), ('PUT', '/echo', 200, b''),
            ('OPTIONS', '/write', 200, b'written, twice, then returned')]:
        response = session.request(method, front.url + target, timeout=20)
        assert response.status_code == status
        assert body is None or response.content == body


def test_a_stream_is_passed_on_as_it_comes(server, front):
    """nginx is told not to keep it; HAProxy does not anyway."""
    path = '/unbuffered/slow' if front.name == 'nginx' else '/slow'
    name = f'proxied-{front.address[1]}'
    with Peer(front.address) as client:
        client.send(request('GET', f'{path}?{name}'))
        assert client.head()[1] == 200
        chunks = client.chunks()
        assert next(chunks) == b'first'
        (server.notes / name).touch()
        assert list(chunks) == [b'second']


def test_a_response_that_breaks_off_is_seen_to(front, session):
    for target in ('/error-in-body?proxied', '/error-in-sized-body?proxied'):
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError,
                            http.client.IncompleteRead)):
            response = session.get(front.url + target, timeout=20)
            assert response.status_code == 200
            if len(response.content) < int(response.headers.get('Content-Length', 0)):
                raise http.client.IncompleteRead(response.content)
    assert session.get(front.url + '/large?1', timeout=20).text == 'x'


def test_http_1_0(nginx, session):
    """What nginx speaks to servers if it is not told otherwise."""
    old = nginx.url + '/1.0'
    assert session.get(old + '/environ', timeout=20).json()['SERVER_PROTOCOL'] == 'HTTP/1.0'
    assert session.get(old + '/large-pieces?3,2', timeout=20).text == 'AABBCC'
    assert session.post(old + '/echo', data=b'x' * 1_000_000, timeout=20).text == 'x' * 1_000_000
    assert session.post(old + '/echo', data=iter([b'a', b'b']), timeout=20).text == 'ab'


def test_clients_that_leave(server, front):
    """The proxy leaves, too, or goes on; nothing stays."""
    for sent in range(0, 120, 7):
        with Peer(front.address) as client:
            client.send(request('POST', '/echo', body=bytes(1000))[:sent])
    for _ in range(5):
        with Peer(front.address) as client:
            client.send(request('GET', '/large-pieces?1000,5000'))
            client.socket.recv(1000)
    with Peer(front.address) as client:
        client.send(request('GET', '/large?1'))
        assert client.response().body == b'x'
    eventually(lambda: server.connections() <= KEPT)


def test_many_clients(front):
    def ask(n):
        connection = http.client.HTTPConnection(front.authority, timeout=20)
        for m in range(20):
            body = b'%d' % (n * m) * 100
            connection.request('POST', '/echo', body)
            if connection.getresponse().read() != body:
                return False
        connection.close()
        return True
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        assert all(threads.map(ask, range(40)))


@needs('h2load')
def test_load(front):
    done = subprocess.run(['h2load', '--h1', '-n', '4000', '-c', '32', '-m', '4',
                           front.url + '/large?100'], capture_output=True, text=True, timeout=30)
    assert '4000 succeeded, 0 failed, 0 errored, 0 timeout' in done.stdout
    assert 'status codes: 4000 2xx, 0 3xx, 0 4xx, 0 5xx' in done.stdout
