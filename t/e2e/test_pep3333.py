"""PEP 3333, as a client and an application see it. The applications are apps/pep3333.py."""
import json
import os
import urllib.parse

import pytest

import command

from peer import chunked_request, request
from serving import eventually


@pytest.fixture(scope='module')
def server(serve):
    return serve('pep3333')


@pytest.fixture
def name(request):
    """For the notes of this test."""
    return ''.join(c for c in request.node.name if c.isalnum())


# -- environ --------------------------------------------------------------------------------------

def environ(server, target, *fields, method='GET', body=None):
    return json.loads(server.ask(request(method, target, *fields, body=body)).body)


def test_environ_of_a_request(server):
    seen = environ(server, '/environ?a=1&b=%20', 'User-Agent: me', 'X-Two-Words: a  b ')
    expected = {
        'REQUEST_METHOD': 'GET', 'SCRIPT_NAME': '', 'PATH_INFO': '/environ',
        'QUERY_STRING': 'a=1&b=%20', 'SERVER_PROTOCOL': 'HTTP/1.1', 'SERVER_NAME': server.host,
        'SERVER_PORT': str(server.port), 'REMOTE_ADDR': '127.0.0.1', 'HTTP_HOST': 'localhost',
        'HTTP_USER_AGENT': 'me', 'HTTP_X_TWO_WORDS': 'a  b', 'wsgi.url_scheme': 'http',
        'wsgi.multithread': 'ASYNWSGI_THREADS' in os.environ,
        'wsgi.multiprocess': False, 'wsgi.run_once': False,
        'wsgi.input_terminated': True}
    assert {key: seen.get(key) for key in expected} == expected
    assert seen['wsgi.version'] == '(1, 0)'
    assert {'wsgi.input', 'wsgi.errors', 'wsgi.file_wrapper'} <= seen.keys()
    assert 'HTTP_CONTENT_TYPE' not in seen and 'HTTP_CONTENT_LENGTH' not in seen
    assert not seen.get('CONTENT_LENGTH') and not seen.get('CONTENT_TYPE')


def test_environ_of_a_request_with_a_body(server):
    seen = environ(server, '/environ', 'Content-Type: text/x-poem', method='POST', body=b'four')
    assert (seen['REQUEST_METHOD'], seen['CONTENT_TYPE'], seen['CONTENT_LENGTH']) == \
        ('POST', 'text/x-poem', '4')
    assert 'HTTP_CONTENT_TYPE' not in seen and 'HTTP_CONTENT_LENGTH' not in seen


@pytest.mark.parametrize('pieces', [(), (b'four',), (b'f', b'our'), (b'x' * 1_000_000, b'y')])
def test_environ_of_a_request_in_chunks(server, pieces):
    """Nothing in environ says more than the client did; wsgi.input_terminated is what to go by."""
    seen = json.loads(server.ask(chunked_request('POST', '/environ', *pieces)).body)
    assert 'CONTENT_LENGTH' not in seen
    assert seen['HTTP_TRANSFER_ENCODING'] == 'chunked'
    assert seen['wsgi.input_terminated'] is True


@pytest.mark.parametrize('target, path, query', [
    ('/', '/', ''),
    ('/?', '/', ''),
    ('/?a?b', '/', 'a?b'),
    ('/a%20b', '/a b', ''),
    ('/caf%C3%A9', '/caf\xc3\xa9', ''),
    ('/%252F?%2F', '/%2F', '%2F'),
    ('/a//b/./c/', '/a//b/./c/', ''),
    ('http://example.org/environ?q', '/environ', 'q'),
    ('http://example.org', '/', ''),
])
def test_environ_of_a_target(server, target, path, query):
    seen = environ(server, target)
    assert (seen['SCRIPT_NAME'] + seen['PATH_INFO'], seen['QUERY_STRING']) == (path, query)


