"""asynwsgi-load: what it counts and how it comes to its latencies; against asynwsgi, and against
servers that refuse, stall, break off or talk nonsense."""

import contextlib
import json
import os
import pathlib
import re
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

import command
from serving import eventually

EXAMPLES = pathlib.Path(__file__).parents[2] / 'examples'
PAGE = pathlib.Path(__file__).parents[2] / 'man/asynwsgi-load.1'
LOAD = command.program('asynwsgi-load')
OK = b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'
LONG = f'{command.PATIENCE:.0f}s'
END = b'\r\n\r\n'


class Result:
    """What a run has written."""

    def __init__(self, output):
        *self.intervals, self.end = map(json.loads, output.splitlines())
        assert {interval['event'] for interval in self.intervals} == {'interval'}
        assert self.end['event'] == 'end'
        self.errors = self.end['errors']

    def recorded(self, above=0, name='histogram'):
        """The number of latencies above so many seconds."""
        return sum(count for value, count in self.end[name] if value > above * 1e9)


def finish(*arguments, **how):
    return subprocess.run([*LOAD, *map(str, arguments)], text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=3 * command.PATIENCE,
                          **how)


def load(*arguments, **how):
    done = finish(*arguments, **how)
    assert (done.returncode, done.stderr) == (0, '')
    return Result(done.stdout)


def refused(*arguments, status=1, **how):
    """What it says when it can't do anything."""
    done = finish(*arguments, **how)
    assert (done.returncode, done.stdout) == (status, '')
    assert done.stderr.startswith('asynwsgi-load: ') and done.stderr.count('\n') == 1
    return done.stderr


@contextlib.contextmanager
def serving(serve, *arguments):
    """The URL of a server: `serve`(socket, *arguments) is called for each connection, in a thread."""
    with socket.create_server(('127.0.0.1', 0), backlog=128) as listener:
        def handle(sock):
            with sock, contextlib.suppress(OSError):
                sock.settimeout(command.PATIENCE)
                serve(sock, *arguments)

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=handle, args=listener.accept()[:1], daemon=True).start()
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield 'http://127.0.0.1:%d/' % listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def heads(sock):
    """The heads of the requests without a body that come, one after the other."""
    rest = b''
    while data := sock.recv(65536):
        *whole, rest = (rest + data).split(END)
        yield from whole


def answers(sock, answer=OK, seen=None):
    for head in heads(sock):
        if seen is not None:
            seen.append(head.split(b' ')[1].decode())
        sock.sendall(answer)


# -- What is counted --------------------------------------------------------------------------------

@pytest.fixture(scope='module')
def server(serve):
    return serve('pep3333')


def test_a_number_of_requests(server):
    result = load('-c', 4, '-n', 300, '-H', 'X-Y: z', server.url + '/large?10')
    end = result.end
    assert end['requests'] == 300 and end['statuses'] == {'200': 300}
    assert not any(result.errors.values()) and end['unfinished'] == 0
    assert end['connections_opened'] == 4 and not end['interrupted']
    assert end['bytes_in'] > 300 * 10
    assert end['bytes_out'] == 300 * len(
        f'GET /large?10 HTTP/1.1\r\nHost: {server.authority}\r\nX-Y: z\r\n\r\n')
    assert result.recorded() == 300
    latency = end['latency']
    assert 0 < latency['p50'] <= latency['p75'] <= latency['p90'] <= latency['p99'] \
        <= latency['p99.9'] <= latency['p99.99'] <= latency['max'] <= end['seconds'] * 1e9
    assert latency['mean'] <= latency['max']
    assert 'uncorrected' not in end and 'late' not in end
    assert end['parameters']['headers'] == ['X-Y: z']


def test_intervals_are_the_whole(server):
    result = load('-c', 3, '-d', '700ms', '--interval', '200ms', server.url + '/large?10')
    assert len(result.intervals) >= 3
    at = 0
    for interval in result.intervals:
        assert interval['from'] == at < interval['to']
        at = interval['to']
    assert at >= result.end['seconds'] >= 0.7
    for name, of_end in ('requests', 'requests'), ('bytes', 'bytes_in'):
        assert sum(interval[name] for interval in result.intervals) == result.end[of_end]
    assert max(interval['max'] for interval in result.intervals) == result.end['latency']['max']


