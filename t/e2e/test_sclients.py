"""asynwsgi-sclients against the server: what it makes and holds, what it counts, and its limits."""

import json
import os
import pathlib
import pty
import re
import resource
import shlex
import signal
import subprocess
import time

import pytest

from command import FACTOR, PATIENCE, environment, instrumented, limits_descriptors
from serving import eventually, needs

PROGRAM = [*shlex.split(os.environ.get('ASYNWSGI_TEST_WRAP', '')), os.path.abspath('asynwsgi-sclients')]
MAN = pathlib.Path(__file__).parents[2] / 'man' / 'asynwsgi-sclients.1'

# Notes the addresses that it was asked from; /large is more than sockets hold.
APPLICATION = '''
    import os
    import time

    def application(environ, start_response):
        with open('peers', 'a') as file:
            print(environ['REMOTE_ADDR'], file=file)
        if environ['PATH_INFO'] == '/late':
            time.sleep(0.3)
        start_response('200 OK', [('Content-Type', 'text/plain')])
        return [b'.' * (20_000_000 if environ['PATH_INFO'] == '/large' else 6)]
'''


def seconds(number):
    """As an argument: a time that is longer where everything takes longer."""
    return f'{int(number * FACTOR * 1000)}ms'


class Sclients:
    """The program while it runs, until it ends or is told to."""

    def __init__(self, folder, *arguments, **popen):
        self.file = folder / 'figures.json'
        self.process = subprocess.Popen(
            [*PROGRAM, *arguments, '--json', self.file], env=environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, **{'stderr': subprocess.PIPE, **popen}, text=True)

    def end(self, status=0):
        """Its figures, when it has ended."""
        try:
            self.output, self.errors = self.process.communicate(timeout=PATIENCE)
        finally:
            self.process.kill()
        assert self.process.returncode == status, self.errors
        return json.loads(self.file.read_text())

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)
        return self.end()

    def private(self):
        text = pathlib.Path(f'/proc/{self.process.pid}/smaps_rollup').read_text()
        return 1024 * sum(map(int, re.findall(r'^Private_(?:Clean|Dirty): +(\d+)', text, re.M)))


@pytest.fixture
def sclients(tmp_path):
    """sclients(*arguments): the program, started; it is gone after the test."""
    started = []

    def start(*arguments, **popen):
        started.append(Sclients(tmp_path, *map(str, arguments), **popen))
        return started[-1]
    yield start
    for program in started:
        program.process.kill()
        program.process.communicate()


def url(server, path='/'):
    return f'http://127.0.0.1:{server.port}{path}'


def sockets(pid):
    def is_socket(link):
        try:
            return os.readlink(link).startswith('socket:')
        except FileNotFoundError:
            return False
    return sum(map(is_socket, pathlib.Path(f'/proc/{pid}/fd').iterdir()))


def run(*arguments):
    return subprocess.run([*PROGRAM, *arguments], env=environment(), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)


def test_what_is_held_is_counted_and_the_servers_time_outs_are_seen(start, sclients):
    limit = seconds(0.5)
    server = start(APPLICATION, '--timeout-head', limit, '--timeout-body', limit,
                   '--timeout-idle', limit, '--timeout-write', limit)
    # Of the slow ones, moving something is no reason to be spared.
    figures = sclients(
        url(server, '/large'), '--probe', url(server), '--every', '100ms', '--silent', 4,
        '--slow-head', 6, '--slow-body', 7, '--bytes', 5, '--slow-read', 8, '--every', '250ms',
        '--bytes', 12, '--idle', 2, '-d', seconds(2.5)).end()
    kinds = figures['kinds']
    for name, wanted in (('silent', 4), ('slow-head', 6), ('slow-body', 7), ('slow-read', 8)):
        kind = kinds[name]
        assert kind['most_held'] == kind['wanted'] == wanted
        assert kind['closed'] + kind['reset'] >= wanted, name
        assert kind['attempted'] == kind['connected'] + kind['pending'] > wanted, 'made up for'
        assert kind['connected'] == kind['closed'] + kind['reset'] + kind['held']
        assert 400 * FACTOR <= kind['first_ended_ms'] <= kind['median_ended_ms']
    assert kinds['silent']['answers'] == {} and kinds['silent']['moved_bytes'] == 0
    assert set(kinds['slow-head']['answers']) == {'408'}
    assert set(kinds['slow-body']['answers']) == {'408'}
    assert set(kinds['slow-read']['answers']) == {'200'}
    assert set(kinds['idle']['answers']) <= {'200'}
    assert kinds['slow-head']['moved_bytes'] >= 6
    assert kinds['slow-body']['moved_bytes'] >= 7 * 5, '--bytes is of the kind before it'
    assert kinds['slow-read']['moved_bytes'] >= 12
    assert [(kinds[name]['bytes'], kinds[name]['every_s'])
            for name in ('slow-head', 'slow-body', 'slow-read')] == [(1, 0.1), (5, 0.1), (12, 0.25)]
    assert figures['probe']['answered'] > 0
    assert sum(second['closed'] + second['reset'] for second in figures['seconds']) \
        == sum(kind['closed'] + kind['reset'] for kind in kinds.values())


