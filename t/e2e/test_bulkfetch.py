"""asynwsgi-httpclient bulkfetch: many URLs from nginx, and from servers that do not mean well."""

import hashlib
import json
import os
import pathlib
import pty
import random
import re
import resource
import signal
import subprocess

import pytest

import hostile
import proxy
from command import FACTOR, PATIENCE, environment, instrumented, limits_descriptors
from hostile import HELLO, PROGRAM, bulkfetch, keeps, says
from serving import eventually

LONG = bool(os.environ.get('ASYNWSGI_TEST_LONG'))
SMALL, LARGE = (100_000, 1000) if LONG else (2000, 30)
MEGABYTE = random.Random(1).randbytes(1_000_000)

NGINX = '''
{user} daemon off; pid nginx.pid; error_log stderr crit;
events {{ worker_connections 1000; }}
http {{
    access_log off; {temporary} default_type text/plain; root {folder}/root;
    server {{
        listen 127.0.0.1:{port};
        keepalive_requests 1000000;
        location = /hello {{ return 200 "hello"; }}
        location = /moved {{ return 302 /hello; }}
        location = /few {{ keepalive_requests 3; return 200 "hello"; }}
    }}
}}
'''


@pytest.fixture(scope='module')
def nginx(tmp_path_factory):
    folder = tmp_path_factory.mktemp('nginx')
    port = proxy.free_port()
    (folder / 'root').mkdir()
    (folder / 'root/megabyte').write_bytes(MEGABYTE)
    (folder / 'root/file').write_text('a file')
    temporary = ' '.join(f'{name}_temp_path {name};' for name in proxy.FOLDERS)
    user = '' if os.getuid() else 'user root;'  # so that it may read what is root's
    (folder / 'nginx.conf').write_text(NGINX.format(
        user=user, folder=folder, port=port, temporary=temporary))
    running = proxy.Proxy(folder, 'nginx', ['-p', str(folder), '-e', 'stderr', '-c', 'nginx.conf'],
                          port)
    yield running
    running.stop()


@pytest.fixture
def server():
    """server(script) is running."""
    servers = []

    def start(script):
        servers.append(hostile.Server(script))
        return servers[-1]

    yield start
    for running in servers:
        running.stop()


def lines(*urls):
    return {'input': ''.join(f'{url}\n' for url in urls).encode()}


# -- From nginx -----------------------------------------------------------------------------------

@pytest.mark.parametrize('how', [[], ['-c', 1], ['-c', 64, '--pipeline', 8]])
def test_many_small_responses(nginx, how):
    told = bulkfetch('-i', '-', *how, **lines(*[nginx.url + '/hello'] * SMALL))
    assert told['done'] == told['fetched'] == SMALL
    assert told['bytes'] == 5 * SMALL
    assert (told['statuses'], told['errors']) == ({'200': SMALL}, {})
    assert told['connections'] == (how[1] if how else 16)


def test_large_responses(nginx):
    told = bulkfetch('-', **lines(*[nginx.url + '/megabyte'] * LARGE))
    assert (told['fetched'], told['bytes']) == (LARGE, LARGE * len(MEGABYTE))


def test_connections_that_the_server_ends(nginx):
    for depth in 1, 5:
        told = bulkfetch('--pipeline', depth, '-c', 4, *[nginx.url + '/few'] * 300)
        assert (told['fetched'], told['retries'], told['errors']) == (300, 0, {})
        assert told['connections'] >= 100


def test_files(nginx, tmp_path):
    bulkfetch('-O', tmp_path / 'made', *[nginx.url + '/megabyte'] * 20)
    names = {path.name for path in (tmp_path / 'made').iterdir()}
    assert names == {'megabyte'} | {f'megabyte.{n}' for n in range(1, 20)}
    digest = hashlib.sha256(MEGABYTE).digest()
    assert all(hashlib.sha256(path.read_bytes()).digest() == digest
               for path in (tmp_path / 'made').iterdir())


