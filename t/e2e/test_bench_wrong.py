"""What asynwsgi-bench does with files, paths and descriptors that are not as they should be: it says so in
one line."""

import json
import marshal
import os
import subprocess
import sys

import pytest

import benching
import command
from asynwsgi_bench import document, page
from asynwsgi_bench.failure import Usage
from asynwsgi_bench.servers import Recipe

SCRIPT = '<script>x</script>'


@pytest.fixture(scope='module')
def server(serve):
    return serve('pep3333')


@pytest.fixture(scope='module')
def run_json(server, tmp_path_factory):
    path = tmp_path_factory.mktemp('run') / 'run.json'
    benching.run('http-processing', '-n', '20', server.url + '/large?10', '--json', path)
    return path


# -- Recipes and paths ------------------------------------------------------------------------

@pytest.mark.parametrize('text', [
    '{"command": []}', '{"command": [1]}', '{"command": ["x"], "files": []}', '{"command": ["x"], "files": {"x": 1}}',
    '{"command": ["x"], "files": null}', '{"command": ["x"], "files": {"sub/x": ""}}', '{"command": ["x"], "note": 5}',
    '{"command": ["x"], "package": 5}', 'null', '5', '[' * 100_000])
def test_recipe_of_a_wrong_kind(tmp_path, text):
    (tmp_path / 'r.json').write_text(text)
    with pytest.raises(Usage, match='r.json'):
        Recipe.of(str(tmp_path / 'r.json'))


def test_server_that_is_no_command_line():
    with pytest.raises(Usage, match='quotation'):
        Recipe.of("'x {port}")


def test_file_of_a_recipe_that_cannot_be_written(tmp_path):
    (tmp_path / 'r.json').write_text(json.dumps({'command': ['true'], 'files': {'': 'x'}}))
    benching.refused('bench', '--server', tmp_path / 'r.json', 'app', status=1, words=['r did not start', 'directory'])


@pytest.mark.parametrize('arguments, words', [
    (['saturate', '--path', '/é'], ['--path', '/é', '%C3%A9']), (['saturate', '--path', 'x'], ['--path', "'x'"]),
    (['saturate', '--path', '5/'], ['--path']), (['bench', '--mix', 'get:1/é'], ['--mix', '/é'])])
def test_wrong_path(arguments, words):
    benching.refused(*arguments, 'app', status=2, words=words)


def test_folder_that_is_not_there():
    benching.refused('bench', '--chdir', '/nowhere', 'app', status=1, words=['/nowhere: No such file'])


@pytest.mark.parametrize('option', ['--unix-socket', '--method', '--html', '--json', '--hgrm'])
def test_empty_value(server, option):
    """It is not as if the option had not been given."""
    assert benching.start('http-processing', '-n', '1', '-c', '1', server.url + '/', option, '').wait(command.PATIENCE)


# -- Results ----------------------------------------------------------------------------------

def change(made, path, value):
    for key in path[:-1]:
        made = made[key]
    made[path[-1]] = value


@pytest.mark.parametrize('path, value', [
    (['runs'], []), (['runs'], None), (['runs', 0], 5), (['runs', 0, 'latency'], 5), (['runs', 0, 'histogram'], [[1]]),
    (['runs', 0, 'requests'], SCRIPT), (['runs', 0, 'seconds'], None), (['runs', 0, 'label'], 5), (['machine'], {}),
    (['runs', 0, 'cpu_seconds'], float('inf')), (['runs', 0, 'intervals', 0], 'x'), (['parameters'], [])])
def test_result_of_a_wrong_kind(run_json, tmp_path, path, value):
    made = benching.load(run_json)
    change(made, path, value)
    (tmp_path / 'odd.json').write_text(json.dumps(made))
    benching.refused('compare', run_json, tmp_path / 'odd.json', status=2, words=['odd.json', 'not the JSON of a run'])


