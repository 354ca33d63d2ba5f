"""Applications that are called when the head is complete, and read their input as it arrives."""

import hashlib
import io
import json
import os
import pathlib
import random
import socket
import subprocess
import sys
import time
import urllib.parse
import zlib

import pytest

from command import FACTOR, instrumented
from peer import Peer, chunked, chunked_request, request
from serving import eventually

BODY = b'one\ntwo\r\n\n' + b'x' * 300 + b'\nlast, without an end'
CHUNKED = 'Transfer-Encoding: chunked'
BENCH = pathlib.Path(__file__).parents[2] / 'bench' / 'streams.py'


@pytest.fixture(scope='module')
def server(serve):
    return serve('streaming')


def digest(body):
    return f'{len(body)} {hashlib.sha256(body).hexdigest()}'.encode()


def pieces_of(data, size):
    return [data[at:at + size] for at in range(0, len(data), size)]


def sized(target, body, size=1000):
    return request('POST', target, body=body)


def in_chunks(target, body, size=1000):
    return chunked_request('POST', target, *pieces_of(body, size))


FRAMED = pytest.mark.parametrize('framed', [sized, in_chunks])


def send_slowly(client, message, size):
    for piece in pieces_of(message, size):
        client.send(piece)


# -- Iterating ------------------------------------------------------------------------------------

@FRAMED
@pytest.mark.parametrize('size', [0, 1, 1000, 65535, 65536, 65537, 1_000_000, 20_000_000])
def test_the_idiom(server, framed, size):
    """With other requests behind it."""
    body = random.Random(size).randbytes(size)
    with server.connect() as client:
        client.send(framed('/digest', body, 30_000) + framed('/echo', b'next'))
        client.send(framed('/digest', body, 100_000))
        assert client.response().body == digest(body)
        assert client.response().body == b'next'
        assert client.response().body == digest(body)


@FRAMED
@pytest.mark.parametrize('size', [1, 2, 7, 100])
def test_pieces_of_a_message(server, framed, size):
    """However a message comes, and those behind it."""
    messages = framed('/echo', BODY, 50) + framed('/echo', b'') + framed('/echo', BODY[:20], 1)
    with server.connect() as client:
        send_slowly(client, messages, size)
        assert [client.response().body for _ in range(3)] == [BODY, b'', BODY[:20]]


def items_of(response):
    *items, end = [json.loads(line) for line in response.body.splitlines()]
    return items, end


def chunks_in(items):
    """[[size, data], ...], where the items say that a chunk begins. None is empty but the last."""
    chunks = []
    for item in items:
        if isinstance(item, list):
            chunks.append(item)
        else:
            assert item
            chunks[-1][1] += item
    return chunks


SPLIT = {'one': [BODY], 'bytes': pieces_of(BODY, 1), 'sevens': pieces_of(BODY, 7),
         'growing': [BODY[:1], BODY[1:3], BODY[3:100], BODY[100:]],
         'large': [bytes(range(256)) * 1000, b'x', bytes(range(256)) * 300]}


@pytest.mark.parametrize('split', SPLIT)
@pytest.mark.parametrize('size', [1, 5, 10_000_000])
def test_chunk_boundaries(server, split, size):
    """They are where the client has set them, whatever TCP makes of it."""
    pieces = SPLIT[split]
    with server.connect() as client:
        message = chunked_request('POST', '/items', *pieces)
        send_slowly(client, message, size if len(message) < 5000 else max(size, 1000))
        items, end = items_of(client.response())
        expected = [[len(piece), piece.decode('latin-1')] for piece in pieces]
        assert chunks_in(items) == [*expected, [0, '']]
        assert items[-1] == [0, '']
        assert end == {'before': None, 'after': []}
        client.send(sized('/echo', b'next'))
        assert client.response().body == b'next'


def test_sizes_of_chunks_as_clients_write_them(server):
    body = b'00005;name="a;b"\r\nabcde\r\n0a;x\r\n0123456789\r\n000\r\n\r\n'
    items, _ = items_of(server.ask(request('POST', '/items', CHUNKED) + body))
    assert chunks_in(items) == [[5, 'abcde'], [10, '0123456789'], [0, '']]


