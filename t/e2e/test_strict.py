"""What servers get wrong, seen from both ends: what a client gets, and what the application was
called with, if at all. What depends on one message only is on the golden pages (t/http/golden),
which test_conformance.py puts to the command."""

import json
import ssl

import pytest

from peer import chunked, request

CALLED = request('GET', '/called')


@pytest.fixture(scope='module')
def server(serve):
    """It is so patient that no test sees a time-out."""
    return serve('strict', '--timeout-head', '1h', '--timeout-body', '1h', '--timeout-idle', '1h')


@pytest.fixture
def called(server):
    """called(): with how large bodies, since the test began."""
    notes = server.notes / 'called'
    notes.unlink(missing_ok=True)

    def called():
        assert server.get('/').status == 200  # there is one worker, which has done what came before
        return [int(line) for line in notes.read_text().split()] if notes.exists() else []
    return called


def post(target, *fields):
    return request('POST', target, *fields)


def environ(server, message):
    return json.loads(server.ask(message).body)


def ends_with_an_error(client, *statuses):
    """At most one response, which is an error, and then the end."""
    answer = client.file.read()
    assert answer == b'' or int(answer.split()[1]) in statuses
    assert answer.count(b'HTTP/1.1 ') <= 1


# -- bodies that are cut off ----------------------------------------------------------------------

CHUNKS = post('/called', 'Transfer-Encoding: chunked')
SIZED = post('/called', 'Content-Length: 10')
LARGE = post('/called', 'Content-Length: 3000000')


@pytest.mark.parametrize('part', [
    SIZED, SIZED + b'0', SIZED + b'012345678', LARGE + bytes(10), LARGE + bytes(2_999_999),
    CHUNKS, CHUNKS + b'5', CHUNKS + b'5\r', CHUNKS + b'5\r\n', CHUNKS + b'5\r\nhell',
    CHUNKS + b'5\r\nhello', CHUNKS + b'5\r\nhello\r', CHUNKS + b'5\r\nhello\r\n',
    CHUNKS + b'5\r\nhello\r\n0', CHUNKS + b'5\r\nhello\r\n0\r\n', CHUNKS + b'5\r\nhello\r\n0\r\n\r',
    CHUNKS + b'0\r\nA: b', CHUNKS + b'0\r\nA: b\r\n', CHUNKS + chunked(bytes(3_000_000))[:-1],
], ids=lambda part: repr(part.partition(b'\r\n\r\n')[2][:30]))
@pytest.mark.parametrize('how', ['end', 'reset'])
def test_a_body_that_is_cut_off_does_not_reach_the_application(server, called, part, how):
    with server.connect() as client:
        client.send(part)
        if how == 'reset':
            client.reset()
        else:
            client.half_close()
            ends_with_an_error(client, 400)
    assert called() == []


@pytest.mark.parametrize('part', [b'', b'01234'])
def test_a_body_that_was_asked_for_and_is_cut_off(server, called, part):
    with server.connect() as client:
        client.send(post('/called', 'Content-Length: 10', 'Expect: 100-continue'))
        assert client.head()[1] == 100
        client.send(part)
        client.half_close()
        ends_with_an_error(client, 400)
    assert called() == []


def test_what_came_before_it_is_answered(server, called):
    with server.connect() as client:
        client.send(post('/called', 'Content-Length: 3') + b'abc' + SIZED + b'0123')
        client.half_close()
        assert client.response().status == 200
        ends_with_an_error(client, 400)
    assert called() == [3]


# -- responses without a body ---------------------------------------------------------------------

KINDS = ['none', 'empty', 'list', 'lists', 'generator', 'large', 'file', 'write']


@pytest.mark.parametrize('version', ['1.1', '1.0'])
@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('method, status', [
    ('HEAD', '200 OK'), ('HEAD', '404 Not Found'), ('GET', '204 No Content'),
    ('GET', '304 Not Modified'), ('HEAD', '204 No Content'), ('POST', '204 No Content'),
    ('GET', '205 Reset Content')])
