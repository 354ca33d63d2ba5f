"""The processes: what signals do, who is started again, what the logs say."""

import collections
import contextlib
import fcntl
import os
import pathlib
import pty
import re
import signal
import socket
import struct
import subprocess
import termios
import threading
import time

import pytest

from command import FACTOR, HELLO, PATIENCE, connect, environment

# Answers with the worker's pid; /slow takes a second, /stuck for ever, /crash never answers.
PID = '''
    import os, time

    def application(environ, start_response):
        path = environ['PATH_INFO']
        if path == '/crash':
            os.kill(os.getpid(), 9)
        if path == '/exit':
            os._exit(7)
        if path in ('/slow', '/stuck'):
            os.write(2, b'asleep\\n')
            time.sleep(1 if path == '/slow' else 60)
        start_response('200 OK', [])
        return [str(os.getpid()).encode()]
'''


def eventually(condition, patience=PATIENCE):
    """Wait until it holds; gives what it gave."""
    deadline = time.monotonic() + patience
    while not (value := condition()):
        assert time.monotonic() < deadline, 'it never came to be'
        time.sleep(0.02)
    return value


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return pathlib.Path(f'/proc/{pid}/stat').read_text().rsplit(')')[1].split()[0] != 'Z'


def gone(pids):
    return not any(map(alive, pids))


class Asking(threading.Thread):
    """A request under way."""

    def __init__(self, server, path):
        super().__init__(daemon=True)
        self.server, self.path, self.response = server, path, None
        self.start()
        server.wait_for('^asleep')

    def run(self):
        with contextlib.suppress(OSError):
            self.response = self.server.get(self.path)

    def result(self):
        self.join(PATIENCE)
        return self.response


def worker_of(server):
    return int(server.get().body)


def pids_met(server, wanted):
    """Ask until that many workers have answered."""
    met = set()
    eventually(lambda: met.add(worker_of(server)) or len(met) >= wanted)
    return met


# -- Stopping ---------------------------------------------------------------------------------

def test_term_lets_a_response_finish(start):
    server = start(PID, '-w', '2')
    asking = Asking(server, '/slow')
    server.signal(signal.SIGTERM)
    eventually(lambda: 'SIGTERM' in server.log)
    with pytest.raises(OSError):
        server.connect()
    assert asking.result().status == 200
    assert server.wait() == 0
    assert gone(server.workers)


def is_accepted(client):
    """Whether the server's end of it is somebody's, as /proc/net/tcp has it by its inode."""
    ends = [f':{port:04X}' for port in (client.getpeername()[1], client.getsockname()[1])]
    with open('/proc/net/tcp') as table:
        lines = [line.split() for line in table]
    return any([end[-5:] for end in line[1:3]] == ends and line[9] != '0' for line in lines)


def test_term_closes_idle_connections(start):
    server = start()
    with server.connect() as idle, server.connect() as used:
        used.sendall(b'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
        assert used.recv(4096).startswith(b'HTTP/1.1 200')
        eventually(lambda: is_accepted(idle))  # after a second, as it is silent
        before = time.monotonic()
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        assert time.monotonic() - before < 5
        assert idle.recv(1) == b''


def test_graceful_timeout(start):
    server = start(PID, '--graceful-timeout', '300ms')
    asking = Asking(server, '/stuck')
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    assert 'not done in time' in server.log
    assert asking.result() is None
    assert gone(server.workers)


def test_second_term_stops_at_once(start):
    server = start(PID)
    Asking(server, '/stuck')
    server.signal(signal.SIGTERM)
    server.wait_for('SIGTERM')
    server.signal(signal.SIGTERM)
    assert server.wait(5) == 0
    assert gone(server.workers)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGQUIT])
@pytest.mark.parametrize('path', [None, '/stuck'])
def test_int_and_quit_stop_at_once(start, number, path):
    server = start(PID, '-w', '2')
    if path:
        Asking(server, path)
    server.signal(number)
    assert server.wait(5) == 0
    assert gone(server.workers)


