"""asynwsgi-bench http-processing and compare, against the server."""

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios

import pytest

import benching
import hostile
from asynwsgi_bench import http_processing, main
from command import PATIENCE
from serving import eventually

WORK = '''
    def work(n):
        return sum(i * i for i in range(n))

    def application(environ, start_response):
        body = str(work(1000)).encode()
        start_response('200 OK', [('Content-Length', str(len(body)))])
        return [body]
'''


@pytest.fixture(scope='module')
def server(serve):
    return serve('pep3333')


@pytest.fixture(scope='module')
def measured(server, tmp_path_factory):
    """The folder of a run with a rate, and two clients: its files, and what it printed."""
    folder = tmp_path_factory.mktemp('measured')
    done = benching.run(
        'http-processing', '-t', '2', '-c', '4', '-R', '200', '-d', '1s', '--interval', '200ms',
        server.url + '/large?10', '--json', folder / 'run.json', '--html', folder / 'run.html',
        '--hgrm', folder / 'run.hgrm')
    (folder / 'out').write_text(done.stdout)
    (folder / 'err').write_text(done.stderr)
    return folder


def test_table(measured):
    out = (measured / 'out').read_text()
    assert re.search(r'latency +corrected +uncorrected\n', out)
    for name in ('p50', 'p75', 'p90', 'p99', 'p99.9', 'p99.99', 'max', 'mean'):
        assert re.search(rf'^  {re.escape(name)} +[\d.]+ (ns|µs|ms|s) +[\d.]+ (ns|µs|ms|s)$', out, re.M), name
    assert 'errors    none; by status 200: ' in out
    assert re.search(r'client +[\d.]+ s of CPU, .* a request; busy \d+% of the time', out)


def test_no_progress_line_in_a_pipe(measured):
    assert (measured / 'err').read_text() == ''


def test_json(measured):
    """Of both clients together."""
    made = benching.load(measured / 'run.json')
    run, = made['runs']
    assert made['kind'] == 'http-processing' and made['parameters']['rate'] == 200
    assert run['clients'] == 2 and run['connections_opened'] == 4
    assert 0 < run['requests'] <= 220 and run['statuses'] == {'200': run['requests']}
    assert sum(one['requests'] for one in run['intervals']) == run['requests']
    assert sum(count for _, count in run['histogram']) == run['requests']
    assert run['latency']['p50'] <= run['latency']['p99'] <= run['latency']['max']


def test_hgrm_is_of_the_run(measured):
    run, = benching.load(measured / 'run.json')['runs']
    assert re.search(rf"Total count +=  +{run['requests']}\]", (measured / 'run.hgrm').read_text())


def test_compare(measured, tmp_path):
    """With itself, under another name, and half as slow."""
    made = benching.load(measured / 'run.json')
    for name in ('p50', 'p99'):
        made['runs'][0]['latency'][name] *= 2
    (tmp_path / 'slow.json').write_text(json.dumps(made))
    done = benching.run('compare', measured / 'run.json', tmp_path / 'slow.json',
                        '--html', tmp_path / 'both.html', '--json', tmp_path / 'both.json')
    assert re.match(r' +run +slow\n', done.stdout)
    assert re.search(r'^p99 +.* \(1\.00\) +.* \(2\.00\)$', done.stdout, re.M)
    assert re.search(r'^p90 +.* \(1\.00\) +.* \(1\.00\)$', done.stdout, re.M)
    assert [run['label'] for run in benching.load(tmp_path / 'both.json')['runs']] == ['run', 'slow']
    assert (tmp_path / 'both.html').read_text().count('data-series="slow"') >= 2


def test_what_cannot_be_compared(measured, tmp_path):
    run = measured / 'run.json'
    benching.refused('compare', run, status=2, words=['two files'])
    benching.refused('compare', run, '/nowhere', status=2, words=['/nowhere', 'No such file'])
    (tmp_path / 'other.json').write_text('{}')
    benching.refused('compare', run, tmp_path / 'other.json', status=2, words=['other.json', '--json'])
    made = benching.load(run)
    made['kind'] = 'saturate'
    (tmp_path / 'other.json').write_text(json.dumps(made))
    benching.refused('compare', run, tmp_path / 'other.json', status=2, words=['saturate', 'http-processing'])


