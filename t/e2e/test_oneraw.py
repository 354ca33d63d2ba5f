"""asynwsgi-httpclient oneraw: the response as it came, what is told of it, and each exit code."""

import pathlib
import re
import resource
import socket
import subprocess

import pytest

import hostile
from command import FACTOR, instrumented
from hostile import HELLO, PROGRAM, says


@pytest.fixture
def server():
    """server(script) is running."""
    servers = []

    def start(script, **how):
        servers.append(hostile.Server(script, **how))
        return servers[-1]

    yield start
    for running in servers:
        running.stop()


def oneraw(*arguments, **how):
    return hostile.run('oneraw', *arguments, **how)


CHUNKED = (b'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'
           b'HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n'
           b'5;a=b\r\nhello\r\n0\r\nDigest: \x80\r\n\r\n')


# -- What is shown --------------------------------------------------------------------------------

@pytest.mark.parametrize('response', [
    HELLO, CHUNKED, b'HTTP/1.0 404 Gone\r\n\r\nuntil the end', b'HTTP/1.1 204 No\r\n\r\n',
    b'HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n' + bytes(300_000)],
    ids=['sized', 'chunked', 'closed', 'none', 'large'])
def test_the_response_is_shown_byte_by_byte(server, response):
    for pieces in [response], [response[n:n + 1] for n in range(min(len(response), 200))]:
        whole = b''.join(pieces)
        rest = response[len(whole):]
        ended = oneraw(server(says(*pieces, rest)).url)
        assert ended.stdout == response
        assert ended.stderr == ''


def test_a_file_instead_of_standard_output(server, tmp_path):
    assert oneraw(server(says(HELLO)).url, '-o', tmp_path / 'file').stdout == b''
    assert (tmp_path / 'file').read_bytes() == HELLO


def test_the_request(server, tmp_path):
    heads, bodies = [], []

    def script(connection):
        heads.append(connection.head())
        length = re.search(rb'Content-Length: (\d+)', heads[-1])
        bodies.append(connection.content(int(length[1]) if length else 0))
        connection.send(b'HTTP/1.1 204 No\r\n\r\n')
    url = server(script).url
    (tmp_path / 'data').write_bytes(b'\0\r\n' * 100_000)
    oneraw(url + 'a?b#c', '-HAccept: x', '--header=Host: me', '-H', 'User-Agent:')
    oneraw(url, '-d', 'a=b')
    oneraw(url, '-d', f'@{tmp_path}/data', '-X', 'PUT', '-H', 'content-type: a/b')
    oneraw(url, '--data', '@-', '-m', 'PUT', input=b'from a pipe')
    assert heads[0] == b'GET /a?b HTTP/1.1\r\nHost: me\r\nAccept: x\r\n\r\n'
    assert heads[1].startswith(b'POST / HTTP/1.1\r\n')
    assert b'Content-Type: application/x-www-form-urlencoded\r\n' in heads[1]
    assert b'User-Agent: asynwsgi-httpclient/' in heads[1]
    assert heads[2].startswith(b'PUT ') and heads[2].lower().count(b'content-type') == 1
    assert bodies == [b'', b'a=b', b'\0\r\n' * 100_000, b'from a pipe']


def test_a_unix_socket(server, tmp_path):
    server(says(HELLO), path=str(tmp_path / 'socket'))
    ended = oneraw('http://some.host/', '--unix-socket', tmp_path / 'socket')
    assert ended.stdout == HELLO


def test_verbose_shows_both_directions_and_the_phases(server):
    ended = oneraw(server(says(CHUNKED)).url, '-v', '-d', 'abc')
    assert ended.stdout == CHUNKED
    marked = {mark: re.findall(rf'^[{mark}] (.*)', ended.stderr, re.M) for mark in '<>*'}
    assert marked['>'][0] == 'POST / HTTP/1.1' and marked['>'][-1] == ''
    assert marked['<'] == ['HTTP/1.1 103 Early Hints', 'Link: </a>', '', 'HTTP/1.1 200 ',
                           'Transfer-Encoding: chunked', '', r'Digest: \x80']
    totals = [(line[:10].strip(), float(line.split()[-1])) for line in marked['*'][-6:]]
    assert [name for name, _ in totals] == ['resolve', 'connect', 'send', 'first byte', 'head',
                                            'end']
    assert [total for _, total in totals] == sorted(total for _, total in totals)