def test_int_runs_the_handlers_of_exit(start, tmp_path):
    server = start('import atexit, pathlib\n'
                   "atexit.register(pathlib.Path('left').touch)\n" + HELLO.replace('\n    ', '\n'))
    server.signal(signal.SIGINT)
    assert server.wait() == 0
    assert (tmp_path / 'left').exists()


def test_term_while_booting(start):
    server = start('import os, time\nos.write(2, b"asleep\\n")\ntime.sleep(60)', ready=False)
    server.wait_for('^asleep')
    server.signal(signal.SIGTERM)
    assert server.wait(5) == 0


def test_signals_without_a_meaning(start):
    server = start(PID)
    for name in 'HUP', 'USR1', 'USR2', 'TTIN', 'TTOU':
        number = getattr(signal, 'SIG' + name)
        server.signal(number)
        server.wait_for(rf'\[warning\] signal {int(number)} ')
        if name not in ('TTIN', 'TTOU'):
            os.kill(server.workers[0], number)
    server.signal(signal.SIGWINCH)
    assert server.get().status == 200


def test_a_log_that_nobody_reads_any_more(tmp_path):
    (tmp_path / 'app.py').write_text(HELLO.replace('\n    ', '\n'))
    process = subprocess.Popen([os.environ['ASYNWSGI'], '-b', '127.0.0.1:0', 'app'], cwd=tmp_path,
                               env=environment(), stderr=subprocess.PIPE)
    try:
        lines = iter(process.stderr.readline, b'')
        address = next(line for line in lines if b'Listening' in line).split()[-1].decode()
        process.stderr.close()
        for _ in range(2):
            process.send_signal(signal.SIGHUP)
            time.sleep(0.1)
        with connect(address) as connection:
            connection.sendall(b'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
            assert connection.recv(4096).startswith(b'HTTP/1.1 200 ')
        process.terminate()
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()


def test_signals_that_were_blocked_or_ignored_by_the_parent(start):
    def inherit():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGCHLD})

    server = start(PID, preexec_fn=inherit)
    os.kill(worker_of(server), signal.SIGKILL)
    server.wait_for('worker ready', 2)
    server.signal(signal.SIGTERM)
    assert server.wait() == 0


@pytest.fixture
def terminal(tmp_path):
    """The command at a terminal of its own: the process, and the other end."""
    ours, theirs = pty.openpty()

    def take_terminal():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    (tmp_path / 'app.py').write_text(HELLO.replace('\n    ', '\n'))
    pid = os.fork()
    if pid == 0:
        for number in 0, 1, 2:
            os.dup2(theirs, number)
        take_terminal()
        os.chdir(tmp_path)
        os.execve(os.environ['ASYNWSGI'], ['asynwsgi', '-b', '127.0.0.1:0', '-w', '2', 'app'],
                  environment())
    os.close(theirs)
    yield pid, ours
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    os.close(ours)


def test_ctrl_c(terminal):
    pid, screen = terminal
    text = b''
    while b'Press Ctrl+C to quit' not in text:
        text += os.read(screen, 4096)
    os.write(screen, b'\x03')
    with contextlib.suppress(OSError):
        while piece := os.read(screen, 4096):
            text += piece
    assert os.waitpid(pid, 0)[1] == 0
    assert b'[error]' not in text and b'Traceback' not in text
    # A worker that is not done within a second is killed, which is nothing that patience changes.
    assert b'[warning]' not in text or FACTOR > 1


def test_no_hint_without_a_terminal(start):
    assert 'Ctrl+C' not in start().log


# -- Workers that die -------------------------------------------------------------------------

