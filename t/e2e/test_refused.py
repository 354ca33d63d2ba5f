"""Requests that are no requests, or that two servers could read differently: each gets an error,
the connection ends, the application is not called, and what follows is not taken for a request."""

import pytest

from peer import request

# In the messages below, lines end with "|" for CRLF so that they can be read.
HOST = 'Host: a|'
CHUNKED = 'Transfer-Encoding: chunked|'

REQUEST_LINES = {
    'no target': 'GET HTTP/1.1|' + HOST + '|',
    'no version': 'GET /called?|' + HOST + '|',
    'two spaces': 'GET  /called HTTP/1.1|' + HOST + '|',
    'two spaces before the version': 'GET /called  HTTP/1.1|' + HOST + '|',
    'a tab': 'GET\t/called HTTP/1.1|' + HOST + '|',
    'space after the version': 'GET /called HTTP/1.1 |' + HOST + '|',
    'space before the method': ' GET /called HTTP/1.1|' + HOST + '|',
    'a space in the target': 'GET /called ? HTTP/1.1|' + HOST + '|',
    'method that is no token': 'G(T /called HTTP/1.1|' + HOST + '|',
    'empty method': ' /called HTTP/1.1|' + HOST + '|',
    'NUL in the target': 'GET /called\0 HTTP/1.1|' + HOST + '|',
    'NUL as a triplet': 'GET /called%00 HTTP/1.1|' + HOST + '|',
    'broken triplet': 'GET /called%2 HTTP/1.1|' + HOST + '|',
    'triplet that is none': 'GET /called%zz HTTP/1.1|' + HOST + '|',
    'fragment': 'GET /called#part HTTP/1.1|' + HOST + '|',
    'target without a slash': 'GET called HTTP/1.1|' + HOST + '|',
    'target in UTF-8': 'GET /called?\xc3\xa4 HTTP/1.1|' + HOST + '|',
    'asterisk with GET': 'GET * HTTP/1.1|' + HOST + '|',
    'authority with GET': 'GET a:80 HTTP/1.1|' + HOST + '|',
    'version in lower case': 'GET /called http/1.1|' + HOST + '|',
    'version with spaces': 'GET /called HTTP/ 1.1|' + HOST + '|',
    'version of one digit': 'GET /called HTTP/1|' + HOST + '|',
    'version with a large digit': 'GET /called HTTP/1.10|' + HOST + '|',
    'another protocol': 'GET /called RTSP/1.1|' + HOST + '|',
    'TLS': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    'only line feeds': 'GET /called HTTP/1.1\nHost: a\n\n',
    'line feed after the request line': 'GET /called HTTP/1.1\nHost: a||',
    'carriage return alone': 'GET /called HTTP/1.1\rHost: a||',
    'carriage return in the line': 'GET /called\r HTTP/1.1|' + HOST + '|',
    'two empty lines before': '||GET /called HTTP/1.1|' + HOST + '|',
}
FIELDS = {
    'no name': ': 1|',
    'no colon': 'X-A|',
    'space before the colon': 'X-A : 1|',
    'tab before the colon': 'X-A\t: 1|',
    'space before the name': ' X-A: 1|',
    'space in the name': 'X A: 1|',
    'NUL in the name': 'X\0A: 1|',
    'NUL in the value': 'X-A: 1\x002|',
    'delete in the value': 'X-A: 1\x7f2|',
    'escape in the value': 'X-A: \x1b[2J|',
    'carriage return in the value': 'X-A: 1\r2|',
    'line feed in the value': 'X-A: 1\n2|',
    'line feed ends the line': 'X-A: 1\nX-B: 2|',
    'two carriage returns': 'X-A: 1\r|',
    'folded line': 'X-A: 1| 2|',
    'folded with a tab': 'X-A: 1|\t2|',
    'folded to nothing': 'X-A: 1| |',
    'name beyond ASCII': 'X-\xe4: 1|',
    'separator in the name': 'X-(A): 1|',
    'second host': HOST,
    'Content-Type twice': 'Content-Type: a/b|Content-Type: c/d|',
}
HOSTS = {
    'none': '',
    'two': 'Host: a|Host: b|',
    'list': 'Host: a, b|',
    'with a path': 'Host: a/b|',
    'with a user': 'Host: u@a|',
    'with a space': 'Host: a b|',
    'with a bad port': 'Host: a:8x|',
    'with a large port': 'Host: a:65536|',
    'with half an address': 'Host: [::1|',
}
# Each is followed by the bytes of a request: if they were a body, of 5 or of chunks, then not all.
FRAMINGS = {
    'length and coding': ('Content-Length: 5|' + CHUNKED, 400),
    'coding and length': (CHUNKED + 'Content-Length: 5|', 400),
    'two lengths': ('Content-Length: 5|Content-Length: 6|', 400),
    'the same length twice': ('Content-Length: 5|Content-Length: 5|', 400),
    'list of lengths': ('Content-Length: 5, 5|', 400),
    'negative length': ('Content-Length: -5|', 400),
    'length with a plus': ('Content-Length: +5|', 400),
    'length in hexadecimal': ('Content-Length: 0x5|', 400),
    'length with a fraction': ('Content-Length: 5.0|', 400),
    'length with an underscore': ('Content-Length: 1_0|', 400),
    'length with a space': ('Content-Length: 1 0|', 400),
    'empty length': ('Content-Length:|', 400),
    'length that is no number': ('Content-Length: five|', 400),
    'length in Arabic-Indic digits': ('Content-Length: \xd9\xa5|', 400),
    'length beyond 64 bits': ('Content-Length: 18446744073709551621|', 400),
    'length beyond 63 bits': ('Content-Length: 9223372036854775808|', 400),
    'length with a space before the colon': ('Content-Length : 5|', 400),
    'chunked twice': ('Transfer-Encoding: chunked, chunked|', 400),
    'chunked in two fields': (CHUNKED + CHUNKED, 400),
    'chunked and not last': ('Transfer-Encoding: chunked, gzip|', 400),
    'chunked after another': ('Transfer-Encoding: gzip, chunked|', 400),
    'identity': ('Transfer-Encoding: identity|', 501),
    'another coding': ('Transfer-Encoding: gzip|', 501),
    'chunked with a prefix': ('Transfer-Encoding: xchunked|', 501),
    'chunked in quotes': ('Transfer-Encoding: "chunked"|', 400),
    'chunked with a vertical tab': ('Transfer-Encoding: \x0bchunked|', 400),
    'chunked with a parameter': ('Transfer-Encoding: chunked;a=b|', 400),
    'empty coding': ('Transfer-Encoding:|', 400),
    'coding with a space before the colon': ('Transfer-Encoding : chunked|', 400),
    'coding on a folded line': ('Transfer-Encoding:| chunked|', 400),
    'unknown expectation': ('Expect: 200-ok|Content-Length: 5|', 417),
}
CHUNKS = {
    'size that is no number': 'x|',
    'empty size': '|',
    'size with a prefix': '0x5|hello|',
    'negative size': '-5|hello|',
    'size with a plus': '+5|hello|',
    'size with a space before': ' 5|hello|',
    'size with a space after': '5 |hello|',
    'size with an underscore': '1_0|',
    'size that is very long': '0' * 1000 + '5|hello|',
    'line feed after the size': '5\nhello|',
    'carriage return after the size': '5\rhello|',
    'data that is too long': '5|hello!|',
    'data that ends in a line feed': '5|hello\n0||',
    'data without an end': '5|hello0||',
    'line feed in an extension': '5;a\n|hello|',
    'extension that is none': '5;|hello|',
    'control character in an extension': '5;a=\x01|hello|',
    'trailer without a colon': '0|X-A|',
    'trailer that is folded': '0|X-A: 1| 2|',
    'trailer with NUL': '0|X-A: \x00|',
    'trailer that ends in line feeds': '0|X-A: 1\n\n',
}


