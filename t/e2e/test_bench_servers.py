"""asynwsgi-bench saturate and bench, with servers that they start."""

import re
import shutil
import signal

import pytest

import benching
from command import PATIENCE, environment
from serving import eventually

HELLO = ('--chdir', benching.EXAMPLES, 'hello')


def test_saturate(tmp_path):
    """What takes 4 ms sustains no more than 250 a second."""
    (tmp_path / 'app.py').write_text(
        'import time\n'
        'def application(environ, start_response):\n'
        '    time.sleep(0.004)\n'
        '    start_response("204 No Content", [])\n'
        '    return []\n')
    done = benching.run('saturate', '--chdir', tmp_path, 'app', '-c', '2', '-d', '300ms', '--warmup', '10ms',
                        '--bound', 'p50>10s', '--json', tmp_path / 'run.json',
                        env=environment(ASYNWSGI_THREADS='1'))
    run, = benching.load(tmp_path / 'run.json')['runs']
    assert re.match(r'asynwsgi: [\d.,]+ requests a second over 2 connections', done.stdout)
    assert run['label'] == 'asynwsgi' and ' --bind ' in run['server']['command']
    rates = [step['offered'] for step in run['steps']]
    assert rates == sorted(rates) and len(set(rates)) >= 3
    for step in run['steps']:
        assert step['latency']['max'] >= 4_000_000 and 'uncorrected' in step
    assert rates[-1] == rates[-2] and rates[-1] > run['sustained']  # twice, before it is given up
    assert re.search(r'only \d+% achieved$', done.stdout, re.M)
    sustained = [step['offered'] for step in run['steps'] if not step['broken']]
    # As many as there are connections may have been under way at the end.
    assert run['sustained'] == max(sustained, default=0) <= (250 + 2 / 0.3) / 0.95 + 1
    assert ('no rate was' if not sustained else f"sustains {run['sustained']:,} requests a second") in done.stdout


def test_bound_that_no_rate_is_within():
    done = benching.run('saturate', *HELLO, '-d', '50ms', '--warmup', '0', '--bound', 'max>1us',
                        '--fail-if', 'errors>0', status=3)
    assert 'max>1us: it is' in done.stdout and 'asynwsgi: no rate was sustained' in done.stdout
    assert done.stderr == 'asynwsgi-bench: --fail-if asynwsgi: errors>0: no rate was sustained\n'


def test_bench(tmp_path):
    done = benching.run(
        'bench', '--chdir', benching.APPS, 'pep3333', '-d', '500ms', '--interval', '100ms', '-c', '2',
        '--mix', 'get:2/large?10,post:1/echo,upload:1/echo', '--body-size', '3k', '--synthesize-post', '4',
        '--chunksz', '1k', '--fail-if', 'errors>0', '--json', tmp_path / 'run.json', '--html', tmp_path / 'run.html')
    run, = benching.load(tmp_path / 'run.json')['runs']
    assert [(group['kind'], group['clients']) for group in run['groups']] == [('get', 2), ('post', 1), ('upload', 1)]
    assert run['clients'] == 4 and run['connections_opened'] == 8
    assert run['requests'] == sum(group['requests'] for group in run['groups'])
    for group, sent in zip(run['groups'], (0, 3072, 4096)):
        assert group['requests'] > 0 and group['statuses'] == {'200': group['requests']}
        assert group['bytes_out'] > sent * group['requests']
    assert re.search(r'latency +get /large\?10 +post /echo +upload /echo +all\n', done.stdout)
    assert run['server_cpu_seconds'] > 0