def test_what_is_no_success(nginx, tmp_path):
    ended = hostile.run('bulkfetch', '-O', tmp_path, nginx.url + '/none', nginx.url + '/moved',
                        nginx.url + '/file', 'https://a/', '  ', status=1)
    assert sorted(ended.stderr.splitlines()) == sorted(
        f'asynwsgi-httpclient bulkfetch: {what}' for what in [
            f'{nginx.url}/none: status 404', f'{nginx.url}/moved: status 302',
            'https://a/: only http:// is spoken',
            '  : not a URL such as http://127.0.0.1:8000/path'])
    assert [path.name for path in tmp_path.iterdir()] == ['file']
    output = ended.stdout.decode().splitlines()
    assert output[0].startswith('1 fetched, 4 failed in ')
    assert output[2:] == ['status 200: 1', 'status 302: 1', 'status 404: 1', 'error url: 2']
    ended = hostile.run('bulkfetch', '-q', nginx.url + '/none', status=1)
    assert (ended.stdout, ended.stderr) == (b'', '')


def test_json_in_a_file(nginx, tmp_path):
    ended = hostile.run('bulkfetch', '--json', tmp_path / 'json', nginx.url + '/hello')
    assert ended.stdout.startswith(b'1 fetched')
    assert json.loads((tmp_path / 'json').read_text())['fetched'] == 1


@pytest.mark.skipif('ASYNWSGI_TEST_WRAP' in os.environ, reason='what wraps it has descriptors, too')
def test_descriptors(nginx, tmp_path):
    """The soft limit is raised for connections and files; the hard one is named."""
    few, urls = {'preexec_fn': limits_descriptors(50, 150)}, [nginx.url + '/hello'] * 200
    assert bulkfetch('-c', 100, *urls, **few)['connections'] == 100
    said = hostile.run('bulkfetch', '-c', 100, '-O', tmp_path / 'none', *urls, status=2, **few).stderr
    assert said.count('\n') == 1 and 'RLIMIT_NOFILE is 150, and 232 are needed' in said
    assert not (tmp_path / 'none').exists()


# -- Files ----------------------------------------------------------------------------------------

def test_no_name_leads_out_of_the_folder(server, tmp_path):
    url = server(keeps(HELLO)).url
    (tmp_path / 'in').mkdir()
    (tmp_path / 'in/trap').symlink_to(tmp_path / 'out')
    bulkfetch('-c', 1, '-O', tmp_path / 'in', *(url + name for name in [
        '../..', '..%2f..%2fup', 'a/.hidden', '', 'a/?b=/c', 'trap', 'x%1b%7f', 'n' * 5000]))
    names = {path.name for path in (tmp_path / 'in').iterdir()}
    assert names == {'_.', '_._.._up', '_hidden', 'index', 'index.1', 'trap', 'trap.1', 'x__',
                     'n' * 200}
    assert not (tmp_path / 'out').exists()


def test_what_is_not_whole_is_no_file(server, tmp_path):
    script = says(b'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello')
    told = bulkfetch('-O', tmp_path, server(script).url, status=1)
    assert told['errors'] == {'partial': 1}
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full(nginx, tmp_path):
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
    ended = hostile.run('bulkfetch', '-O', tmp_path, *[nginx.url + '/megabyte'] * 20, status=23,
                        preexec_fn=limit)
    assert 'bulkfetch: megabyte' in ended.stderr and ': File too large' in ended.stderr
    assert list(tmp_path.iterdir()) == []
    (tmp_path / 'file').touch()
    ended = hostile.run('bulkfetch', '-O', tmp_path / 'file', nginx.url + '/hello', status=23)
    assert 'Not a directory' in ended.stderr


# -- Lists ----------------------------------------------------------------------------------------

