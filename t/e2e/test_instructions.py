"""What a kept request costs in the worker: instructions in user space, as callgrind counts them. They
are the same from run to run within a part in a thousand, whatever else the machine does, so that a
change that makes a request dearer is seen. One that does so for a reason writes the new figure here;
one that makes it cheaper, too."""

import os
import re
import shutil
import signal
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
]


def total(tmp_path, message, count):
    """Of all processes the one with the most, which is the worker."""
    (tmp_path / 'app.py').write_text(HELLO.replace('\n    ', '\n'))
    server = command.Running(
        ['valgrind', '--tool=callgrind', f'--callgrind-out-file={tmp_path}/{count}.%p',
         os.environ['ASYNWSGI'], '--bind', '127.0.0.1:0', '--chdir', str(tmp_path), 'app'],
        env=command.environment(PYTHONHASHSEED='1'))
    try:
        host, port = server.wait_ready().addresses[0][len('http://'):].split(':')
        with Peer((host, int(port))) as client:
            for _ in range(count):
                client.send(message)
                assert client.response().body == b'Hello, world!'
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
    finally:
        server.stop()
    return max(int(re.search(r'^(?:summary|totals): (\d+)', file.read_text(), re.M)[1])
               for file in tmp_path.glob(f'{count}.*'))


@pytest.mark.parametrize('message, budget', [(SMALL, 7176), (BROWSER, 8031)],
                         ids=['small', 'browser'])
def test_a_kept_request(tmp_path, message, budget):
    each = (total(tmp_path, message, 1500) - total(tmp_path, message, 500)) / 1000
    assert budget / ALLOWED <= each <= budget * ALLOWED