def test_bench_that_is_interrupted(tmp_path):
    """There is a report of what was, and nothing of the server that would have been next."""
    (tmp_path / 'app.py').write_text(
        'count = []\n'
        'def application(environ, start_response):\n'
        '    count.append(None)\n'
        '    if len(count) == 100:\n'
        '        open("busy", "w").close()\n'
        '    start_response("204 No Content", [])\n'
        '    return []\n')
    with benching.start('bench', '--chdir', tmp_path, 'app', '-d', '1h', '--mix', 'get:1', '--server', 'asynwsgi',
                        '--server', 'asynwsgi', '--json', tmp_path / 'run.json') as process:
        eventually((tmp_path / 'busy').exists)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (130, '')
    run, = benching.load(tmp_path / 'run.json')['runs']
    assert run['interrupted'] and run['requests'] > 0 and run['server_cpu_seconds'] >= 0
    assert re.search(r'^  partial +interrupted after ', out, re.M)


def test_saturate_that_is_interrupted(tmp_path):
    with benching.start('saturate', *HELLO, '-d', '300ms', '--warmup', '0', '--bound', 'p50>10s',
                        '--json', tmp_path / 'run.json') as process:
        lines = [process.stdout.readline() for _ in range(3)]  # the last one is of the first step
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (143, '')
    run, = benching.load(tmp_path / 'run.json')['runs']
    assert run['interrupted'] and f"{run['steps'][0]['offered']:,}" == lines[-1].split()[0]
    assert 'The search was interrupted' in out


@pytest.mark.parametrize('recipe, program', [('gunicorn', 'gunicorn'), ('waitress', 'waitress-serve'),
                                             ('nginx', 'nginx'), ('uwsgi', 'uwsgi')])
def test_recipe_beside_asynwsgi(recipe, program, tmp_path):
    if not shutil.which(program):
        pytest.skip(f'there is no {program}')
    done = benching.run('bench', '--chdir', benching.TOP / 'bench', 'app', '--server', recipe, '--server', 'asynwsgi',
                        '-d', '300ms', '-c', '2', '--mix', 'get:1,post:1/post', '--json', tmp_path / 'run.json',
                        '--fail-if', 'errors>0')
    assert [run['label'] for run in benching.load(tmp_path / 'run.json')['runs']] == [recipe, 'asynwsgi']
    assert re.search(rf'^ +{recipe} +asynwsgi\n', done.stdout, re.M)
    assert re.search(r'^rate +[\d,.]+ \(1\.00\) +[\d,.]+ \(\d+\.\d\d\)$', done.stdout, re.M)


def test_recipe_of_ones_own(tmp_path):
    (tmp_path / 'mine.json').write_text(
        '{"command": ["asynwsgi", "--config-is-not-there", "{port}"], "files": {"x": "{app}"}}')
    benching.refused('bench', *HELLO, '--server', tmp_path / 'mine.json', status=1,
                     words=['mine did not start', '--config-is-not-there'])


@pytest.mark.parametrize('server, words', [
    ('asynwsgi', "no module named 'nowhere'"), ('gunicorn', "No module named 'nowhere'"),
    ('sh -c "echo first; echo last {port} >&2; exit 1"', 'last '), ('sh -c "exit 7 # {port}"', 'status 7'),
    ('/nowhere/server {port}', '/nowhere/server not found'),
    # It goes into the background, where nobody could tell when it ends.
    ('sh -c "sleep 1000 & exit 0 # {port}"', 'status 0')])
def test_server_that_does_not_start(server, words):
    if server == 'gunicorn' and not shutil.which(server):
        pytest.skip('there is no gunicorn')
    benching.refused('bench', 'nowhere', '--server', server, status=1, words=[words])


def test_server_that_ends(tmp_path):
    """Within the run, which is then worth nothing."""
    (tmp_path / 'app.py').write_text(
        'import os, threading, signal\n'
        'threading.Timer(0.5, lambda: os.kill(os.getppid(), signal.SIGTERM)).start()\n'
        'def application(environ, start_response):\n'
        '    start_response("204 No Content", [])\n'
        '    return []\n')
    done = benching.run('bench', '--chdir', tmp_path, 'app', '-d', '2s', '--mix', 'get:1', '-R', '50', status=1)
    assert 'asynwsgi' in done.stderr
