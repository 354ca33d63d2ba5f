"""What a kept request costs in the worker: instructions in user space, as callgrind counts them. They
are the same from run to run within a part in a thousand, whatever else the machine does, so that a
change that makes a request dearer is seen. One that does so for a reason writes the new figure here;
one that makes it cheaper, too."""

import contextlib
import os
import re
import resource
import shutil
import signal
import subprocess
import sysconfig

import pytest

import command
from peer import Peer

ALLOWED = 1.02
HELLO = '''
    def application(environ, start_response):
        start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', '13')])
        return [b'Hello, world!']
'''
PORT, SOCKET = '127.0.0.1:0', 'unix:{}/socket'
SMALL = b'GET / HTTP/1.1\r\nHost: localhost:8000\r\n\r\n'
BROWSER = b'''GET /some/path?with=query HTTP/1.1
Host: localhost:8000
User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8
Accept-Language: en-US,en;q=0.5
Accept-Encoding: gzip, deflate, br
Referer: http://localhost:8000/index.html
Connection: keep-alive
Cookie: session=abcdef0123456789; theme=dark; tracking=0123456789abcdef0123456789abcdef
Upgrade-Insecure-Requests: 1
Sec-Fetch-Dest: document
Sec-Fetch-Mode: navigate
Sec-Fetch-Site: same-origin
Sec-Fetch-User: ?1
Pragma: no-cache

'''.replace(b'\n', b'\r\n')

pytestmark = [
    pytest.mark.skipif('ASYNWSGI_TEST_LONG' not in os.environ,
                       reason='long: script/test has it run'),
    pytest.mark.skipif(command.instrumented() or sysconfig.get_config_var('Py_DEBUG') == 1
                       or 'ASYNWSGI_BACKEND' in os.environ or 'ASYNWSGI_THREADS' in os.environ,
                       reason='the figures are those of the ordinary build, run as it is'),
    pytest.mark.skipif(not shutil.which('valgrind'), reason='there is no valgrind'),
    pytest.mark.skipif(b'libpython' in subprocess.run(['readelf', '-d', os.environ['ASYNWSGI']],
                                                      stdout=subprocess.PIPE).stdout,
                       reason='the figures are those of a command that has Python within itself'),
]


def total(tmp_path, message, count, depth, bind, idle=0, active=1):
    """Of all processes the one with the most, which is the worker: with connections that were used
    once and idle since, and others that take turns, with `depth` requests at a time."""
    (tmp_path / 'app.py').write_text(HELLO.replace('\n    ', '\n'))
    server = command.Running(
        ['valgrind', '--tool=callgrind', f'--callgrind-out-file={tmp_path}/{count}.%p',
         os.environ['ASYNWSGI'], '--bind', bind, '--chdir', str(tmp_path), 'app'],
        env=command.environment(PYTHONHASHSEED='1'))
    try:
        kind, where = server.wait_ready().addresses[0].split(':', 1)
        address = where if kind == 'unix' else ('127.0.0.1', server.port)
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(Peer(address)) for _ in range(active)]
            for i in range(idle + count // depth):
                client = clients[i % active]
                if i < idle:
                    client = stack.enter_context(Peer(address))
                client.send(message * depth)
                for _ in range(depth):
                    assert client.response().body == b'Hello, world!'
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
    finally:
        server.stop()
    return max(int(re.search(r'^(?:summary|totals): (\d+)', file.read_text(), re.M)[1])
               for file in tmp_path.glob(f'{count}.*'))


@pytest.mark.parametrize('message, depth, bind, budget', [
    (SMALL, 1, PORT, 4361), (BROWSER, 1, PORT, 4625),
    (SMALL, 16, PORT, 3628), (BROWSER, 16, PORT, 3886),
    (SMALL, 1, SOCKET, 4190), (BROWSER, 1, SOCKET, 4471)],
    ids=['small', 'browser', 'small-pipelined', 'browser-pipelined', 'small-unix', 'browser-unix'])
def test_a_kept_request(tmp_path, message, depth, bind, budget):
    few, many = (total(tmp_path, message, count, depth, bind.format(tmp_path))
                 for count in (480, 1600))
    each = (many - few) / 1120
    assert budget / ALLOWED <= each <= budget * ALLOWED


def test_among_many_that_idle(tmp_path):
    """Ten that are active cost what they cost among few. On a unix socket, since the text of clients'
    addresses is kept for some, and it depends on their ports for which."""
    signal.alarm(300)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    many, bind = 9500, SOCKET.format(tmp_path)
    if hard != resource.RLIM_INFINITY and hard < 2 * many:
        pytest.skip('there are too few descriptors')
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        few, among_many = (
            (total(tmp_path, SMALL, 1500, 1, bind, idle, 10)
             - total(tmp_path, SMALL, 500, 1, bind, idle, 10)) / 1000
            for idle in (22, many))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert among_many <= 1.15 * few