def test_names_are_text_in_the_page(run_json):
    made = benching.load(run_json)
    run, = made['runs']
    made['command'] = made['when'] = made['machine']['system'] = run['label'] = SCRIPT
    made['parameters'][SCRIPT] = SCRIPT
    run['errors'][SCRIPT] = 1
    run['statuses'] = {SCRIPT: 1}
    run['server'] = {'command': SCRIPT, 'note': SCRIPT}
    run['profile'] = {'requests': 1, 'seconds': 1, 'phases': {SCRIPT: 1}, 'functions': [
        {'function': SCRIPT, 'calls': 1, 'own': 1, 'cumulative': 1}]}
    for runs in [run], [run, run]:
        text = page.render({**made, 'runs': runs})
        assert '<script' not in text and '&lt;script&gt;' in text


def test_bytes_that_are_no_unicode(server, tmp_path):
    benching.run('http-processing', '-n', '1', '-c', '1', '-H', 'X: \udcff', server.url + '/',
                 '--html', tmp_path / 'run.html', '--json', tmp_path / 'run.json')
    assert r'X: \udcff' in (tmp_path / 'run.html').read_text()
    assert document.read(tmp_path / 'run.json')


# -- Descriptors ------------------------------------------------------------------------------

@pytest.mark.parametrize('arguments', [['--version'], ['http-processing', '-n', '1', '-c', '1', 'URL'],
                                       ['http-processing', '-n', '1', '-c', '1', 'URL', '--json', '-']])
@pytest.mark.parametrize('full', [True, False])
def test_standard_output_that_takes_nothing(server, arguments, full):
    arguments = [server.url + '/' if word == 'URL' else word for word in arguments]
    if full:
        output = os.open('/dev/full', os.O_WRONLY)
    else:
        nobody, output = os.pipe()
        os.close(nobody)
    try:
        with benching.start(*arguments, stdout=output) as process:
            _, err = process.communicate(timeout=command.PATIENCE)
    finally:
        os.close(output)
    assert process.returncode == 1
    words = err.splitlines()[-1:] if '--json' in arguments else err.splitlines()  # the table comes first
    assert [line.partition(': ')[0] for line in words if full] == ['asynwsgi-bench'] * full and 'Traceback' not in err


def test_closed_descriptors(server, tmp_path):
    """As other commands do, it goes on without; and no file takes their place."""
    shell = f'exec {benching.BENCH} http-processing -n 5 -c 1 {server.url}/ --json {tmp_path}/run.json <&- >&- 2>&-'
    assert subprocess.run(['sh', '-c', shell], env=command.environment(), timeout=command.PATIENCE).returncode == 0
    assert benching.load(tmp_path / 'run.json')['runs'][0]['requests'] == 5


# -- Servers ----------------------------------------------------------------------------------

ENDLESS = '''
import socket, sys, threading, time

def serve(connection):
    connection.recv(65536)
    while True:
        connection.sendall(b'HTTP/1.1 100 Continue\\r\\n\\r\\n')
        time.sleep(0.01)

listener = socket.create_server(('127.0.0.1', int(sys.argv[1])))
while True:
    threading.Thread(target=serve, args=listener.accept()[:1], daemon=True).start()
'''


def test_server_that_never_comes_to_its_answer(tmp_path):
    (tmp_path / 'server.py').write_text(ENDLESS)
    done = benching.run('bench', '--chdir', tmp_path, 'none', '--server', f'{sys.executable} server.py {{port}}',
                        '-d', '300ms', '--timeout', '200ms', '--mix', 'get:1', status=1)
    assert 'errors    timeout' in done.stdout and 'no request was answered' in done.stderr


@pytest.mark.parametrize('stats, phases', [
    (5, {}), ([1], {}), ({('f', 1): (1, 1, .1, .1, {})}, {}), ({(5, 1, 'g'): (1, 1, .1, .1, {})}, {}), ({}, []), ({}, {'a': 'b'})])
def test_profile_of_a_wrong_kind(server, tmp_path, stats, phases):
    (tmp_path / 'p').write_bytes(marshal.dumps(stats))
    (tmp_path / 'p.json').write_text(json.dumps({'requests': 1, 'seconds': 1, 'phases': phases}))
    done = benching.run('http-processing', '-n', '1', '-c', '1', server.url + '/', '--profile', tmp_path / 'p', status=1)
    assert 'not a profile that the server writes' in done.stderr and 'Traceback' not in done.stderr
