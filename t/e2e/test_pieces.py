"""Bytes do not arrive the way they were written: requests in pieces, and several in one."""

import json
import random

import pytest

import peer
from peer import chunked_request, request

POST = request('POST', '/echo?x', 'X-Field: value', body=b'a body')
CHUNKED = chunked_request('POST', '/echo?x', b'a ', b'body')


@pytest.fixture(scope='module')
def server(serve):
    return serve('pep3333')


@pytest.mark.parametrize('message', [POST, CHUNKED], ids=['sized', 'chunked'])
def test_a_byte_at_a_time(server, message):
    with server.connect() as client:
        for at in range(len(message)):
            client.send(message[at:at + 1])
        assert client.response().body == b'a body'


@pytest.mark.parametrize('message', [POST, CHUNKED], ids=['sized', 'chunked'])
def test_in_two_pieces_cut_anywhere(server, message):
    with server.connect() as client, server.connect() as other:
        for at in range(1, len(message)):
            client.send(message[:at])
            # the server has read the first piece by the time that it has answered this
            other.send(request('GET', '/in-generator'))
            assert other.response().status == 202
            client.send(message[at:])
            assert client.response().body == b'a body'


def test_pipelined(server):
    with server.connect() as client:
        client.send(b''.join(request('POST', '/echo', body=b'%d' % n) for n in range(500)))
        for n in range(500):
            assert client.response().body == b'%d' % n


def test_pipelined_of_all_kinds_in_random_pieces(server):
    dice = random.Random(7)
    kinds = [(POST, 'POST', 200, b'a body'), (CHUNKED, 'POST', 200, b'a body'),
             (request('GET', '/in-generator'), 'GET', 202, b'late'),
             (request('HEAD', '/in-generator'), 'HEAD', 202, b''),
             (request('GET', '/status?204%20None,,'), 'GET', 204, b''),
             (request('POST', '/ignore', body=bytes(5000)), 'POST', 200, b'ignored'),
             (request('GET', '/large?200000'), 'GET', 200, b'x' * 200_000)]
    asked = [dice.choice(kinds) for _ in range(100)]
    stream = b''.join(message for message, *_ in asked)
    with server.connect() as client:
        answered = iter(asked)
        while stream:
            size = dice.choice([1, 10, 100, 1000, 10_000])
            client.send(stream[:size])
            stream = stream[size:]
        for _, method, status, body in answered:
            response = client.response(method)
            assert (response.status, response.body) == (status, body)


def test_pipelined_without_reading(server):
    """Answers that nobody takes stop the server from reading, not from serving others."""
    count = 2000
    with server.connect() as client:
        client.socket.settimeout(0.2)
        stream = request('GET', '/large?100000') * count
        sent = 0
        try:
            while sent < len(stream):
                sent += client.socket.send(stream[sent:sent + 65536])
        except TimeoutError:
            pass
        assert server.get('/in-generator').status == 202
        assert server.resident() < 300_000_000
        client.socket.settimeout(15)
        for _ in range(10):
            assert client.response().body == b'x' * 100_000


def test_the_last_request_of_a_connection(server):
    """Nothing after it is answered."""
    with server.connect() as client:
        client.send(request('GET', '/in-generator') +
                    request('GET', '/in-generator', 'Connection: close') +
                    request('GET', '/called?after-close'))
        assert client.response().status == 202
        last = client.response()
        assert (last.status, last['Connection']) == (202, 'close')
        assert client.at_end()
    assert not (server.notes / 'called').exists()


@pytest.mark.parametrize('version, connection, stays', [
    ('1.1', None, True), ('1.1', 'keep-alive', True), ('1.1', 'close', False),
    ('1.1', 'Close', False), ('1.1', 'x, close', False), ('1.0', None, False),
    ('1.0', 'close', False), ('1.0', 'keep-alive', True), ('1.0', 'Keep-Alive', True)])
def test_whether_a_connection_stays(server, version, connection, stays):
    fields = [f'Connection: {connection}'] if connection else []
    with server.connect() as client:
        client.send(request('GET', '/large?5', *fields, version=version))
        response = client.response()
        assert response.body == b'xxxxx'
        if stays:
            said = [option.lower() for option in response.all('Connection')]
            assert said == ['keep-alive'] or said == [] and version == '1.1'
            client.send(request('GET', '/large?3'))
            assert client.response().body == b'xxx'
        else:
            assert version == '1.0' or response['Connection'] == 'close'
            assert client.at_end()


def test_half_closed(server):
    """A client that says no more still gets its answers."""
    with server.connect() as client:
        client.send(request('GET', '/large?1000000') + POST)
        client.half_close()
        assert len(client.response().body) == 1_000_000
        assert client.response().body == b'a body'
        assert client.at_end()


@pytest.mark.parametrize('cut', [0, 1, 20, len(POST) - 1])
def test_half_closed_too_early(server, cut):
    """The application is not called for a part of a request."""
    with server.connect() as client:
        client.send(POST[:cut])
        client.half_close()
        rest = client.file.read()
        assert not rest or rest.startswith(b'HTTP/1.1 400 ')


@pytest.mark.parametrize('target', ['/echo', '/ignore'])
def test_expect_100_continue(server, target):
    with server.connect() as client:
        client.send(request('POST', target, 'Expect: 100-continue', 'Content-Length: 4'))
        assert client.head()[1:] == (100, 'Continue', [])
        client.send(b'body')
        assert client.response().status == 200


def test_expect_100_continue_is_not_answered_when_the_body_is_there(server):
    with server.connect() as client:
        client.send(request('POST', '/echo', 'Expect: 100-continue', body=b'body'))
        assert client.response().body == b'body'


@pytest.mark.parametrize('message', [
    request('POST', '/echo', 'Expect: 100-continue', 'Content-Length: 4', version='1.0'),
    request('POST', '/echo', 'Expect: 100-continue', 'Content-Length: 0'),
    request('POST', '/echo', 'Expect: 100-continue')])
def test_expect_100_continue_for_nothing(server, message):
    with server.connect() as client:
        client.send(message)
        client.send(b'body' * (b'HTTP/1.0' in message))
        assert client.response().status == 200


@pytest.mark.parametrize('message', [
    request('POST', '/environ', 'Content-Length: 1000000'),
    request('POST', '/environ', 'Transfer-Encoding: chunked') + b'fffff\r\n'])
def test_the_application_is_called_when_the_body_is_there(server, message):
    """A client that takes its time over a body keeps nobody waiting."""
    with server.connect() as slow:
        slow.send(message + b'x' * 1000)
        for _ in range(10):
            assert server.get('/in-generator').status == 202
        slow.send(b'x' * (1_000_000 - 1000) if b'Length' in message else
                  b'x' * (0xfffff - 1000) + b'\r\n0\r\n\r\n')
        assert json.loads(slow.response().body)['REQUEST_METHOD'] == 'POST'


def test_a_large_head(server):
    fields = [f'X-Field-{n}: {"v" * 600}' for n in range(90)]
    seen = json.loads(server.get('/environ', *fields).body)
    assert seen['HTTP_X_FIELD_89'] == 'v' * 600


def test_a_slow_reader(server):
    """Who reads little by little gets it all, while others are served."""
    with peer.Peer((server.host, server.port), receive_buffer=4096) as slow:
        slow.send(request('GET', '/large-pieces?40,50000'))
        assert slow.head()[1] == 200
        got = b''
        for number, chunk in enumerate(slow.chunks()):
            got += chunk
            if number % 10 == 0:
                assert server.get('/in-generator').status == 202
        assert got == b''.join(bytes([65 + count % 26]) * 50_000 for count in range(40))
