"""Slow clients by the hundred: the others are served meanwhile, and nothing of them stays."""

import csv
import json
import os
import pathlib
import signal
import subprocess
import sys

import pytest

from command import FACTOR, PATIENCE, instrumented
from peer import request
from serving import eventually, needs

pytestmark = pytest.mark.skipif('ASYNWSGI_TEST_LONG' not in os.environ,
                                reason='takes long: script/test has it run')

COUNT = 300
BENCH = pathlib.Path(__file__).parents[2] / 'bench' / 'slow.py'


@pytest.fixture(scope='module')
def impatient(serve):
    return serve('pep3333', '--timeout-head', '2s', '--timeout-body', '2s',
                 '--timeout-write', '2s')


class Slow:
    """slowhttptest, until it is stopped."""

    def __init__(self, folder, *options):
        self.folder = folder
        self.output = (folder / 'output').open('wb')
        self.process = subprocess.Popen(
            ['slowhttptest', '-c', str(COUNT), '-r', str(COUNT), '-l', '60', '-p', '10',
             '-g', '-o', 'report', *options], cwd=folder, stdin=subprocess.DEVNULL,
            stdout=self.output, stderr=subprocess.STDOUT)

    def stop(self):
        """What it has counted each second: how many were connected, how many closed."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(PATIENCE)
        finally:
            self.process.kill()
            self.process.wait()
            self.output.close()
        with (self.folder / 'report.csv').open() as file:
            return [(int(row['Connected']), int(row['Closed'])) for row in csv.DictReader(file)]


@needs('slowhttptest')
@pytest.mark.parametrize('target, options', [
    ('/large?10', ['-H', '-i', '1']),
    ('/echo', ['-B', '-i', '3', '-s', '8192', '-x', '10']),
    ('/large?10', ['-R', '-t', 'HEAD', '-a', '1', '-b', '1000']),
    ('/large-pieces?5000,10000', ['-X', '-n', '4', '-w', '10', '-y', '20', '-z', '8']),
], ids=['slow head', 'slow body', 'range', 'slow read'])
def test_slowhttptest(impatient, tmp_path, target, options):
    before = impatient.connections()
    slow = Slow(tmp_path, *options, '-u', impatient.url + target)
    try:
        most = answered = 0
        with impatient.connect() as client:
            def ask():
                """One on a kept connection, and one on a connection of its own."""
                nonlocal most, answered
                client.send(request('GET', '/large?10'))
                for response in (client.response(), impatient.get('/large?10')):
                    assert response.status == 200 and response.complete
                    answered += 1
                most = max(most, impatient.connections() - before)
                # Its connections were there, and it is the server that has closed them.
                return (most > COUNT / 2 and impatient.connections() <= before + 1) \
                    or slow.process.poll() is not None
            eventually(ask, 30)
    finally:
        seconds = slow.stop()
    assert max(connected + closed for connected, closed in seconds) > COUNT / 2
    assert answered > 20
    eventually(lambda: impatient.connections() == before)


@pytest.mark.skipif(instrumented(), reason='the memory would be that of the instruments')
def test_what_slow_clients_cost(tmp_path):
    """The measurement works, and an idle connection costs little. Its times say nothing here."""
    done = subprocess.run([sys.executable, BENCH, os.environ['ASYNWSGI'], '-n', '300', '--rounds', '1',
                           '--seconds', '0.5', '--rate', '200', '--json', tmp_path / 'figures'],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=50 * FACTOR)
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / 'figures').read_text())['summary']
    assert set(figures) == {'idle', 'slow head', 'slow body', 'slow read'}
    assert 0 < figures['idle']['bytes_per_connection'] < 1024
