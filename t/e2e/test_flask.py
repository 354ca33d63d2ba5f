"""A Flask site, as its users' clients see it."""

import concurrent.futures
import hashlib
import http.client
import pathlib
import random

import pytest

from conftest import APPS
from test_contexts import by_turns, words

pytest.importorskip('flask')
requests = pytest.importorskip('requests')


@pytest.fixture(scope='module')
def server(serve):
    return serve('flask_site:app')


def test_a_page(client):
    response = client('GET', '/')
    assert response.text == '<h1>Flask</h1>'
    assert response.headers['Content-Type'] == 'text/html; charset=utf-8'


def test_routing(server, client):
    response = client('GET', '/people/J%C3%BCrgen/42')
    assert response.json() == {'name': 'J\xfcrgen', 'age': 42,
                               'url': server.url + '/people/J%C3%BCrgen/42'}


@pytest.mark.parametrize('method, path, status', [
    ('GET', '/people/x/old', 404), ('DELETE', '/', 405), ('GET', '/nowhere', 404),
    ('POST', '/json', 400), ('OPTIONS', '/', 200), ('HEAD', '/', 200)])
def test_statuses(client, method, path, status):
    assert client(method, path, headers={'Content-Type': 'application/json'}).status_code == status


def test_json(client):
    response = client('POST', '/json', json=[1, 'zw\xf6lf', {'a': None}])
    assert response.json() == [{'a': None}, 'zw\xf6lf', 1]


def test_a_form(client):
    response = client('POST', '/form', data=[('a', '1'), ('b', '\xe4 & ='), ('a', '2')])
    assert response.json() == {'a': ['1', '2'], 'b': ['\xe4 & =']}


def test_a_redirect(server, client):
    response = client('GET', '/elsewhere')
    assert (response.url, response.history[0].status_code) == (server.url + '/', 302)


def test_a_session(client):
    assert [client('GET', '/count').text for _ in range(3)] == ['1', '2', '3']


def test_a_file_upload(client):
    content = random.Random(1).randbytes(50_000_000)
    response = client('POST', '/upload', data={'note': 'large'}, files={'file': ('a.bin', content)})
    assert response.json() == {'name': 'a.bin', 'note': 'large',
                               'sha256': hashlib.sha256(content).hexdigest()}


@pytest.mark.parametrize('size', [0, 1, 5_000_000])
@pytest.mark.parametrize('chunked', [False, True])
def test_a_raw_upload(client, size, chunked):
    content = random.Random(size).randbytes(size)
    pieces = (content[at:at + 50_000] for at in range(0, size, 50_000))
    response = client('PUT', '/stream-in', data=pieces if chunked else content)
    assert response.text == hashlib.sha256(content).hexdigest()


def test_a_large_download(client):
    digest, expected, size = hashlib.sha256(), hashlib.sha256(), 0
    for number in range(50):
        expected.update(number.to_bytes(4, 'big') * (1 << 18))
    for block in client('GET', '/download/50', stream=True).iter_content(1 << 16):
        digest.update(block)
        size += len(block)
    assert (size, digest.digest()) == (50 << 20, expected.digest())


def test_a_streamed_response(client):
    response = client('GET', '/rows', params={'word': 'w'})
    assert response.text == '0,w\n1,w\n2,w\n3,w\n4,w\n'
    assert response.headers['Transfer-Encoding'] == 'chunked'


def test_streams_that_take_turns(server):
    """Flask keeps what request is being answered in a context variable."""
    names = ['one', 'two', 'three']
    bodies = by_turns(server, [f'/words/{name}' for name in names])
    assert [words(body) for body in bodies] == [{f'{name} {name} /words/{name}'} for name in names]
    assert {len(body) for body in bodies} == {150 * 65536}


def test_a_file_with_ranges_and_conditions(client):
    content = pathlib.Path(APPS, 'flask_site.py').read_bytes()
    whole = client('GET', '/file')
    assert whole.content == content
    part = client('GET', '/file', headers={'Range': 'bytes=5-14'})
    assert (part.status_code, part.content) == (206, content[5:15])
    same = client('GET', '/file', headers={'If-None-Match': whole.headers['ETag']})
    assert (same.status_code, same.content) == (304, b'')
    assert client('GET', '/').text == '<h1>Flask</h1>'


def test_an_exception(server, client):
    response = client('GET', '/broken')
    assert response.status_code == 500
    assert 'broken' not in response.text
    server.logged('RuntimeError: the view is broken')
    server.logged('Traceback')
    assert client('GET', '/').status_code == 200


def test_an_exception_in_a_stream(server, client):
    with pytest.raises((requests.exceptions.ChunkedEncodingError, http.client.IncompleteRead)):
        client('GET', '/broken-stream')
    server.logged('RuntimeError: the stream is broken')
    assert client('GET', '/').status_code == 200


def test_many_at_once(server, client):
    def count(_):
        with requests.Session() as session:
            session.trust_env = False
            return [session.get(server.url + '/count', timeout=20).text for _ in range(10)]
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        assert list(pool.map(count, range(20))) == [[str(n) for n in range(1, 11)]] * 20