def test_items_of_a_sized_body(server):
    items, end = items_of(server.post('/items', BODY))
    assert all(isinstance(item, str) and item for item in items)
    assert ''.join(items).encode() == BODY
    assert end == {'before': None, 'after': []}


def test_items_come_as_the_client_sends_them(server):
    """What is sent is taken before more comes; the answer streams, too."""
    with server.connect() as client:
        client.send(request('POST', '/items', 'Content-Length: 9'))
        for n, piece in enumerate([b'abc', b'def', b'ghi']):
            client.send(piece)
            if n == 0:
                assert client.head()[1] == 200
                answers = client.chunks()
            assert json.loads(next(answers)) == piece.decode()
        assert json.loads(next(answers)) == {'before': None, 'after': []}
        assert list(answers) == []


def test_pieces_of_a_chunk_come_as_the_client_sends_them(server):
    with server.connect() as client:
        client.send(request('POST', '/items', CHUNKED) + b'6\r\nabc')
        assert client.head()[1] == 200
        answers = client.chunks()
        for sent, item in ((b'', [6, 'abc']), (b'd', 'd'), (b'ef', 'ef'), (b'\r\n1\r\ng', [1, 'g']),
                           (b'\r\n0\r\n\r\n', [0, '']), (b'', {'before': None, 'after': []})):
            client.send(sent)
            assert json.loads(next(answers)) == item
        assert list(answers) == []


@pytest.mark.parametrize('message', [
    request('GET', '/items'), request('POST', '/items', 'Content-Length: 0'),
    request('POST', '/items', 'Content-Length: 0', version='1.0')], ids=['GET', '0', '1.0'])
def test_no_body(server, message):
    response = server.ask(message)
    assert items_of(response) == ([], {'before': None, 'after': []}) or \
        items_of(response) == ([], {'before': [], 'after': []})


# -- Trailers -------------------------------------------------------------------------------------

TRAILERS = (b'3\r\nabc\r\n0\r\nX-Digest: 1234\r\nx-empty:\r\n'
            b'X-Digest:  \ttwice\t \r\nX-Last: \xe9\r\n\r\n')
FIELDS = [['X-Digest', '1234'], ['x-empty', ''], ['X-Digest', 'twice'], ['X-Last', '\xe9']]


@pytest.mark.parametrize('size', [1, 3, 1000])
@pytest.mark.parametrize('query', ['', '?trailers'])
def test_trailers(server, size, query):
    with server.connect() as client:
        send_slowly(client, request('POST', '/items' + query, CHUNKED) + TRAILERS
                    + sized('/echo', b'next'), size)
        items, end = items_of(client.response())
        assert items[-1] == ([0, '', FIELDS] if query else [0, ''])
        assert end == {'before': None, 'after': FIELDS}
        assert client.response().body == b'next'


def test_trailers_that_do_not_come(server):
    items, _ = items_of(server.ask(chunked_request('POST', '/items?trailers', b'abc')))
    assert items[-1] == [0, '', []]


def test_trailers_where_the_body_is_complete(serve):
    """They are there, too, for those who do not stream."""
    server = serve('streaming:plain')
    response = server.ask(request('POST', '/lines', CHUNKED) + TRAILERS)
    assert json.loads(response.body) == [['abc'], FIELDS]


# -- Opting in ------------------------------------------------------------------------------------

def is_called_early(server, target):
    """Whether the application is called before the body is there."""
    name = 'early' + str(random.random())
    with server.connect() as client:
        client.send(request('POST', f'{target}?{name}', 'Content-Length: 1'))
        try:
            eventually(lambda: (server.notes / name).exists(), 1)
        except AssertionError:
            early = False
        else:
            early = True
        client.send(b'x')
        assert client.response().body == b'!'
    server.noted(name, 'called', 'ended', 'close')
    return early


@pytest.mark.parametrize('name, options, early', [
    ('application', [], True), ('attributed', [], True), ('site', [], True), ('plain', [], False),
    ('refuses', [], False), ('plain', ['--streaming', '/'], True),
    ('plain', ['--streaming', '/noted'], True), ('plain', ['--streaming', '/note'], False),
    ('plain', ['--streaming', '/a', '--streaming', '/noted'], True)])
def test_opting_in(serve, name, options, early):
    server = serve(f'streaming:{name}', *options)
    assert is_called_early(server, '/noted') == early


