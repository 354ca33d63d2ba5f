"""Every phase of a connection has its own patience. Those that are not tested are so long that
the test would end before them."""

import select
import socket
import time

import pytest

from peer import Peer, request
from serving import eventually

LONG = ['--timeout-head', '1h', '--timeout-body', '1h', '--timeout-idle', '1h',
        '--timeout-write', '1h', '--timeout-drain', '1h',
        '--min-rate-body', '0', '--min-rate-write', '0']


def short(serve, phase, duration='200ms'):
    return serve('pep3333', *LONG, f'--timeout-{phase}', duration)


def nothing_comes(client, seconds):
    """For that long, which is what a test is about here."""
    assert select.select([client.socket], [], [], seconds)[0] == []


@pytest.fixture(scope='module')
def head(serve):
    return short(serve, 'head')


@pytest.fixture(scope='module')
def body(serve):
    return short(serve, 'body')


@pytest.fixture(scope='module')
def slow(serve):
    return serve('pep3333', *LONG, '--timeout-body', '300ms', '--min-rate-body', '1m',
                 '--timeout-write', '300ms', '--min-rate-write', '1g', '--timeout-drain', '300ms')


@pytest.fixture(scope='module')
def idle(serve):
    return short(serve, 'idle')


@pytest.fixture(scope='module')
def write(serve):
    return short(serve, 'write', '300ms')


@pytest.mark.parametrize('part', [b'G', b'GET / HTTP/1.1\r\n', b'GET / HTTP/1.1\r\nHost: a\r\n'],
                         ids=['method', 'line', 'field'])
def test_a_head_that_does_not_come(head, part):
    with head.connect() as client:
        client.send(part)
        response = client.response()
        assert response.status == 408
        assert client.at_end()


def test_a_head_that_trickles(head):
    """Its time is that of the whole head: a byte now and then does not lengthen it."""
    with head.connect() as client:
        client.socket.settimeout(0.1)
        answer = b''
        for _ in range(50):
            client.send(b'G')
            try:
                answer = client.socket.recv(1000)
                break
            except TimeoutError:
                pass
        assert answer.startswith(b'HTTP/1.1 408 ')


def test_nothing_comes(head):
    """Then nothing is said."""
    with head.connect() as client:
        assert client.at_end()


def test_the_second_head_that_does_not_come(head):
    with head.connect() as client:
        client.send(request('GET', '/large?1') + b'GET ')
        assert client.response().status == 200
        assert client.response().status == 408
        assert client.at_end()


@pytest.mark.parametrize('message', [
    request('POST', '/echo', 'Content-Length: 10'),
    request('POST', '/echo', 'Content-Length: 10') + b'123456789',
    request('POST', '/echo', 'Content-Length: 10000000') + bytes(1_000_000),
    request('POST', '/echo', 'Transfer-Encoding: chunked'),
    request('POST', '/echo', 'Transfer-Encoding: chunked') + b'5\r\nhello\r\n',
], ids=['nothing', 'most', 'large', 'no chunk', 'a chunk'])
def test_a_body_that_does_not_come(body, message):
    with body.connect() as client:
        client.send(message)
        assert client.response().status == 408
        assert client.at_end()


def test_a_body_that_is_expected_and_does_not_come(body):
    with body.connect() as client:
        client.send(request('POST', '/echo', 'Expect: 100-continue', 'Content-Length: 10'))
        assert client.head()[1] == 100
        assert client.response().status == 408
        assert client.at_end()


def test_a_body_that_moves(serve):
    """Its time is that between two arrivals."""
    server = short(serve, 'body', '1s')
    with server.connect() as client:
        client.send(request('POST', '/echo', 'Content-Length: 8'))
        for byte in b'12345678':
            nothing_comes(client, 0.15)
            client.send(bytes([byte]))
        assert client.response().body == b'12345678'


def test_between_requests(idle):
    """Then nothing is said either."""
    with idle.connect() as client:
        client.send(request('GET', '/large?1'))
        assert client.response().status == 200
        assert client.at_end()


def test_before_the_first_request_nobody_is_idle(idle):
    with idle.connect() as client:
        nothing_comes(client, 0.5)
        client.send(request('GET', '/large?1'))
        assert client.response().status == 200


@pytest.mark.parametrize('target', ['/endless?write', '/large?50000000',
                                    '/large-later?50000000'])
def test_a_client_that_does_not_read(write, target):
    before = write.connections()
    with Peer((write.host, write.port), receive_buffer=4096) as client:
        client.send(request('GET', target))
        eventually(lambda: write.connections() == before + 1)
        eventually(lambda: write.connections() == before)
        if 'endless' in target:
            write.noted('write', 'close')


def test_a_client_that_reads_little(serve):
    """What counts is what the client takes, though the kernel has taken more from the server."""
    server = short(serve, 'write', '1s')
    with server.connect() as client:
        client.send(request('GET', '/large?20000000'))
        size = 0
        while size < 20_000_000:
            if size < 10 * 50_000:
                time.sleep(0.13)
            piece = client.socket.recv(50_000, socket.MSG_WAITALL)
            assert piece, f'cut off after {size} bytes'
            size += len(piece)


def trickles(client, seconds=10):
    """Sends a byte now and then until the server closes, and gives what it answered."""
    client.socket.settimeout(0.02)
    answer, end = b'', time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            client.send(b'x')
            piece = client.socket.recv(1000)
            if not piece:
                return answer
            answer += piece
        except TimeoutError:
            pass
        except ConnectionError:
            return answer
    raise AssertionError(f'still open, after {answer}')


def test_a_body_that_is_slow(slow):
    """Each byte comes in time, but they are too few."""
    with slow.connect() as client:
        client.send(request('POST', '/echo', 'Content-Length: 10000000'))
        assert trickles(client).startswith(b'HTTP/1.1 408 ')


def test_a_client_that_reads_slowly(slow):
    def settled():
        """Those of the tests before may still be closing."""
        number = slow.connections()
        time.sleep(1)
        return number if slow.connections() == number else None
    before = eventually(settled)
    with Peer((slow.host, slow.port), receive_buffer=4096) as client:
        client.send(request('GET', '/large?50000000'))

        def reads_a_little():
            client.socket.recv(1000)
            return slow.connections() == before
        eventually(lambda: slow.connections() == before + 1)
        eventually(reads_a_little)


def test_bytes_behind_the_last_answer(slow):
    with slow.connect() as client:
        client.send(b'@\r\n\r\n')
        assert trickles(client).startswith(b'HTTP/1.1 400 ')
