"""--target: plug-ins, built as their users do it, run in each worker beside the application."""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import shlex
import signal
import socket
import subprocess
import sysconfig

import pytest

from command import HELLO, PATIENCE, finish
from conftest import APPS
from peer import Peer, request
from serving import eventually

TOP = APPS.parents[2]
EXAMPLES = TOP / 'examples'
WITNESS = TOP / 't/e2e/targets/witness.c'
WARNINGS = ['-Wall', '-Wextra', '-Werror']


@pytest.fixture(scope='module')
def flags(tmp_path_factory):
    """What pkg-config says to compile a plug-in with, from what is installed."""
    root = tmp_path_factory.mktemp('root')
    own = {name: value for name, value in os.environ.items() if 'MAKE' not in name}
    subprocess.run(['make', 'install-pkgincludeHEADERS', 'install-pkgconfigDATA',
                    f'DESTDIR={root}'], check=True, env=own, stdout=subprocess.DEVNULL)
    file, = root.rglob('asynwsgi-target.pc')

    def ask(option):
        return subprocess.run(['pkg-config', option, 'asynwsgi-target'], check=True, text=True,
                              stdout=subprocess.PIPE,
                              env={**own, 'PKG_CONFIG_SYSROOT_DIR': str(root),
                                   'PKG_CONFIG_PATH': str(file.parent)}).stdout.split()
    assert ask('--libs') == []
    assert all(flag.startswith('-I') for flag in ask('--cflags'))
    return ask('--cflags')


@pytest.fixture(scope='module')
def compiled(flags, tmp_path_factory):
    """compiled(source, name, *options): the path of a plug-in; each is built once."""
    folder = tmp_path_factory.mktemp('plug-ins')
    built = {}

    def compile(source, name, *options, compiler=os.environ.get('CC', 'cc')):
        key = (source, name, options, compiler)
        if key not in built:
            file = folder / f'{len(built)}-{name}.so'
            subprocess.run([*shlex.split(compiler), *WARNINGS, *options, '-shared', '-fPIC',
                            *flags, '-o', file, source], check=True)
            built[key] = file
        return str(built[key])
    return compile


@pytest.fixture(scope='module')
def example(compiled):
    return lambda name: compiled(EXAMPLES / f'target_{name}.c', name)


@pytest.fixture(scope='module')
def witness(compiled):
    return lambda name='witness': compiled(WITNESS, name, f'-DNAME="{name}"')


@pytest.fixture
def source(compiled, tmp_path):
    """source(text): the plug-in of that text."""
    def make(text, *options, suffix='c', **how):
        file = tmp_path / f'source.{suffix}'
        file.write_text(text)
        return compiled(file, 'made', *options, **how)
    return make


def free_port():
    """A port that nobody listens at for now."""
    with socket.create_server(('127.0.0.1', 0)) as server:
        return server.getsockname()[1]


class Echo:
    """A connection to target_echo."""

    def __init__(self, server, receive_buffer=None):
        port = int(server.wait_for(r'echo at 127\.0\.0\.1:(\d+)')[-1][1])
        self.socket = socket.socket()
        self.socket.settimeout(PATIENCE)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect(('127.0.0.1', port))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def says(self, data):
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            sent = pool.submit(self.socket.sendall, data)
            got = b''
            while len(got) < len(data):
                more = self.socket.recv(1 << 20)
                assert more, len(got)
                got += more
            sent.result()
        return got == data

    def ended(self):
        with contextlib.suppress(ConnectionResetError):
            return self.socket.recv(1) == b''
        return True


def is_gone(pid):
    try:
        return pathlib.Path(f'/proc/{pid}/stat').read_text().rsplit(')')[1].split()[0] == 'Z'
    except FileNotFoundError:
        return True


# -- Beside the application -----------------------------------------------------------------------