def test_count(server):
    done = benching.run('http-processing', '-n', '101', '-t', '2', server.url + '/large?10', '--json', '-')
    run, = json.loads(done.stdout)['runs']
    assert run['requests'] == 101 and 'uncorrected' not in run
    assert '101 in ' in done.stderr  # the table gives way


def test_requests_are_as_asked_for(server):
    done = benching.run('http-processing', '-n', '5', '-c', '1', '-H', 'X-One: 1', '-m', 'POST', '--body', 'x' * 7,
                        server.url + '/echo', '--json', '-')
    run, = json.loads(done.stdout)['runs']
    assert run['requests'] == 5 and run['statuses'] == {'200': 5} and run['bytes_out'] > 5 * 7


@pytest.mark.parametrize('conditions, status', [
    (['max>1h'], 0), (['errors>0', 'error-rate>=1%'], 0), (['max>1ns'], 3), (['max>1h', 'rate<1M'], 3)])
def test_fail_if(server, conditions, status):
    words = [word for condition in conditions for word in ('--fail-if', condition)]
    done = benching.run('http-processing', '-n', '20', server.url + '/large?10', *words, status=status)
    assert [line.split(':')[1] for line in done.stderr.splitlines()] == \
        [f' --fail-if {condition}' for condition in conditions[-1:] if status]


def test_errors_count(server):
    done = benching.run('http-processing', '-n', '20', server.url + '/nowhere', '--fail-if', 'errors>19', status=3)
    assert re.search(r'errors +status 20; by status 500: 20', done.stdout)


@pytest.mark.parametrize('arguments, words', [
    ([], ['SUBCOMMAND']), (['nothing'], ['nothing', 'http-processing']),
    (['http-processing'], ['URL']), (['http-processing', 'nonsense'], ['nonsense']),
    (['http-processing', '-d', '1x', 'http://x/'], ['-d/--duration', '1x', '1m30s']),
    (['http-processing', '-c', '0', 'http://x/'], ['-c/--connections', "'0'", '20k']),
    (['http-processing', '-c', '2', '-t', '3', 'http://x/'], ['-t 3', '2 connections']),
    (['http-processing', '-R', '2', '-t', '3', 'http://x/'], ['-R 2']),
    (['http-processing', '-H', 'nonsense', 'http://x/'], ['-H/--header', 'Name: value']),
    (['http-processing', '--fail-if', 'p99>10', 'http://x/'], ['--fail-if', 'p99>10', 'ms']),
    (['http-processing', '--time', '1s', 'http://x/'], ['--time']),
    (['saturate', '--server', 'nothing', 'app'], ['--server', 'nothing', '{port}', 'gunicorn']),
    (['bench', '--mix', 'nothing', 'app'], ['--mix', 'nothing', 'get:2'])])
def test_usage(arguments, words):
    benching.refused(*arguments, status=2, words=words)


def test_nobody_listens(server):
    benching.refused('http-processing', '-d', '1s', 'http://127.0.0.1:1/', status=1, words=['127.0.0.1:1'])


def test_file_that_cannot_be_written(server):
    done = benching.run('http-processing', '-n', '1', '-c', '1', server.url + '/', '--html', '/nowhere/x', status=1)
    assert done.stderr == 'asynwsgi-bench: /nowhere/x: No such file or directory\n'


def test_progress_line_on_a_terminal(server):
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 200, 0, 0))
    with benching.start('http-processing', '-d', '400ms', '--interval', '100ms', server.url + '/large?10',
                        stdout=subprocess.DEVNULL, stderr=theirs) as process:
        os.close(theirs)
        shown = b''
        try:
            while data := os.read(ours, 65536):
                shown += data
        except OSError:  # how a terminal ends
            pass
        assert process.wait(PATIENCE) == 0
    os.close(ours)
    lines = shown.decode().split('\r\x1b[K')
    assert sum(bool(re.match(r'0 s: [\d,]+ requests/s, p50 .*, 0 errors$', line)) for line in lines) >= 2
    assert lines[-1] == ''  # nothing is left of it


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_a_report(number, tmp_path):
    busy = set()

    def script(connection):
        while connection.head():
            connection.send(hostile.HELLO)
            busy.add(connection)
    server = hostile.Server(script)
    try:
        with benching.start('http-processing', '-t', '2', '-c', '4', '-d', '1h', server.url, '--fail-if', 'errors>=0',
                            '--json', tmp_path / 'run.json', '--html', tmp_path / 'run.html') as process:
            eventually(lambda: len(busy) == 4 or process.poll() is not None)
            process.send_signal(number)
            out, err = process.communicate(timeout=PATIENCE)
    finally:
        server.stop()
    assert (process.returncode, err) == (128 + number, '')
    assert re.search(r'^  partial +interrupted after \d', out, re.M)
    run, = benching.load(tmp_path / 'run.json')['runs']
    assert run['interrupted'] and run['clients'] == 2 and run['seconds'] < 3600
    assert run['requests'] > 0 and run['statuses'] == {'200': run['requests']}
    assert 'interrupted after' in (tmp_path / 'run.html').read_text()


