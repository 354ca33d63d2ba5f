"""Nothing of what asynwsgi-bench starts outlives it, however it ends."""

import os
import signal
import sys

import pytest

import benching
from command import PATIENCE, environment
from serving import eventually

HELLO = ('--chdir', benching.EXAMPLES, 'hello')

DAEMON = '''
import os, socketserver, sys, time, http.server
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        with open('daemon.new', 'w') as file:
            file.write(str(os.getpid()))
        os.rename('daemon.new', 'daemon')
        time.sleep(1000)
    os._exit(0)
os.wait()

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        self.send_response(204)
        self.end_headers()
    def log_message(self, *_):
        pass

socketserver.ThreadingTCPServer(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()
'''


@pytest.fixture
def daemon(tmp_path):
    """A command for --server, which has a folder of its own: it leaves a process that is in a session of its
    own, and whose parent has ended; the file daemon has its number."""
    (tmp_path / 'server.py').write_text(DAEMON)
    return tmp_path, f'{sys.executable} server.py {{port}} {{folder}}'


@pytest.fixture
def temporary(tmp_path):
    """What is made for a time is made here."""
    (tmp_path / 'temporary').mkdir()
    return tmp_path / 'temporary'


@pytest.fixture
def under_way(temporary):
    """under_way('bench', ...) gives the process, and the numbers of all that it has started, once
    the clients run. They do not outlive the test, and leave no folder."""
    started, pids = [], []

    def start(*arguments):
        process = benching.start(*arguments, start_new_session=True, env=environment(TMPDIR=str(temporary)))
        started.append(process)

        def children():
            pids[:] = benching.below(process.pid)
            return process.poll() is not None or 'asynwsgi-load' in map(benching.name_of, pids)
        eventually(children, PATIENCE)
        assert process.poll() is None, process.stderr.read()
        return process, pids

    yield start
    for process in started:
        process.kill()
        process.communicate()
    for pid in filter(benching.alive, pids):
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not list(temporary.iterdir()))


def nothing_is_left(pids):
    eventually(lambda: not any(map(benching.alive, pids)))


@pytest.mark.parametrize('subcommand, number, status', [
    ('bench', signal.SIGKILL, -9), ('bench', signal.SIGINT, 130), ('bench', signal.SIGTERM, 143),
    ('bench', signal.SIGHUP, 129), ('saturate', signal.SIGKILL, -9), ('saturate', signal.SIGINT, 130)])
def test_ended_by_a_signal(under_way, subcommand, number, status):
    process, pids = under_way(subcommand, *HELLO, '-d', '60s')
    assert len(pids) >= 5  # the server with its worker, a client, and who guards them
    os.killpg(process.pid, number)  # as a terminal sends it: to all in the foreground
    assert process.wait(PATIENCE) == status
    if number != signal.SIGKILL:
        assert not any(map(benching.alive, pids))
        assert process.stderr.read() == ''
    nothing_is_left(pids)


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGINT])
def test_daemon_of_a_server(under_way, daemon, temporary, number):
    folder, server = daemon
    process, pids = under_way('bench', '--chdir', folder, 'none', '-d', '60s', '--server', server, '--mix', 'get:1')
    hidden = int(eventually(lambda: (folder / 'daemon').exists() and (folder / 'daemon').read_text()))
    assert benching.alive(hidden)
    assert len(list(temporary.glob('asynwsgi-bench-*'))) == 1
    pids.append(hidden)
    process.send_signal(number)
    process.wait(PATIENCE)
    nothing_is_left(pids)


def test_daemon_of_a_server_after_an_ordinary_end(daemon, temporary):
    folder, server = daemon
    benching.run('bench', '--chdir', folder, 'none', '-d', '100ms', '--server', server, '--mix', 'get:1',
                 env=environment(TMPDIR=str(temporary)))
    assert not benching.alive(int((folder / 'daemon').read_text()))
    assert not list(temporary.iterdir())


def test_guards_that_are_killed_too(under_way):
    """By who kills all that is called so."""
    process, pids = under_way('bench', *HELLO, '-d', '60s')
    ours = [process.pid, *(pid for pid in pids if 'python' in benching.name_of(pid))]
    assert len(ours) >= 3
    for pid in ours:
        os.kill(pid, signal.SIGKILL)
    nothing_is_left(pids)


def test_server_that_does_not_heed_term(under_way, tmp_path):
    (tmp_path / 'server.py').write_text('import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n' + DAEMON)
    process, pids = under_way('bench', '--chdir', tmp_path, 'none', '-d', '60s', '--mix', 'get:1',
                              '--server', f'{sys.executable} server.py {{port}}')
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 130
    assert not any(map(benching.alive, pids))