def test_each_worker_has_it(start, example):
    server = start(HELLO, '-w', '3', '--target', example('tick') + ':0.01')
    for worker in range(3):
        server.wait_for(rf'\[info\] tick 3 of worker {worker}$')
    assert server.get().body == b'Hello\n'
    pids = {re.search(r'\[(\d+)\]', line)[1] for line in server.lines if ' tick ' in line}
    assert sorted(map(int, pids)) == sorted(server.workers)


@pytest.mark.parametrize('options', [(), ('--threads', '4')], ids=['inline', 'threads'])
def test_beside_an_application_under_load(start, example, options):
    server = start(HELLO, *options, '-w', '2', '--target', example('tick') + ':0.01',
                   '--target', f'{example("echo")}:127.0.0.1:{free_port()}')
    data = os.urandom(3_000_000)

    def application(_):
        with Peer(('127.0.0.1', server.port)) as client:
            for _ in range(20):
                client.send(request('GET', '/') * 16)
                assert [client.response().body for _ in range(16)] == [b'Hello\n'] * 16
        return True

    def echo(_):
        with Echo(server) as client:
            return client.says(data)

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        asked = pool.map(application, range(8))
        echoed = pool.map(echo, range(8))
        assert all(asked) and all(echoed)
    server.wait_for(r'tick 5 of')


def test_echo_ends_behind_the_last_byte(start, example):
    server = start(HELLO, '--target', example('echo') + ':127.0.0.1:0')
    data = os.urandom(5_000_000)
    with Echo(server) as client:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            sent = pool.submit(lambda: (client.socket.sendall(data),
                                        client.socket.shutdown(socket.SHUT_WR)))
            assert b''.join(iter(lambda: client.socket.recv(1 << 20), b'')) == data
            sent.result()


def test_echo_does_not_read_from_who_does_not_read(start, example):
    server = start(HELLO, '--target', example('echo') + ':127.0.0.1:0')
    with Echo(server, receive_buffer=65536) as client:
        client.socket.settimeout(0.5)
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < 1 << 27:
                sent += client.socket.send(bytes(1 << 20))
        client.socket.settimeout(PATIENCE)
        client.socket.shutdown(socket.SHUT_WR)
        assert sum(map(len, iter(lambda: client.socket.recv(1 << 16), b''))) == sent


def test_echo_goes_on_behind_the_end_of_who_did_not_read_yet(start, example, tmp_path):
    """Also where it has some of the data, and the kernel the rest."""
    path = str(tmp_path / 'echo')
    start(HELLO, '--target', f'{example("echo")}:unix:{path}')
    with Peer(path) as other:
        for length in range(0, 400_000, 16384):
            data = os.urandom(length)
            with Peer(path) as client:
                client.socket.setblocking(False)
                sent = client.socket.send(data) if data else 0
                client.half_close()
                for _ in range(3):  # turns of the loop, in which the end is seen
                    other.send(b'.')
                    assert other.socket.recv(1) == b'.'
                client.socket.settimeout(PATIENCE)
                assert client.file.read() == data[:sent]


def test_workers_share_a_port(start, example):
    port = free_port()
    server = start(HELLO, '-w', '3', '--target', f'{example("status")}:127.0.0.1:{port}')
    met = {}

    def meet():
        with Peer(('127.0.0.1', port)) as client:
            client.send(request('GET', '/'))
            status = json.loads(client.response().body)
            met[status['worker']] = status['pid']
        return len(met) == 3

    eventually(meet)
    assert sorted(met.values()) == sorted(server.workers) and sorted(met) == [0, 1, 2]


def test_status(start, example):
    port = free_port()
    server = start(HELLO, '--target', f'{example("status")}:127.0.0.1:{port}')
    with Peer(('127.0.0.1', port)) as other, Peer(('127.0.0.1', port)) as client:
        other.send(request('GET', '/'))
        assert other.response().status == 200
        client.send(request('GET', '/?x') + request('HEAD', '/') + request('GET', '/nowhere') +
                    request('GET', '/') + request('POST', '/', body=b'x' * 100_000))
        response = client.response()
        assert response['Content-Type'] == 'application/json'
        first = json.loads(response.body)
        assert client.response('HEAD').status == 200
        assert client.response().status == 404
        second = json.loads(client.response().body)
        assert client.response().status == 501
    assert [first['pid']] == server.workers
    assert (first['worker'], first['workers'], first['connections']) == (0, 1, 2)
    assert 0 < first['time'] <= second['time'] and 0 <= first['uptime'] <= second['uptime']