def test_profile(start, tmp_path):
    """Both halves, of both workers."""
    server = start(WORK, '--workers', '2', '--profile', str(tmp_path / 'profile'))
    eventually(lambda: server.get().status == 200 and (tmp_path / 'profile.2').exists())
    done = benching.run('http-processing', '-d', '1s', '-c', '20', server.addresses[0], '--json', tmp_path / 'run.json',
                        '--profile', tmp_path / 'profile', '--html', tmp_path / 'run.html')
    run, = benching.load(tmp_path / 'run.json')['runs']
    profile = run['profile']
    assert profile['requests'] >= run['requests']
    assert profile['phases']['application'] > 0
    works = {one['function']: one for one in profile['functions']}
    work = next(one for name, one in works.items() if re.search(r'app\.py:\d+ work$', name))
    assert work['calls'] >= run['requests'] and work['cumulative'] >= work['own'] > 0
    owns = [one['own'] for one in profile['functions']]
    assert owns == sorted(owns, reverse=True)
    for text in (done.stdout, (tmp_path / 'run.html').read_text()):
        assert ' work' in text and 'application' in text and 'since it began' in text


def test_profile_that_is_not_there(server):
    done = benching.run('http-processing', '-n', '1', '-c', '1', server.url + '/', '--profile', '/nowhere', status=1)
    assert done.stderr == 'asynwsgi-bench: --profile /nowhere: No such file or directory\n'
    assert 'latency' in done.stdout


# -- The command itself -----------------------------------------------------------------------

def options_of(text):
    return set(re.findall(r'(?<![\w-])--[a-z][\w-]*', text))


def test_manual_has_all_options_of_help():
    page = (benching.TOP / 'man/asynwsgi-bench.1').read_text()
    named = set(re.findall(r'^\.It Fl (?:\w , )?-([\w-]+)', page, re.M))
    of_help = set()
    for subcommand in main.SUBCOMMANDS:
        text = benching.run(subcommand, '--help').stdout
        assert 'Exit status' in text
        of_help |= options_of(text)
    of_help |= options_of(benching.run('--help').stdout)
    assert {f'--{name}' for name in named} == of_help
    for table in (http_processing.options.BODY, http_processing.options.PACE, http_processing.options.REQUEST):
        assert {flags[-1] for flags, _ in table} <= of_help


def test_version():
    ours = subprocess.run([os.environ['ASYNWSGI'], '--version'], capture_output=True, text=True, timeout=PATIENCE)
    assert benching.run('--version').stdout.split() == ['asynwsgi-bench', ours.stdout.split()[1]]


def test_it_is_made_the_same_each_time(tmp_path):
    """Of its own parts, in another folder, at another time."""
    source = benching.TOP
    parts = re.findall(r'bench/command/\S+', (source / 'bench/local.mk').read_text())
    assert {path.name for path in (source / 'bench/command').rglob('*.*') if path.suffix != '.pyc'} == \
        {os.path.basename(part) for part in parts}
    with benching.BENCH.open('rb') as file:
        python = re.fullmatch(rb'#!(\S+) -I\n', file.readline())[1].decode()
    version = benching.run('--version').stdout.split()[1]
    subprocess.run([python, source / 'bench/pack.py', tmp_path / 'made', version, python, source, *parts],
                   check=True, timeout=PATIENCE)
    assert (tmp_path / 'made').read_bytes() == benching.BENCH.read_bytes()
