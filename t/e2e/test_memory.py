"""What an idle kept connection costs the worker in memory: that of 8,000 after a request each, by what
the kernel says the worker has for itself alone."""

import contextlib
import os
import pathlib
import re
import resource
import sysconfig

import pytest

import command
from peer import Peer, request
from serving import eventually

COUNT = 8000
MOST = 256  # bytes each

pytestmark = [
    pytest.mark.skipif('ASYNWSGI_TEST_LONG' not in os.environ,
                       reason='long: script/test has it run'),
    pytest.mark.skipif(command.instrumented() or sysconfig.get_config_var('Py_DEBUG') == 1
                       or os.environ.get('PYTHONMALLOC', '') != '' or 'ASYNWSGI_BACKEND' in os.environ,
                       reason='the figure is that of the ordinary build, run as it is'),
    pytest.mark.skipif(resource.getrlimit(resource.RLIMIT_NOFILE)[1] < COUNT + 1000,
                       reason='not that many descriptors may be open'),
]


def private(pid):
    """What was written to: pages of files become its own when servers of other tests end, which had them, too."""
    text = pathlib.Path(f'/proc/{pid}/smaps_rollup').read_text()
    return 1024 * int(re.search(r'^Private_Dirty: +(\d+)', text, re.M)[1])


def test_an_idle_connection(start, tmp_path):
    """Over a unix socket, since other tests may have taken the ports."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    server = start(command.HELLO, '--timeout-idle', '0', bind=f'unix:{tmp_path}/socket')
    worker, = server.workers

    def connect(stack, count):
        for _ in range(count):
            client = stack.enter_context(Peer(str(tmp_path / 'socket')))
            client.send(request('GET', '/'))
            assert client.response().body == b'Hello\n'
            client.file.close()

    with contextlib.ExitStack() as stack:
        connect(stack, 100)
        before = private(worker)
        connect(stack, COUNT)
        assert len(os.listdir(f'/proc/{worker}/fd')) > COUNT
        each = (private(worker) - before) / COUNT
    print(f'{each:.0f} bytes each')
    assert MOST / 2 < each <= MOST
    eventually(lambda: len(os.listdir(f'/proc/{worker}/fd')) < 100)
