"""The command line: every option, every exit status, every message."""

import os
import re
import socket
import subprocess

import pytest

import backends
from command import HELLO, finish

TELL = '''
    import os, sys

    def application(environ, start_response):
        body = repr({told}).encode()
        start_response('200 OK', [('Content-Length', str(len(body)))])
        return [body]
'''


def tell(expression):
    """An application that answers with the repr of an expression."""
    return TELL.format(told=expression)


def refused(done, status, *words):
    """It ended with that status, and one line that has all these words."""
    assert done.returncode == status, done.stderr
    assert done.stderr.count('\n') == 1, done.stderr
    for word in words:
        assert word in done.stderr
    return True


@pytest.fixture
def hello(tmp_path):
    """A folder with app.py in it."""
    (tmp_path / 'app.py').write_text(re.sub('^    ', '', HELLO, flags=re.M))
    return tmp_path


# -- Information ------------------------------------------------------------------------------

def test_version():
    done = finish('--version')
    assert done.returncode == 0
    assert re.fullmatch(r'asynwsgi \d+\.\d+\.\d+ \(Python 3\.\d+(\.\d+)?\)\n', done.stdout)


def test_version_that_cannot_be_written():
    with open('/dev/full', 'w') as full:
        done = subprocess.run([os.environ['ASYNWSGI'], '--version'], stdout=full)
    assert done.returncode == 1


OPTIONS = '''access-logfile backend backlog bind body-memory chdir check-config env error-logfile
    factory graceful-timeout help input-window limit-chunk-extension limit-request-body
    limit-request-field-size limit-request-fields limit-request-head limit-request-line
    limit-trailers log-level memory-budget min-rate-body min-rate-write profile pythonpath queue
    queue-timeout streaming switch-interval target threads timeout-body timeout-drain timeout-head timeout-idle
    timeout-write underscores-in-headers venv version workers'''.split()


@pytest.mark.parametrize('option', ['--help', '-h'])
def test_help_lists_the_options(option):
    done = finish(option)
    assert done.returncode == 0
    assert done.stdout.startswith('Usage: asynwsgi [options] MODULE[:OBJECT]\n')
    assert sorted(re.findall(r'^  (?:-\w, |    )--([\w-]+)', done.stdout, re.M)) == OPTIONS
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_help_has_the_defaults():
    text = finish('--help').stdout
    assert '(default: 30s)' in text and '(default: 8190)' in text and '(default: 2048)' in text


# -- Wrong usage: status 2 and one line -------------------------------------------------------

