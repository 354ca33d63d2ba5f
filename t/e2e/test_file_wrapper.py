"""Files that are sent by wsgi.file_wrapper: all kinds of them, whole and in part, to all kinds of
clients."""

import hashlib
import os
import time

import pytest

from peer import Peer, request
from serving import eventually

SIZE = 1_000_003
CONTENT = hashlib.shake_128(b'content').digest(SIZE)
KINDS = ['plain', 'unbuffered', 'updated', 'named', 'unnamed', 'rolled', 'spooled', 'memory',
         'zipped', 'pipe']
SEEKABLE = [kind for kind in KINDS if kind != 'pipe']
LARGE = 100 * 1024 * 1024


@pytest.fixture(scope='module')
def server(serve, tmp_path_factory):
    file = tmp_path_factory.mktemp('files') / 'content'
    file.write_bytes(CONTENT)
    return serve('files', env={'FILE': str(file)})


@pytest.fixture(scope='module')
def large(tmp_path_factory):
    """A file of 100 MiB, and its digest."""
    file = tmp_path_factory.mktemp('files') / 'large'
    digest = hashlib.sha256()
    with file.open('wb') as out:
        for number in range(100):
            block = number.to_bytes(4, 'big') * (1 << 18)
            digest.update(block)
            out.write(block)
    yield file, digest.hexdigest()
    file.unlink()


@pytest.fixture(scope='module')
def large_server(serve, large):
    return serve('files', env={'FILE': str(large[0])})


def files(server):
    """How many regular files of tests it has open."""
    return sum('/' in link and not link.startswith('/dev') for link in server.descriptors())


@pytest.fixture(autouse=True)
def every_file_is_closed(server):
    before = files(server)
    yield
    eventually(lambda: files(server) == before)


@pytest.mark.parametrize('kind', KINDS)
def test_kind(server, kind):
    response = server.get(f'/{kind}')
    assert response.complete and response.body == CONTENT
    response = server.ask(request('GET', f'/{kind}', version='1.0'))
    assert response.complete and response.body == CONTENT


@pytest.mark.parametrize('kind', ['replaced', 'replaced-unbuffered'])
def test_a_read_of_its_own(server, kind):
    assert server.get(f'/{kind}').body == b'replaced'


def test_what_is_not_written_yet(server):
    assert server.get('/written').body == b'tten' + CONTENT[7:]


@pytest.mark.parametrize('kind', SEEKABLE)
def test_part(server, kind):
    assert server.get(f'/{kind}?seek=1000').body == CONTENT[1000:]
    assert server.get(f'/{kind}?read=1').body == CONTENT[1:]
    assert server.get(f'/{kind}?seek=70000&read=70000').body == CONTENT[140000:]
    assert server.get(f'/{kind}?seek=9000000').body == b''
    with server.connect() as client:
        for _ in range(3):
            client.send(request('GET', f'/{kind}?seek=5&read=5&length=100'))
            response = client.response()
            assert response.complete and response.body == CONTENT[10:110]


@pytest.mark.parametrize('kind', KINDS)
def test_head(server, kind):
    with server.connect() as client:
        for _ in range(2):
            client.send(request('HEAD', f'/{kind}') + request('HEAD', f'/{kind}?length=5'))
            assert client.response('HEAD').body == b''
            assert client.response('HEAD')['Content-Length'] == '5'


def test_empty(serve, tmp_path):
    (tmp_path / 'empty').touch()
    server = serve('files', env={'FILE': str(tmp_path / 'empty')})
    for kind in SEEKABLE:
        response = server.get(f'/{kind}')
        assert response.complete and response.body == b''


def test_pipelined(server):
    with server.connect() as client:
        client.send(b''.join(request('GET', f'/plain?seek={n}&length=1000') for n in range(50)))
        for n in range(50):
            assert client.response().body == CONTENT[n:n + 1000]


