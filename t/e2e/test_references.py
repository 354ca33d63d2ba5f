"""Requests that fail or are broken off in each of their phases leave nothing behind in Python:
blocks of memory, objects and, where Python is built to count them, references stay as many.

ASYNWSGI_TEST_REFERENCES is how many requests, 6,000 by default. Of 100,000, one object or
reference lost in one way of failing is seen; of so few, which are some of the ways, what is lost
in many.
"""

import json
import os
import random

import pytest

from command import instrumented
from peer import chunked_request, request
from serving import eventually
from test_phases import ERRORS, KINDS, LONG, PHASES, STREAMING, exists

REQUESTS = int(os.environ.get('ASYNWSGI_TEST_REFERENCES', 6_000))
GROWTH = {'blocks': 200, 'objects': 50, 'references': 50}
SETTLED = 20  # rounds, after which Python's caches and ours are full

TARGETS = [f'/{kind}?phase={phase}' for kind in KINDS for phase in PHASES if exists(kind, phase)]
WAYS = [(target + f'&error={error}', 'whole') for target in TARGETS for error in ERRORS]
WAYS += [(target, way) for target in TARGETS for way in ('whole', 'half sent', 'left')]
WAYS += [(target + '&error=ValueError', 'left') for target in TARGETS]
WAYS += [(f'/{kind}?blocks=100', way) for kind in LONG for way in ('left', 'begun')]
WAYS += [(f'/{kind}?wait={wait}', 'left') for kind in STREAMING
         for wait in ('sleep', 'event', 'timeout', 'readable')]
WAYS += [('/keep', 'whole'), ('/keep', 'left')]
WAYS = random.Random(7).sample(WAYS, min(len(WAYS), REQUESTS // SETTLED * 4 // 5))


@pytest.fixture(autouse=True)
def bounded():
    """By the time for the whole file, as this may take long."""


class Client:
    """Keeps its connection while the server does."""

    def __init__(self, server):
        self.server, self.peer = server, None

    def leave(self):
        if self.peer:
            self.peer.reset()
        self.peer = None

    def ask(self, target, way):
        """One request, of which the client sees the response or not."""
        if target.startswith('/streaming/'):
            message = chunked_request('POST', target, b'bo', b'dy')
        else:
            message = request('POST', target, body=b'body')
        self.peer = self.peer or self.server.connect()
        self.peer.send(message[:-2] if way == 'half sent' else message)
        if way == 'begun':
            self.peer.head()
        # A sized body that is whole before the failure ends the connection, too.
        if way != 'whole' or not self.peer.response().complete or 'sized?phase=end' in target:
            self.leave()


@pytest.mark.skipif(instrumented(), reason='it would be slow, and the memory not Python\'s')
def test_references(serve):
    server = serve('phases', '--streaming', '/streaming')
    client, at_rest = Client(server), server.connections()

    def count(rounds):
        """What there is of each after so many rounds."""
        for _ in range(rounds):
            for target, way in WAYS:
                client.ask(target, way)
            server.command.forget()
        client.leave()
        eventually(lambda: server.connections() == at_rest)
        return json.loads(server.get('/count').body)

    count(SETTLED - 1)
    before = count(1)
    rounds = max(3, REQUESTS // len(WAYS) - SETTLED)
    after = count(rounds)
    growth = {name: after[name] - before[name] for name in before}
    print(f'after {SETTLED * len(WAYS)} requests: {before}; {rounds * len(WAYS)} more: {growth}')
    assert all(growth[name] < GROWTH[name] for name in growth), growth