def test_opting_in_by_the_environment(serve):
    assert is_called_early(serve('streaming:plain', env={'ASYNWSGI_STREAMING': '/'}), '/noted')


def test_a_stream_beside_flask(serve):
    server = serve('mounts', '--streaming', '/up')
    assert is_called_early(server, '/up/noted')
    form = request('POST', '/form', 'Content-Type: application/x-www-form-urlencoded',
                   body=b'a=1&b=2')
    with server.connect() as client:
        client.send(form + in_chunks('/up/echo', BODY, 7) + form + sized('/upper', BODY))
        assert json.loads(client.response().body) == {'a': '1', 'b': '2'}
        assert client.response().body == BODY
        assert json.loads(client.response().body) == {'a': '1', 'b': '2'}
        assert client.response().body == BODY.upper()
    with server.connect() as client:  # Flask is not called before its body is there
        client.send(form[:-1])
        assert server.post('/up/echo', BODY).body == BODY
        client.send(form[-1:])
        assert json.loads(client.response().body) == {'a': '1', 'b': '2'}


# -- 100 (Continue) -------------------------------------------------------------------------------

def test_continue_is_sent_when_input_is_asked_for(server):
    with server.connect() as client:
        client.send(request('POST', '/echo', 'Expect: 100-continue', 'Content-Length: 4'))
        assert client.head()[1] == 100
        client.send(b'body')
        assert client.response().body == b'body'


@pytest.mark.parametrize('target, status', [('/early', 403), ('/never', 200)])
def test_continue_is_not_sent_where_no_input_is_asked_for(server, target, status):
    with server.connect() as client:
        client.send(request('POST', target, 'Expect: 100-continue', 'Content-Length: 4'))
        assert client.response().status == status


def test_continue_is_not_sent_when_the_body_is_there(server):
    """It may not be asked for any more (RFC 9110, section 10.1.1)."""
    with server.connect() as client:
        client.send(request('POST', '/echo', 'Expect: 100-continue', body=b'body'))
        assert client.response().body == b'body'


# -- read(), readline(), readlines() --------------------------------------------------------------

def call(calls):
    return '/calls?' + urllib.parse.quote(json.dumps(calls))


@FRAMED
@pytest.mark.parametrize('size', [1, 50, 10_000])
@pytest.mark.parametrize('calls', [
    [['read', 5], ['read', 0], ['read', 1], ['read', 1000], ['read', 5], ['read']],
    [['read']], [['read', -1], ['read', None], ['read', 1]],
    [['readline']] * 7, [['readline', 2], ['readline', 2], ['readline', -1], ['readline', 0]],
    [['readlines']], [['readlines', 1], ['readlines', 5], ['readline', None], ['readlines', 0]],
    [['read', 2], ['readline'], ['readlines', 4], ['read', 1], ['read']],
], ids=json.dumps)
def test_calls(server, framed, calls, size):
    """They give what those of a file give, if they are repeated until they have not to wait."""
    expected, file = [], io.BytesIO(BODY)
    for method, *arguments in calls:
        value = getattr(file, method)(*arguments)
        pieces = value if isinstance(value, list) else [value]
        expected.append([piece.decode() for piece in pieces])
    with server.connect() as client:
        send_slowly(client, framed(call(calls), BODY, 30), size)
        lines = [json.loads(line) for line in client.response().body.splitlines()]
    assert [line for line in lines if line != 'blocked'] == expected


