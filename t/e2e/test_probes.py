"""Static probes, in a command that is configured with them: the one-liners of the manual, run."""

import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest

import command
from peer import Peer, request

ASYNWSGI = os.environ['ASYNWSGI']
MANUAL = pathlib.Path(__file__).parents[2] / 'man' / 'asynwsgi.1'
ONE_LINERS = [line.replace(r'\e', '\\') for line in
              re.findall(r"^bpftrace -e '(.*)'$", MANUAL.read_text(), re.M)]
PROBES = ['accept', 'application__end', 'application__start', 'head__complete', 'response__end',
          'response__start']
SEEN = {  # what each has to show of the requests below
    'accept': r'@\[\d+\]: 1$',
    'head__complete': r'^GET /first\?a=b$(.|\n)*^POST /second$',
    'application__start': r'@\[\d+\]: 2$',
    'application__end': r'^@us: *\n\[',
    'response__start': r'@\[200\]: 2$',
    'response__end': r'^@bytes: *\n\[4, 8\) +2 ',
}


def notes():
    found = subprocess.run(['readelf', '-n', ASYNWSGI], stdout=subprocess.PIPE, text=True)
    return re.findall(r'Provider: asynwsgi\n *Name: (.*)', found.stdout)


pytestmark = pytest.mark.skipif(bool(os.environ.get('ASYNWSGI_TEST_WRAP')) or not notes(),
                                reason='the command has no probes')


def has_bpftrace():
    """Whether it is there, and may attach to a probe."""
    try:
        tried = subprocess.run(['bpftrace', '-e', f'usdt:{ASYNWSGI}:asynwsgi:accept {{}} '
                                'BEGIN { exit(); }'], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, timeout=command.PATIENCE)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False
    return tried.returncode == 0


def test_each_is_there_and_has_its_one_liner():
    assert sorted(notes()) == PROBES
    assert sorted(set(re.findall(':asynwsgi:([a-z_]+)', ' '.join(ONE_LINERS)))) == PROBES


@pytest.mark.skipif(not has_bpftrace(), reason='bpftrace is missing, or may not run')
@pytest.mark.parametrize('one_liner', ONE_LINERS)
def test_one_liner(start, tmp_path, monkeypatch, one_liner):
    # A file of its own: what other tests run at the same time is not counted.
    program = shutil.copy(ASYNWSGI, tmp_path)
    monkeypatch.setenv('ASYNWSGI', program)
    server = start()
    host, port = server.addresses[0][len('http://'):].split(':')
    script = one_liner.replace('/usr/local/bin/asynwsgi', program)
    tracer = subprocess.Popen(['bpftrace', '-e', 'BEGIN { printf("ready\\n"); } ' + script],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        for line in tracer.stdout:
            if line == 'ready\n':
                break
        with Peer((host, int(port))) as client:
            for ask in (request('GET', '/first?a=b'), request('POST', '/second', body=b'twice')):
                client.send(ask)
                assert client.response().body == b'Hello\n'
            client.send(b'nonsense\r\n\r\n')
            assert client.response().status == 400
        server.stop()
        tracer.send_signal(signal.SIGINT)
        output = tracer.communicate(timeout=command.PATIENCE)[0]
    finally:
        tracer.kill()
        tracer.wait()
    name = re.findall(':asynwsgi:([a-z_]+)', one_liner)[-1]
    assert re.search(SEEN[name], output, re.M), output