def test_there_is_no_body(server, method, status, kind, version):
    """Not a byte behind the head but the next response."""
    target = f'/bodies?{status.replace(" ", "%20")},,{kind}'
    with server.connect() as client:
        client.send(request(method, target, 'Connection: keep-alive', version=version) +
                    request('GET', '/partly?0', 'Connection: close'))
        heads, _, rest = client.file.read().partition(b'\r\n\r\n')
    assert heads.startswith(f'HTTP/1.1 {status}\r\n'.encode())
    assert rest.startswith(b'HTTP/1.1 200 OK\r\n') and rest.endswith(b'\r\n\r\n')
    assert rest.count(b'\r\n\r\n') == 1
    if '205' in status:  # RFC 9110, 15.3.6
        assert b'\r\nContent-Length: 0' in heads
    if '204' in status:  # RFC 9110, 8.6, and RFC 9112, 6.1
        assert b'Content-Length' not in heads and b'Transfer-Encoding' not in heads


def length_of(server, method, status, length, kind):
    response = server.ask(request(method, f'/bodies?{status.replace(" ", "%20")},{length},{kind}'),
                          method)
    assert response.complete
    return response.all('Content-Length')


@pytest.mark.parametrize('kind', KINDS)
def test_head_says_no_other_length_than_get(server, kind):
    """An application that makes no body for HEAD does not say that there is none for GET."""
    of_head = length_of(server, 'HEAD', '200 OK', '', kind)
    if kind in ('none', 'empty'):
        assert of_head == []
    elif of_head:
        assert of_head == length_of(server, 'GET', '200 OK', '', kind)


@pytest.mark.parametrize('method, status, kind', [
    ('HEAD', '200 OK', 'none'), ('HEAD', '200 OK', 'large'), ('GET', '304 Not Modified', 'none')])
def test_the_length_is_the_application_s(server, method, status, kind):
    assert length_of(server, method, status, '12345', kind) == ['12345']


# -- bodies that nobody reads ---------------------------------------------------------------------

REQUESTS = CALLED * 8000  # more than is read for the sake of keeping a connection


@pytest.mark.parametrize('read', [0, 1, 100_000])
@pytest.mark.parametrize('message', [
    request('POST', '/partly?%d', body=REQUESTS),
    request('POST', '/partly?%d', 'Transfer-Encoding: chunked') + chunked(REQUESTS),
    request('POST', '/partly?%d', 'Transfer-Encoding: chunked') + chunked(*[CALLED] * 8000),
], ids=['sized', 'a chunk', 'chunks'])
def test_requests_in_a_body_are_none(server, called, message, read):
    with server.connect() as client:
        client.send(message.replace(b'%d', b'%d' % read, 1) + CALLED)
        assert client.response().body == REQUESTS[:read]
        assert client.response().status == 200
    assert called() == [0]


@pytest.mark.parametrize('size', [b'3fffffff', b'40000000', b'ffffffff', b'7fffffffffffffff'])
def test_a_chunk_that_is_too_large_ends_it(server, called, size):
    with server.connect() as client:
        client.send(CHUNKS + b'3\r\nabc\r\n' + size + b'\r\n' + CALLED)
        assert client.response().status == 413
        assert client.at_end()
    assert called() == []


def test_nothing_is_served_behind_an_error(server, called):
    """Not what came with it, nor what comes when the error has been read."""
    with server.connect() as client:
        client.send(CALLED + b'GET / HTTP/1.1\r\nHost : a\r\n\r\n' + CALLED)
        assert client.response().status == 200
        assert client.response().status == 400
        try:
            client.send(CALLED)
        except ConnectionError:
            pass
        assert client.at_end()
    assert called() == [0]


@pytest.mark.parametrize('fields', [['Connection: keep-alive, close'],
                                    ['Connection: keep-alive', 'Connection: x ,CLOSE'],
                                    ['Connection: close', 'Connection: keep-alive']])
