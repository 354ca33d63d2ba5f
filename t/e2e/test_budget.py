"""The memory that the connections of a worker may hold, and what happens when it is spent."""

import re

import pytest

from peer import request
from serving import eventually

SPENT, FREE = 'is spent (memory-budget)', 'there is memory for connections again'
PART = b'GET / HTTP/1.1\r\n' + b'X: ' + b'x' * 7000 + b'\r\n'
BODY = bytes(range(256)) * 2000


@pytest.fixture
def small(serve):
    return serve('pep3333', '--memory-budget', '200k', '--limit-request-head', '16k')


def spooled(server):
    """How many bodies are in temporary files."""
    return sum(bool(re.search(r'/asynwsgi-\w+ \(deleted\)$', link))
               for link in server.descriptors())


def test_heads_that_stall(small):
    """They hold up new clients, but only until they are gone; nobody is turned away."""
    stalled = [small.connect() for _ in range(40)]
    for client in stalled:
        client.send(PART)
    small.logged(SPENT)
    with small.connect() as late:
        late.send(request('GET', '/large?1'))
        for client in stalled:
            client.reset()
        small.logged(FREE)
        assert late.response().status == 200


def test_bodies_go_to_files(serve):
    """When memory is spent, so that uploads that have begun come to their end."""
    server = serve('pep3333', '--memory-budget', '2m')
    clients = [server.connect() for _ in range(8)]
    for client in clients:
        client.send(request('POST', '/echo', f'Content-Length: {len(BODY)}') + BODY[:1])
    for client in clients:
        client.send(BODY[1:-1])
    server.logged(SPENT)
    assert eventually(lambda: spooled(server)) > 0
    for client in clients:
        client.send(BODY[-1:])
        assert client.response().body == BODY
        client.close()
    server.logged(FREE)
    eventually(lambda: spooled(server) == 0)  # a file goes when its response has gone
    assert server.get('/large?1').status == 200