@pytest.mark.parametrize('arguments, words', [
    ([], ['which application']),
    ([''], ['which application']),
    ([':app'], ['which application']),
    (['a', 'b'], ['a', 'b', 'one application']),
    (['--wrokers', '2', 'app'], ['unknown option --wrokers', '--workers']),
    (['--timeout-hed=2', 'app'], ['unknown option --timeout-hed;', '--timeout-head']),
    (['--keep-alive=2', 'app'], ['--keep-alive', '--timeout-idle']),
    (['--nothing-like-it', 'app'], ['unknown option --nothing-like-it', '--help']),
    (['--work', '2', 'app'], ['unknown option --work', '--workers']),
    (['-x', 'app'], ['unknown option -x', '--help']),
    (['app', '--workers'], ['--workers needs a value']),
    (['app', '-w'], ['--workers needs a value']),
    (['--factory=yes', 'app'], ['--factory takes no value']),
    (['-w', '0', 'app'], ['--workers: "0"', '"auto"', 'from 1 to 1024']),
    (['-w', '1025', 'app'], ['--workers: "1025"']),
    (['-w-1', 'app'], ['--workers: "-1"']),
    (['-w', '2x', 'app'], ['--workers: "2x"']),
    (['--backlog', '', 'app'], ['--backlog: ""', 'a number']),
    (['--timeout-head', '5x', 'app'], ['--timeout-head: "5x"', '90, 1m30s or 500ms']),
    (['--limit-request-body', '5x', 'app'], ['--limit-request-body: "5x"', '64k or 10m']),
    (['--limit-request-fields', '1001', 'app'], ['from 1 to 1000']),
    (['--limit-request-line', '8', 'app'], ['--limit-request-line: "8"', 'from 64 to 1g']),
    (['--log-level', 'loud', 'app'], ['--log-level: "loud"', 'debug, info, warning']),
    (['--backend', 'select', 'app'], ['--backend: "select"', 'epoll', ' or poll']),
    (['-e', 'novalue', 'app'], ['--env: "novalue"', 'NAME=VALUE']),
    (['-e', '=x', 'app'], ['--env: "=x"']),
    (['--chdir', '/nowhere', 'app'], ['/nowhere', 'No such file or directory']),
    (['--venv', '/nowhere', 'app'], ['/nowhere', 'no virtual environment']),
    (['-b', 'nonsense', 'app'], ['nonsense', 'HOST:PORT', 'unix:PATH', 'fd://N']),
    (['-b', 'localhost:65536', 'app'], ['localhost:65536', '65535']),
    (['-b', 'unix:/' + 'x' * 200, 'app'], ['too long']),
    (['-b', 'fd://', 'app'], ['fd://', 'HOST:PORT']),
    (['-b', 'fd://1x', 'app'], ['fd://1x', 'HOST:PORT']),
])
def test_usage(arguments, words):
    refused(finish(*arguments), 2, *words)


def test_a_backend_that_the_kernel_forbids(hello):
    backends.need('io_uring')
    refused(finish('--chdir', hello, '--backend', 'io_uring', 'app', preexec_fn=backends.forbid),
            2, '--backend', 'io_uring', 'Operation not permitted')
    refused(finish('--chdir', hello, '--check-config', 'app', preexec_fn=backends.forbid,
                   env={'ASYNWSGI_BACKEND': 'io_uring'}), 2, 'io_uring', 'Operation not permitted')


@pytest.fixture
def nobody():
    """Options of finish() for a run without root's rights."""
    if os.getuid() != 0:
        return {}
    if subprocess.run([os.environ['ASYNWSGI'], '--version'], user=65534).returncode != 0:
        pytest.skip('nobody may not run the command')
    return {'user': 65534, 'group': 65534, 'extra_groups': []}


def test_folder_that_may_not_be_entered(tmp_path, nobody):
    tmp_path.chmod(0)
    refused(finish('--chdir', tmp_path, 'app', **nobody), 2, 'Permission denied')


def test_permission_to_listen(nobody):
    refused(finish('-b', 'unix:/asynwsgi-test', 'app', **nobody), 1,
            'unix:/asynwsgi-test: Permission denied')


@pytest.mark.parametrize('name, value, words', [
    ('ASYNWSGI_WORKERS', 'many', ['ASYNWSGI_WORKERS: "many"', 'from 1 to 1024']),
    ('WEB_CONCURRENCY', '0', ['WEB_CONCURRENCY: "0"']),
    ('ASYNWSGI_TIMEOUT_IDLE', '-1', ['ASYNWSGI_TIMEOUT_IDLE: "-1"']),
    ('ASYNWSGI_FACTORY', 'perhaps', ['ASYNWSGI_FACTORY: "perhaps"', '1 or 0']),
    ('VIRTUAL_ENV', '/nowhere', ['/nowhere']),
    ('PORT', 'http', ['0.0.0.0:http']),
])
def test_usage_in_the_environment(name, value, words):
    refused(finish('app', env={name: value}), 2, *words)


# -- What else can go wrong: status 1 and one line --------------------------------------------