def test_wake_ups_by_a_thread(start, witness):
    server = start(HELLO, '--target', witness() + ':thread')
    server.wait_for('witness woken 100 times')
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    server.wait_for('witness stops')


def test_a_thread_that_is_busy_when_it_ends(start, witness):
    server = start(HELLO, '-w', '2', '--threads', '4', '--target', witness() + ':thread')
    assert server.stop() == 0
    server.wait_for('witness stops', 2)


# -- Arguments ------------------------------------------------------------------------------------

def test_a_level_that_there_is_not(start, witness):
    start(HELLO, '--target', witness() + ':beyond').wait_for(
        r'\[critical\] witness beyond all levels')


def test_arguments(start, witness, tmp_path):
    """The same file with several; a path without a slash is one in the current folder."""
    given = ['', ':', ':a', '::', ':a:b c:', ':/x=\u00e4', ':' + 'x' * 100_000]
    (tmp_path / 'plugin.so').symlink_to(witness())
    server = start(HELLO, *(word for text in given for word in ('--target', 'plugin.so' + text)))
    for text in (text[1:] for text in given):
        server.wait_for(r'witness starts 0/1 \[%s\] %d$' % (re.escape(text[:500]),
                                                           len(text.encode())))


def test_several_by_the_environment(start, witness):
    server = start(HELLO, env={'ASYNWSGI_TARGET': f'{witness("one")}:a:b  {witness("two")}'})
    server.wait_for(r'one starts 0/1 \[a:b\]')
    server.wait_for(r'two starts 0/1 \[\]')


def test_the_command_line_comes_before_the_environment(start, witness):
    server = start(HELLO, '--target', witness('one'), env={'ASYNWSGI_TARGET': witness('two')})
    server.wait_for('one starts')
    assert 'two starts' not in server.log


def what(server):
    """What the witnesses wrote down."""
    return re.findall(r'\[info\] (\w+ (?:starts|drains|stops) .*\]) \d+$', server.log, re.M)


def test_the_order_of_several_and_the_same_twice(start, witness):
    one, two = witness('one'), witness('two')
    server = start(HELLO, '--target', one + ':a', '--target', two, '--target', one + ':b')
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    assert what(server) == [f'{name} {event} 0/1 [{arguments}]'
                            for event in ('starts', 'drains', 'stops')
                            for name, arguments in (('one', 'a'), ('two', ''), ('one', 'b'))
                            [::-1 if event == 'stops' else 1]]


# -- The end --------------------------------------------------------------------------------------

def test_term_waits_for_a_connection(start, example):
    server = start(HELLO, '--target', example('echo') + ':127.0.0.1:0')
    with Echo(server) as client, Echo(server) as other:
        assert client.says(b'before') and other.says(b'before')
        server.signal(signal.SIGTERM)
        server.wait_for('SIGTERM')
        eventually(lambda: refuses(server))
        assert client.says(b'after') and other.says(b'after')
        other.socket.close()
        assert client.says(b'at last') and server.process.poll() is None
    assert server.wait() == 0
    assert 'has not finished' not in server.log


def refuses(server):
    with contextlib.suppress(ConnectionRefusedError), Echo(server):
        return False
    return True


def test_term_closes_what_idles(start, example):
    port = free_port()
    server = start(HELLO, '--target', f'{example("status")}:127.0.0.1:{port}')
    with Peer(('127.0.0.1', port)) as client:
        client.send(request('GET', '/'))
        assert client.response().status == 200
        server.signal(signal.SIGTERM)
        assert client.at_end()
    assert server.wait() == 0


