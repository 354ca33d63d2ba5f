"""Each request has a contextvars.Context of its own, which begins as the one that the application
was loaded in: what it sets there, no other sees, however they take turns."""

import pytest

from peer import Peer, request

PIECES = 150  # more than the sockets hold
KINDS = pytest.mark.parametrize('kind', ['iterable', 'generator', 'lazy'])


@pytest.fixture
def server(serve):
    return serve('contexts')


def by_turns(server, targets):
    """The bodies of as many requests, whose clients each take a little in their turn."""
    clients = [Peer((server.host, server.port), receive_buffer=8192) for _ in targets]
    try:
        for client, target in zip(clients, targets):
            client.send(request('GET', target))
            assert client.head()[1] == 200
        bodies = [bytearray() for _ in targets]
        chunks = {number: client.chunks() for number, client in enumerate(clients)}
        while chunks:
            for number in list(chunks):
                try:
                    bodies[number] += next(chunks[number])
                except StopIteration:
                    del chunks[number]
        return bodies
    finally:
        for client in clients:
            client.close()


def words(body):
    """The different lines there are."""
    return {line.strip().decode() for line in body.splitlines()}


@KINDS
def test_requests_that_take_turns(server, kind):
    names = ['one', 'two', 'three', 'four']
    bodies = by_turns(server, [f'/{kind}?{PIECES},{name}' for name in names])
    assert [words(body) for body in bodies] == [{f'loaded {name}'} for name in names]
    assert {len(body) for body in bodies} == {PIECES * 65536}
    for name in names:
        server.noted(name, f'close {name} loaded')


@KINDS
def test_requests_one_after_another(server, kind):
    with server.connect() as client:
        for name in ('one', 'two', 'one'):
            client.send(request('GET', f'/{kind}?2,{name}'))
            assert words(client.response().body) == {f'loaded {name}'}


@KINDS
@pytest.mark.parametrize('leave', ['close', 'reset'])
def test_clients_that_leave(server, kind, leave):
    """close() is called in the context of the call."""
    clients = [Peer((server.host, server.port)) for _ in range(3)]
    try:
        for number, client in enumerate(clients):
            client.send(request('GET', f'/{kind}?{PIECES},{number}'))
            assert client.head()[1] == 200
        for number, client in enumerate(clients):
            getattr(client, leave)()
            server.noted(str(number), f'close {number} loaded')
    finally:
        for client in clients:
            client.close()