@pytest.mark.parametrize('workers', [1, 2])
@pytest.mark.parametrize('their_workers', [1, 2])
def test_address_in_use(start, hello, workers, their_workers):
    server = start(HELLO, '-w', str(their_workers))
    address = f'127.0.0.1:{server.port}'
    done = finish('-b', address, '-w', workers, 'app', cwd=hello)
    refused(done, 1, address, 'Address already in use')
    assert server.request().status == 200


def test_unix_socket_in_use(start, hello):
    start(bind='unix:here')
    refused(finish('-b', 'unix:here', 'app', cwd=hello), 1, 'unix:here', 'Address already in use')


def test_file_that_is_no_socket(hello):
    (hello / 'file').write_text('precious')
    refused(finish('-b', 'unix:file', 'app', cwd=hello), 1, 'unix:file')
    assert (hello / 'file').read_text() == 'precious'


def test_nothing_stays_behind_when_a_later_address_fails(hello):
    refused(finish('-b', 'unix:one', '-b', '192.0.2.1:1', 'app', cwd=hello), 1, '192.0.2.1:1')
    assert not (hello / 'one').exists()


def test_descriptor_that_does_not_listen(hello):
    refused(finish('-b', 'fd://99', 'app', cwd=hello), 1, 'fd://99', 'Bad file descriptor')
    refused(finish('-b', 'fd://0', 'app', cwd=hello), 1, 'fd://0', 'not a listening')
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        number = datagrams.fileno()
        refused(finish('-b', f'fd://{number}', 'app', cwd=hello, pass_fds=[number]), 1,
                'not a listening')


@pytest.mark.parametrize('option', ['--access-logfile', '--error-logfile'])
def test_log_that_cannot_be_opened(hello, option):
    done = finish(option, '/nowhere/log', '-b', '127.0.0.1:0', 'app', cwd=hello)
    refused(done, 1, '/nowhere/log', 'No such file or directory')


# -- Applications that cannot be loaded: status 4, the traceback first ------------------------

@pytest.mark.parametrize('application, text', [
    ('nowhere', "o module named 'nowhere'"),
    ('broken', 'ZeroDivisionError'),
    ('app:missing', 'missing'),
])
@pytest.mark.parametrize('options', [['-b', '127.0.0.1:0'], ['--check-config'],
                                     ['-b', '127.0.0.1:0', '-w', '3']])
def test_application_cannot_be_loaded(hello, options, application, text):
    (hello / 'broken.py').write_text('1 / 0\n')
    done = finish(*options, application, cwd=hello)
    assert done.returncode == 4
    assert text in done.stderr
    assert 'Listening' not in done.stderr


@pytest.mark.parametrize('death, words', [
    ('os._exit(7)', 'exited with status 7'),
    ('os.kill(os.getpid(), 9)', 'was killed by signal 9 (Killed)'),
])
def test_worker_cannot_boot(tmp_path, death, words):
    (tmp_path / 'app.py').write_text(f'import os\n{death}\n')
    done = finish('-b', '127.0.0.1:0', '-w', '2', 'app', cwd=tmp_path)
    assert done.returncode == 3
    assert words in done.stderr


# -- Checking ---------------------------------------------------------------------------------

def test_check_config(hello):
    done = finish('--check-config', 'app', cwd=hello)
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout.count('\n') == 1 and 'app' in done.stdout


@pytest.mark.parametrize('death, words', [
    ('os._exit(0)', 'exited with status 0'),
    ('os.kill(os.getpid(), 9)', 'killed by signal 9')])
def test_check_config_does_not_come_to_its_end(tmp_path, death, words):
    (tmp_path / 'app.py').write_text(f'import os\n{death}\n')
    done = finish('--check-config', 'app', cwd=tmp_path)
    assert refused(done, 3, words) and done.stdout == ''


def test_check_config_checks_the_address(hello):
    refused(finish('--check-config', '-b', 'nonsense', 'app', cwd=hello), 2, 'nonsense')


