"""What the end-to-end tests share: servers to talk to, and a bound on every test."""
import pathlib
import signal

import pytest

import serving

APPS = pathlib.Path(__file__).parent / 'apps'


@pytest.fixture(autouse=True)
def bounded():
    """A test that hangs fails, with a traceback of where."""
    def late(*_):
        raise TimeoutError('the test took too long')
    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(40)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope='module')
def serve(tmp_path_factory):
    """serve('module:application', '--option', 'value') starts a server that lives as long as
    the tests of the file, and then has to have stopped cleanly."""
    servers = []

    def start(application, *options, apps=APPS, **how):
        server = serving.Server(tmp_path_factory.mktemp('server'), apps, application,
                                *options, **how)
        servers.append(server)
        return server

    yield start
    faults = [fault for server in servers for fault in server.stop()]
    assert not faults


@pytest.fixture
def serve_once(tmp_path):
    """The same for one test, and as a context manager: with serve_once('module') as server."""
    def start(application, *options, apps=APPS, **how):
        return serving.Server(tmp_path, apps, application, *options, **how)
    return start


@pytest.fixture
def client(server):
    """client('GET', '/path', ...) asks the file's server over a connection that is kept, and
    gives a requests.Response. client.cookies is the session's."""
    import requests

    class Client(requests.Session):
        trust_env = False

        def __call__(self, method, path, **how):
            return self.request(method, server.url + path, timeout=20, **how)

    with Client() as session:
        session.trust_env = False  # no proxies, no .netrc
        yield session