def wire(text):
    return text.replace('|', '\r\n').encode('latin-1')


@pytest.fixture(scope='module')
def server(serve):
    return serve('pep3333')


@pytest.fixture
def refused(server):
    called = server.notes / 'called'
    called.unlink(missing_ok=True)

    def refused(message, status=400):
        with server.connect() as client:
            client.send(wire(message) + request('GET', '/called?smuggled'))
            response = client.response()
            assert response.status == status
            assert 'Content-Length' in response or 'Transfer-Encoding' in response
            assert client.at_end()
        assert not called.exists()
    return refused


@pytest.mark.parametrize('what', REQUEST_LINES)
def test_request_line(refused, what):
    refused(REQUEST_LINES[what])


@pytest.mark.parametrize('version', ['HTTP/2.0', 'HTTP/0.9', 'HTTP/3.0', 'HTTP/9.9'])
def test_version(refused, version):
    refused(f'GET /called {version}|{HOST}|', 505)


def test_http_2_preface(refused):
    refused('PRI * HTTP/2.0||SM||', 505)


@pytest.mark.parametrize('position', ['first', 'last'])
@pytest.mark.parametrize('what', FIELDS)
def test_field(refused, what, position):
    fields = FIELDS[what] + HOST if position == 'first' else HOST + FIELDS[what]
    refused(f'GET /called HTTP/1.1|{fields}|')