def test_a_body_waits_for_100(server):
    order = []

    def script(connection):
        assert b'Expect: 100-continue' in connection.head()
        order.append(connection.input)
        connection.send(b'HTTP/1.1 100 Continue\r\n\r\n')
        order.append(connection.content(3))
        connection.send(HELLO)
    ended = oneraw(server(script).url, '-d', 'abc', '--expect')
    assert order == [b'', b'abc']
    assert ended.stdout == b'HTTP/1.1 100 Continue\r\n\r\n' + HELLO


def test_a_response_before_the_request_is_finished(server, tmp_path):
    refusal = b'HTTP/1.1 413 Too Much\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'

    def script(connection):
        connection.head()
        connection.send(refusal)
        connection.wait()
    (tmp_path / 'data').write_bytes(bytes(20_000_000))
    assert oneraw(server(script).url, '-d', f'@{tmp_path}/data').stdout == refusal


def test_more_than_the_response(server):
    ended = oneraw(server(says(HELLO + b'more')).url)
    assert ended.stdout == HELLO + b'more'
    assert 'something behind the response' in ended.stderr


def test_no_socket_gets_the_number_of_a_closed_descriptor(server):
    ended = subprocess.run(['sh', '-c', '"$@" >&- 2>&-', 'sh', *PROGRAM, 'oneraw',
                            server(says(HELLO)).url], timeout=20 * FACTOR)
    assert ended.returncode == 0


# -- Redirects ------------------------------------------------------------------------------------

def redirecting(status, location, heads):
    def script(connection):
        heads.append(connection.head())
        if b' /end ' in heads[-1]:
            connection.send(HELLO)
        else:
            connection.send(b'HTTP/1.1 %d Moved\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n'
                            % (status, location))
    return script


def test_redirects_are_followed_only_when_told(server):
    heads = []
    url = server(redirecting(302, b'/end', heads)).url
    assert oneraw(url).stdout.startswith(b'HTTP/1.1 302')
    assert len(heads) == 1
    assert oneraw(url, '-L').stdout.endswith(HELLO)
    assert len(heads) == 3


def test_what_is_asked_for_after_a_redirect(server):
    there, here = [], []
    end = server(redirecting(0, b'', there)).url.encode() + b'end'
    url = server(redirecting(303, end, here)).url
    oneraw(url, '-L', '-d', 'abc', '-H', 'Cookie: secret', '-H', 'Accept: x')
    assert here[0].startswith(b'POST / ') and b'Cookie: secret' in here[0]
    assert there[0].startswith(b'GET /end ') and b'Accept: x' in there[0]
    assert b'Cookie' not in there[0] and b'Content-' not in there[0]


# -- Exit codes -----------------------------------------------------------------------------------

def fails(status, why, *arguments, **how):
    ended = oneraw(*arguments, status=status, **how)
    assert re.search(why, ended.stderr), ended.stderr
    assert ended.stderr.count('\n') == 1
    return ended


@pytest.mark.parametrize('arguments, why', [
    ([], 'which URL'), (['http://a/', 'http://b/'], 'one URL'), (['--nothing'], '--nothing is no'),
    (['-o'], '-o needs a value'), (['--max-time', 'soon', 'http://a/'], '"soon" is not a time'),
    (['--verbose=1', 'http://a/'], 'takes no value'), (['-H', 'Host', 'http://a/'], 'not a header'),
    (['-H', 'Content-Length: 1', 'http://a/'], 'not a header'),
    (['-H', 'A: b\rc', 'http://a/'], 'not a header'),
    (['-X', 'A B', 'http://a/'], 'no request'), (['--expect', 'http://a/'], 'no body')])
def test_2_usage(arguments, why):
    fails(2, why, *arguments)


def test_2_usage_of_the_program():
    for arguments in [], ['neither']:
        assert 'oneraw or bulkfetch' in hostile.run(*arguments, status=2).stderr
    assert b'oneraw' in hostile.run('--help').stdout
    assert hostile.run('--version').stdout.startswith(b'asynwsgi-httpclient ')
    assert b'--max-time' in oneraw('--help').stdout


def test_1_scheme():
    fails(1, 'only http', 'https://127.0.0.1/')


@pytest.mark.parametrize('url', ['127.0.0.1', 'http://', 'http://a b/', 'http://me@a/',
                                 'http://127.0.0.1:0/', 'http://[::1/'])
