"""Middlewares of others work unchanged: those that inspect (wsgiref.validate, the lint of WebTest,
Werkzeug's LintMiddleware) find nothing, those that change (gzip, sessions) do. The application is
apps/middleware.py."""

import gzip
import re

import pytest

from peer import chunked_request, request

for module in ('beaker', 'paste', 'webtest', 'werkzeug'):
    pytest.importorskip(module)

TEXT = b'Text that is worth the trouble of being compressed. ' * 20
MOUNTS = ['plain', 'validate', 'lint', 'werkzeug', 'gzip', 'session', 'stack']
INSPECTORS = ['validate', 'lint', 'werkzeug', 'stack']


@pytest.fixture(scope='module')
def server(serve):
    server = serve('middleware')
    yield server
    # An inspector that cannot raise, in __del__(), complains there.
    complaints = 'Traceback|Exception ignored|(WSGI|HTTP)Warning'
    assert not re.search(complaints, server.log), server.log


@pytest.fixture
def name(request):
    """For the notes of this test."""
    return ''.join(c for c in request.node.name if c.isalnum())


@pytest.mark.parametrize('version', ['1.1', '1.0'])
@pytest.mark.parametrize('kind', ['list', 'generator', 'late', 'closed', 'write', 'error'])
@pytest.mark.parametrize('mount', MOUNTS)
def test_a_response(server, name, mount, kind, version):
    response = server.ask(request('GET', f'/{mount}/{kind}?{name}', version=version))
    assert (response.status, response.body) == (500 if kind == 'error' else 200, TEXT)
    if kind == 'closed':
        server.noted(name, 'close')


@pytest.mark.parametrize('kind', ['list', 'generator', 'closed', 'error'])
@pytest.mark.parametrize('mount', ['gzip', 'stack'])
def test_a_compressed_response(server, name, mount, kind):
    """Paste compresses neither what is written nor what starts late."""
    response = server.get(f'/{mount}/{kind}?{name}', 'Accept-Encoding: gzip')
    assert len(response.body) < 200 and response['Content-Encoding'] == 'gzip'
    assert (response.complete, gzip.decompress(response.body)) == (True, TEXT)


@pytest.mark.parametrize('kind', ['list', 'generator', 'late', 'closed'])
@pytest.mark.parametrize('mount', MOUNTS)
def test_a_head(server, name, mount, kind):
    response = server.ask(request('HEAD', f'/{mount}/{kind}?{name}'), 'HEAD')
    assert (response.status, response.body) == (200, b'')
    if kind == 'closed':
        server.noted(name, 'close')


@pytest.mark.parametrize('message', [request, chunked_request])
@pytest.mark.parametrize('size', [0, 1, 5000, 2_000_000])
@pytest.mark.parametrize('mount', MOUNTS)
def test_a_body(server, mount, size, message):
    content = b'x' * size
    target = f'/{mount}/echo'
    sized = request('POST', target, 'Content-Type: text/plain', body=content)
    response = server.ask(sized if message is request else chunked_request('POST', target, content))
    assert (response.status, response.body) == (200, content)


@pytest.mark.parametrize('mount', INSPECTORS)
def test_many_requests_on_a_connection(server, mount):
    with server.connect() as client:
        for _ in range(3):
            client.send(request('GET', f'/{mount}/list') + request('GET', f'/{mount}/generator'))
            assert client.response().body == client.response().body == TEXT


@pytest.mark.parametrize('mount', MOUNTS)
def test_a_client_that_leaves(server, name, mount):
    client = server.connect()
    client.send(request('GET', f'/{mount}/closed?{name}') * 2)
    client.reset()
    assert server.get(f'/{mount}/list').status == 200


@pytest.mark.parametrize('mount', ['session', 'stack'])
def test_a_session(server, mount):
    first = server.get(f'/{mount}/count')
    cookie = first['Set-Cookie'].split(';')[0]
    later = [server.get(f'/{mount}/count', f'Cookie: {cookie}') for _ in range(3)]
    assert [response.body for response in [first, *later]] == [b'1', b'2', b'3', b'4']
    assert server.get(f'/{mount}/count').body == b'1'


def test_inspectors_inspect(serve):
    """A field that is allowed here is none to them."""
    server = serve('middleware')
    for mount in MOUNTS:
        assert server.get(f'/{mount}/odd').status == (500 if mount in INSPECTORS else 200), mount
