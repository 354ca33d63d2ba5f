"""A long run of requests of all kinds, whole and broken off: memory and descriptors stay flat.

ASYNWSGI_TEST_SOAK is how many requests, 20,000 by default, some of which are broken off.
"""

import json
import os
import random
import re
import subprocess
import threading

import pytest

from command import FACTOR, instrumented
from peer import Peer, chunked_request, request
from serving import eventually, needs

SOAK = int(os.environ.get('ASYNWSGI_TEST_SOAK', 20_000))
GROWTH = 512 * 1024

# Those that close are few, as each costs a connection, and those that log a traceback.
KINDS = '''
local n = 0
local body = string.rep("line of a body\\n", 40)
local get = wrk.format("GET", "/large?10")
local kinds = {
    get, wrk.format("HEAD", "/large?1000"), wrk.format("GET", "/large-pieces?5,100"),
    wrk.format("POST", "/echo", {}, body), wrk.format("GET", "/status?404,nowhere,7"),
    "POST /echo HTTP/1.1\\r\\nHost: a\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n" ..
        string.format("%x\\r\\n", #body) .. body .. "\\r\\n3\\r\\nend\\r\\n0\\r\\n\\r\\n",
    wrk.format("GET", "/write-sized"), wrk.format("GET", "/large?20000"),
    string.rep(get, 8), wrk.format("POST", "/ignore", {}, body)
}
function request()
    n = n + 1
    if n % 500 == 0 then return "GET / HTTP/1.1\\r\\nHost : a\\r\\n\\r\\n" end
    if n % 500 == 100 then return wrk.format("GET", "/error-at-once") end
    if n % 500 == 250 then return wrk.format("GET", "/large?10", {Connection = "close"}) end
    return kinds[n % #kinds + 1]
end
function done(summary)
    local errors = summary.errors
    io.write(string.format('{"requests": %d, "connect": %d, "timeout": %d, "status": %d}',
        summary.requests, errors.connect, errors.timeout, errors.status))
end
'''

BODY = b'line of a body\n' * 3000
BROKEN = [
    request('GET', '/large?10', 'X-Field: value')[:40],
    request('POST', '/echo', body=BODY)[:20_000],
    request('POST', '/echo', body=b'x' * 100)[:-1],
    chunked_request('POST', '/echo', BODY)[:3000],
    request('GET', '/large-pieces?100,100000'),
    request('GET', '/large?8000000'),
]


class Abort(threading.Thread):
    """Requests that are broken off, until there are enough."""

    def __init__(self, server, count):
        super().__init__(daemon=True)
        self.server, self.count, self.left = server, count, count
        self.fault = None
        self.start()

    def run(self):
        dice = random.Random(5)
        # Large answers take long to make, so that there are fewer.
        weights = [30, 20, 30, 20, 2, 1]
        try:
            while self.left > 0:
                client = Peer((self.server.host, self.server.port))
                try:
                    message, = dice.choices(BROKEN, weights)
                    client.send(message)
                    if message in BROKEN[4:]:
                        client.socket.recv(1000)
                except ConnectionError:
                    pass
                client.reset()
                self.left -= 1
        except Exception as error:
            self.fault = error


@pytest.fixture(autouse=True)
def bounded():
    """By the time for the whole file, as this takes long."""


@pytest.fixture(scope='module')
def server(serve):
    return serve('pep3333', '--body-memory', '16k')


def load(server, folder, seconds):
    """That long of wrk; what it counted."""
    (folder / 'script.lua').write_text(KINDS)
    done = subprocess.run(['wrk', '-t', '1', '-c', '24', '-d', f'{seconds}s', '--timeout', '30s',
                           '-s', 'script.lua', server.url],
                          cwd=folder, capture_output=True, text=True, timeout=600)
    counted = json.loads(re.search(r'\{.*\}', done.stdout).group())
    assert counted['connect'] == counted['timeout'] == 0, counted
    assert counted['status'] > 0, counted  # the 400s, 404s and 500s that are asked for
    return counted['requests']


def mix(server, folder, requests, state):
    """So many requests, one in 40 of them broken off, in all so far."""
    aborting = Abort(server, requests // 40)
    whole = 0
    while whole + aborting.count < requests:
        rate = state.get('rate', 2000)
        seconds = max(1, min(30, int((requests - aborting.count - whole) / rate)))
        got = load(server, folder, seconds)
        state['rate'] = max(got / seconds, 100)
        whole += got
    aborting.join(60 * FACTOR)
    assert not aborting.is_alive(), f'{aborting.left} of {aborting.count} left'
    assert aborting.fault is None, aborting.fault
    return whole + aborting.count


def at_rest(server, before=None):
    """What it has open when nobody is connected."""
    if before is None:
        before = len(server.descriptors())
    eventually(lambda: len(server.descriptors()) == before, 20)
    return before


@needs('wrk')
@pytest.mark.skipif(instrumented(), reason='the memory would be that of the instruments')
def test_soak(server, tmp_path):
    opened, state = at_rest(server), {}
    done = mix(server, tmp_path, SOAK * 3 // 10, state)
    at_rest(server, opened)
    before = server.resident()
    done += mix(server, tmp_path, SOAK * 7 // 10, state)
    at_rest(server, opened)
    growth = server.resident() - before
    print(f'{done} requests; resident after 30 %: {before}, then {growth} more')
    assert done >= SOAK * 0.99
    assert growth < GROWTH
    assert server.get('/large?10').body == b'x' * 10