@pytest.mark.skipif('ASYNWSGI_THREADS' in os.environ, reason='a thread waits instead')
@pytest.mark.parametrize('calls, steps', [
    ([['read', 4], ['read', 4]], [(b'', 'blocked'), (b'abc', None), (b'd', ['abcd']),
                                  (b'', 'blocked'), (b'efgh', ['efgh'])]),
    ([['read', 20]], [(b'', 'blocked'), (b'abc', None), (b'defgh', ['abcdefgh'])]),
    ([['read']], [(b'', 'blocked'), (b'abc', None), (b'defgh', ['abcdefgh'])]),
    ([['readline'], ['readline']], [(b'', 'blocked'), (b'abc', None), (b'\nd', ['abc\n']),
                                    (b'', 'blocked'), (b'efg', ['defg'])]),
    ([['readline', 2], ['read', 6]], [(b'', 'blocked'), (b'abc', ['ab']), (b'', 'blocked'),
                                      (b'defgh', ['cdefgh'])]),
    ([['readlines']], [(b'', 'blocked'), (b'a\nb', None), (b'\ncdef', ['a\n', 'b\n', 'cdef'])]),
    ([['read', 3], ['read', 5]], [(b'', 'blocked'), (b'abcdefgh', ['abc']), (b'', ['defgh'])]),
], ids=lambda value: json.dumps(value) if isinstance(value[0], list) else '')
def test_calls_that_would_have_to_wait(server, calls, steps):
    """Nothing is lost by that: the 8 bytes come in steps."""
    with server.connect() as client:
        client.send(request('POST', call(calls), 'Content-Length: 8'))
        assert client.head()[1] == 200
        answers = client.chunks()
        for sent, answer in steps:
            client.send(sent)
            if answer:
                assert json.loads(next(answers)) == answer
        assert list(answers) == []


@FRAMED
def test_more_than_the_window(server, framed):
    """read(n) gives what fills the window; read() cannot give what it does not hold."""
    body = random.Random(1).randbytes(200_000)
    lines = server.ask(framed(call([['read', 150_000], ['read', 10]]), body)).body.splitlines()
    first, then = [json.loads(line) for line in lines if line != b'"blocked"']
    assert 64_000 <= len(first[0]) <= 150_000  # where chunks begin takes some room
    assert body.startswith((first[0] + then[0]).encode('latin-1'))


def test_all_of_more_than_the_window(server):
    lines = server.post(call([['read'], ['read', 5]]), b'x' * 200_000).body.splitlines()
    assert [line for line in lines if line != b'"blocked"'] == [b'["ValueError"]', b'["xxxxx"]']


def test_chunks_that_read_has_left(server):
    """They begin where they begin, though many are in the window."""
    pieces = [bytes([97 + n % 26]) * (n % 50 + 1) for n in range(6000)]
    response = server.ask(chunked_request('POST', '/all-or-items', *pieces))
    items = [json.loads(line) for line in response.body.splitlines()]
    assert chunks_in(items) == [[len(piece), piece.decode()] for piece in pieces] + [[0, '']]


def test_a_larger_window(serve):
    server = serve('streaming', '--input-window', '1m')
    body = b'x' * 900_000
    lines = server.post(call([['read']]), body).body.splitlines()
    assert json.loads(lines[-1]) == [body.decode()]


# -- Middleware -----------------------------------------------------------------------------------

@FRAMED
@pytest.mark.parametrize('size', [100, 100_000])
def test_wsgiref_validate(server, framed, size):
    body = random.Random(3).randbytes(30_000)
    with server.connect() as client:
        send_slowly(client, framed('/validated', body), size)
        assert client.response().body == hashlib.sha256(body).hexdigest().encode()


@FRAMED
@pytest.mark.parametrize('size', [100, 100_000])
def test_a_gzip_middleware(server, framed, size):
    body = random.Random(4).randbytes(30_000)
    with server.connect() as client:
        send_slowly(client, framed('/gzipped', body), size)
        assert zlib.decompress(client.response().body, 31) == digest(body)


# -- Backpressure ---------------------------------------------------------------------------------

def push(client, data):
    """Sends until the kernel takes no more for a while; how many bytes that were."""
    client.socket.settimeout(0.3)
    sent = 0
    try:
        while sent < len(data):
            sent += client.socket.send(data[sent:sent + 65536])
    except TimeoutError:
        pass
    client.socket.settimeout(15)
    return sent


@FRAMED
@pytest.mark.parametrize('read', ['none', 'some'])
def test_who_does_not_read_stops_the_client(server, framed, read):
    """By TCP: the worker holds the window, the rest is the kernel's and the client's."""
    body = random.Random(5).randbytes(12_000_000)
    clients = [Peer((server.host, server.port)) for _ in range(4)]
    names = [f'{read}-{framed.__name__}-{n}' for n in range(len(clients))]
    server.post('/digest', body)
    before, sent = server.resident(), []
    messages = [framed(f'/stuck?{name}', body, 100_000) for name in names]
    for client, name, message in zip(clients, names, messages):
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        sent.append(push(client, message))
        server.noted(name, 'called')
    if not instrumented():
        assert server.resident() - before < len(clients) * 65536 + 1_000_000
    assert max(sent) < 8_000_000
    assert server.post('/digest', BODY).body == digest(BODY)  # nobody else is kept waiting
    for client, name, message, count in zip(clients, names, messages, sent):
        (server.notes / (name + '.go')).touch()
        client.send(message[count:])
        response = client.response()
        if read == 'none':
            assert response.body == digest(body)
        else:
            assert 0 < int(response.body.split()[0]) < len(body)
        client.close()