def test_the_rate_is_of_the_answers_within_the_time():
    """The second answer of each connection comes after the run; it counts, but not for the rate."""
    def late(sock):
        for number, _ in enumerate(heads(sock)):
            time.sleep(number and 2.2)
            sock.sendall(OK)

    with serving(late) as url:
        result = load('-c', 5, '-d', '2s', url)
    end = result.end
    assert (end['requests'], end['in_time']) == (10, 5)
    assert result.intervals[-1]['to'] > 2.15 > end['seconds']


def test_an_answer_that_closes_and_goes_on():
    """What is due meanwhile is asked for elsewhere, or not at all, and the run ends when it is to."""
    def closing(sock):
        sock.recv(65536)
        sock.sendall(b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n')
        with contextlib.suppress(OSError):
            while not sock.sendall(b'x'):
                time.sleep(0.01)

    with serving(closing) as url:
        end = load('-c', 2, '--pipeline', 3, '-R', 200, '-d', '500ms', '--timeout', '300ms', url).end
    assert end['requests'] == 0 and end['errors']['timeout'] > 0


def test_open_loop_keeps_its_rate_and_leaves_the_warm_up_out():
    seen = []
    with serving(answers, OK, seen) as url:
        result = load('-c', 4, '-R', 200, '-d', '1s', '--warmup', '500ms', url)
    end = result.end
    assert end['requests'] == result.recorded() == result.recorded(0, 'uncorrected_histogram') == 200
    assert len(seen) == 300
    assert end['connections_opened'] == 0, 'they were in the warm-up'
    assert end['uncorrected']['p50'] <= end['latency']['p50']
    assert end['late']['p50'] <= end['latency']['max']


def test_a_number_of_requests_at_a_rate():
    with serving(answers) as url:
        result = load('-c', 2, '-R', 1000, '-n', 100, url)
    assert result.end['requests'] == 100
    assert 0.09 <= result.end['seconds']


def test_urls_are_asked_for_in_turn():
    seen = []
    with serving(answers, OK, seen) as url:
        load('-c', 1, '-n', 6, url + 'a', url + 'b', url + 'c?d#e')
    assert seen == ['/a', '/b', '/c?d'] * 2


def test_a_connection_for_each(server):
    result = load('-c', 3, '-n', 30, '--no-keepalive', server.url + '/large?10')
    assert result.end['requests'] == result.end['connections_opened'] == 30
    assert not any(result.errors.values())


def test_a_connection_for_each_at_a_rate(server):
    result = load('-c', 3, '-n', 30, '-R', 300, '--no-keepalive', server.url + '/large?10')
    assert result.end['requests'] == result.end['connections_opened'] == 30


def test_connections_that_the_server_ends_in_good_order():
    with serving(answers, OK.replace(END, b'\r\nConnection: close\r\n\r\n')) as url:
        result = load('-c', 2, '-n', 30, url)
    assert result.end['requests'] == 30 and result.end['connections_opened'] >= 30
    assert not any(result.errors.values())


def test_pipelining():
    def four_at_a_time(sock):
        received = b''
        while data := sock.recv(65536):
            received += data
            if received.count(END) == 4:
                received = b''
                sock.sendall(4 * OK)

    with serving(four_at_a_time) as url:
        result = load('-c', 2, '--pipeline', 4, '-d', '300ms', '--timeout', LONG, url)
    assert result.end['requests'] % 4 == 0 < result.end['requests']


def test_unix_socket(start, tmp_path):
    path = tmp_path / 'socket'
    start(bind=f'unix:{path}')
    assert load('-n', 20, '--unix-socket', path, 'http://any/').end['requests'] == 20


# -- Bodies -----------------------------------------------------------------------------------------

CHECKER = '''
    import hashlib
    seen = set()
    def app(environ, start_response):
        body = environ['wsgi.input'].read()
        digest = hashlib.sha256(body).hexdigest()
        path = environ['PATH_INFO']
        if path.startswith('/body'):
            good = (environ['REQUEST_METHOD'], body, environ['HTTP_HOST']) == ('POST', b'some text', 'b')
        elif path.startswith('/size'):
            good = (environ['REQUEST_METHOD'], len(body)) == ('PUT', 300 * 1024)
        else:
            good = digest not in seen and len(body) == int(path[1:])
            seen.add(digest)
        answer = (digest if path != '/' else 'another').encode()
        start_response('200 OK' if good else '400 Bad', [('Content-Length', str(len(answer)))])
        return [answer]
'''


@pytest.fixture
def checker(start):
    return start(CHECKER).addresses[0]


def needs_digest():
    if 'libcrypto' in finish('--synthesize-post', 1, '--check-digest', 'http://127.0.0.1:1/').stderr:
        pytest.skip('built without libcrypto')


def test_sized_bodies(checker, tmp_path):
    (tmp_path / 'body').write_text('some text')
    for arguments in (['--body', 'some text'], ['--body-file', tmp_path / 'body']):
        result = load('-n', 20, *arguments, '-H', 'Host: b', checker + '/body')
        assert result.end['statuses'] == {'200': 20}
        assert result.end['parameters']['body-size'] == 9
    result = load('-n', 20, '--body-size', '300k', '-m', 'PUT', checker + '/size')
    assert result.end['statuses'] == {'200': 20}
    assert result.end['bytes_out'] > 20 * 300 * 1024


@pytest.mark.parametrize('chunks, size', [(1, 1), (5, 3), (40, 5000)])
def test_synthesized_bodies_differ(checker, chunks, size):
    number = 20 if size > 1 else 1
    result = load('-c', 3, '-n', number, f'--synthesize-post={chunks}', f'--chunksz={size}',
                  f'{checker}/{chunks * size}')
    assert result.end['statuses'] == {'200': number}
    chunk = len(f'{size:x}\r\n\r\n') + size
    assert result.end['bytes_out'] - number * (chunks * chunk + 5) == \
        number * len(f'POST /{chunks * size} HTTP/1.1\r\nHost: {checker[7:]}\r\n'
                     'Transfer-Encoding: chunked\r\n\r\n')


def test_digests_are_checked(checker):
    needs_digest()
    arguments = ['-n', 20, '--synthesize-post', 2, '--chunksz', 50, '--check-digest']
    assert load(*arguments, checker + '/100').end['mismatches'] == 0
    # An application that answers with the digest of something else.
    def lies(sock):
        for _ in heads(sock):  # each a head, and the body's end
            sock.sendall(OK)
    with serving(lies) as url:
        result = load('-c', 1, *arguments, url)
    assert result.end['mismatches'] == result.errors['read'] > 0


def test_the_uploader_example(serve, tmp_path):
    needs_digest()
    server = serve('uploader', apps=EXAMPLES, env={'UPLOADS': str(tmp_path / 'uploads')})
    result = load('-c', 3, '-n', 15, '--synthesize-post', 20, '--chunksz', '10k', '--check-digest',
                  server.url + '/file')
    assert result.end['statuses'] == {'201': 15}
    assert result.end['mismatches'] == 0


# -- Latency ----------------------------------------------------------------------------------------

def stalls(listener, after, length):
    """A server of one thread, that does nothing for a time, once. Its clock begins with its first
    request."""
    begun = None
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is listener:
                    try:
                        sock = listener.accept()[0]
                    except OSError:
                        return
                    selector.register(sock, selectors.EVENT_READ)
                    continue
                begun = begun or time.monotonic()
                if time.monotonic() - begun >= after:
                    time.sleep(length)
                    after = float('inf')
                try:
                    count = key.fileobj.recv(65536).count(END)
                    key.fileobj.sendall(OK * count)
                except OSError:
                    count = 0
                if not count:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()


def test_a_stall_counts_as_long_as_it_is():
    """At rate R, a stall of S seconds keeps R S requests waiting, from S down to nothing: their
    latencies are evenly spread over (0, S]. So of all R D of a run, a share of (S - v) / D has more
    than v, and the percentile 1 - x is S - x D. But of these only as many as there are connections
    were under way: without the correction the others look as if nothing had happened."""
    rate, run, stall, connections = 200, 3, 1, 4
    with socket.create_server(('127.0.0.1', 0)) as listener:
        thread = threading.Thread(target=stalls, args=(listener, 1, stall), daemon=True)
        thread.start()
        url = 'http://127.0.0.1:%d/' % listener.getsockname()[1]
        end = (result := load('-c', connections, '-R', rate, '-d', run, url)).end
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert end['requests'] == rate * run and not any(result.errors.values())
    late = 0.3 * command.FACTOR  # what the machine may add, to the latencies and to the stall
    for share, name in (0.01, 'p99'), (0.1, 'p90'):
        exact = stall - share * run
        assert exact - 0.01 <= end['latency'][name] / 1e9 <= exact + late
    for v in 0.5, 0.8:
        exact = rate * (stall - v)
        assert exact - 3 <= result.recorded(v) <= exact + rate * late
        assert result.recorded(v, 'uncorrected_histogram') <= 3 * connections
    assert 0 < result.recorded(stall - 0.1, 'uncorrected_histogram')
    assert end['uncorrected']['max'] >= (stall - 0.02) * 1e9


def test_what_is_not_answered_in_the_end_counts_with_its_age():
    def silent(sock):
        while sock.recv(65536):
            pass

    with serving(silent) as url:
        result = load('-c', 2, '-R', 100, '-d', '1s', '--timeout', '400ms', url)
    end = result.end
    assert end['requests'] == 0
    assert result.errors['timeout'] >= 2 and end['unfinished'] > 50
    assert result.errors['timeout'] + end['unfinished'] == result.recorded() == 100
    # Due evenly over the second, at whose end they are as old as they are.
    assert result.recorded(0.5) >= 45


def test_a_client_that_was_late_itself_catches_up():
    """It is stopped with a request under way; when it goes on there are the answer and as many requests due
    as may be pipelined."""
    def stops_it(sock):
        for number, _ in enumerate(heads(sock)):
            if number % 10 == 5:
                os.kill(eventually(lambda: pids and pids[0]), signal.SIGSTOP)
            sock.sendall(OK)
            if number % 10 == 5:
                time.sleep(0.15)
                os.kill(pids[0], signal.SIGCONT)

    pids = []
    with serving(stops_it) as url:
        with subprocess.Popen([*LOAD, '-c', '1', '-R', '50', '-n', '30', '--pipeline', '4', url],
                              stdout=subprocess.PIPE, text=True) as process:
            pids.append(process.pid)
            output = process.stdout.read()
            assert process.wait(command.PATIENCE) == 0
    end = Result(output).end
    assert end['requests'] == 30 and end['latency']['max'] >= 0.09 * 1e9


# -- Servers that are no good -----------------------------------------------------------------------

def test_nobody_is_there():
    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        authority = '127.0.0.1:%d' % sock.getsockname()[1]
        for mode in [], ['-R', 100], ['--no-keepalive'], ['-n', 5]:
            said = refused(*mode, f'http://{authority}/')
            assert f'cannot connect to {authority}: Connection refused' in said


def test_no_such_socket(tmp_path):
    assert str(tmp_path / 'none') in refused('--unix-socket', tmp_path / 'none', 'http://a/')


def half(sock):
    for _ in heads(sock):
        sock.sendall(OK[:-1])
        return


def garbage(sock):
    for _ in heads(sock):
        sock.sendall(b'Hello, world\r\n\r\n')


def closes(sock):
    sock.recv(65536)


@pytest.mark.parametrize('mode', [[], ['-R', '1000'], ['--no-keepalive'], ['--pipeline', '3']], ids=' '.join)
@pytest.mark.parametrize('serve_badly', [half, garbage, closes])
def test_exchanges_that_break(serve_badly, mode):
    with serving(serve_badly) as url:
        result = load('-c', 2, '-d', '250ms', '--timeout', LONG, *mode, url)
    assert result.end['requests'] == 0 and result.recorded() == result.end['unfinished']
    assert result.errors['read'] > 0 and result.errors['timeout'] == result.errors['connect'] == 0
    # It leaves the server in peace for longer and longer: 10, 20, 40, 80, 160 ms.
    assert result.end['connections_opened'] <= 2 * 6


def test_a_number_of_requests_that_break():
    with serving(closes) as url:
        result = load('-c', 5, '-n', 20, url)
    assert result.errors['read'] == 20


def test_errors_that_are_answers():
    with serving(answers, OK.replace(b'200 OK', b'500 No')) as url:
        result = load('-n', 30, url)
    assert result.end['requests'] == result.errors['status'] == 30
    assert result.end['statuses'] == {'500': 30} and result.recorded() == 30


def test_a_server_that_ends():
    """With a number of requests and no other end, it gives up."""
    listeners = []

    def answers_ten(sock):
        for number, _ in enumerate(heads(sock)):
            if number == 10:
                listeners[0].close()
                return
            sock.sendall(OK)

    listeners.append(socket.create_server(('127.0.0.1', 0)))
    url = 'http://127.0.0.1:%d/' % listeners[0].getsockname()[1]

    def serve_one():
        with listeners[0].accept()[0] as sock:
            answers_ten(sock)
    thread = threading.Thread(target=serve_one, daemon=True)
    thread.start()
    result = load('-c', 1, '-n', 1000, url)
    thread.join()
    assert result.end['requests'] == 10
    assert result.errors['read'] == 1 and result.errors['connect'] > 1


# -- Servers that hand over -------------------------------------------------------------------------

def ends_with(sock, number, last, seen):
    """A connection that is over with its request of that number, whose answer is `last`."""
    for count, _ in enumerate(heads(sock), 1):
        seen.append(count)
        sock.sendall(last if count == number else OK)
        if count == number:
            return


CLOSE = OK.replace(END, b'\r\nConnection: close\r\n\r\n')


@pytest.mark.parametrize('mode', [[], ['--pipeline', '4'], ['-R', '2000'], ['-R', '2000', '--pipeline', '4']],
                         ids=' '.join)
@pytest.mark.parametrize('last', [CLOSE, OK, b'', OK[:-1]], ids=['announced', 'silent', 'empty', 'half'])
def test_connections_that_end_in_mid_run(last, mode):
    """Each request has an answer or is an error. What was under way is not asked for again."""
    seen, n = [], 200
    with serving(ends_with, 10, last, seen) as url:
        result = load('-c', 3, '-n', n, '--timeout', LONG, *mode, url)
    end, errors = result.end, result.errors
    assert end['requests'] + errors['read'] == n
    assert end['requests'] == end['statuses']['200'] == result.recorded()
    assert errors['connect'] == errors['timeout'] == errors['status'] == end['unfinished'] == 0
    assert end['requests'] <= len(seen) <= n
    assert last != CLOSE or '--pipeline' in mode or errors['read'] == 0


@pytest.mark.parametrize('mode', [[], ['-R', '500']], ids=' '.join)
@pytest.mark.parametrize('end_it', ['worker', 'all', 'drain'])
def test_a_server_that_is_another_in_mid_run(end_it, mode, start):
    """A worker is killed, and has a successor; or the whole server, or it is stopped, and started again."""
    server, connections = start(), 8
    url = server.addresses[0]

    def read_until_answered():
        lines.append(process.stdout.readline())
        while json.loads(lines[-1])['requests'] == 0:
            lines.append(process.stdout.readline())

    with subprocess.Popen([*LOAD, '-c', str(connections), '-d', '1h', '--interval', '100ms', *mode, url],
                          stdout=subprocess.PIPE, text=True) as process:
        try:
            lines = []
            read_until_answered()
            for pid, number in {'worker': [(server.workers[0], signal.SIGKILL)],
                                'all': [(server.pid, signal.SIGKILL), (server.workers[0], signal.SIGKILL)],
                                'drain': [(server.pid, signal.SIGTERM)]}[end_it]:
                os.kill(pid, number)
            if end_it == 'worker':
                server.wait_for('worker ready', 2)
            else:
                server.wait()
                start(bind=url.removeprefix('http://'))
            for _ in range(3):
                read_until_answered()
            process.send_signal(signal.SIGINT)
            lines.append(process.stdout.read())
        finally:
            process.kill()
    result = Result(''.join(lines))
    end, errors = result.end, result.errors
    assert errors['status'] == 0 and end['statuses'] == {'200': end['requests']}
    if mode:
        due = 500 * end['seconds']
        assert abs(end['requests'] + errors['read'] + errors['timeout'] + end['unfinished'] - due) <= 1
    else:
        assert end['unfinished'] <= connections
    if end_it == 'worker':  # who comes meanwhile waits for the next one
        assert errors['read'] <= connections and errors['connect'] == 0


# -- Its own end ------------------------------------------------------------------------------------

@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize('mode', [[], ['-R', '1000'], ['--warmup', '1h']], ids=' '.join)
def test_a_signal_ends_the_run_early(number, mode):
    seen = []
    with serving(answers, OK, seen) as url:
        with subprocess.Popen([*LOAD, '-d', '1h', *mode, url], stdout=subprocess.PIPE, text=True) as process:
            eventually(lambda: len(seen) > 20)
            process.send_signal(number)
            output = process.stdout.read()
            assert process.wait(command.PATIENCE) == 128 + number
    end = Result(output).end
    assert end['interrupted'] and end['seconds'] < 3600
    assert (end['requests'] > 0) == ('--warmup' not in mode)


def test_it_ends_with_its_parent():
    script = 'import subprocess, sys; print(subprocess.Popen(sys.argv[1:], stdout=2).pid, flush=True); input()'
    seen = []
    with serving(answers, OK, seen) as url:
        words = [*LOAD, '--with-parent', '-d', '1h', url]
        with subprocess.Popen([sys.executable, '-c', script, *words], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as parent:
            pid = int(parent.stdout.readline())
            eventually(lambda: len(seen) > 20)
            parent.kill()

        def is_gone():
            try:
                return re.search(r'\) (\w)', pathlib.Path(f'/proc/{pid}/stat').read_text())[1] in 'ZX'
            except (FileNotFoundError, ProcessLookupError):
                return True
        eventually(is_gone)


def test_nobody_reads_what_it_writes():
    reading, writing = os.pipe()
    os.close(reading)
    with serving(answers) as url:
        done = subprocess.run([*LOAD, '-d', '1h', '--interval', '50ms', url], stdout=writing,
                              stderr=subprocess.PIPE, timeout=command.PATIENCE)
    os.close(writing)
    assert done.returncode != 0


# -- Descriptors ------------------------------------------------------------------------------------

not_wrapped = pytest.mark.skipif('ASYNWSGI_TEST_WRAP' in os.environ, reason='what wraps it has descriptors, too')


@not_wrapped
def test_the_soft_limit_of_descriptors_is_raised(server):
    end = load('-c', 100, '-n', 200, server.url + '/large?10', preexec_fn=command.limits_descriptors(50, 200)).end
    assert end['requests'] == 200 and end['connections_opened'] == 100


@not_wrapped
def test_the_hard_limit_of_descriptors_is_named_before_there_is_load():
    seen = []
    with serving(answers, OK, seen) as url:
        said = refused('-c', 200, url, preexec_fn=command.limits_descriptors(50, 200))
    assert 'RLIMIT_NOFILE is 200, and 232 are needed' in said and 'prlimit --nofile=232' in said
    assert not seen


# -- Options ----------------------------------------------------------------------------------------

@pytest.mark.parametrize('arguments, said', [
    ([], 'which URL?'),
    (['https://localhost/'], 'https://localhost/: only http:// is spoken'),
    (['http://127.0.0.1:1/', 'http://127.0.0.1:2/'], 'http://127.0.0.1:2/: not of the host and port'),
    (['-c', '0', 'http://a/'], '--connections: "0" is not a number'),
    (['--body', 'a', '--body-size', '1', 'http://a/'], 'exclude each other'),
    (['--check-digest', 'http://a/'], '--check-digest is for --synthesize-post'),
    (['--body-file', '/none', 'http://127.0.0.1/'], '/none: No such file'),
    (['-m', 'A B', 'http://127.0.0.1/'], 'no request can be made'),
])
def test_usage(arguments, said):
    assert said in refused(*arguments, status=2)


def test_a_name_without_an_address():
    assert 'no.invalid' in refused('http://no.invalid/')


def test_the_page_has_the_options_of_the_help():
    done = finish('--help')
    assert done.returncode == 0
    names = re.findall(r'^ +(?:-\w, )? *--([\w-]+)', done.stdout, re.M)
    assert len(names) > 15
    assert sorted(re.findall(r'^\.It (?:Fl \w , -|Fl -)([\w-]+)', PAGE.read_text(), re.M)) == sorted(names)


def test_the_page_has_all_that_is_written():
    with serving(answers) as url:
        result = load('-R', 100, '-n', 10, url)

    def keys(value):
        if isinstance(value, dict):
            for key, inner in value.items():
                yield key
                yield from keys(inner)
    written = {key for event in (*result.intervals, result.end) for key in keys(event)}
    page = PAGE.read_text()
    assert {key for key in written if not re.search(rf'\b{re.escape(key)}\b', page)} == {'200'}