@pytest.mark.parametrize('what', HOSTS)
def test_host(refused, what):
    refused(f'GET /called HTTP/1.1|{HOSTS[what]}|')


@pytest.mark.parametrize('method', ['GET', 'POST'])
@pytest.mark.parametrize('what', FRAMINGS)
def test_framing(refused, what, method):
    fields, status = FRAMINGS[what]
    refused(f'{method} /called HTTP/1.1|{HOST}{fields}|', status)


def test_chunks_in_http_1_0(refused):
    refused(f'POST /called HTTP/1.0|{HOST}{CHUNKED}|')


@pytest.mark.parametrize('before', ['', '3|abc|'])
@pytest.mark.parametrize('what', CHUNKS)
def test_chunk(refused, what, before):
    refused(f'POST /called HTTP/1.1|{HOST}{CHUNKED}|{before}{CHUNKS[what]}')


@pytest.mark.parametrize('size', ['10000000000000005', 'ffffffffffffffff', '8000000000000000'])
def test_chunk_beyond_any_limit(refused, size):
    refused(f'POST /called HTTP/1.1|{HOST}{CHUNKED}|3|abc|{size}|hello|', 413)


def test_connect(server):
    """Right, but there is no tunnel to be had, and nothing after it is a request."""
    with server.connect() as client:
        client.send(wire('CONNECT a:80 HTTP/1.1|Host: a:80||'))
        assert client.response().status == 501


# -- and what is odd, but right -------------------------------------------------------------------

@pytest.mark.parametrize('message', [
    '|GET /environ HTTP/1.1|Host: a||',
    'GET /environ HTTP/1.1|Host:||',
    'GET /environ HTTP/1.1|HOST:\t a \t||',
    'GET /environ HTTP/1.0||',
    'GET /environ HTTP/1.1|Host: [::1]:80||',
    'GET /environ?%zz{}\\^`"<>? HTTP/1.1|Host: a||',
    'GET /environ HTTP/1.1|Host: a|X-Empty:||',
    'GET /environ HTTP/1.1|Host: a|X-Text: \xe4\xff||',
    'GET /environ HTTP/1.1|Host: a|!#$%&\'*+-.^_`~09: x||',
    'GET /environ HTTP/1.9|Host: a||',
    'GET http://b/environ HTTP/1.1|Host: a||',
    'POST /environ HTTP/1.1|Host: a|Content-Length: 0||',
    'POST /environ HTTP/1.1|Host: a|Content-Length: 0000000000005||hello',
    'POST /environ HTTP/1.1|Host: a|Transfer-Encoding: Chunked||0||',
    'POST /environ HTTP/1.1|Host: a|Transfer-Encoding: chunked||'
    '5;a;b=c;d="e \\" f"|hello|00|X-A: 1||',
])
def test_odd_but_right(server, message):
    with server.connect() as client:
        client.send(wire(message))
        assert client.response().status == 200