@FRAMED
@pytest.mark.parametrize('target', ['/early', '/first-item'])
def test_an_answer_before_the_end_of_the_input(server, framed, target):
    """The client gets it, though it goes on sending for a while."""
    message = framed(target, bytes(12_000_000), 100_000)
    with server.connect() as client:
        try:
            client.send(message)
        except ConnectionError:
            pass
        response = client.response()
        assert (response.status, response.body) == (403, b'no')


@FRAMED
@pytest.mark.parametrize('target', ['/early', '/first-item'])
def test_a_small_body_that_is_not_read(server, framed, target):
    """It is not taken for the next request."""
    with server.connect() as client:
        client.send(framed(target, BODY) + framed('/echo', b'next'))
        assert client.response().status == 403
        assert client.response().body == b'next'


# -- What goes wrong ------------------------------------------------------------------------------

BROKEN = {'size': b'3\r\nabc\r\nxyz\r\n', 'end': b'3\r\nabcdef\r\n',
          'trailer': b'0\r\nno field\r\n\r\n'}


@pytest.mark.parametrize('kind', BROKEN)
def test_a_broken_chunk(server, kind):
    with server.connect() as client:
        client.send(request('POST', f'/noted?broken-{kind}', CHUNKED) + b'1\r\na\r\n')
        eventually(lambda: (server.notes / f'broken-{kind}').exists())
        client.send(BROKEN[kind])
        assert client.response().status == 400
        assert client.at_end()
    server.noted(f'broken-{kind}', 'called', 'GeneratorExit', 'close')


@pytest.mark.parametrize('kind', BROKEN)
def test_a_broken_chunk_when_the_answer_has_begun(server, kind):
    """That ends without its last chunk, so that nobody takes it for whole."""
    with server.connect() as client:
        client.send(request('POST', f'/noted?tell-{kind}', CHUNKED) + b'1\r\na\r\n')
        assert client.head()[1] == 200
        answers = client.chunks()
        assert next(answers) == b'.'
        client.send(BROKEN[kind])
        with pytest.raises((EOFError, ConnectionResetError)):
            list(answers)
    server.noted(f'tell-{kind}', 'called', 'GeneratorExit', 'close')


@pytest.mark.parametrize('leave', ['close', 'reset', 'half_close'])
@pytest.mark.parametrize('sent', [b'', b'abc'])
@pytest.mark.parametrize('field', ['Content-Length: 10', CHUNKED])
def test_clients_that_leave(server, leave, sent, field):
    name = f'leave-{leave}-{len(sent)}-{field[:3]}'
    client = server.connect()
    client.send(request('POST', '/noted?' + name, field))
    client.send(chunked(sent)[:-7] if field == CHUNKED else sent)
    eventually(lambda: (server.notes / name).exists())
    getattr(client, leave)()
    server.noted(name, 'called', 'GeneratorExit', 'close')
    client.close()


def test_a_client_that_is_slow_where_it_is_waited_for(serve):
    """It has a time-out; one that the application keeps waiting has not."""
    server = serve('streaming', '--timeout-body', '300ms')
    with server.connect() as client:
        client.send(request('POST', '/noted?slow', 'Content-Length: 10') + b'abc')
        assert client.response().status == 408
    server.noted('slow', 'called', 'GeneratorExit', 'close')
    with server.connect() as client:
        message = sized('/stuck?held', bytes(300_000))
        client.send(message[:150_000])
        server.noted('held', 'called')
        time.sleep(1)
        (server.notes / 'held.go').touch()
        client.send(message[150_000:])
        assert client.response().body == digest(bytes(300_000))


