"""The golden cases over connections, as `make conformance` puts them to any server; and that it
finds what is wrong with servers that are not as strict."""

import http.server
import json
import pathlib
import subprocess
import sys
import threading

import pytest

SOURCE = pathlib.Path(__file__).parent.parent
EXAMPLES = SOURCE.parent / 'examples'


@pytest.fixture
def conformance(tmp_path):
    """conformance(address, *options): the exit status, and {(page, case): result}."""
    def run(address, *options):
        report = tmp_path / 'report.json'
        done = subprocess.run([sys.executable, SOURCE / 'conformance/conformance.py', address,
                               '--failures', '--jobs', '40', '--json', report, *options],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=50)
        assert report.exists(), done.stderr
        print(done.stdout)
        results = json.loads(report.read_text())
        return done.returncode, {(result['page'], result['case']): result for result in results}
    return run


def verdicts(results):
    return {result['verdict'] for result in results.values()}


@pytest.mark.parametrize('application, apps', [
    ('hello', EXAMPLES), ('app:application', SOURCE / 'conformance')])
def test_it_conforms(serve, conformance, application, apps):
    server = serve(application, apps=apps)
    status, results = conformance(server.authority)
    assert len(results) > 400
    assert verdicts(results) == {'pass'}
    assert status == 0


def test_it_conforms_on_a_unix_socket(serve, conformance, tmp_path):
    server = serve('hello', apps=EXAMPLES, bind=f'unix:{tmp_path}/s')
    status, results = conformance(server.address, '--only', 'exchanges', '--only', 'smuggling')
    assert (status, verdicts(results)) == (0, {'pass'})


# -- servers that don't ---------------------------------------------------------------------------

class Lax(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    timeout = 10

    def do_GET(self):
        self.rfile.read(int(self.headers.get('Content-Length') or 0))
        self.answer()

    do_POST = do_GET

    def answer(self, status=200):
        self.send_response(status)
        self.send_header('Content-Length', '0')
        self.end_headers()

    def log_message(self, *_):
        pass


class Refusing(Lax):
    """All but what it is first asked."""

    def do_GET(self):
        self.close_connection = self.path != '/' or len(self.headers) > 1
        self.answer(400 if self.close_connection else 200)

    do_POST = do_GET


class Scripted(Lax):
    """Gives for each piece of bytes what answers() does."""

    def handle(self):
        self.connection.settimeout(10)
        try:
            while (data := self.connection.recv(65536)):
                for status in self.answers(data):
                    self.connection.sendall(b'HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n' % status)
        except OSError:
            pass


PROBE = b'GET / HTTP/1.1\r\nHost: a\r\n\r\n'


class Silent(Scripted):
    """Takes any bytes for a part of what is still to come, except for what it is first asked."""

    def answers(self, data):
        return [200] if data == PROBE else []


class Eager(Scripted):
    """Whatever looks like a request is one."""

    def answers(self, data):
        return [200] * data.count(b' HTTP/1.')


class Obstinate(Scripted):
    """Refuses, and goes on with what comes next."""
    before = b''
    said = [400, 200]

    def answers(self, data):
        if data == PROBE:
            return [200]
        self.before += data
        is_all = b'/canary' in self.before and data.endswith(b'\r\n\r\n')
        return self.said if is_all else []


class Staying(Obstinate):
    """Refuses, and keeps the connection."""
    said = [400]


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 100  # 5 would make clients wait for a second

    def handle_error(self, *_):
        pass


@pytest.fixture
def other():
    servers = []

    def start(handler):
        servers.append(Server(('127.0.0.1', 0), handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f'127.0.0.1:{servers[-1].server_port}'
    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_lax_server_fails(conformance, other):
    status, results = conformance(other(Lax), '--only', 'smuggling', '--only', 'host',
                                  '--patience', '1')
    assert status == 1
    seen = {case: results['smuggling', case]['seen'] for case in (
        'Content-Length before Transfer-Encoding', 'A length with a sign before the digits',
        'A second Host behind the first')}
    assert [results['smuggling', case]['verdict'] for case in seen] == ['FAIL'] * len(seen), seen
    assert 'forbids' in seen['Content-Length before Transfer-Encoding']
    assert results['host', 'No Host in HTTP/1.1']['verdict'] == 'FAIL'
    assert results['host', 'A port of six digits']['verdict'] == 'looser'
    assert results['host', 'An IPv4 address']['verdict'] == 'pass'


def test_a_server_that_desynchronises_fails(conformance, other):
    """It doesn't know chunks, and takes them for requests."""
    _, results = conformance(other(Lax), '--only', 'chunked', '--patience', '1')
    assert results['chunked', 'Two chunks, and the next request']['verdict'] == 'FAIL'
    assert results['chunked', 'A minus sign']['verdict'] == 'FAIL'


def test_a_server_that_refuses_too_much_fails(conformance, other):
    status, results = conformance(other(Refusing), '--only', 'framing', '--patience', '1')
    assert status == 1
    assert results['framing', 'Content-Length']['verdict'] == 'FAIL'
    assert results['framing', 'Content-Length with GET']['verdict'] == 'stricter'
    assert results['framing', 'A sign']['verdict'] == 'pass'


def test_a_server_that_sees_requests_everywhere_fails(conformance, other):
    status, results = conformance(other(Eager), '--only', 'smuggling', '--only', 'connection',
                                  '--only', 'request-line', '--patience', '0.3')
    assert status == 1
    wraps = results['smuggling', 'A chunk size that wraps in 32 bits']
    assert wraps['verdict'] == 'FAIL' and 'hidden' in wraps['seen']
    assert 'is answered' in results['connection', 'keep-alive and close: close']['seen']
    cut = results['request-line', 'All but the last byte has come']
    assert cut['verdict'] == 'FAIL' and 'as if whole' in cut['seen']
    assert results['smuggling', 'A request in the body of a request']['verdict'] == 'FAIL'


@pytest.mark.parametrize('handler, seen', [(Obstinate, 'goes on'), (Staying, 'not closed')])
def test_a_server_that_does_not_end_behind_an_error_fails(conformance, other, handler, seen):
    """But where a Host is refused there is no doubt of what comes next."""
    status, results = conformance(other(handler), '--only', 'smuggling', '--only', 'host',
                                  '--patience', '0.3')
    assert status == 1
    twice = results['smuggling', 'Content-Length before Transfer-Encoding']
    assert twice['verdict'] == 'FAIL' and seen in twice['seen']
    assert results['host', 'Host twice']['verdict'] == 'pass'


def test_a_server_that_hangs_fails(conformance, other):
    status, results = conformance(other(Silent), '--only', 'connection', '--patience', '0.3')
    assert status == 1
    assert 'hangs' in results['connection', 'An empty Connection']['seen']
    assert results['connection', 'Connection: close']['verdict'] == 'FAIL'