def test_check_config_binds_nothing(start, hello):
    server = start()
    done = finish('--check-config', '-b', f'127.0.0.1:{server.port}', 'app', cwd=hello)
    assert done.returncode == 0


# -- Where it listens -------------------------------------------------------------------------

def free_port():
    with socket.create_server(('127.0.0.1', 0)) as listener:
        return listener.getsockname()[1]


@pytest.mark.parametrize('bind, pattern', [
    ('127.0.0.1:0', r'http://127\.0\.0\.1:[1-9]\d+'),
    ('localhost:0', r'http://(127\.0\.0\.1|\[::1\]):[1-9]\d+'),
    ('[::1]:0', r'http://\[::1\]:[1-9]\d+'),
    (':0', r'http://0\.0\.0\.0:[1-9]\d+'),
    ('unix:here', r'unix:here'),
    (f'unix:@asynwsgi-test-{os.getpid()}', rf'unix:@asynwsgi-test-{os.getpid()}'),
])
@pytest.mark.parametrize('workers', [1, 2])
def test_bind(start, tmp_path, monkeypatch, bind, pattern, workers):
    monkeypatch.chdir(tmp_path)
    server = start(HELLO, '-w', str(workers), bind=bind)
    assert re.fullmatch(pattern, server.addresses[0])
    assert server.request().body == b'Hello\n'
    assert server.stop() == 0
    assert not (tmp_path / 'here').exists()