def test_nothing_is_served_behind_the_last_request(server, called, fields):
    with server.connect() as client:
        client.send(request('GET', '/', *fields) + CALLED)
        assert client.response()['Connection'] == 'close'
        assert client.at_end()
    assert called() == []


def test_an_error_arrives_though_the_client_still_sends(server, called):
    with server.connect() as client:
        client.send(post('/called', 'Content-Length: 99999999999999') + bytes(1_000_000))
        assert client.response().status == 413
        assert client.at_end()
    assert called() == []


# -- environ --------------------------------------------------------------------------------------

@pytest.mark.parametrize('target, path, query', [
    ('//', '//', ''),
    ('//a///b//', '//a///b//', ''),
    ('/a%2Fb%2f', '/a/b/', ''),
    ('/%252F%25%32%35', '/%2F%25', ''),
    ('/a/../%2e%2E/.', '/a/../../.', ''),
    ('/%01%7F%0d%0A', '/\x01\x7f\r\n', ''),
    ('/%FF%c3%A9', '/\xff\xc3\xa9', ''),
    ('/a;b=c+d&e', '/a;b=c+d&e', ''),
    ('/?%zz%&%00%2F%', '/', '%zz%&%00%2F%'),
    ('/a?b?c=%20+', '/a', 'b?c=%20+'),
    ('http://b//c%2Fd?e', '//c/d', 'e'),
    ('http://b?e', '/', 'e'),
])
def test_the_path_is_decoded_once_and_not_tidied(server, target, path, query):
    seen = environ(server, request('GET', target))
    assert (seen['PATH_INFO'], seen['QUERY_STRING'], seen['SCRIPT_NAME']) == (path, query, '')


@pytest.mark.parametrize('target', [
    '/%', '/a%2', '/%zz', '/%%41', '/%00', '/a%2500%00', 'http://b/%00', '/a b', '/\x7f', '/\xe9',
    '/?\xe9', '/#', '/a?#'])
def test_a_path_that_can_not_be_decoded_is_refused(server, called, target):
    with server.connect() as client:
        client.send(request('GET', target) + CALLED)
        assert client.response().status == 400
        assert client.at_end()
    assert called() == []


def test_the_host_is_that_of_an_absolute_target(server):
    assert environ(server, request('GET', 'http://b.example:81/'))['HTTP_HOST'] == 'b.example:81'


@pytest.mark.parametrize('name', [
    'X_Forwarded_For', 'X-Forwarded_For', 'X_FORWARDED-FOR', 'x_forwarded_for'])
def test_an_underscore_does_not_pose_as_a_hyphen(server, name):
    assert 'HTTP_X_FORWARDED_FOR' not in environ(server, request('GET', '/', f'{name}: 6.6.6.6'))
    for fields in ([f'{name}: 6.6.6.6', 'X-Forwarded-For: 1.1.1.1'],
                   ['X-Forwarded-For: 1.1.1.1', f'{name}: 6.6.6.6']):
        assert environ(server, request('GET', '/', *fields))['HTTP_X_FORWARDED_FOR'] == '1.1.1.1'


@pytest.mark.parametrize('name', ['Content_Length', 'CONTENT_LENGTH', 'Content_Type', 'Host_'])
def test_nor_as_a_field_of_the_protocol(server, name):
    seen = environ(server, request('POST', '/', f'{name}: 7', body=b'abc'))
    assert seen['CONTENT_LENGTH'] == '3' and seen['HTTP_HOST'] == 'localhost'
    assert '7' not in seen.values()


