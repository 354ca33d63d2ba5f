"""What the end-to-end tests share: commands and servers to talk to, and a bound on every test."""

import os
import pathlib
import signal
import subprocess
import textwrap

import pytest

import command
import serving

APPS = pathlib.Path(__file__).parent / 'apps'


@pytest.fixture(autouse=True)
def bounded():
    """A test that hangs fails, with a traceback of where."""
    def late(*_):
        raise TimeoutError('the test took too long')
    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(int(60 * command.FACTOR))
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def start(tmp_path):
    """start(application, *options): the command as a process of its own, ready.

    The application is the source text of a module, app.py in tmp_path. bind=None gives no --bind,
    bind=[...] several; ready=False doesn't wait; env={...} are variables of the environment; other
    keywords are for Popen.
    """
    running = []

    def run(application=command.HELLO, *options, bind='127.0.0.1:0', ready=True, env={}, **popen):
        (tmp_path / 'app.py').write_text(textwrap.dedent(application))
        binds = [bind] if isinstance(bind, str) else bind or []
        arguments = [os.environ['ASYNWSGI'], '--chdir', str(tmp_path), *options]
        arguments += [word for address in binds for word in ('--bind', address)]
        process = command.Running([*arguments, 'app'], env=command.environment(**env), **popen)
        running.append(process)
        return process.wait_ready(len(binds) or 1) if ready else process

    yield run
    for process in running:
        process.stop()
        assert 'Sanitizer' not in process.log, process.log


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport():
    """A failure comes with the logs of what was running."""
    report = (yield).get_result()
    if report.failed:
        report.sections += [(f'log of {running}', '\n'.join(running.log.splitlines()[-100:]))
                            for running in serving.running]


@pytest.fixture(scope='module')
def serve(tmp_path_factory):
    """serve('module:application', '--option', 'value') starts a server for an application of
    apps/. It lives as long as the tests of the file, and then has to have lived well."""
    servers = []

    def start(application, *options, apps=APPS, **how):
        folder = tmp_path_factory.mktemp('server')
        servers.append(serving.Server(folder, apps, application, *options, **how))
        return servers[-1]

    yield start
    faults = [fault for server in servers for fault in server.stop()]
    assert not faults


@pytest.fixture
def client_of():
    """client_of(server)('GET', '/path', ...) asks it over a connection that is kept, and gives a
    requests.Response; client.cookies are kept, too."""
    requests = pytest.importorskip('requests')

    class Client(requests.Session):
        def __init__(self, server):
            super().__init__()
            self.url = server.url
            self.trust_env = False  # no proxies, no .netrc
            clients.append(self)

        def __call__(self, method, path, **how):
            return self.request(method, self.url + path, timeout=command.PATIENCE, **how)

    clients = []
    yield Client
    for client in clients:
        client.close()


@pytest.fixture
def client(client_of, server):
    """The client of the file's one server."""
    return client_of(server)


@pytest.fixture
def small_disk(tmp_path):
    """A folder that holds no more than 256 KiB."""
    folder = tmp_path / 'disk'
    folder.mkdir()
    done = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=256k', 'none', folder],
                          stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        pytest.skip(f'no file system can be mounted: {done.stderr.strip()}')
    yield folder
    subprocess.run(['umount', '-l', folder], check=True)  # from whoever is still there
