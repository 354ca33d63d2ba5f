"""curl, with the options that people use."""

import random
import subprocess

import pytest

from serving import needs

pytestmark = needs('curl')


@pytest.fixture(scope='module')
def server(serve):
    return serve('pep3333')


@pytest.fixture(scope='module')
def body(tmp_path_factory):
    """A file to upload."""
    file = tmp_path_factory.mktemp('curl') / 'body'
    file.write_bytes(random.Random(5).randbytes(3_000_000))
    return file


def run(*arguments, input=None):
    """curl's exit status, and what it wrote on standard output."""
    done = subprocess.run(['curl', '-sS', '--noproxy', '*', '--max-time', '20', *arguments],
                          input=input, stdout=subprocess.PIPE, timeout=30)
    return done.returncode, done.stdout


def test_get(server):
    assert run(server.url + '/write') == (0, b'written, twice, then returned')


def test_http_1_0(server):
    assert run('--http1.0', '-w', '%{http_version}', server.url + '/closed?curl') == \
        (0, b'one two1.1')
    assert run('--http1.0', '-T', '-', server.url + '/echo', input=b'x')[0] != 0


def test_head(server):
    status, head = run('-I', server.url + '/large?12345')
    assert status == 0
    assert head.startswith(b'HTTP/1.1 200 OK\r\n') and b'\r\nContent-Length: 12345\r\n' in head


def test_next_on_one_connection(server):
    status, output = run(
        server.url + '/large?3', '-w', '|%{num_connects} ', '--next', '--noproxy', '*', '-sS',
        '-d', 'posted', server.url + '/echo', '-w', '|%{num_connects} ', '--next', '--noproxy', '*',
        '-sS', '-I', '-o', '/dev/null', server.url + '/large?9', '-w', '|%{num_connects} ',
        '--next', '--noproxy', '*', '-sS', server.url + '/write', '-w', '|%{num_connects}')
    assert (status, output) == (0, b'xxx|1 posted|0 |0 written, twice, then returned|0')


def test_post(server):
    assert run('-d', 'a=1', '-d', 'b=2', server.url + '/echo') == (0, b'a=1&b=2')


def test_upload(server, body):
    assert run('-T', str(body), server.url + '/echo') == (0, body.read_bytes())


def test_chunked_upload(server, body):
    assert run('-T', '-', server.url + '/echo', input=body.read_bytes()) == (0, body.read_bytes())


@pytest.mark.parametrize('expect', ['100-continue', ''])
def test_upload_that_is_expected(server, body, expect):
    """Nothing is kept waiting: curl would go on without an answer after the 30 seconds here."""
    assert run('-H', 'Expect: ' + expect, '--expect100-timeout', '30', '--data-binary', f'@{body}',
               server.url + '/echo') == (0, body.read_bytes())


def test_upload_form(server, body):
    status, answer = run('-F', 'word=x', '-F', f'file=@{body}', server.url + '/echo')
    assert status == 0 and body.read_bytes() in answer


def test_uploads_nobody_reads(server, body):
    """A body that is not read is no reason for a reset."""
    assert run('--data-binary', f'@{body}', server.url + '/ignore') == (0, b'ignored')


def test_no_more_time(server):
    """28 is curl's for --max-time. The server goes on."""
    assert run('--max-time', '0.3', server.url + '/slow?never')[0] == 28
    (server.notes / 'never').touch()
    assert run(server.url + '/large?2') == (0, b'xx')


def test_range_of_a_stream_that_breaks(server):
    """18 is curl's for a response that ends too early."""
    assert run(server.url + '/error-in-sized-body?curl') == (18, b'some')
    assert run(server.url + '/error-in-body?curl') == (18, b'some')


def test_many_headers(server):
    headers = [option for n in range(80) for option in ('-H', f'X-{n}: {"v" * 500}')]
    status, answer = run(*headers, server.url + '/environ')
    assert status == 0 and answer.count(b'"HTTP_X_') == 80


def test_unix_socket(serve, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / 'socket'
    assert serve('pep3333', bind=f'unix:{path}').address == f'unix:{path}'
    assert run('--unix-socket', str(path), 'http://name/large?3') == (0, b'xxx')
    status, environ = run('--unix-socket', str(path), 'http://name:81/environ')
    assert status == 0 and b'"SERVER_NAME": "name", "SERVER_PORT": "81"' in environ
    assert run('--unix-socket', str(path), '-d', '@-', 'http://name/echo', input=b'x') == (0, b'x')


def test_abstract_unix_socket(serve):
    name = f'asynwsgi-test-{random.getrandbits(64):x}'
    serve('pep3333', bind=f'unix:@{name}')
    assert run('--abstract-unix-socket', name, 'http://name/large?3') == (0, b'xxx')