def test_term_waits_until_it_says_that_it_has_drained(start, witness, tmp_path):
    server = start(HELLO, '--target', witness() + ':late', '--target', witness('other'))
    server.signal(signal.SIGTERM)
    server.wait_for('witness drains')
    server.wait_for('other drains')
    assert 'stops' not in server.log
    (tmp_path / 'drained').touch()
    assert server.wait() == 0
    server.wait_for('witness stops')


@pytest.mark.parametrize('options', [(), ('--threads', '4')], ids=['inline', 'threads'])
def test_who_does_not_finish_is_stopped(start, witness, example, options):
    server = start(HELLO, *options, '--graceful-timeout', '300ms', '--target', witness(),
                   '--target', witness('other') + ':stuck',
                   '--target', example('echo') + ':127.0.0.1:0')
    with Echo(server) as client:
        assert client.says(b'here')
        server.signal(signal.SIGTERM)
        assert client.ended()
    assert server.wait() == 0
    found = server.wait_for(r'\[warning\] the plug-in (\S+) has not finished in time', 2)
    assert [match[1] for match in found] == [example('echo'), witness('other')]
    assert what(server)[-2:] == ['other stops 0/1 [stuck]', 'witness stops 0/1 []']


def test_int_stops_at_once(start, witness, example):
    server = start(HELLO, '--target', witness() + ':late',
                   '--target', example('echo') + ':127.0.0.1:0')
    with Echo(server) as client:
        assert client.says(b'here')
        assert server.stop() == 0
        assert client.ended()
    assert [line.split()[1] for line in what(server)] == ['starts', 'stops']


def test_the_supervisor_dies(start, example):
    server = start(HELLO, '--target', example('echo') + ':127.0.0.1:0')
    worker, = server.workers
    with Echo(server) as client:
        assert client.says(b'before')
        server.process.kill()
        server.wait_for('the supervisor is gone')
        assert client.says(b'after')
    eventually(lambda: is_gone(worker))


# -- Workers that die -----------------------------------------------------------------------------

def test_who_follows_a_killed_worker_loads_the_file_that_there_is(start, witness, tmp_path):
    plugin = tmp_path / 'plugin.so'
    plugin.symlink_to(witness('old'))
    server = start(HELLO, '-w', '2', '--target', './plugin.so:x')
    server.wait_for(r'old starts [01]/2 \[x\]', 2)
    (tmp_path / 'new.so').symlink_to(witness('new'))
    (tmp_path / 'new.so').replace(plugin)
    os.kill(server.workers[0], signal.SIGKILL)
    number = server.wait_for(r'new starts ([01])/2 \[x\]')[0][1]
    first = re.search(rf'\[{server.workers[0]}\] \[info\] old starts (\d)', server.log)
    assert number == first[1]
    assert server.log.count('old starts') == 2


def test_who_follows_cannot_load_it(start, witness, tmp_path):
    """That costs one worker, and is tried again; its clients wait for a successor."""
    plugin = tmp_path / 'plugin.so'
    plugin.symlink_to(witness())
    server = start(HELLO, '-w', '2', '--target', './plugin.so')
    plugin.unlink()
    os.kill(server.workers[0], signal.SIGKILL)
    server.wait_for(r'exited with status 3; another follows')
    plugin.symlink_to(witness())
    server.wait_for('witness starts', 3)
    server.wait_for('worker ready', 3)
    assert [server.get().body for _ in range(8)] == [b'Hello\n'] * 8


def test_a_crash_is_a_worker_s(start, witness, tmp_path):
    server = start(HELLO, '--target', witness() + ':crash')
    (tmp_path / 'crash').touch()
    server.wait_for(r'was killed by signal 6 .*another follows')
    server.wait_for('witness starts', 2)
    server.wait_for('worker ready', 2)
    assert server.get().body == b'Hello\n'
    assert 'stops' not in server.log


# -- What is no plug-in ---------------------------------------------------------------------------