@pytest.mark.parametrize('leave', ['close', 'reset', 'half_close'])
@pytest.mark.parametrize('length', [1000, 10_000_000])
@pytest.mark.parametrize('sent', [1000, 50_000])
def test_clients_that_leave_while_their_input_is_not_read(server, leave, length, sent):
    """That is noticed without reading it, where all of it is there and where some is not. It has to
    fit into the kernel's buffer, or the end behind it does not get to us."""
    name = f'unread-{leave}-{length}-{sent}'
    client = server.connect()
    client.send(request('POST', '/stuck?' + name, f'Content-Length: {max(length, sent)}'))
    client.send(bytes(sent))
    server.noted(name, 'called')
    getattr(client, leave)()
    server.noted(name, 'called', 'GeneratorExit')
    client.close()


def test_nothing_is_received_unasked(server):
    """No item is longer than the window, also when the application comes late to it."""
    with server.connect() as client:
        client.send(request('POST', '/late-items?late', 'Content-Length: 1000000')
                    + bytes(200_000))
        (server.notes / 'late.go').touch()
        client.send(bytes(800_000))
        sizes = [int(size) for size in client.response().body.split()]
    assert sum(sizes) == 1_000_000 and max(sizes) <= 65536


def test_descriptors_after_clients_that_leave(server):
    before = server.connections()
    clients = [server.connect() for _ in range(50)]
    for n, client in enumerate(clients):
        client.send(request('POST', '/echo', 'Content-Length: 100000') + bytes(n * 1000))
    for n, client in enumerate(clients):
        (client.reset if n % 2 else client.close)()
    eventually(lambda: server.connections() <= before)
    assert not [link for link in server.descriptors() if link.endswith(' (deleted)')]


def test_an_exception_in_the_middle_of_the_input(server):
    with server.connect() as client:
        client.send(request('POST', '/raises', 'Content-Length: 10') + b'abc')
        assert client.response().status == 500
    server.logged('ValueError: in the middle of the input')


def test_a_body_that_is_too_large(serve):
    server = serve('streaming', '--limit-request-body', '1000')
    assert server.post('/noted?never', bytes(1001)).status == 413
    assert not (server.notes / 'never').exists()
    with server.connect() as client:
        client.send(request('POST', '/noted?late', CHUNKED) + chunked(bytes(900))[:-5])
        eventually(lambda: (server.notes / 'late').exists())
        client.send(chunked(bytes(200)))
        assert client.response().status == 413
    server.noted('late', 'called', 'GeneratorExit', 'close')
    assert server.post('/echo', bytes(1000)).body == bytes(1000)


def test_input_that_was_kept(serve, start):
    """Asked after its request it is dead, in streaming mode, too."""
    running = start('''
        import asynwsgi
        kept = []

        @asynwsgi.streaming
        def application(environ, start_response):
            said = []
            for source in kept:
                for call in (source.read, source.readline, lambda: next(source),
                             lambda: source.trailers):
                    try:
                        said.append(repr(call()))
                    except Exception as error:
                        said.append(type(error).__name__)
            kept[:] = [environ['wsgi.input']]
            start_response('200 OK', [('Content-Type', 'text/plain')])
            return [' '.join(said).encode()]
    ''')
    assert running.request('POST', body=b'abc').body == b''
    assert running.request('POST', body=b'abc').body.split() == [b'RuntimeError'] * 4


@pytest.mark.skipif('ASYNWSGI_TEST_LONG' not in os.environ, reason='long: script/test has it run')
@pytest.mark.skipif(instrumented(), reason='the memory would be that of the instruments')
def test_what_streams_cost(tmp_path):
    """The measurement works: nothing is lost. Its figures say nothing where there are so few."""
    done = subprocess.run(
        [sys.executable, BENCH, os.environ['ASYNWSGI'], '-n', '8', '--size', '300000', '--pace',
         '600000', '--rounds', '1', '--seconds', '0.3', '--rate', '200', '--listeners', '100',
         '--ticks', '3', '--tick', '0.2', '--waiting', '50', '--delay', '0.2',
         '--json', tmp_path / 'figures'],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=50 * FACTOR)
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / 'figures').read_text())['summary']
    assert len(figures) == 7
    assert all(figures[f'{pace} {framing} uploads']['uploads'] >= 8
               for pace in ('slow', 'fast') for framing in ('sized', 'chunked'))
    assert figures['event listeners']['ticks_to_all'] >= 2