def test_several_binds(start, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    server = start(HELLO, bind=['127.0.0.1:0', '[::1]:0', 'unix:one', 'unix:two'])
    assert len(server.addresses) == 4
    for address in server.addresses:
        server.addresses = [address]
        assert server.request().status == 200


def test_inherited_descriptor(start):
    with socket.create_server(('127.0.0.1', 0)) as listener:
        number = listener.fileno()
        server = start(HELLO, '-w', '2', bind=f'fd://{number}', pass_fds=[number])
        assert server.port == listener.getsockname()[1]
    assert server.request().status == 200


def test_stale_unix_socket_is_replaced(start, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind('here')
    assert start(HELLO, bind='unix:here').request().status == 200


def test_port_from_the_environment(start):
    port = free_port()
    server = start(bind=None, env={'PORT': str(port)})
    assert server.addresses == [f'http://0.0.0.0:{port}']


def test_bind_comes_before_port(start):
    server = start(env={'PORT': '1'})
    assert server.addresses[0].startswith('http://127.0.0.1:')


def test_binds_from_the_environment(start):
    server = start(bind=None, env={'ASYNWSGI_BIND': '127.0.0.1:0 [::1]:0'}).wait_ready(2)
    assert [address.rsplit(':', 1)[0] for address in server.addresses] == \
        ['http://127.0.0.1', 'http://[::1]']


# -- Processes --------------------------------------------------------------------------------

@pytest.mark.parametrize('options, env, workers', [
    ([], {}, 1),
    (['-w', '3'], {'ASYNWSGI_WORKERS': '2', 'WEB_CONCURRENCY': '1'}, 3),
    (['-w3'], {}, 3),
    (['--workers=3'], {}, 3),
    ([], {'ASYNWSGI_WORKERS': '2', 'WEB_CONCURRENCY': '3'}, 2),
    ([], {'WEB_CONCURRENCY': '3'}, 3),
    ([], {'WEB_CONCURRENCY': ''}, 1),
    (['-w', 'auto'], {}, len(os.sched_getaffinity(0))),
])
def test_workers(start, options, env, workers):
    server = start(HELLO, *options, env=env)
    assert len(set(server.workers)) == workers
    assert f'{workers} worker' in server.log


@pytest.mark.parametrize('backend', ['epoll', 'poll', 'io_uring'])
def test_backend(start, backend):
    backends.need(backend)
    assert start(HELLO, '--backend', backend).request().status == 200


def test_multiprocess(start):
    application = tell("environ['wsgi.multiprocess']")
    assert start(application).request().body == b'False'
    assert start(application, '-w', '2').request().body == b'True'


# -- The application --------------------------------------------------------------------------

def test_chdir(start, tmp_path):
    assert start(tell('os.getcwd()')).request().body == repr(str(tmp_path)).encode()


def test_pythonpath(start, tmp_path):
    for name in 'one', 'two', 'three':
        (tmp_path / name).mkdir()
        (tmp_path / name / f'module_{name}.py').write_text('')
    server = start('import module_one, module_two, module_three' + HELLO.replace('\n    ', '\n'),
                   '--pythonpath', 'one:two', '--pythonpath', str(tmp_path / 'three'))
    assert server.request().status == 200


def test_env(start):
    server = start(tell("(os.environ['A'], os.environ['B'])"), '-e', 'A=1', '--env=B=x=y')
    assert server.request().body == b"('1', 'x=y')"


def test_factory(start):
    source = 'def application():' + HELLO.replace('\n', '\n    ') + '\n        return application\n'
    assert start(source, '--factory').request().body == b'Hello\n'
    assert start(source, env={'ASYNWSGI_FACTORY': '1'}).request().body == b'Hello\n'


@pytest.fixture(scope='module')
def venv(tmp_path_factory):
    """A virtual environment that has a module of its own."""
    folder = tmp_path_factory.mktemp('venv')
    subprocess.run(['/usr/bin/python3', '-m', 'venv', '--without-pip', folder], check=True)
    packages, = folder.glob('lib/python3*/site-packages')
    (packages / 'only_here.py').write_text('')
    return folder


@pytest.mark.parametrize('how', ['option', 'variable'])
def test_virtual_environment(start, venv, how):
    source = 'import only_here' + tell('sys.prefix').replace('\n    ', '\n')
    if how == 'option':
        server = start(source, '--venv', str(venv))
    else:
        server = start(source, env={'VIRTUAL_ENV': str(venv)})
    assert server.request().body == repr(str(venv)).encode()


def test_virtual_environment_of_another_version(hello):
    (hello / 'venv').mkdir()
    (hello / 'venv' / 'pyvenv.cfg').write_text('home = /usr/bin\nversion = 3.4.1\n')
    ours = re.search(r'Python (\S+)\)', finish('--version').stdout)[1]
    refused(finish('--venv', 'venv', 'app', cwd=hello), 2, 'venv', '3.4.1', ours)
    refused(finish('app', cwd=hello, env={'VIRTUAL_ENV': 'venv'}), 2, 'venv', '3.4.1', ours)


# -- Limits and time-outs reach the connection ------------------------------------------------

@pytest.mark.parametrize('options, request_, status', [
    (['--limit-request-line', '64'], {'path': '/' + 'x' * 100}, 414),
    (['--limit-request-fields', '3'], {'headers': dict.fromkeys('abcd', 'x')}, 431),
    (['--limit-request-field-size', '64'], {'headers': {'a': 'x' * 100}}, 431),
    (['--limit-request-head', '128'], {'headers': {'a': 'x' * 100}}, 431),
    (['--limit-request-body', '8'], {'method': 'POST', 'body': b'x' * 9}, 413),
    (['--limit-request-body', '8'], {'method': 'POST', 'body': b'x' * 8}, 200),
])
def test_limits(start, options, request_, status):
    assert start(HELLO, *options).request(**request_).status == status


def test_timeouts(start):
    server = start(HELLO, '--timeout-head', '200ms', '--timeout-idle', '200ms',
                   '--timeout-body', '200ms')
    with server.connect() as connection:
        connection.sendall(b'GET / HTTP/1.1\r\n')
        assert connection.recv(4096).startswith(b'HTTP/1.1 408 ')
    with server.connect() as connection:
        connection.sendall(b'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
        answer = b''
        while piece := connection.recv(4096):
            answer += piece
        assert answer.startswith(b'HTTP/1.1 200 ')