@pytest.mark.parametrize('path, death', [
    ('/crash', r'was killed by signal 9 \(Killed\)'),
    ('/exit', 'exited with status 7'),
])
def test_worker_is_started_again(start, path, death):
    server = start(PID, '-w', '2')
    first = pids_met(server, 2)
    with server.connect() as connection:
        connection.sendall(f'GET {path} HTTP/1.1\r\nHost: x\r\n\r\n'.encode())
        assert connection.recv(1) == b''
    server.wait_for(rf'\[error\] worker \d+ {death}; another follows in 0\.1 s')
    server.wait_for('worker ready', 3)
    assert len(pids_met(server, 2) & first) == 1


def test_queue_of_a_dead_worker_is_its_successors(start):
    """Those who connected while a worker was stuck are served by the next one."""
    server = start(PID, '-w', '2', '--threads', '1')
    met = pids_met(server, 2)
    asking = Asking(server, '/stuck')
    waiting = []
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            connection = stack.enter_context(server.connect())
            connection.sendall(b'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
            waiting.append(connection)
        time.sleep(0.3)
        free = worker_of_free(server, met)
        stuck, = met - {free}
        os.kill(stuck, signal.SIGKILL)
        answers = [read_all(connection) for connection in waiting]
    assert all(answer.startswith(b'HTTP/1.1 200 ') for answer in answers)
    by_worker = collections.Counter(answer.rsplit(b'\n', 1)[1] for answer in answers)
    assert len(by_worker) == 2 and str(stuck).encode() not in by_worker
    assert asking.result() is None


def worker_of_free(server, met):
    """The worker that answers while the other is stuck."""
    with contextlib.ExitStack() as stack:
        for _ in range(50):
            connection = stack.enter_context(server.connect())
            connection.sendall(b'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
            connection.settimeout(0.3)
            with contextlib.suppress(TimeoutError):
                return int(read_all(connection).rsplit(b'\n', 1)[1])
    raise AssertionError(f'none of {met} answers')


def read_all(connection):
    data = b''
    while piece := connection.recv(65536):
        data += piece
    return data


def test_worker_that_crashes_again_and_again_is_started_less_often(start, tmp_path):
    """It boots once, and from then on never again."""
    server = start('''
        import os, pathlib
        if pathlib.Path('booted').exists():
            os.kill(os.getpid(), 9)
        pathlib.Path('booted').touch()

        def application(environ, start_response):
            start_response('200 OK', [])
            return [b'']
        ''')
    os.kill(server.workers[0], signal.SIGKILL)
    pauses = [float(m[1]) for m in server.wait_for(r'another follows in (\S+) s', 5)]
    assert pauses[:5] == [0.1, 0.2, 0.4, 0.8, 1.6]
    assert server.process.poll() is None
    (tmp_path / 'booted').unlink()
    server.wait_for('worker ready', 2)
    assert server.get().status == 200


def test_worker_that_ended_on_its_own_is_replaced(start):
    server = start(PID)
    first = worker_of(server)
    os.kill(first, signal.SIGTERM)
    server.wait_for(rf'worker {first} exited with status 0')
    assert worker_of(server) != first


def test_workers_end_with_the_supervisor(start):
    server = start(PID, '-w', '2')
    asking = Asking(server, '/slow')
    workers = server.workers
    os.kill(server.pid, signal.SIGKILL)
    assert asking.result().status == 200
    eventually(lambda: gone(workers))


def test_children_of_the_application_are_left_alone(start):
    """A child that outlives its worker, with all it inherited, holds nobody up."""
    server = start('''
        import os, time

        def application(environ, start_response):
            if os.fork() == 0:
                time.sleep(60)
            start_response('200 OK', [])
            return [str(os.getpid()).encode()]
        ''', '--threads', '1')
    worker = worker_of(server)
    children = [int(pid) for pid in
                pathlib.Path(f'/proc/{worker}/task/{worker}/children').read_text().split()]
    try:
        os.kill(worker, signal.SIGKILL)
        server.wait_for('worker ready', 2)
        server.signal(signal.SIGTERM)
        assert server.process.wait(PATIENCE) == 0
        assert children and all(map(alive, children))
    finally:
        for pid in children:
            os.kill(pid, signal.SIGKILL)


# /child answers with the pid of a fork that sleeps; /return forks a child that comes back, in
# vain: with no exception, or by sys.exit().
FORKS = '''
    import os, sys, time

    def application(environ, start_response):
        path, how = environ['PATH_INFO'], environ['QUERY_STRING']
        if path in ('/child', '/return'):
            child = os.fork()
            if child == 0 and path == '/child':
                time.sleep(60)
                os._exit(0)
            if child == 0 and how == 'exit':
                sys.exit(3)
            if child and path == '/return':
                child = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        else:
            child = os.getpid()
        start_response('200 OK', [])
        return [b'%d' % child]
'''


def test_a_forked_child_can_be_terminated(start):
    server = start(FORKS)
    worker = worker_of(server)
    child = int(server.get('/child').body)
    os.kill(child, signal.SIGTERM)
    eventually(lambda: not alive(child))
    assert worker_of(server) == worker


@pytest.mark.parametrize('how, status', [('exit', b'3'), ('return', b'1')])
def test_a_forked_child_that_comes_back_does_not_serve(start, how, status):
    server = start(FORKS)
    worker = worker_of(server)
    assert server.get(f'/return?{how}').body == status
    assert worker_of(server) == worker


def test_an_endless_response_leaves_the_others_their_turn(start):
    """Nor does it keep the worker from stopping."""
    server = start('''
        import itertools, os, time

        def slow():
            for _ in itertools.count():
                time.sleep(0.02)
                yield b'.'

        def application(environ, start_response):
            start_response('200 OK', [])
            return slow() if environ['PATH_INFO'] == '/endless' else [b'%d' % os.getpid()]
        ''')
    with server.connect() as client:
        client.sendall(b'GET /endless HTTP/1.1\r\nHost: a\r\n\r\n')
        assert client.recv(65536)
        assert worker_of(server)
        server.signal(signal.SIGINT)
        assert server.process.wait(PATIENCE) == 0
        assert 'killing' not in server.log


DESCRIPTORS = pytest.mark.skipif(bool(os.environ.get('ASYNWSGI_TEST_WRAP')),
                                 reason='what it runs under has descriptors of its own')


@DESCRIPTORS
def test_standard_descriptors_that_are_closed(tmp_path, start):
    """No socket gets one of their numbers."""
    server = start('''
        import os

        def application(environ, start_response):
            start_response('200 OK', [])
            return [' '.join(os.readlink(f'/proc/self/fd/{n}') for n in (0, 1)).encode()]
        ''', preexec_fn=lambda: os.closerange(0, 2))
    assert server.get().body == b'/dev/null /dev/null'


@DESCRIPTORS
def test_programs_of_the_application_inherit_no_descriptors(start):
    server = start('''
        import subprocess

        def application(environ, start_response):
            start_response('200 OK', [])
            return [subprocess.run(['ls', '/proc/self/fd'], stdout=subprocess.PIPE,
                                   close_fds=False).stdout]
        ''', '-w', '2', bind=['127.0.0.1:0', f'unix:@asynwsgi-inherit-{os.getpid()}'])
    assert server.get().body.split() == [b'0', b'1', b'2', b'3']


def test_connections_spread(start):
    server = start(PID, '-w', '4')
    pids_met(server, 4)
    count = collections.Counter(worker_of(server) for _ in range(256))
    assert len(count) == 4
    assert max(count.values()) <= 3 * min(count.values()), count


# -- Logs -------------------------------------------------------------------------------------

def test_error_log_format(start):
    server = start(HELLO, '-w', '2')
    server.stop()
    for line in server.lines[:-1]:
        assert re.fullmatch(r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4} \[\d+\] \[[a-z]+\] .+', line)
    assert re.search(r'asynwsgi \d\S+ \(Python 3\.\S+\), 2 workers$', server.lines[0])


def test_error_log_has_what_the_application_says(start):
    server = start('''
        def application(environ, start_response):
            environ['wsgi.errors'].write('said\\n\\x1b[31mred\\n')
            start_response('200 OK', [])
            return []
        ''')
    server.get()
    server.wait_for(r'\[error\] said$')
    server.wait_for(r'\[error\] \\x1B\[31mred$')


def test_log_level(start):
    server = start(PID, '--log-level', 'warning', ready=False)
    server.signal(signal.SIGHUP)
    time.sleep(0.5)
    server.stop()
    assert '[info]' not in server.log


def test_error_log_file(start, tmp_path):
    (tmp_path / 'log').write_text('before\n')
    server = start(HELLO, '--error-logfile', 'log', ready=False)
    eventually(lambda: 'Listening' in (tmp_path / 'log').read_text())
    assert server.stop() == 0
    assert server.log == ''
    assert (tmp_path / 'log').read_text().startswith('before\n')


ANSWERS = '''
    def application(environ, start_response):
        start_response('404 Not Found', [('Content-Length', '5')])
        return [b'12345']
'''


def test_access_log(start, tmp_path):
    server = start(ANSWERS, '--access-logfile', 'access')
    server.get('/path?q=1', **{'User-Agent': 'browser "1"', 'Referer': 'http://x/\\'})
    server.request('HEAD', '/')
    with server.connect() as connection:
        connection.sendall(b'nonsense\r\n\r\n')
        read_all(connection)
    lines = eventually(lambda: access_lines(tmp_path, 3))
    date = r'\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]'
    assert re.fullmatch(rf'127\.0\.0\.1 - - {date} "GET /path\?q=1 HTTP/1\.1" 404 5 '
                        r'"http://x/\\x5C" "browser \\x221\\x22"', lines[0])
    assert re.fullmatch(rf'127\.0\.0\.1 - - {date} "HEAD / HTTP/1\.1" 404 0 "-" "-"', lines[1])
    assert re.fullmatch(rf'127\.0\.0\.1 - - {date} "-" 400 \d+ "-" "-"', lines[2])


def access_lines(folder, count):
    lines = (folder / 'access').read_text().splitlines()
    return len(lines) >= count and lines


def test_access_log_on_standard_output(start):
    server = start(HELLO, '--access-logfile', '-')
    server.get()
    assert b'"GET / HTTP/1.1" 200 6 ' in server.process.stdout.readline()


def test_access_log_of_many_requests(start, tmp_path):
    """Pipelined, so that lines wait for each other; of two workers, whose lines mix."""
    server = start(HELLO, '--access-logfile', 'access', '-w', '2')
    request = b'GET /%d HTTP/1.1\r\nHost: x\r\nUser-Agent: ' + b'u' * 500 + b'\r\n\r\n'
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(server.connect()) for _ in range(8)]
        for connection in connections:
            connection.sendall(b''.join(request % i for i in range(50)))
            connection.shutdown(socket.SHUT_WR)
        for connection in connections:
            read_all(connection)
    lines = eventually(lambda: access_lines(tmp_path, 400))
    paths = collections.Counter(re.fullmatch(r'127.* "GET /(\d+) HTTP/1.1" 200 6 "-" "u{500}"',
                                             line)[1] for line in lines)
    assert paths == {str(i): 8 for i in range(50)}


def test_access_log_when_the_client_leaves(start, tmp_path):
    server = start('''
        def application(environ, start_response):
            start_response('200 OK', [])
            return [environ['wsgi.input'].read()]
        ''', '--access-logfile', 'access')
    with server.connect() as connection:
        connection.sendall(b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc')
        time.sleep(0.2)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    assert '"POST / HTTP/1.1" 499 0 ' in eventually(lambda: access_lines(tmp_path, 1))[0]


def test_access_log_of_a_unix_socket(start, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    start(HELLO, '--access-logfile', 'access', bind='unix:here').get()
    assert eventually(lambda: access_lines(tmp_path, 1))[0].startswith('- - - [')
