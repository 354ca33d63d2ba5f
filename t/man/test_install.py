"""What `make install` puts in place is enough to build against, outside of the source tree: with
the command of each page, for each program of its EXAMPLES; and these do what they are said to."""

import os
import pathlib
import re
import shlex
import signal
import socket
import subprocess
import threading

import pytest

import manual

PATIENCE = 20  # seconds for each step
HEADERS = manual.headers()
PAGES = manual.pages()
PROGRAMS = {name: (page, text) for page in PAGES for name, text in page.programs().items()}
LAYERS = [line.split() for line in (manual.TOP / 'script/layers').read_text().splitlines()
          if not line.startswith('#')]
COMPILERS = {'c': shlex.split(os.environ.get('CC', 'cc')),
             'c++': shlex.split(os.environ.get('CXX', 'c++'))}
INSTRUMENT = os.environ.get('INSTRUMENT_FLAGS', '')
STRICT = ['-Wall', '-Wextra', '-Wpedantic', '-Werror', *INSTRUMENT.split()]


def output_of(*arguments, **how):
    return subprocess.run(arguments, check=True, text=True, stdout=subprocess.PIPE,
                          timeout=PATIENCE, **how).stdout


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    """What was installed from the build folder, the current one, under DESTDIR."""
    folder = tmp_path_factory.mktemp('root')
    # Nothing of the make that runs this, such as the TESTS it was given.
    env = {name: value for name, value in os.environ.items() if not name.startswith(('MAKE', 'MF'))}
    output_of('make', '-s', 'install', f'DESTDIR={folder}', env=env)
    return folder


@pytest.fixture(scope='module')
def env(root):
    """The environment in which pkg-config finds what was installed."""
    folder = next(root.rglob('asynwsgi-dispatch.pc')).parent
    return {**os.environ, 'PKG_CONFIG_PATH': str(folder), 'PKG_CONFIG_SYSROOT_DIR': str(root)}


@pytest.fixture(scope='module')
def libraries(root):
    """The names of the pkg-config files."""
    return sorted(path.stem for path in root.rglob('*.pc'))


@pytest.fixture(scope='module')
def built(tmp_path_factory, env):
    """built(name): the program of that name, built as its page says."""
    made = {}

    def build(name):
        if name not in made:
            page, text = PROGRAMS[name]
            folder = tmp_path_factory.mktemp(name)
            (folder / 'program.c').write_text(text)
            compiler = shlex.join([*COMPILERS['c'], *STRICT])
            output_of('sh', '-c', compiler + page.command().removeprefix('cc'), cwd=folder, env=env)
            (made[name],) = set(folder.iterdir()) - {folder / 'program.c'}
        return made[name]

    return build


@pytest.fixture
def start(built):
    """start(name, *arguments): the program as a process, which does not outlive the test."""
    running = []

    def run(name, *arguments):
        process = subprocess.Popen([built(name), *arguments], text=True, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE)
        timer = threading.Timer(PATIENCE, process.kill)
        timer.start()
        running.append((process, timer))
        return process

    yield run
    for process, timer in running:
        timer.cancel()
        process.kill()
        process.wait()
        process.stdout.close()


def last_number(line):
    return int(re.search(r'(\d+)\n$', line)[1])


def end_of(process):
    """What the process has yet to write, and its exit status."""
    return process.stdout.read(), process.wait(PATIENCE)


# -- What is installed --------------------------------------------------------

def test_headers_are_installed(root):
    installed = {path.name for path in root.rglob('include/asynwsgi/*.h')}
    assert installed == set(HEADERS) | manual.FOR_THE_COMMAND


def test_pages_are_installed(root):
    for page in PAGES:
        (installed,) = root.rglob(page.path.name)
        assert installed.read_text() == page.text


@pytest.mark.parametrize('name', ['asynwsgi', 'asynwsgi-bench', 'asynwsgi-load'])
def test_program_is_installed(root, name):
    (program,) = root.rglob(f'bin/{name}')
    assert output_of(program, '--version').startswith(f'{name} ')
    assert list(root.rglob(f'man1/{name}.1'))


@pytest.mark.parametrize('header', HEADERS)
def test_header_compiles_alone(header, env, tmp_path):
    (page,) = (page for page in PAGES if header in page.headers)
    flags = output_of('pkg-config', '--cflags', page.library(), env=env).split()
    source = f'#include <asynwsgi/{header}>\nextern int not_empty;\n'
    for language, compiler in COMPILERS.items():
        output_of(*compiler, *STRICT, f'-std={language}17', *flags, '-x', language, '-fsyntax-only',
                  '-', input=source, cwd=tmp_path)