ENTRY = '#include <asynwsgi/target.h>\nconst struct asynwsgi_target asynwsgi_target = '


@pytest.fixture(params=['missing', 'a folder', 'text', 'none', 'another version', 'a version of 0',
                        'no start', 'a missing function'])
def bad(request, tmp_path, source):
    """A file that cannot be loaded, and what is said of it."""
    file = tmp_path / 'bad.so'
    if request.param == 'missing':
        return file, 'cannot be loaded .*: No such file or directory'
    if request.param == 'a folder':
        return tmp_path, 'cannot be loaded as a shared object: '
    if request.param == 'text':
        file.write_text('#!/bin/sh\necho This is not a shared object, though it is long enough.\n')
        return file, 'cannot be loaded as a shared object: '
    if request.param == 'none':
        return source('int nothing;'), 'does not define asynwsgi_target, see asynwsgi-target'
    if request.param == 'no start':
        return source(ENTRY + '{.version = ASYNWSGI_TARGET_VERSION};'), 'has no start or no stop'
    if request.param == 'a missing function':
        function = ('void dispatch_nonsense(void); void *use(void);'
                    'void *use(void) { dispatch_nonsense(); return 0; }')
        return source(function), 'undefined symbol: dispatch_nonsense'
    version = 4711 if request.param == 'another version' else 0
    return (source(f'{ENTRY}{{.version = {version}}};'),
            f'is of version {version}, but this server.s is 1: build it with')


@pytest.mark.parametrize('how', [(), ('--check-config',)], ids=['start', 'check'])
def test_what_cannot_be_loaded(bad, how):
    file, reason = bad
    done = finish(*how, '--bind', '127.0.0.1:0', '--chdir', EXAMPLES, '--target', f'{file}:x',
                  'hello')
    assert done.returncode == 3
    line, = [line for line in done.stderr.splitlines() if 'plug-in' in line]
    assert re.search(rf'\[critical\] the plug-in {re.escape(str(file))} .*{reason}', line)
    assert 'worker ready' not in done.stderr and 'Python' not in line


@pytest.mark.parametrize('arguments, reason', [
    ('silent', 'does not start: Device or resource busy'),
    ('positive', 'does not start: Device or resource busy'),
    ('taken', 'does not start: somebody has taken it: Device or resource busy')])
def test_what_does_not_start(witness, arguments, reason):
    done = finish('--bind', '127.0.0.1:0', '--chdir', EXAMPLES, '--target', witness('first'),
                  '--target', f'{witness()}:{arguments}', '--target', witness('last'), 'hello')
    assert done.returncode == 3
    assert f'[critical] the plug-in {witness()} {reason}\n' in done.stderr
    assert 'first stops' in done.stderr and 'last starts' not in done.stderr


@pytest.mark.parametrize('name, arguments, reason', [
    ('tick', 'often', '"often" is no number of seconds'),
    ('tick', '0', '"0" is no number of seconds'),
    ('echo', '', '"" is no address such as 127.0.0.1:7000'),
    ('status', '127.0.0.1:x', '"127.0.0.1:x" is no address'),
    ('echo', '127.0.0.1:1', None)])
def test_what_the_examples_refuse(example, name, arguments, reason):
    with contextlib.ExitStack() as stack:
        if not reason:  # a port that somebody has who does not share it
            server = stack.enter_context(socket.create_server(('127.0.0.1', 0)))
            arguments = '127.0.0.1:%d' % server.getsockname()[1]
            reason = f'cannot listen at {arguments}: Address already in use'
        done = finish('--bind', '127.0.0.1:0', '--chdir', EXAMPLES,
                      '--target', f'{example(name)}:{arguments}', 'hello')
    assert done.returncode == 3 and reason in done.stderr


@pytest.mark.parametrize('value', ['', ':x'])
def test_no_file_is_named(value):
    done = finish('--target', value, 'hello')
    assert done.returncode == 2
    assert done.stderr == (f'asynwsgi: --target: "{value}" is not a file such as ./tick.so, '
                           'or FILE:ARGS\n')