def test_idle_ones_are_kept_after_a_request(start, sclients, tmp_path):
    server = start(APPLICATION)
    program = sclients(url(server), '--idle', 50, '--sources', 4, '--probe-rate', 0, '-d', '1h')
    eventually(lambda: sockets(server.workers[0]) > 50)
    eventually(lambda: len((tmp_path / 'peers').read_text().split()) == 50)
    figures = program.interrupt()
    assert figures['kinds']['idle']['held'] == figures['kinds']['idle']['attempted'] == 50
    assert figures['kinds']['idle']['answers'] == {'200': 50}
    assert figures['seconds'][-1]['held'] == 50
    assert figures['probe'] is None
    assert figures['elapsed_s'] < 3600 and figures['parameters']['duration_s'] == 3600
    # They came from as many addresses as were asked for, by turns.
    assert set((tmp_path / 'peers').read_text().split()) == {f'127.0.0.{i}' for i in range(1, 5)}


@pytest.mark.skipif(instrumented(), reason='the memory would be that of the instruments')
def test_a_connection_takes_less_than_a_kilobyte(start, sclients):
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 200
    count = min(most, 100_000 if 'ASYNWSGI_TEST_LONG' in os.environ else 3_000)
    resources = {'preexec_fn': lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most + 200,) * 2)}
    server = start(APPLICATION, '--timeout-head', '1h', '--timeout-body', '1h', **resources)
    worker = server.workers[0]
    before = sockets(worker)
    memory = []
    for n in (1, count):
        program = sclients(url(server), '--slow-head', n, '-d', '1h')
        eventually(lambda: sockets(worker) >= before + n, 30)
        memory.append(program.private())
        figures = program.interrupt()
        eventually(lambda: sockets(worker) <= before, 30)
        assert figures['kinds']['slow-head']['held'] == n
    each = (memory[1] - memory[0]) / (count - 1)
    print(f'{count} connections, {each:.0f} bytes each')
    assert 48 <= each < 1024
    assert 48 <= figures['memory_bytes_each'] < 1024


def test_a_backlog_is_kept_full(start, sclients):
    server = start(APPLICATION, '--backlog', '1')
    worker = server.workers[0]
    os.kill(worker, signal.SIGSTOP)
    try:
        figures = sclients(url(server), '--pending', 20, '--every', '150ms', '-d', seconds(1),
                           '--probe-timeout', '300ms').end()
    finally:
        os.kill(worker, signal.SIGCONT)
    pending = figures['kinds']['pending']
    assert 0 < pending['connected'] < 10, 'the backlog has room for as many'
    assert pending['given_up'] >= 20
    assert pending['held'] == 0
    assert all(second['held'] + second['pending'] <= 20 for second in figures['seconds'])
    assert figures['probe']['answered'] == 0 and figures['probe']['failures']['timeout'] > 0
    # And when the server goes on it is none the worse for it.
    assert server.get().status == 200


def test_pending_attempts_make_room_for_others(start, sclients):
    server = start(APPLICATION)
    figures = sclients(url(server), '--pending', 5, '--rate', 500, '-d', seconds(0.5)).end()
    pending = figures['kinds']['pending']
    assert 5 < pending['connected'] <= pending['attempted'] <= 250 * FACTOR + 51
    assert pending['held'] == 0
    assert figures['probe']['answered'] > 0


def test_the_probe_tells_how_long_a_request_takes(start, sclients):
    server = start(APPLICATION, '--threads', '8')
    for options in (), ('--probe-kept', '--probe-rate', '2'):
        figures = sclients(url(server), '--probe', url(server, '/late'), '-d', seconds(1),
                           *options).end()
        probe = figures['probe']
        assert probe['answered'] > 0 and probe['statuses'] == {'200': probe['answered']}
        assert 300 <= probe['latency_ms']['50'] <= probe['latency_ms']['99'] <= probe['latency_ms']['max']
        assert sum(second['answered'] for second in figures['seconds']) == probe['answered']
        assert max(second['max_ms'] for second in figures['seconds']) \
            == pytest.approx(probe['latency_ms']['max'], rel=0.01)