# -- pkg-config ---------------------------------------------------------------

def test_each_page_names_a_library(libraries):
    assert {page.library() for page in PAGES} == set(libraries)


def test_versions(libraries, env, root):
    (program,) = root.rglob('bin/asynwsgi')
    version = output_of(program, '--version').split()[1]
    for library in libraries:
        assert output_of('pkg-config', '--modversion', library, env=env).strip() == version
        output_of('pkg-config', '--exists', f'{library} = {version}', env=env)


def test_each_layer_requires_the_next(libraries, env):
    found = {}
    for library in libraries:
        requires = output_of('pkg-config', '--print-requires', library, env=env).splitlines()
        found[library] = [line.split()[0] for line in requires if line.startswith('asynwsgi-')]
    layers = {f'asynwsgi-{layer}': [f'asynwsgi-{name}' for name in below[:1]]
              for layer, *below in LAYERS}
    assert found['asynwsgi-http'] == ['asynwsgi-tcpsocket']
    assert all(found[library] == layers[library] for library in libraries if library in layers)


def run_c(folder, flags, page, text):
    """The output of a program of this text, which has the headers of a page."""
    headers = ''.join(f'#include <asynwsgi/{header}>\n' for header in page.headers)
    (folder / 'program.c').write_text(headers + text)
    output_of(*COMPILERS['c'], *INSTRUMENT.split(), 'program.c', '-o', 'program', *flags,
              cwd=folder)
    return output_of(folder / 'program')


@pytest.mark.parametrize('how', [[], ['--static']], ids=['plain', 'static'])
@pytest.mark.parametrize('page', PAGES, ids=[page.name for page in PAGES])
def test_each_function_is_in_its_library(page, how, env, tmp_path):
    """It can be linked to, with what pkg-config gives alone."""
    flags = output_of('pkg-config', *how, '--cflags', '--libs', page.library(), env=env).split()
    functions = ''.join(f'(function *){name}, ' for name in page.functions())
    run_c(tmp_path, flags, page, 'typedef void function(void);\n'
          'function *volatile all[] = {%s 0};\n'
          'int main(void) { return all[0] == all[1]; }\n' % (functions or '(function *)1,'))


# -- Figures ------------------------------------------------------------------

def figures_of(page):
    """{expression of C: figure}: defaults in parentheses, and the statuses of faults."""
    found = {f'http_fault_status({fault})': status for fault, status in
             re.findall(r'^\.It Dv (\w+) Ta (\d{3}) Ta', page.text, re.M)}
    for variable in re.findall(r'\w+_default', ' '.join(page.variables())):
        found |= {f'{variable}.{name}': figure for name, figure in
                  re.findall(r'^\.It Va (\w+) Pq (\d+)$', page.text, re.M)}
    return found


@pytest.mark.parametrize('page', [page for page in PAGES if figures_of(page)],
                         ids=lambda page: page.name)
def test_figures_are_those_of_the_library(page, env, tmp_path):
    flags = output_of('pkg-config', '--cflags', '--libs', page.library(), env=env).split()
    figures = figures_of(page)
    lines = ''.join(f'printf("%llu\\n", (unsigned long long)({e}));\n' for e in figures)
    written = run_c(tmp_path, flags, page,
                    f'#include <stdio.h>\nint main(void) {{\n{lines}return 0;\n}}\n')
    assert dict(zip(figures, written.split())) == figures


# -- EXAMPLES -----------------------------------------------------------------

@pytest.mark.parametrize('name', PROGRAMS)
def test_each_program_is_tested(name):
    if 'int main(' in PROGRAMS[name][1]:
        assert f'test_{name.replace("-", "_")}' in globals()


@pytest.mark.parametrize('name', PROGRAMS)
def test_each_program_can_be_built(name, built):
    assert built(name).is_file()


def test_timer(start):
    assert end_of(start('timer')) == ('tick 1\ntick 2\ntick 3\n', 0)


