"""The examples of PEP 3333, in apps/pep3333_examples.py, do here what the PEP says of them."""

import pytest

from peer import request


@pytest.fixture(scope='module')
def server(serve):
    return serve('pep3333_examples')


@pytest.mark.parametrize('kind', ['function', 'class', 'instance'])
def test_the_application_side(server, kind):
    for _ in range(2):
        response = server.get(f'/application/{kind}')
        assert (response.status, response.reason) == (200, 'OK')
        assert (response['Content-Type'], response.body) == ('text/plain', b'Good day to you!\n')


@pytest.mark.parametrize('type, body', [
    ('text/plain', b'WRITTEN, RETURNED'), ('text/html', b'written, returned')])
def test_middleware(server, type, body):
    response = server.get(f'/middleware?{type}')
    assert (response.body, response.complete, response['Content-Type']) == (body, True, type)
    assert ('Content-Length' in response) == (type == 'text/html')


def test_middleware_passes_close_on(serve):
    server = serve('pep3333_examples')
    server.get('/middleware?text/plain')
    server.get('/middleware?text/html')
    server.noted('louder', 'text/plain', 'text/html')


def test_middleware_of_others(server):
    assert server.get('/middleware/of-function').body == b'GOOD DAY TO YOU!\n'
    response = server.get('/middleware/error?early')
    assert (response.status, response.body) == (500, b'A PAGE THAT SAYS SORRY')
    response = server.get('/middleware/error?late')
    assert (response.status, response.body, response.complete) == (200, b'SO FAR SO GOOD', False)


def test_block_boundaries(server):
    with server.connect() as client:
        client.send(request('GET', '/block-boundaries'))
        assert client.head()[1] == 200
        assert b''.join(client.chunks()) == b'one line.\nanother.\nand a rest'


def test_write(server):
    assert server.get('/write').body == b'all of it'


def test_error_handling(server):
    response = server.get('/error?early')
    assert (response.status, response.reason, response.body) == \
        (500, 'Oops', b'a page that says sorry')
    response = server.get('/error?late')
    assert (response.status, response.reason) == (200, 'Froody')
    assert (response.body, response.complete) == (b'so far so good', False)
    server.logged('ArithmeticError: late')
    assert 'ArithmeticError: early' not in server.log


def test_configuration(server):
    for colour in ('red', 'blue', 'red'):
        assert server.get(f'/configuration/{colour}').body == colour.encode()


@pytest.mark.parametrize('target', ['/', '/a/b', '/a%20b/%C3%A9?c=d%20e&f', '/a?b?c'])
def test_url_reconstruction(server, target):
    assert server.get(target).body.decode() == 'http://localhost' + target
    with server.connect() as client:
        client.send(f'GET {target} HTTP/1.0\r\n\r\n'.encode())
        assert client.response().body.decode() == server.url + target


def test_input_and_error_streams(server):
    body = b'12345\n' * 5
    response = server.ask(request('POST', '/streams', body=body))
    assert response.body == b'12|345\n|12|345\n|12345\n|12345\n|12345\n|'
    for line in ('written', 'lines', 'of it'):
        server.logged('] ' + line)


def test_unicode_issues(server):
    response = server.get('/native/%E2%82%AC')
    assert response.body.decode('utf-16-be') == '/native/\u20ac'
    assert response['X-Path'].encode('latin-1').decode() == '/native/\u20ac'


@pytest.mark.parametrize('way, closed', [('server', 1), ('fallback', 1), ('iter', 0)])
def test_file_handling(serve, way, closed):
    server = serve('pep3333_examples')
    with server.connect() as client:
        client.send(request('GET', f'/file?{way}'))
        client.head()
        assert list(client.chunks()) == [b'in bl', b'ocks ', b'of a ', b'few b', b'ytes']
    server.noted('file', *['close'] * closed)


def test_a_file_wrapper_is_a_type(server):
    assert server.get('/file/found?server').body == b'a file: in blocks of a few bytes'
    assert server.get('/file/found?fallback').body == b'in blocks of a few bytes'