def test_a_stall_counts_for_all_who_would_have_come(start, sclients, tmp_path):
    server = start(APPLICATION)
    program = sclients(url(server), '--probe-rate', 50, '-d', '1h')
    eventually(lambda: (tmp_path / 'peers').exists())
    os.kill(server.workers[0], signal.SIGSTOP)
    time.sleep(1)
    os.kill(server.workers[0], signal.SIGCONT)
    asked = len((tmp_path / 'peers').read_text().split())
    eventually(lambda: len((tmp_path / 'peers').read_text().split()) > asked + 60)
    probe = program.interrupt()['probe']
    # 50 were due in that second, and of these 20 waited for 600 ms or more.
    assert probe['latency_ms']['max'] >= 900
    most = 100 - 100 * 20 / probe['answered']
    assert probe['latency_ms'][next(p for p in ('50', '75', '90', '99') if float(p) >= most)] >= 500


def test_the_warm_up_is_left_out(start, sclients):
    server = start(APPLICATION)
    probe = sclients(url(server), '-d', seconds(0.4), '--warm-up', '1h').end()['probe']
    assert probe['answered'] > 0 and probe['latency_ms']['max'] == 0


def test_reconnecting_is_bounded(start, sclients, tmp_path):
    """Over a unix socket: one of TCP that is silent is accepted, and so ended, a second later."""
    path = f'{tmp_path}/socket'
    start(APPLICATION, '--timeout-head', '200ms', bind=f'unix:{path}')
    for bound in (0, 3):
        figures = sclients('http://localhost/', '--unix-socket', path, '--silent', 5, '--reconnect', bound,
                           '-d', seconds(0.8)).end()
        silent = figures['kinds']['silent']
        assert silent['attempted'] == silent['closed'] + silent['held'] == 5 + bound


def test_a_server_that_is_not_there(sclients, tmp_path):
    program = sclients('http://127.0.0.1:1/', '--idle', 3, '-d', '500ms')
    figures = program.end(status=4)
    idle = figures['kinds']['idle']
    assert idle['refused'] == idle['attempted'] >= 3 and idle['connected'] == 0
    assert figures['probe']['failures']['connect'] > 0
    assert 'latency' not in program.output


@pytest.mark.skipif('ASYNWSGI_TEST_WRAP' in os.environ, reason='what wraps it has descriptors, too')
def test_a_limit_is_named_and_the_rest_goes_on(start, sclients):
    server = start(APPLICATION)
    program = sclients(url(server), '--idle', 300, '--silent', 100, '-d', seconds(0.5),
                       preexec_fn=limits_descriptors(150, 150))
    figures = program.end(status=3)
    assert re.fullmatch(r'asynwsgi-sclients: (\d+) connections of 400: RLIMIT_NOFILE is 150, .*'
                        r'prlimit --nofile=\d+.*\n', program.errors)
    assert figures['limit'] == 'RLIMIT_NOFILE' and figures['wanted'] == 400
    assert 0 < figures['allowed'] < 150
    kinds = figures['kinds']
    assert kinds['idle']['held'] == kinds['idle']['wanted'] == figures['allowed'] * 300 // 400
    assert kinds['silent']['held'] == kinds['silent']['wanted'] == figures['allowed'] * 100 // 400
    assert 'limited: RLIMIT_NOFILE is 150' in program.output


def test_unix_sockets(start, sclients, tmp_path):
    server = start(APPLICATION, '--backlog', '1', bind=f'unix:{tmp_path}/socket')
    options = 'http://localhost/', '--unix-socket', f'{tmp_path}/socket'
    figures = sclients(*options, '--idle', 10, '--slow-body', 5, '--rate', 100, '-d', seconds(0.5)).end()
    assert figures['kinds']['idle']['held'] == 10 and figures['kinds']['slow-body']['held'] == 5
    assert figures['probe']['answered'] > 0
    os.kill(server.workers[0], signal.SIGSTOP)
    try:
        figures = sclients(*options, '--silent', 10, '-d', '500ms').end()
    finally:
        os.kill(server.workers[0], signal.SIGCONT)
    silent = figures['kinds']['silent']
    assert 0 < silent['held'] < 5 < silent['refused'], 'its queue is full, which connect(2) tells'


def test_a_page_with_plots(start, sclients, tmp_path):
    server = start(APPLICATION)
    sclients(url(server, '/?a<b&c'), '--idle', 5, '-d', seconds(0.5), '--html', tmp_path / 'page.html').end()
    page = (tmp_path / 'page.html').read_text()
    assert page.count('<svg ') == page.count('</svg>') == 3
    assert '/?a&#60;b&#38;c' in page and 'a<b' not in page
    assert re.search(r'^idle +5 +5 +5 ', page, re.M), 'the table'
    assert not re.search(r'src=|href=|url\(|@import', page), 'it needs no other file'
    assert 'nan' not in page and 'inf' not in page