def test_asterisk(server):
    seen = environ(server, '*', method='OPTIONS')
    assert (seen['REQUEST_METHOD'], seen['PATH_INFO']) == ('OPTIONS', '*')


@pytest.mark.parametrize('method', ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND', 'G-T'])
def test_any_method(server, method):
    assert environ(server, '/environ', method=method)['REQUEST_METHOD'] == method


def test_repeated_fields_are_joined(server):
    seen = environ(server, '/environ', 'X-A: 1', 'X-B: between', 'x-a: 2', 'X-A: 3')
    assert [part.strip() for part in seen['HTTP_X_A'].split(',')] == ['1', '2', '3']


def test_repeated_cookies_are_joined_as_cookies(server):
    assert environ(server, '/environ', 'Cookie: a=1', 'Cookie: b=2')['HTTP_COOKIE'] == 'a=1; b=2'


def test_field_values_are_latin_1(server):
    assert environ(server, '/environ', 'X-Name: caf\xe9')['HTTP_X_NAME'] == 'caf\xe9'


def test_a_name_with_an_underscore_can_not_pose_as_another(server):
    seen = environ(server, '/environ', 'X_Real_IP: 6.6.6.6', 'X-Other: 1')
    assert 'HTTP_X_REAL_IP' not in seen and seen['HTTP_X_OTHER'] == '1'


def test_names_with_an_underscore_may_be_let_in(serve):
    server = serve('pep3333', '--underscores-in-headers')
    assert environ(server, '/environ', 'X_Real_IP: 6.6.6.6')['HTTP_X_REAL_IP'] == '6.6.6.6'


def test_environs_are_not_shared(server):
    with server.connect() as client:
        for _ in range(3):
            client.send(request('GET', '/mutable'))
            assert client.response().body == b'nothing'


def test_the_current_folder_is_on_the_path(server):
    assert server.get('/path').body == b'imported from the folder of --chdir'


# -- start_response and write ---------------------------------------------------------------------

@pytest.mark.parametrize('target, body', [
    ('/write', b'written, twice, then returned'),
    ('/write-sized', b'written, all'),
    ('/in-generator', b'late'),
    ('/exc-info-none', b'fine'),
    ('/keyword', b'by name'),
])
def test_bodies(server, target, body):
    response = server.get(target)
    assert (response.body, response.complete) == (body, True)


def test_write_takes_bytes_only(server):
    response = server.get('/write-odd')
    assert response.complete and b'taken' not in response.body


def test_what_is_written_is_sent_before_the_application_goes_on(server, name):
    with server.connect() as client:
        client.send(request('GET', f'/write-soon?{name}'))
        assert client.head()[1] == 200
        chunks = client.chunks()
        assert next(chunks) == b'first'
        (server.notes / name).touch()
        assert list(chunks) == [b'second']


def test_a_status_of_its_own(server):
    response = server.get('/in-generator')
    assert (response.status, response.reason) == (202, 'Later')


def test_date_and_server_are_added(server):
    response = server.get('/closed?unread')
    assert len(response.all('Date')) == 1 and len(response.all('Server')) == 1


def test_date_and_server_are_the_application_s(server):
    response = server.get('/date')
    assert (response['Date'], response['Server']) == ('Thu, 01 Jan 1970 00:00:00 GMT', 'mine')


def test_without_start_response_it_is_an_error(server, name):
    assert server.get(f'/never-started?{name}').status == 500
    server.noted(name, 'close')


def test_a_second_start_response_is_an_error(server):
    assert server.get('/started-twice').status == 500


def test_a_head_is_replaced_while_it_was_not_sent(server):
    response = server.get('/replaced')
    assert (response.status, response.reason, response.body) == (503, 'Second Thought', b'replaced')
    assert 'X-First' not in response and response['X-Second'] == 'yes'


@pytest.mark.parametrize('how', ['item', 'end', 'return'])
def test_a_head_is_held_back(server, name, how):
    """It goes out with the first item that is not empty, or at the end; until then nothing does."""
    with server.connect() as client:
        client.send(request('GET', f'/held?{name},{how}'))
        server.noted(name + '.held', 'held')
        client.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.socket.recv(1)
        client.socket.settimeout(command.PATIENCE)
        (server.notes / name).touch()
        response = client.response()
    assert (response.status, response.reason) == (503, 'Second Thought')
    assert 'X-First' not in response
    if how == 'item':
        assert response.body == b'longer than the first one was to be'
    else:
        assert (response['Content-Length'], response.body) == ('0', b'')


def test_a_write_of_nothing_sends_the_head(server, name):
    """PEP 3333, The start_response() Callable: at the first invocation of write()."""
    with server.connect() as client:
        client.send(request('GET', f'/write-nothing?{name}'))
        assert client.head()[1] == 200
        (server.notes / name).touch()
        assert list(client.chunks()) == [b'late']


def test_exc_info_may_come_with_the_first_call(server):
    response = server.get('/exc-info-first')
    assert (response.status, response.body) == (500, b'at first, once')


def test_exc_info_after_a_write_is_raised_again(server, name):
    response = server.get(f'/exc-info-late?{name}')
    assert (response.status, response.body, response.complete) == (200, b'written', False)
    server.noted(name, 'ValueError after the head, at its line: True')


def test_a_replacement_that_is_wrong_is_an_error(server):
    response = server.get('/replaced-wrongly')
    assert (response.status, 'X-First' in response) == (500, False)


def test_a_head_that_was_sent_is_not_replaced(server, name):
    response = server.get(f'/too-late?{name}')
    assert (response.status, response.body, response.complete) == (200, b'sent', False)
    server.noted(name, 'raised again')
    server.logged('ValueError: after the head')


def test_headers_are_those_of_the_call(server):
    response = server.get('/copied-headers')
    assert response['X-When'] == 'before' and 'X-More' not in response


def test_what_is_kept_of_a_request_is_dead(server):
    with server.connect() as client:
        client.send(request('GET', '/keep'))
        assert client.response().body == b'kept'
        client.send(request('GET', '/use-kept'))
        response = client.response()
    assert response.body.decode().splitlines() == [
        'start_response: RuntimeError', 'write: RuntimeError', 'input: RuntimeError']
    assert response.status == 200 and 'X-Kept' not in response


# -- heads that are refused -----------------------------------------------------------------------

SPLIT = r'\r\nX-Split: yes\r\n\r\nHTTP/1.1 200 Split'


@pytest.mark.parametrize('head', [
    # the status
    "'200', []", "'OK', []", "'', []", "b'200 OK', []", "None, []", "200, []", "'20 OK', []",
    "'2000 OK', []", "'099 OK', []", "'-20 OK', []", "'200OK', []", r"'200 OK\n', []",
    r"'200 OK\r', []", r"'200 O\0K', []", f"'200 OK{SPLIT}', []", r"'200 \u20ac', []",
    "'100 Continue', []", "'101 Switching Protocols', []", "' 200 OK', []", r"'200\tOK', []",
    r"'\xb200 OK', []", r"'200 \x7f', []", r"'200 OK\r\n', []",
    # the list
    "'200 OK', None", "'200 OK', (('X-A', '1'),)", "'200 OK', {'X-A': '1'}", "'200 OK', ['X-A']",
    "'200 OK', [('X-A',)]", "'200 OK', [('X-A', '1', '2')]", "'200 OK', [['X-A', '1']]",
    "'200 OK', [None]", "'200 OK', 'X-A: 1'",
    # names
    "'200 OK', [('', '1')]", "'200 OK', [('X A', '1')]", "'200 OK', [('X-A:', '1')]",
    r"'200 OK', [('X-A\n', '1')]", r"'200 OK', [('X-A\0', '1')]", "'200 OK', [(b'X-A', '1')]",
    "'200 OK', [(None, '1')]", r"'200 OK', [('X-\xe9', '1')]",
    # values
    f"'200 OK', [('X-A', '{SPLIT}')]", r"'200 OK', [('X-A', '1\n2')]", r"'200 OK', [('X-A', '1\r2')]",
    r"'200 OK', [('X-A', '1\n')]", r"'200 OK', [('X-A', '1\0\r\n2')]", r"'200 OK', [('X-A', '\u20ac')]",
    "'200 OK', [('X-A', b'1')]", "'200 OK', [('X-A', 1)]", "'200 OK', [('X-A', None)]",
    r"'200 OK', [('X-A', '1\r\n 2')]", r"'200 OK', [('X-A', '\n')]", r"'200 OK', [('X-A', '\0')]",
    r"'200 OK', [('X-A', '\x0b')]", r"'200 OK', [('X-A', '\x7f')]",
    "'200 OK', [('X-A', '1'), ('X-B: 2\\r\\nX-C', '3')]",
    # fields that are the server's business
    "'200 OK', [('Connection', 'close')]", "'200 OK', [('Transfer-Encoding', 'chunked')]",
    "'200 OK', [('Keep-Alive', '1')]", "'200 OK', [('Upgrade', 'h2c')]",
    "'200 OK', [('TE', 'trailers')]", "'200 OK', [('Trailer', 'X-A')]",
    "'200 OK', [('Proxy-Authenticate', 'Basic')]", "'200 OK', [('Proxy-Authorization', 'a')]",
    "'200 OK', [('Proxy-Connection', 'close')]", "'200 OK', [('cOnNeCtIoN', 'close')]",
    # lengths
    "'200 OK', [('Content-Length', '-4')]", "'200 OK', [('Content-Length', '4x')]",
    "'200 OK', [('Content-Length', '')]", "'200 OK', [('Content-Length', '4, 4')]",
    "'200 OK', [('Content-Length', '4'), ('content-length', '5')]",
    "'200 OK', [('Content-Length', '99999999999999999999')]", "'200 OK', [('Content-Length', '+4')]",
    "'200 OK', [('Content-Length', '4.0')]", "'200 OK', [('Content-Length', '0x4')]",
    r"'200 OK', [('Content-Length', '\xb2')]", "'200 OK', [('Content-Length', '4 4')]",
    "'200 OK', [('Content-Length', 4)]",
])
def test_a_bad_head_is_an_error(server, head):
    with server.connect() as client:
        client.send(request('GET', '/headers?' + urllib.parse.quote(head), 'Connection: close'))
        response = client.response()
        assert response.status == 500
        assert client.at_end()
    assert not [value for name, value in response.fields if name.startswith('X-')]


@pytest.mark.parametrize('head, name, value', [
    (r"'200 OK', [('X-A', 'caf\xe9')]", 'X-A', 'caf\xe9'),
    ("'200 OK', [('X-A', '')]", 'X-A', ''),
    (r"'200 OK', [('X-A', 'a\tb')]", 'X-A', 'a\tb'),
    ("'200 OK', [('C', '1')]", 'C', '1'),
    ("'200 OK', [('Set-Cookie', 'a=1'), ('Set-Cookie', 'b=2')]", 'Set-Cookie', 'a=1 b=2'),
    ("'200 OK', [('Content-Length', '4')]", 'Content-Length', '4'),
    ("'200 OK', [('content-LENGTH', '4')]", 'Content-Length', '4'),
])
def test_a_good_head_is_none(server, head, name, value):
    response = server.get('/headers?' + urllib.parse.quote(head))
    assert (response.status, response.body) == (200, b'body')
    assert ' '.join(response.all(name)) == value


@pytest.mark.parametrize('status', ['200 ', '200 OK', '299 Any Thing', '599 caf\xe9', '999 Last'])
def test_statuses(server, status):
    response = server.get('/status?' + urllib.parse.quote(status) + ',body,4')
    assert (f'{response.status} {response.reason}', response.body) == (status, b'body')


# -- lengths --------------------------------------------------------------------------------------

@pytest.mark.parametrize('method, status, body, length', [
    ('HEAD', '200 OK', 'body', '4'), ('HEAD', '200 OK', '', '1000'), ('HEAD', '200 OK', 'body', ''),
    ('GET', '204 No Content', '', ''), ('GET', '204 No Content', 'body', ''),
    ('GET', '304 Not Modified', '', ''), ('GET', '304 Not Modified', 'body', '4'),
    ('HEAD', '204 No Content', 'body', ''), ('HEAD', '404 Not Found', 'body', '4'),
])
def test_responses_without_a_body(server, method, status, body, length):
    """What follows on the connection is the next response."""
    target = f'/status?{urllib.parse.quote(status)},{body},{length}'
    with server.connect() as client:
        client.send(request(method, target) + request('GET', '/status?201%20Next,next,4'))
        response = client.response(method)
        assert f'{response.status} {response.reason}' == status
        if length:
            assert response['Content-Length'] == length
        if status.startswith('204'):
            assert 'Content-Length' not in response and 'Transfer-Encoding' not in response
        following = client.response()
        assert (following.status, following.body) == (201, b'next')


def test_a_body_shorter_than_its_length_ends_with_the_connection(server):
    with server.connect() as client:
        client.send(request('GET', '/status?200%20OK,body,10') + request('GET', '/environ'))
        response = client.response()
        assert (response.body, response.complete) == (b'body', False)
        assert client.at_end()
    server.logged('shorter than its Content-Length')
    assert server.get('/environ').status == 200


def test_a_body_shorter_than_its_length_takes_no_other_with_it(server):
    with server.connect() as client:
        client.send(request('GET', '/large?5') + request('GET', '/status?200%20OK,body,10'))
        assert client.response().body == b'xxxxx'
        assert not client.response().complete
        assert client.at_end()


@pytest.mark.parametrize('version', ['1.1', '1.0'])
@pytest.mark.parametrize('kind', ['list', 'generator', 'write', 'file'])
@pytest.mark.parametrize('length', [0, 3, 9, 10, 30])
def test_lengths_of_each_kind(server, kind, length, version):
    """The body is 10 bytes; it is cut where its length is less, and short where it is more."""
    with server.connect() as client:
        client.send(request('GET', f'/length?{kind},{length}', version=version))
        response = client.response()
        assert (response.status, response['Content-Length']) == (200, str(length))
        assert (response.body, response.complete) == (b'0123456789'[:length], length <= 10)
        if length > 10 or version == '1.0':
            assert client.at_end()
        else:
            client.send(request('GET', '/large?1'))
            assert client.response().body == b'x'


def test_a_body_longer_than_its_length_is_cut(server):
    with server.connect() as client:
        client.send(request('GET', '/status?200%20OK,HTTP/1.1%20666,4'))
        assert client.response().body == b'HTTP'
        client.send(request('GET', '/status?201%20Next,next,4'))
        try:
            assert client.response().status == 201
        except (ValueError, ConnectionError):
            assert client.at_end()
    server.logged('longer than its Content-Length')


@pytest.mark.parametrize('target', ['/closed?x', '/write', '/large-pieces?3,10'])
def test_http_1_0_gets_no_chunks(server, target):
    with server.connect() as client:
        client.send(request('GET', target, version='1.0'))
        response = client.response()
        assert response.status == 200 and response.body
        assert 'Transfer-Encoding' not in response
        assert client.at_end()


# -- the iterable ---------------------------------------------------------------------------------

@pytest.mark.parametrize('kind', [
    'list', 'tuple', 'generator', 'set', 'file', 'sequence', 'map', 'dict'])
def test_any_iterable_will_do(server, kind):
    assert server.get(f'/any-iterable?{kind}').body == b'body'


@pytest.mark.parametrize('odd', ["None", "1", "'text'", "['text']", "[None]", "[1]", "b'bytes'",
                                 "[bytearray(b'x')]", "[[b'x']]", "object()"])
def test_an_odd_iterable_is_an_error(server, odd):
    response = server.get('/odd-iterable?' + urllib.parse.quote(odd))
    assert response.status == 500
    assert server.get('/environ').status == 200


@pytest.mark.parametrize('target, method, status, body, complete', [
    ('/closed', 'GET', 200, b'one two', True),
    ('/closed', 'HEAD', 200, b'', True),
    ('/closed-sized', 'GET', 200, b'one two', True),
    ('/closed-sized', 'HEAD', 200, b'', True),
    ('/error-first-item', 'GET', 500, None, True),
    ('/error-in-body', 'GET', 200, b'some', False),
    ('/error-in-sized-body', 'GET', 200, b'some', False),
    ('/error-in-close', 'GET', 200, b'body', True),
])
def test_close_is_called_once(server, name, target, method, status, body, complete):
    response = server.ask(request(method, f'{target}?{name}'), method)
    assert (response.status, response.complete) == (status, complete)
    assert body is None or response.body == body
    assert 'X-Never' not in response
    server.noted(name, 'close')
    server.get('/environ')
    server.noted(name, 'close')


@pytest.mark.parametrize('target, message', [
    ('/error-at-once', 'error at once'),
    ('/error-after-start', 'error after start'),
    ('/error-first-item?x', 'error at first item'),
    ('/error-in-body?x', 'error in body'),
    ('/error-in-close?x', 'error in close'),
])
def test_errors_are_in_the_log_and_nowhere_else(server, target, message):
    before = server.log.count('Traceback (most recent call last)')
    response = server.get(target)
    assert message.encode() not in response.body and b'Traceback' not in response.body
    assert 'X-Never' not in response
    server.logged(f'ValueError: {message}')
    server.logged('Traceback (most recent call last)', before + 1)
    server.logged('pep3333.py')
    assert server.get('/environ').status == 200


@pytest.mark.parametrize('target', ['/exit', '/interrupt'])
def test_an_application_does_not_end_the_worker(server, target):
    assert server.get(target).status == 500
    assert server.get('/environ').status == 200
    assert server.workers() == server.pids


def test_after_an_error_the_connection_serves_or_closes(server):
    with server.connect() as client:
        client.send(request('GET', '/error-at-once') + request('GET', '/closed?x'))
        assert client.response().status == 500
        try:
            assert client.response().body == b'one two'
        except ValueError:
            assert client.at_end()


def test_an_item_is_sent_before_the_next_is_made(server, name):
    with server.connect() as client:
        client.send(request('GET', f'/slow?{name}'))
        assert client.head()[1] == 200
        chunks = client.chunks()
        assert next(chunks) == b'first'
        (server.notes / name).touch()
        assert list(chunks) == [b'second']


def test_no_more_is_made_than_the_client_takes(server, name):
    """And when it leaves, the iterable is closed."""
    with server.connect() as client:
        client.send(request('GET', f'/endless?{name}'))
        assert client.head()[1] == 200
        pulled = server.notes / f'{name}.pulled'

        def stands_still():
            before = pulled.read_text()
            assert server.get('/environ').status == 200
            return pulled.read_text() == before
        eventually(stands_still)
        assert len(pulled.read_text().splitlines()) < 1000
    server.noted(name, 'close')


@pytest.mark.parametrize('size', [0, 1, 65535, 65536, 20_000_000])
def test_a_large_item(server, size):
    response = server.get(f'/large?{size}')
    assert response.complete and response.body == b'x' * size


@pytest.mark.parametrize('pieces, size', [(10_000, 1), (1000, 1500), (20, 1_000_000)])
def test_many_items(server, pieces, size):
    response = server.get(f'/large-pieces?{pieces},{size}')
    assert response.complete
    assert response.body == b''.join(bytes([65 + count % 26]) * size for count in range(pieces))


# -- wsgi.file_wrapper ----------------------------------------------------------------------------

CONTENT = b'0123456789' * 50_000


@pytest.mark.parametrize('version', ['1.1', '1.0'])
@pytest.mark.parametrize('kind, body', [
    ('whole', CONTENT), ('unsized', CONTENT), ('middle', CONTENT[100:]), ('part', CONTENT[5:25]),
    ('like', CONTENT), ('peeked', CONTENT[7:]), ('bytes', CONTENT[3:]), ('gzip', CONTENT[11:]),
    ('gzip-part', CONTENT[20:30]), ('pipe', b'through a pipe'), ('at-end', b''), ('empty', b''),
    ('empty-sized', b''), ('empty-bytes', b''), ('empty-pipe', b'')])
def test_a_file(server, kind, body, version):
    """From where it stands, to its end or as far as the Content-Length goes."""
    before = len(server.descriptors())
    response = server.ask(request('GET', f'/file?{kind}', version=version))
    assert (response.status, response.complete, response.body) == (200, True, body)
    if not body:
        assert response['Content-Length'] == '0'
    assert server.ask(request('HEAD', f'/file?{kind}'), 'HEAD').body == b''
    eventually(lambda: len(server.descriptors()) <= before)
    if kind == 'like' and version == '1.1':
        server.noted('file-like', 'close', 'close')


def test_a_file_shorter_than_its_length(server):
    with server.connect() as client:
        client.send(request('GET', '/file?short'))
        response = client.response()
        assert (response.body, response.complete) == (CONTENT, False)
        assert client.at_end()


def test_the_rest_of_a_file_is_no_reason_to_warn(serve):
    """A part of a file is what Content-Length is for."""
    server = serve('pep3333')
    for kind in ('part', 'gzip-part'):
        assert len(server.get(f'/file?{kind}').body) < 100
    assert server.get('/length?list,3').body == b'012'
    server.logged('GET /length?list,3: the body is longer')
    assert '/file' not in server.log


def test_a_wrapper_that_is_kept_is_dead(server):
    assert server.get('/keep-file').body == b'kept'
    assert server.get('/use-kept-file').body == b'RuntimeError, closed once'


def test_a_wrapper_that_is_closed_already(server):
    assert server.get('/file-closed').status == 500
    server.logged('RuntimeError: the wrapper of this file is closed')


def test_a_wrapped_file_can_be_iterated(server):
    assert server.get('/file-iterated').body == b'abc|def|g'


# -- the rest -------------------------------------------------------------------------------------

def test_wsgi_errors_is_the_log(server):
    assert server.get('/errors').body == b'logged'
    for line in ('written to the log', 'a line for the log', 'and another',
                 'printed to the log: caf\xe9 \u20ac'):
        server.logged(line)


def test_threads_run_while_the_server_waits(server, name):
    server.get(f'/thread?{name}')
    server.noted(name, 'thread')


@pytest.mark.parametrize('message, method, answer', [
    (request('GET', '/validated'), 'GET', b'0 bytes by GET'),
    (request('HEAD', '/validated'), 'HEAD', b''),
    (request('POST', '/validated', body=b'12345'), 'POST', b'5 bytes by POST'),
    (request('POST', '/validated', body=b''), 'POST', b'0 bytes by POST'),
    (request('GET', '/validated?a=b', 'Content-Type: text/plain', body=b'12'), 'GET', b'2 bytes by GET'),
    (chunked_request('POST', '/validated', b'123', b'45'), 'POST', b'5 bytes by POST'),
    (request('GET', '/validated', version='1.0'), 'GET', b'0 bytes by GET'),
])
def test_wsgiref_validate(server, message, method, answer):
    response = server.ask(message, method)
    assert (response.status, response.body) == (200, answer)