def test_check_config_does_not_start_it(witness):
    done = finish('--check-config', '--chdir', EXAMPLES, '--target', f'{witness()}:taken', 'hello')
    assert (done.returncode, done.stderr) == (0, '')


# -- How they are built ---------------------------------------------------------------------------

def test_a_plug_in_in_cplusplus_with_hidden_symbols(start, compiled):
    plugin = compiled(WITNESS, 'cplusplus', '-xc++', '-std=c++17', '-fvisibility=hidden',
                      compiler=os.environ.get('CXX', 'c++'))
    start(HELLO, '--target', plugin).wait_for('witness starts')


def test_the_page_s_example_is_the_example():
    page = (TOP / 'man/asynwsgi-target.7').read_text()
    program = re.search(r'^\.Ss Target tick\n.*?^\.Bd -literal\n(.*?)^\.Ed$', page, re.M | re.S)[1]
    program = program.replace('\\e', '\\')
    assert (EXAMPLES / 'target_tick.c').read_text().endswith('*/\n' + program)


def declared():
    """The names of the functions and objects of the headers that a plug-in may include."""
    names = set()
    for header in ('dispatch/asynwsgi/dispatch.h', 'tcpsocket/asynwsgi/tcpsocket.h',
                   'http/asynwsgi/http.h', 'http/asynwsgi/http_server.h'):
        text = re.sub(r'/\*.*?\*/|^#.*?$', '', (TOP / header).read_text(), flags=re.M | re.S)
        text = text.replace('extern "C" {', '')
        while '{' in text:
            text = re.sub(r'\{[^{}]*\}', '', text)
        for declaration in text.split(';'):
            if found := re.search(r'(\w+)\s*\(', declaration):
                names.add(found[1])
            elif found := re.search(r'\bextern\b.*?(\w+)(\[\])?\s*$', declaration, re.S):
                names.add(found[1])
    return names


def exported(file):
    lines = subprocess.run(['nm', '-D', '--defined-only', file], check=True, text=True,
                           stdout=subprocess.PIPE).stdout.splitlines()
    return {line.split()[-1] for line in lines}


def test_what_plug_ins_find_in_the_command_is_what_the_headers_declare():
    program = os.environ['ASYNWSGI']
    if os.environ.get('ASYNWSGI_TEST_WRAP'):
        program = 'asynwsgi'
    ours = {name for name in exported(program)
            if re.match(r'(dispatch|tcpsocket|http|httpclient|wsgi|server|cli|asynwsgi)_', name)}
    assert len(ours) > 100
    assert ours == declared()


def test_extension_modules_find_all_of_python_in_the_command():
    program = 'asynwsgi' if os.environ.get('ASYNWSGI_TEST_WRAP') else os.environ['ASYNWSGI']
    linked = subprocess.run(['readelf', '-d', program], check=True, text=True,
                            stdout=subprocess.PIPE).stdout
    if 'libpython' in linked:
        pytest.skip('they find it in the shared library')
    shared = os.path.join(sysconfig.get_config_var('LIBDIR'), sysconfig.get_config_var('LDLIBRARY'))
    if not shared.endswith('.so'):
        pytest.skip('there is no shared library to compare with')
    expected, found = ({name for name in exported(file) if re.match('_?Py', name)}
                       for file in (shared, program))
    assert len(expected) > 1000
    assert found == expected | {'PyInit_asynwsgi'}


def test_the_command_calls_them_directly():
    """Not by its table of what other files have."""
    program = 'asynwsgi' if os.environ.get('ASYNWSGI_TEST_WRAP') else os.environ['ASYNWSGI']
    relocations = subprocess.run(['readelf', '--relocs', '--wide', program], check=True,
                                 text=True, stdout=subprocess.PIPE).stdout
    assert 'malloc' in relocations
    assert not re.findall(r' (?:dispatch|tcpsocket|http)_\w+ \+', relocations)