@pytest.mark.parametrize('first, last', [(0, 0), (0, 99), (500, 70000), (SIZE - 5, SIZE - 1),
                                         (100, SIZE - 1)])
def test_range_by_flask(server, first, last):
    pytest.importorskip('flask')
    response = server.get('/flask', f'Range: bytes={first}-{last}')
    assert response.status == 206 and response.complete
    assert response['Content-Range'] == f'bytes {first}-{last}/{SIZE}'
    assert response.body == CONTENT[first:last + 1]


def test_conditional_by_flask(server):
    pytest.importorskip('flask')
    with server.connect() as client:
        client.send(request('GET', '/flask'))
        whole = client.response()
        assert whole.complete and whole.body == CONTENT
        client.send(request('GET', '/flask', f'If-None-Match: {whole["ETag"]}'))
        assert client.response().status == 304
        client.send(request('GET', '/flask', f'If-Range: {whole["ETag"]}', 'Range: bytes=-10'))
        assert client.response().body == CONTENT[-10:]
        client.send(request('GET', '/flask', 'Range: bytes=9000000-'))
        assert client.response().status == 416


@pytest.mark.parametrize('version', ['1.0', '1.1'])
def test_large(large_server, large, version):
    before = large_server.resident()
    with large_server.connect() as client:
        client.send(request('GET', '/plain', version=version))
        assert dict(client.head()[3])['Content-Length'] == str(LARGE)
        digest = hashlib.sha256()
        left = LARGE
        while left and (block := client.file.read(min(left, 1 << 20))):
            digest.update(block)
            left -= len(block)
    assert digest.hexdigest() == large[1]
    assert large_server.resident() < before + 20_000_000


def test_readers_that_stall_cost_no_memory(large_server):
    before = large_server.resident()
    clients = [Peer((large_server.host, large_server.port), 4096) for _ in range(50)]
    for client in clients:
        client.send(request('GET', '/plain'))
    for client in clients:
        assert client.file.read(1000).startswith(b'HTTP/1.1 200 OK\r\n')
    assert large_server.get('/plain?length=3').body == b'\0\0\0'
    assert large_server.resident() < before + 5_000_000
    for client in clients:
        client.close()
    eventually(lambda: not any('large' in link for link in large_server.descriptors()))


def test_slow_reader(server):
    """In steps of a few bytes, with pauses in which the kernel asks for more, or not."""
    with Peer((server.host, server.port), 4096) as client:
        client.send(request('GET', '/plain'))
        client.head()
        got = b''
        while len(got) < SIZE:
            block = client.file.read1(len(got) % 3000 + 1)
            assert block
            got += block
            if len(got) % 5 == 0:
                time.sleep(0.001)
    assert got == CONTENT


def leave(client):
    client.close()


def reset(client):
    client.reset()


@pytest.mark.parametrize('go', [leave, reset])
def test_client_that_vanishes(large_server, go):
    for _ in range(5):
        client = Peer((large_server.host, large_server.port), 4096)
        client.send(request('GET', '/plain'))
        assert client.file.read(100)
        go(client)
    eventually(lambda: not any('large' in link for link in large_server.descriptors()))
    assert 'GET /plain' not in large_server.log


def test_file_that_is_cut_short(serve, tmp_path):
    file = tmp_path / 'cut'
    file.write_bytes(bytes(50_000_000))
    server = serve('files', env={'FILE': str(file)})
    for target, what in (('/plain', 'the file was cut short'),
                         ('/plain?length=50000000', 'the body is shorter than its Content-Length')):
        with Peer((server.host, server.port), 4096) as client:
            client.send(request('GET', target))
            assert client.file.read(100)
            os.truncate(file, 10_000_000)
            rest = client.file.read()
            assert len(rest) < 49_000_000
            server.logged(f'GET {target}: {what}')
        os.truncate(file, 50_000_000)
    assert server.get('/plain?length=5').body == bytes(5)