def test_3_url(url):
    fails(3, 'URL|port', url)


def test_6_resolve():
    fails(6, 'no address|name server', 'http://a..b/')


def test_7_connect(server, tmp_path):
    closed = hostile.Server(says())
    closed.stop()
    fails(7, 'Connection refused', closed.url)
    fails(7, 'No such file', 'http://a/', '--unix-socket', tmp_path / 'none')


ENDLESS = b'HTTP/1.1 200 OK\r\n' + b''.join(b'A%d: b\r\n' % n for n in range(2000))


@pytest.mark.parametrize('response, why', [
    (b'SSH-2.0-OpenSSH\r\n', 'version|status line'), (b'\r\n\r\n', 'CRLF'),
    (ENDLESS, 'too many fields'), (b'HTTP/1.1 200 ' + b'x' * 100_000, 'too l'),
    (b'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na', 'Content-Length'),
    (b'HTTP/1.1 200 OK\nA: b\n\n', 'CRLF')],
    ids=['another protocol', 'empty line', 'endless head', 'endless line', 'two lengths', 'bare LF'])
def test_8_no_response(server, response, why):
    ended = fails(8, why, server(says(response)).url)
    assert ended.stdout and response.startswith(ended.stdout)


@pytest.mark.parametrize('response', [
    b'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello',
    b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'])
def test_18_partial(server, response):
    assert fails(18, 'ended within the body', server(says(response)).url).stdout == response


def test_23_write(server, tmp_path):
    url = server(says(HELLO)).url
    with open('/dev/full', 'wb') as full:
        fails(23, 'No space left', url, stdout=full)
    fails(23, 'No such file', url, '-o', tmp_path / 'none/file')


def test_26_read(tmp_path):
    fails(26, 'No such file', 'http://a/', '-d', f'@{tmp_path}/none')
    fails(26, 'Is a directory', 'http://a/', '-d', f'@{tmp_path}')


@pytest.mark.skipif(instrumented(), reason='memory is not its own')
def test_27_memory():
    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (100 << 20, 100 << 20))
    fails(27, 'Cannot allocate', 'http://a/', '-d', '@/dev/zero', preexec_fn=limit)


def silent(connection):
    connection.wait()


def slow(connection):
    connection.head()
    connection.send(b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nh')
    connection.wait()


@pytest.mark.parametrize('script', [silent, slow])
def test_28_timeout(server, script):
    fails(28, 'not complete in time', server(script).url, '--max-time', '300ms')


def test_28_timeout_of_connecting():
    with socket.create_server(('127.0.0.1', 0), backlog=0) as full, socket.socket() as first, \
            socket.socket() as second:
        for filling in first, second:
            filling.setblocking(False)
            filling.connect_ex(full.getsockname())
        fails(28, 'no connection in time', 'http://127.0.0.1:%d/' % full.getsockname()[1],
              '--connect-timeout', '300ms')


def test_47_redirects(server):
    heads = []
    fails(47, 'redirects once too often', server(redirecting(307, b'/', heads)).url, '-L')
    assert len(heads) == 11


def test_52_empty(server):
    fails(52, 'without a response', server(says(b'')).url)


def test_55_send(server, tmp_path):
    def script(connection):
        connection.head()
        connection.reset()
    (tmp_path / 'data').write_bytes(bytes(20_000_000))
    fails(55, 'broke while the request was sent|reset', server(script).url, '-d',
          f'@{tmp_path}/data')


@pytest.mark.parametrize('response, why', [
    (b'HTTP/1.1 200 OK\r\nA: b', 'within the head'),
    (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnone\r\n', 'chunk size'),
    (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc', 'chunk data')])
def test_56_receive(server, response, why):
    assert fails(56, why, server(says(response)).url).stdout == response


def test_the_manual_has_the_options():
    shown, described = hostile.options_of('oneraw')
    assert shown == described and len(shown) > 5


def test_the_manual_has_the_exit_codes():
    text = pathlib.Path(__file__).read_text()
    page = (pathlib.Path(__file__).parents[2] / 'man/asynwsgi-httpclient.1').read_text()
    listed = re.findall(r'^\.It (\d+)$', page.split('.Sh EXIT STATUS')[1], re.M)
    assert set(listed) - {'0'} == set(re.findall(r'^def test_(\d+)_', text, re.M))
