"""Clients that leave at every point of an exchange, politely or not. What they had is given back:
descriptors, memory, temporary files, and the application's iterable is closed."""

import os
import random

import pytest

from peer import Peer, chunked_request, request
from serving import eventually

POST = request('POST', '/echo', 'X-Field: value', body=b'body of the request')
CHUNKED = chunked_request('POST', '/echo', b'body ', b'of the request')


@pytest.fixture(scope='module')
def server(serve):
    return serve('pep3333')


def connected(server):
    return server.at_rest('/large?1')


@pytest.fixture(scope='module')
def at_rest(server):
    return connected(server)


@pytest.fixture(autouse=True)
def nothing_stays_open(server, at_rest):
    """After a test it has open what it had before."""
    yield
    eventually(lambda: connected(server) == at_rest)


def finish(client):
    client.close()


def reset(client):
    client.reset()


def half_close(client):
    client.half_close()
    client.file.read()
    client.close()


WAYS = pytest.mark.parametrize('leave', [finish, reset, half_close])


@WAYS
@pytest.mark.parametrize('message', [POST, CHUNKED], ids=['sized', 'chunked'])
def test_after_every_byte_of_a_request(server, message, leave):
    for sent in range(len(message) + 1):
        client = server.connect()
        client.send(message[:sent])
        leave(client)
    assert server.get('/in-generator').status == 202


@WAYS
def test_in_a_large_body(server, leave):
    """Its temporary file goes, too."""
    for sent in (1, 100_000, 999_999, 3_000_000):
        client = server.connect()
        client.send(request('POST', '/echo', 'Content-Length: 3000001') + bytes(sent))
        leave(client)


@pytest.mark.parametrize('leave', [finish, reset])
@pytest.mark.parametrize('taken', [0, 1, 100, 50_000])
def test_in_a_response(server, leave, taken):
    for target in ('/large?30000000', '/large-pieces?1000,30000', '/file?whole', '/write'):
        client = server.connect()
        client.send(request('GET', target))
        client.socket.recv(taken)
        leave(client)


@pytest.mark.parametrize('leave', [finish, reset])
def test_in_an_endless_response(server, leave):
    name = f'endless-{leave.__name__}'
    client = server.connect()
    client.send(request('GET', f'/endless?{name}'))
    assert client.head()[1] == 200
    leave(client)
    server.noted(name, 'close')


@pytest.mark.parametrize('leave', [finish, reset])
def test_between_requests(server, leave):
    clients = [server.connect() for _ in range(50)]
    for client in clients:
        client.send(POST)
    for client in clients:
        assert client.response().status == 200
        leave(client)


@pytest.mark.parametrize('leave', [finish, reset])
def test_with_requests_unanswered(server, leave):
    for _ in range(20):
        client = server.connect()
        client.send(POST * 50 + request('GET', '/large?1000000') * 5 + POST)
        leave(client)
    assert server.get('/in-generator').status == 202


@pytest.mark.parametrize('leave', [finish, reset])
def test_waiting_for_100_continue(server, leave):
    client = server.connect()
    client.send(request('POST', '/echo', 'Expect: 100-continue', 'Content-Length: 10'))
    assert client.head()[1] == 100
    leave(client)


def test_after_an_error(server):
    client = server.connect()
    client.send(b'NONSENSE\r\n\r\n')
    assert client.response().status == 400
    client.reset()


@pytest.mark.skipif('ASYNWSGI_TEST_WRAP' in os.environ,
                    reason='it would be the memory of the wrapper')
def test_memory_does_not_grow(serve):
    """Thousands of requests are broken off, and take no more memory than the first of them did."""
    keep_nothing = os.environ.get('ASAN_OPTIONS', '') + ':quarantine_size_mb=0'
    server = serve('pep3333', env={'ASAN_OPTIONS': keep_nothing})
    at_rest = connected(server)
    dice = random.Random(3)
    fields = [f'X-{n}: {"v" * 100}' for n in range(50)]
    messages = [POST, CHUNKED, request('POST', '/echo', *fields, body=bytes(100_000)),
                request('GET', '/large?300000'), request('GET', '/large-pieces?100,3000'),
                request('GET', '/error-at-once'), request('GET', '/in-generator'),
                b'NONSENSE\r\n\r\n']

    def abort(times):
        for _ in range(times):
            client = Peer((server.host, server.port))
            message = dice.choice(messages)
            client.send(message[:dice.choice([dice.randrange(len(message)), len(message)])])
            (client.reset if dice.random() < 0.5 else client.close)()
        eventually(lambda: connected(server) == at_rest)

    abort(1500)
    before = server.resident()
    abort(3000)
    assert server.resident() - before < 1_500_000
