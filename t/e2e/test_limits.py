"""The limits of a request, each just met and just passed. What is too large is refused before it
has come, and before a client is told to send it."""

import pytest

from peer import chunked, request

LINE, FIELD, FIELDS, HEAD, BODY = 100, 80, 10, 600, 5000
EXTENSION, TRAILERS = 50, 60


@pytest.fixture(scope='module')
def server(serve):
    return serve('pep3333', '--limit-request-line', str(LINE),
                 '--limit-request-fields', str(FIELDS), '--limit-request-field-size', str(FIELD),
                 '--limit-request-head', str(HEAD), '--limit-request-body', str(BODY),
                 '--limit-chunk-extension', str(EXTENSION), '--limit-trailers', str(TRAILERS))


@pytest.fixture
def asked(server):
    """The status of the answer, after which the connection has ended if it is an error."""
    def asked(message):
        with server.connect() as client:
            client.send(message)
            response = client.response()
            if response.status >= 400:
                assert client.at_end()
            return response.status
    return asked


def with_fields(*fields):
    return ''.join(line + '\r\n' for line in ('GET /environ HTTP/1.1', *fields, '')).encode()


def field(size):
    return 'X-A: ' + 'x' * (size - len('X-A: '))


@pytest.mark.parametrize('size, status', [(LINE, 200), (LINE + 1, 414), (100_000, 414)])
def test_request_line(asked, size, status):
    line = 'GET /environ?' + 'x' * (size - len('GET /environ? HTTP/1.1')) + ' HTTP/1.1'
    assert asked((line + '\r\nHost: a\r\n\r\n').encode()) == status


def test_request_line_without_an_end(asked):
    assert asked(b'GET /' + b'x' * LINE) == 414


@pytest.mark.parametrize('size, status', [(FIELD, 200), (FIELD + 1, 431), (100_000, 431)])
def test_field(asked, size, status):
    assert asked(with_fields('Host: a', field(size))) == status


def test_field_without_an_end(asked):
    assert asked(with_fields('Host: a')[:-2] + b'X: ' + b'x' * FIELD) == 431


@pytest.mark.parametrize('count, status', [(FIELDS, 200), (FIELDS + 1, 431), (5000, 431)])
def test_fields(asked, count, status):
    assert asked(with_fields('Host: a', *['X: 1'] * (count - 1))) == status


@pytest.mark.parametrize('over, status', [(0, 200), (1, 431)])
def test_head(asked, over, status):
    fields = ['Host: a'] + [field(FIELD)] * 6
    left = HEAD + over - len(with_fields(*fields)) - len('\r\n')
    assert asked(with_fields(*fields, field(left))) == status


@pytest.mark.parametrize('size, status', [(BODY, 200), (BODY + 1, 413), (10**12, 413)])
def test_body(asked, size, status):
    body = bytes(min(size, 1_000_000))
    assert asked(request('POST', '/echo', f'Content-Length: {size}') + body) == status


@pytest.mark.parametrize('pieces, status', [
    ([BODY], 200), ([1000] * 5, 200), ([BODY + 1], 413), ([1000] * 5 + [1], 413),
    ([1000] * 1000, 413)])
def test_chunked_body(asked, pieces, status):
    assert asked(request('POST', '/echo', 'Transfer-Encoding: chunked') +
                 chunked(*map(bytes, pieces))) == status


@pytest.mark.parametrize('size, status', [(EXTENSION, 200), (EXTENSION + 1, 400)])
def test_chunk_extension(asked, size, status):
    assert asked(request('POST', '/echo', 'Transfer-Encoding: chunked') +
                 b'1;' + b'e' * (size - 1) + b'\r\nx\r\n0\r\n\r\n') == status


@pytest.mark.parametrize('size, status', [(TRAILERS, 200), (TRAILERS + 1, 431)])
def test_trailers(asked, size, status):
    assert asked(request('POST', '/echo', 'Transfer-Encoding: chunked') +
                 b'1\r\nx\r\n0\r\nX: ' + b't' * (size - len('X: \r\n')) + b'\r\n\r\n') == status


def test_body_that_is_not_sent(asked):
    """Its size is enough."""
    assert asked(request('POST', '/echo', f'Content-Length: {BODY + 1}')) == 413
    assert asked(request('POST', '/echo', 'Transfer-Encoding: chunked') + b'1389\r\n') == 413


def test_body_that_would_be_expected(asked):
    """The first head that comes is the answer: there is no 100 before it."""
    assert asked(request('POST', '/echo', 'Expect: 100-continue',
                         f'Content-Length: {BODY + 1}')) == 413


def test_no_limits_met(server):
    """The server is none the worse for all that."""
    assert server.post('/echo', bytes(BODY)).body == bytes(BODY)
