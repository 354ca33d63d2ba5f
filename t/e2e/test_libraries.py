"""Python's own client and requests: kept connections, from many threads."""

import concurrent.futures
import http.client
import random

import pytest

requests = pytest.importorskip('requests')


@pytest.fixture(scope='module')
def server(serve):
    return serve('pep3333', '--workers', '2')


@pytest.fixture
def connection(server):
    connection = http.client.HTTPConnection(server.authority, timeout=20)
    yield connection
    connection.close()


def test_a_connection_is_kept(connection):
    kept = None
    for n in range(100):
        connection.request('GET', f'/large?{n}')
        response = connection.getresponse()
        assert response.read() == b'x' * n
        kept = kept or connection.sock
        assert connection.sock is kept


def test_a_request_in_chunks(connection):
    pieces = [b'a', b'b' * 100_000, b'', b'c']
    connection.request('POST', '/echo', iter(pieces), encode_chunked=True,
                       headers={'Transfer-Encoding': 'chunked'})
    assert connection.getresponse().read() == b''.join(pieces)


def test_methods_one_after_another(connection):
    for method, target, body, answer in [
            ('POST', '/echo', b'1', b'1'), ('HEAD', '/large?100', None, b''),
            ('GET', '/status?204%20None,,', None, b''),
            ('PUT', '/echo', b'2' * 100_000, b'2' * 100_000),
            ('HEAD', '/closed?x', None, b''), ('GET', '/large-pieces?3,2', None, b'AABBCC'),
            ('POST', '/ignore', b'3' * 200_000, b'ignored'), ('GET', '/large?1', None, b'x')]:
        connection.request(method, target, body)
        assert connection.getresponse().read() == answer


def test_threads_that_share_a_pool(server):
    """Nobody gets an answer that is another's."""
    with requests.Session() as session, concurrent.futures.ThreadPoolExecutor(16) as threads:
        session.trust_env = False
        session.mount('http://', requests.adapters.HTTPAdapter(pool_maxsize=16, pool_block=True))

        def ask(n):
            body = b'%d ' % n * random.Random(n).choice([1, 1000, 50_000])
            if n % 2:
                response = session.post(server.url + '/echo', data=body, timeout=20)
            else:
                response = session.post(server.url + '/echo', data=iter([body[:1], body[1:]]),
                                        timeout=20)
            return response.status_code == 200 and response.content == body
        assert all(threads.map(ask, range(600)))


def test_a_response_that_is_read_later(server):
    with requests.Session() as session:
        session.trust_env = False
        with session.get(server.url + '/large-pieces?50,100000', stream=True, timeout=20) as stream:
            assert session.get(server.url + '/large?1', timeout=20).text == 'x'
            assert sum(map(len, stream.iter_content(10_000))) == 5_000_000