def test_a_list_is_fetched_as_it_comes(server):
    running = server(keeps(HELLO))
    command = subprocess.Popen([*PROGRAM, 'bulkfetch', '--json', '-', '-'], env=environment(),
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        for number in range(1, 4):
            command.stdin.write(f'# {number}\r\n {running.url}{number} \r\n'.encode())
            command.stdin.flush()
            eventually(lambda: running.requests >= number)
        output, _ = command.communicate(running.url.encode(), timeout=PATIENCE)
    finally:
        command.kill()
        command.wait()
    assert json.loads(output)['fetched'] == 4


@pytest.mark.skipif(instrumented(), reason='memory is not its own')
def test_a_long_list_takes_no_memory():
    command = subprocess.Popen([*PROGRAM, 'bulkfetch', '-q', '--json', '-', '-'], env=environment(),
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        command.stdin.write(b'x\n' + (b'y' * 50 + b'\n') * 300_000)
        status = pathlib.Path(f'/proc/{command.pid}/status').read_text()
        output, _ = command.communicate(timeout=PATIENCE)
    finally:
        command.kill()
        command.wait()
    assert command.returncode == 1
    assert json.loads(output)['errors'] == {'url': 300_001}
    assert int(re.search(r'VmHWM:\s+(\d+) kB', status)[1]) < 10_000  # the list has 15,000


def test_lines_that_are_too_long(server, tmp_path):
    (tmp_path / 'list').write_text(f'{"x" * 200_000}\n{server(says(HELLO)).url}')
    told = bulkfetch('-i', tmp_path / 'list', status=1)
    assert (told['fetched'], told['errors']) == (1, {'url': 1})


def test_what_cannot_be_read(tmp_path):
    assert 'No such file' in hostile.run('bulkfetch', '-i', tmp_path / 'none', status=26).stderr
    assert 'Is a directory' in hostile.run('bulkfetch', '-i', tmp_path, status=26).stderr


def test_what_is_not_printable_is_not_printed(tmp_path):
    (tmp_path / 'list').write_bytes(b'http://\x1b[2J/\n')
    assert r'http://\x1b[2J/' in hostile.run('bulkfetch', '-i', tmp_path / 'list', status=1).stderr


# -- Servers that do not mean well ----------------------------------------------------------------

def silent(connection):
    connection.wait()


def half(connection):
    connection.head()
    connection.send(b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nh')
    connection.wait()


ENDLESS = b'HTTP/1.1 200 OK\r\n' + b''.join(b'A%d: b\r\n' % n for n in range(2000))
CHUNKED = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'


@pytest.mark.parametrize('script, error', [
    (says(b''), 'empty'), (says(b'HTTP/1.1 200'), 'receive'), (says(b'SSH-2.0\r\n'), 'protocol'),
    (says(ENDLESS), 'protocol'), (says(CHUNKED + b'none\r\n'), 'coding'),
    (says(CHUNKED + b'5\r\nhel'), 'partial'), (silent, 'timeout'), (half, 'timeout')],
    ids=['empty', 'head', 'protocol', 'endless', 'coding', 'partial', 'silent', 'half'])
def test_a_server_that_fails(server, script, error):
    told = bulkfetch('--max-time', '300ms' if error == 'timeout' else '60s', '--pipeline', 3, '-c',
                     2, *[server(script).url] * 5, status=1)
    # Of those that were pipelined behind, none is given up before it was the first.
    assert (told['failed'], told['errors']) == (5, {error: 5})


def test_a_server_that_is_good_after_all(server):
    url = server(keeps(b'HTTP/1.1 103 A\r\n\r\nHTTP/1.1 100 B\r\n\r\n' + HELLO)).url
    assert bulkfetch(*[url] * 50)['fetched'] == 50
    url = server(keeps(HELLO + b'more')).url
    assert bulkfetch('-c', 2, *[url] * 20)['fetched'] == 20


def test_a_kept_connection_that_has_ended_is_no_failure(server):
    """The server closes without a word, when the next request may be under way."""
    told = bulkfetch('-c', 2, *[server(says(HELLO)).url] * 50)
    assert (told['fetched'], told['errors'], told['retries']) == (50, {}, 0)
    assert told['connections'] >= 50


def test_several_servers_and_few_connections(server):
    urls = [server(keeps(HELLO)).url for _ in range(5)]
    for depth in 1, 4:
        told = bulkfetch('-c', 2, '--pipeline', depth, *urls * 20, *sorted(urls * 20))
        assert told['fetched'] == 200


def test_a_host_without_an_address(server):
    url = server(keeps(HELLO)).url
    told = bulkfetch('http://a..b/', url, 'http://a..b/', url, status=1)
    assert (told['fetched'], told['errors']) == (2, {'resolve': 2})


def test_unix_socket(tmp_path):
    heads = []

    def script(connection):
        while head := connection.head():
            heads.append(head)
            connection.send(HELLO)
    path = str(tmp_path / 'socket')
    running = hostile.Server(script, path)
    try:
        told = bulkfetch('-c', 2, '--unix-socket', path, 'http://a..b/1', 'http://shop.example/2', 'http://a..b/3')
    finally:
        running.stop()
    assert told['fetched'] == 3
    assert sorted(head.split(b'\r\n')[:2] for head in heads) == [
        [b'GET /%d HTTP/1.1' % number, b'Host: ' + host]
        for number, host in ((1, b'a..b'), (2, b'shop.example'), (3, b'a..b'))]
    for wrong, error in ((path, 'connect'), (path * 100, 'resolve')):
        assert bulkfetch('--unix-socket', wrong, 'http://a/', status=1)['errors'] == {error: 1}


# -- Retries --------------------------------------------------------------------------------------

def failing(times, *pieces):
    """A script that answers so that many times, and then well."""
    left = [None] * times

    def script(connection):
        while connection.head():
            if not left:
                connection.send(HELLO)
                continue
            left.pop()
            connection.send(*pieces)
            if not pieces:
                return
    return script


@pytest.mark.parametrize('pieces', [[], [b'HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n']])
def test_retries(server, pieces):
    told = bulkfetch('--retries', 2, server(failing(2, *pieces)).url)
    assert (told['fetched'], told['retries']) == (1, 2)
    told = bulkfetch('--retries', 1, server(failing(2, *pieces)).url, status=1)
    assert (told['failed'], told['retries']) == (1, 1)


def test_the_server_says_when(server):
    unavailable = b'HTTP/1.1 503 No\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n'
    told = bulkfetch('--retries', 1, server(failing(1, unavailable)).url)
    assert told['seconds'] >= 1


def test_what_may_not_be_sent_again_is_not(server):
    running = server(says(b''))
    bulkfetch('--retries', 5, '-m', 'POST', running.url, status=1)
    assert running.requests == 1
    running = server(says(b'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello'))
    bulkfetch('--retries', 5, running.url, status=1)
    assert running.requests == 1


def test_retries_of_connecting():
    closed = hostile.Server(says())
    closed.stop()
    told = bulkfetch('--retries', 2, closed.url, status=1)
    assert (told['retries'], told['errors']) == (2, {'connect': 1})


# -- A person at the terminal ---------------------------------------------------------------------

def on_a_terminal(*arguments, interrupt_at=None):
    """What it writes to a terminal, and the exit status."""
    ours, theirs = pty.openpty()
    command = subprocess.Popen([*PROGRAM, *map(str, arguments)], env=environment(), stdin=theirs,
                               stdout=theirs, stderr=theirs)
    os.close(theirs)
    output = b''
    try:
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:
                break
            output += piece
            if interrupt_at and interrupt_at in output:
                command.send_signal(signal.SIGINT)
                interrupt_at = None
        return output.decode(), command.wait(PATIENCE)
    finally:
        command.kill()
        command.wait()
        os.close(ours)


def test_progress_on_a_terminal(nginx):
    output, status = on_a_terminal('bulkfetch', *[nginx.url + '/hello'] * 10)
    assert status == 0
    assert '[##############################] 100% 10 done' in output
    output, _ = on_a_terminal('bulkfetch', '-q', nginx.url + '/hello')
    assert output == ''


def test_no_progress_in_a_pipe(nginx):
    assert hostile.run('bulkfetch', nginx.url + '/hello').stderr == ''


def test_interrupt(server, tmp_path):
    output, status = on_a_terminal('bulkfetch', '-O', tmp_path, '-c', 1, server(keeps(HELLO)).url,
                                   server(half).url, interrupt_at=b'1 done')
    assert status == 1
    assert 'interrupted: 1 fetched' in output
    assert [path.name for path in pathlib.Path(tmp_path).iterdir()] == ['index']


# -- Options --------------------------------------------------------------------------------------

@pytest.mark.parametrize('arguments, why', [
    ([], 'which URLs'), (['-c', '0', 'http://a/'], 'from 1 to 10000'),
    (['--pipeline', 'many', 'http://a/'], '"many" is not a number'),
    (['-H', 'Host', 'http://a/'], 'not a header'), (['-x', 'http://a/'], '-x is no option')])
def test_usage(arguments, why):
    assert why in hostile.run('bulkfetch', *arguments, status=2).stderr


def test_help():
    assert b'--pipeline N' in hostile.run('bulkfetch', '--help').stdout


def test_headers(server):
    heads = []

    def script(connection):
        heads.append(connection.head())
        connection.send(HELLO)
    bulkfetch('-H', 'Accept: x', '-m', 'OPTIONS', server(script).url)
    assert heads[0].startswith(b'OPTIONS / ') and b'Accept: x\r\n' in heads[0]


def test_the_manual_has_the_options():
    shown, described = hostile.options_of('bulkfetch')
    assert shown == described and len(shown) > 5