def echoed_by(port):
    """Whether a client gets all that it sent, though it takes it late; meanwhile the server leaves
    it waiting, and serves another."""
    block = bytes(range(251)) * 261
    with socket.socket() as late, socket.create_connection(('127.0.0.1', port), PATIENCE) as other:
        late.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        late.connect(('127.0.0.1', port))
        late.setblocking(False)
        sent = stalled = 0
        while stalled < 3:
            assert sent < 1 << 26
            try:
                sent += late.send(block[sent % len(block):])
                stalled = 0
            except BlockingIOError:
                stalled += 1
                other.sendall(b'other')
                assert other.recv(5) == b'other'
        late.settimeout(PATIENCE)
        late.shutdown(socket.SHUT_WR)
        with late.makefile('rb') as stream:
            return stream.read() == (block * (sent // len(block) + 1))[:sent]


def test_echo_server(start):
    assert echoed_by(last_number(start('echo-server').stdout.readline()))


def test_stream_echo_server(start):
    server = start('stream-echo-server', '127.0.0.1:0')
    assert echoed_by(last_number(server.stdout.readline()))


def test_signal(start):
    program = start('signal')
    assert program.stdout.readline() == 'ready\n'
    for count in (1, 2):
        program.send_signal(signal.SIGHUP)
        assert program.stdout.readline() == f'hang-up {count}\n'
    program.send_signal(signal.SIGTERM)
    assert end_of(program) == ('terminated after 2\n', 0)


def test_wake_from_a_thread(start):
    assert end_of(start('wake-from-a-thread')) == ('the sum is 500000500000\n', 0)


REQUEST = 'GET /a%20b?c=d HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n'


@pytest.mark.parametrize('request_text, status, out, err', [
    (REQUEST, 0, 'method: GET\npath: /a%20b\nquery: c=d\nname: Host\nvalue: x\n'
                 'name: Content-Length\nvalue: 7\n7 bytes follow\n', ''),
    (REQUEST.replace('Content-Length: 7', 'Transfer-Encoding: chunked'), 0,
     'method: GET\npath: /a%20b\nquery: c=d\nname: Host\nvalue: x\n'
     'name: Transfer-Encoding\nvalue: chunked\na chunked body follows\n', ''),
    (REQUEST.replace('Host: x\r\n', ''), 1, '', '400 missing, repeated or malformed Host\n'),
    (REQUEST[:20], 1, '', '400 incomplete message\n'),
], ids=['sized', 'chunked', 'no Host', 'incomplete'])
def test_read_a_request(built, request_text, status, out, err):
    done = subprocess.run([built('read-a-request')], input=request_text, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE)
    assert (done.returncode, done.stdout, done.stderr) == (status, out, err)


def test_hello_server(start):
    server = start('hello-server', '127.0.0.1:0')
    port = last_number(server.stdout.readline())
    with socket.create_connection(('127.0.0.1', port), PATIENCE) as client, \
            client.makefile('rb') as answers:
        for body in (b'', b'hello'):
            client.sendall(b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n' % len(body))
            client.sendall(body)
            assert answers.readline() == b'HTTP/1.1 200 OK\r\n'
            fields = dict(line.rstrip().split(b': ', 1) for line in iter(answers.readline, b'\r\n'))
            assert fields[b'Content-Type'] == b'text/plain' and fields[b'Server'] == b'hello'
            assert answers.read(int(fields[b'Content-Length'])) == b'Hello, world!\n'
        server.send_signal(signal.SIGTERM)
        assert answers.read() == b''  # idle, so it is closed at once
    assert end_of(server) == ('', 0)


@pytest.mark.parametrize('answer, status, out, err', [
    (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n', 0, 'hello',
     'status 200\n'),
    (b'nonsense\r\n', 1, '', 'malformed protocol version\n'),
    (b'', 1, '', 'failed: Connection reset by peer\n'),
], ids=['chunked', 'nonsense', 'nothing'])
def test_fetch_a_url(built, answer, status, out, err):
    with socket.create_server(('127.0.0.1', 0)) as server:
        port = server.getsockname()[1]
        with subprocess.Popen([built('fetch-a-url'), f'http://127.0.0.1:{port}/a?b'], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as client:
            server.settimeout(PATIENCE)
            with server.accept()[0] as connection:
                asked = connection.recv(65536)
                connection.sendall(answer)
            assert asked == (b'GET /a?b HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n'
                             b'Connection: close\r\n\r\n' % port)
            assert client.communicate(timeout=PATIENCE) == (out, err)
            assert client.returncode == status