def test_trailers_are_not_merged_into_the_head(server, called):
    trailer = b'X-A: 2\r\nHost: evil\r\nContent-Length: 7\r\nAuthorization: me\r\nCookie: a\r\n'
    with server.connect() as client:
        client.send(post('/', 'X-A: 1', 'Transfer-Encoding: chunked') +
                    chunked(b'abc')[:-2] + trailer + b'\r\n' + CALLED)
        seen = json.loads(client.response().body)
        assert client.response().status == 200
    assert seen['HTTP_X_A'] == '1' and seen['HTTP_HOST'] == 'localhost'
    assert not {'CONTENT_LENGTH', 'HTTP_CONTENT_LENGTH', 'HTTP_AUTHORIZATION', 'HTTP_COOKIE'} & \
        seen.keys()
    assert called() == [0]


@pytest.mark.parametrize('length, size', [('010', 10), ('0000', 0), ('00000000000000000000003', 3)])
def test_a_length_is_decimal(server, called, length, size):
    with server.connect() as client:
        client.send(post('/called', f'Content-Length: {length}') + b'x' * size + CALLED)
        assert client.response().status == client.response().status == 200
    assert called() == [size, 0]


def test_a_request_line_of_8000_octets(server):
    query = 'x' * (8000 - len('GET /? HTTP/1.1'))
    assert environ(server, request('GET', '/?' + query))['QUERY_STRING'] == query


@pytest.mark.parametrize('minor', range(1, 10))
def test_later_minor_versions_are_served_as_1_1(server, minor):
    with server.connect() as client:
        client.send(request('GET', '/', version=f'1.{minor}') * 2)
        for _ in range(2):
            response = client.response()
            assert (response.status, response.version) == (200, '1.1')
            assert json.loads(response.body)['SERVER_PROTOCOL'] == 'HTTP/1.1'


# -- those who speak something else ---------------------------------------------------------------

def test_a_tls_client_is_answered_at_once(server):
    """With the head's time-out an hour off."""
    hello = ssl.MemoryBIO()
    try:
        ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), hello,
                                              server_hostname='localhost').do_handshake()
    except ssl.SSLWantReadError:
        pass
    with server.connect() as client:
        client.send(hello.read())
        assert client.response().status == 400
        assert client.at_end()


def test_an_http_2_client_is_answered_at_once(server):
    with server.connect() as client:
        client.send(b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' + bytes.fromhex('000000040000000000'))
        assert client.response().status == 505
        assert client.at_end()


# -- 100 (Continue) --------------------------------------------------------------------------------

@pytest.mark.parametrize('fields', [['Expect: 100-Continue'], ['Expect: 100-CONTINUE'],
                                    ['eXPECT: 100-continue']])
def test_100_continue_in_any_case(server, fields):
    with server.connect() as client:
        client.send(post('/partly?9', 'Content-Length: 4', *fields))
        assert client.head()[1] == 100
        client.send(b'body')
        assert client.response().body == b'body'


@pytest.mark.parametrize('method', ['GET', 'HEAD', 'POST'])
def test_without_a_body_there_is_nothing_to_continue(server, method):
    with server.connect() as client:
        client.send(request(method, '/', 'Expect: 100-continue'))
        assert client.response(method).status == 200


# -- many at a time -------------------------------------------------------------------------------

def test_idle_and_dribbling_clients_do_not_stop_service(server, called):
    """Each of those who dribble sends a byte between one ordinary request and the next."""
    idle = [server.connect() for _ in range(400)]
    dribbling = [server.connect() for _ in range(120)]
    message = post('/called', 'Content-Length: 5') + b'hello'
    try:
        with server.connect() as client:
            for at in range(len(message) - 1):
                for other in dribbling:
                    other.send(message[at:at + 1])
                client.send(request('GET', '/partly?0'))
                assert client.response().status == 200
        assert called() == []
        for other in dribbling:
            other.send(message[-1:])
        assert [other.response().status for other in dribbling] == [200] * 120
        for other in idle:
            other.send(CALLED)
        assert [other.response().status for other in idle] == [200] * 400
    finally:
        for other in idle + dribbling:
            other.close()
    assert called() == [5] * 120 + [0] * 400