def test_a_page_on_standard_output(start):
    server = start(APPLICATION)
    done = run(url(server), '--idle', '5', '-d', seconds(0.2), '--html', '-')
    assert done.returncode == 0 and done.stdout.startswith('<!DOCTYPE html>'), 'and no table before it'


def test_the_table(start):
    server = start(APPLICATION)
    # Of the addresses of localhost, the one at which somebody listens is taken.
    done = run(f'http://localhost:{server.port}/', '--idle', '5', '-d', seconds(0.4))
    assert done.returncode == 0 and done.stderr == '', 'no live line, since it is no terminal'
    assert re.search(r'^idle +5 +5 +5 ', done.stdout, re.M)
    assert 'idle was answered 200: 5\n' in done.stdout
    assert re.search(r'^probe: \d+ asked, \d+ answered \(200: \d+\)\nlatency in ms: 50%: ', done.stdout, re.M)


def test_json_alone_on_standard_output(start):
    server = start(APPLICATION)
    done = run(url(server), '--idle', '5', '-d', seconds(0.5), '--json', '-')
    assert json.loads(done.stdout)['kinds']['idle']['wanted'] == 5


def test_a_live_line_on_a_terminal(start, sclients):
    server = start(APPLICATION)
    ours, theirs = pty.openpty()
    program = sclients(url(server), '--silent', 7, '-d', '1h', stderr=theirs)
    os.close(theirs)
    shown = b''
    while b' 7 held' not in shown:
        shown += os.read(ours, 1000)
    program.interrupt()
    os.close(ours)
    assert shown.startswith(b'\r') and b'\n' not in shown


def test_only_this_machine_is_meant():
    for arguments in (['http://192.0.2.1/'], ['http://[2001:db8::1]:8000/'], ['http://0.0.0.0:8000/'],
                      ['http://127.0.0.1:1/', '--probe', 'http://192.0.2.1/']):
        done = run(*arguments, '--idle', '1', '-d', '10ms')
        assert done.returncode == 2 and done.stdout == ''
        assert done.stderr == f'asynwsgi-sclients: {arguments[-1]}: not an address of this ' \
                              "machine's loopback; see --allow-remote\n"


@pytest.mark.skipif(instrumented(), reason='LeakSanitizer cannot work while it is traced')
@needs('strace')
def test_nothing_is_sent_to_another():
    trace = subprocess.run(['strace', '-f', '-e', 'trace=network', os.path.abspath('asynwsgi-sclients'),
                            'http://192.0.2.1/', '--idle', '1', '-d', '10ms'],
                           stderr=subprocess.PIPE, text=True, timeout=PATIENCE).stderr
    if 'exited with 2' not in trace:
        pytest.skip('strace may not trace here')
    assert not re.search(r'connect\(|send\w*\(|AF_INET', trace)


@pytest.mark.parametrize('arguments, complaint', [
    ([], 'one URL, please'),
    (['http://127.0.0.1/', 'http://127.0.0.1/'], 'one URL, please'),
    (['https://127.0.0.1/'], 'only http:// is spoken'),
    (['http://127.0.0.1/', '--idle', '2m'], '"2m" is not a number'),
    (['http://127.0.0.1/', '--every', '0'], '"0" is not a time from 1ms to 1h'),
    (['http://127.0.0.1/', '--bytes', '65k'], '"65k" is not a size from 1 to 64k'),
    (['http://127.0.0.1/', '--header', 'none'], '"none" is not a header'),
    (['http://[::1]/', '--sources', '2'], '--sources: there are others for a server at 127.0.0.0/8 only'),
])
def test_usage(arguments, complaint):
    done = run(*arguments)
    assert done.returncode == 2 and complaint in done.stderr and done.stderr.count('\n') == 1


def test_the_manual_has_the_options_of_the_help():
    shown = run('--help').stdout
    page = MAN.read_text()
    options = re.findall(r'^ +(?:-(\w), )?--([\w-]+)(?: (\S+))?', shown, re.M)
    assert len(options) > 20
    for letter, name, value in options:
        line = '.It ' + (f'Fl {letter} , ' if letter else 'Fl ') + f'-{name}' + \
            (f' Ar {value.lower()}' if value else '')
        assert f'{line}\n' in page, line
    assert set(re.findall(r'^\.It Fl .*?-([a-z-]+)(?: Ar.*)?$', page, re.M)) == {o[1] for o in options}
