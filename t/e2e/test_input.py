"""wsgi.input in every way that PEP 3333 lets an application use it, for each framing of a body.
It is a file in memory, only not one that seeks: io.BytesIO says what every call gives."""

import io
import json
import random
import urllib.parse

import pytest

from peer import chunked, request
from serving import eventually

LINES = b'one\ntwo\r\n\n' + b'x' * 300 + b'\nlast, without an end'


def lines_of(size):
    """A body of that size with lines of all lengths, some longer than any buffer."""
    dice = random.Random(size)
    body = bytearray()
    while len(body) < size:
        length = dice.choice([0, 1, 70, 1000, 70_000, 300_000])
        body += bytes([97 + len(body) % 26]) * length + b'\n'
    return bytes(body[:size])


def sized(target, body):
    return request('POST', target, body=body)


def one_chunk(target, body):
    return request('POST', target, 'Transfer-Encoding: chunked') + \
        chunked(*[body][:len(body)])


def many_chunks(target, body):
    dice = random.Random(len(body))
    pieces, at = [], 0
    while at < len(body):
        size = dice.choice([1, 7, 100, 4096, 65536, 200_000])
        pieces.append(body[at:at + size])
        at += size
    return request('POST', target, 'Transfer-Encoding: chunked') + chunked(*pieces)


@pytest.fixture(scope='module')
def server(serve):
    return serve('pep3333')


@pytest.fixture(scope='module', params=[sized, one_chunk, many_chunks])
def framed(request):
    return request.param


@pytest.mark.parametrize('calls', [
    [['read']],
    [['read', -1]],
    [['read', None]],
    [['read', 0], ['read', 5], ['read', 1], ['read']],
    [['read', 10**9], ['read'], ['read', 1], ['readline'], ['readlines'], ['iterate']],
    [['readline']] * 7,
    [['readline', 2], ['readline', 2], ['readline', -1], ['readline', 0], ['readline', 10**9]],
    [['readline', None], ['readlines', None]],
    [['readlines']],
    [['readlines', 1], ['readlines', 5], ['readlines', 0]],
    [['readlines', 100_000], ['iterate']],
    [['iterate']],
    [['iterate'], ['iterate'], ['read']],
    [['read', 2], ['readline'], ['readlines', 4], ['read', 1], ['iterate']],
], ids=json.dumps)
@pytest.mark.parametrize('body', [b'', b'\n', LINES, lines_of(700_000)], ids=len)
def test_calls(server, framed, body, calls):
    expected, file = [], io.BytesIO(body)
    for method, *arguments in calls:
        result = list(file) if method == 'iterate' else getattr(file, method)(*arguments)
        expected += result if isinstance(result, list) else [result]
    response = server.ask(framed('/input?' + urllib.parse.quote(json.dumps(calls)), body))
    assert response.status == 200
    assert [piece.encode('latin-1') for piece in json.loads(response.body)] == expected


def test_input_of_a_request_without_a_body(server):
    response = server.get('/input?' + urllib.parse.quote('[["read"], ["readlines"], ["readline"]]'))
    assert json.loads(response.body) == ['', '']


@pytest.mark.parametrize('size', [0, 1, 65535, 65536, 65537, 1_000_000, 30_000_000])
def test_echo(server, framed, size):
    body = random.Random(size).randbytes(size)
    response = server.ask(framed('/echo', body))
    assert response.status == 200 and response.complete and response.body == body


def test_a_small_body_stays_in_memory(server, framed):
    assert json.loads(server.ask(framed('/temporary', bytes(1000))).body) == [1000, []]


def test_a_large_body_is_in_a_file_without_a_name(server, framed):
    before = len(server.descriptors())
    size, files = json.loads(server.ask(framed('/temporary', bytes(3_000_000))).body)
    assert (size, len(files)) == (3_000_000, 1)
    eventually(lambda: len(server.descriptors()) <= before)
    assert not [link for link in server.descriptors() if link.endswith(' (deleted)')]


@pytest.mark.parametrize('target, answer', [('/ignore', b'ignored'), ('/part', b'abc')])
@pytest.mark.parametrize('size', [6, 100_000, 3_000_000])
def test_what_was_not_read_is_not_the_next_request(server, framed, target, answer, size):
    with server.connect() as client:
        client.send(framed(target, b'abc' * (size // 3)) + sized('/echo', b'next'))
        assert client.response().body == answer
        assert client.response().body == b'next'


def test_bodies_are_not_shared(server, framed):
    with server.connect() as client:
        for size in (10, 200_000, 5, 0, 1_000_000, 3):
            body = random.Random(size).randbytes(size)
            client.send(framed('/echo', body))
            assert client.response().body == body
