"""--profile: pstats finds what the application did, and the phases add up, while the server runs and
when it has ended."""

import concurrent.futures
import json
import os
import re
import shutil
import signal
import subprocess
import sys

import pytest

import command
from peer import request
from serving import eventually, needs

APPLICATION = '''
    import os, time, asynwsgi

    def work(environ):
        return b'done'

    class Items:
        def __init__(self, environ):
            self.left = 3

        def __iter__(self):
            return self

        def __next__(self):
            if self.left == 0:
                raise StopIteration
            self.left -= 1
            return b'item'

        def close(self):
            pass

    def follow(environ):
        while True:
            yield asynwsgi.sleep(0.05)
            yield b'more'

    def application(environ, start_response):
        path = environ['PATH_INFO']
        start_response('200 OK', [])
        if path == '/items':
            return Items(environ)
        if path == '/follow':
            return follow(environ)
        if path == '/sleep':
            time.sleep(0.05)
        if path == '/error':
            raise ZeroDivisionError('oops')
        if path == '/pid':
            return [b'%d' % os.getpid()]
        return [work(environ)]
'''


def python_version():
    """Of the Python within the command: 11 is 3.11."""
    return int(re.search(r'Python 3\.(\d+)', command.finish('--version').stdout)[1])


a_profiler_for_each_thread = pytest.mark.skipif(
    python_version() >= 12, reason='this Python has one profiler for all threads')


class Profile:
    """A profile that a server writes, or is to write."""

    def __init__(self, folder, name='profile'):
        self.folder, self.file = folder, folder / name
        self.json = folder / f'{name}.json'

    def figures(self):
        return json.loads(self.json.read_text())

    def phase(self, name):
        figures = self.figures()
        return sum(phases[name] for phases in (figures['phases'], *figures.get('threads', [])))

    def calls(self, *others):
        """How often each function was called, by its name: what pstats prints."""
        words = [*(f'add {other.file}' for other in others), 'strip', 'stats', 'quit']
        done = subprocess.run([sys.executable, '-m', 'pstats', self.file], text=True,
                              input='\n'.join(words), stdout=subprocess.PIPE, check=True)
        return {name: int(calls) for calls, name in
                re.findall(r'^ *(\d+)(?:/\d+)? .*:\d+\((.*?)\)$', done.stdout, re.M)}

    def has(self, requests):
        """Waits for the profile of so many."""
        def written():
            return self.json.exists() and self.figures()['requests'] >= requests
        eventually(written)
        assert self.figures()['requests'] == requests


@pytest.fixture
def profile(tmp_path):
    return Profile(tmp_path)


@pytest.fixture
def profiled(start, profile):
    """A server with a profile."""
    def run(*options, application=APPLICATION, **how):
        return start(application, '--profile', profile.file, *options, **how)
    return run


def end(server):
    server.signal(signal.SIGTERM)
    assert server.wait() == 0


def ask(server, path='/', count=1):
    """So many requests behind each other, on one connection."""
    with server.connect() as sock, sock.makefile('rb') as answers:
        for n in range(count):
            sock.sendall(request('GET', path, *['Connection: close'] * (n == count - 1)))
            if n < count - 1:
                assert answers.readline() == b'HTTP/1.1 200 OK\r\n'
                while answers.readline() != b'\r\n':
                    pass
                assert answers.read(4) == b'done'
        return answers.read()


def adds_up(figures):
    """The phases of the loop to the time, and those of each thread, which are read one by one."""
    assert sum(figures['phases'].values()) == pytest.approx(figures['seconds'], abs=1e-6)
    for phases in figures.get('threads', []):
        assert sum(phases.values()) == pytest.approx(figures['seconds'], abs=command.FACTOR)
    return True


# -- What it tells ----------------------------------------------------------------------------

def test_while_the_server_runs(profiled, profile):
    server = profiled()
    worker, = server.workers
    ask(server, count=100)
    eventually(profile.file.exists)
    profile.has(100)
    eventually(lambda: profile.calls()['application'] == 100)
    assert profile.calls()['work'] == 100
    figures = profile.figures()
    assert figures['worker'] == worker
    assert list(figures['phases']) == ['wait', 'lock', 'receive', 'parse', 'application', 'send',
                                       'other']
    assert adds_up(figures)
    assert all(profile.phase(name) > 0 for name in figures['phases'])
    ask(server, count=11)
    profile.has(111)
    eventually(lambda: sorted(profile.folder.glob('profile*')) == [profile.file, profile.json])


def test_what_python_code_there_is(profiled, profile):
    """The call, the iteration and close(), also of what ends by an exception."""
    server = profiled()
    for path in ('/items', '/items', '/', '/error'):
        ask(server, path)
    server.wait_for('ZeroDivisionError: oops')
    end(server)
    calls = profile.calls()
    assert {name: calls[name] for name in ('application', '__init__', '__next__', 'close', 'work')} \
        == {'application': 4, '__init__': 2, '__next__': 8, 'close': 2, 'work': 1}
    assert profile.figures()['requests'] == 4


def test_time_is_where_it_was_spent(profiled, profile):
    server = profiled()
    ask(server, '/sleep')
    ask(server, '/sleep')
    end(server)
    assert 0.1 <= profile.phase('application') < profile.figures()['seconds']
    assert adds_up(profile.figures())


@needs('wrk')
def test_load(profiled, profile):
    server = profiled()
    done = subprocess.run(['wrk', '-t1', '-c16', '-d1s', server.addresses[0]], text=True,
                          stdout=subprocess.PIPE, check=True)
    counted = int(re.search(r'(\d+) requests in', done.stdout)[1])
    end(server)
    calls, figures = profile.calls(), profile.figures()
    assert counted <= figures['requests'] <= counted + 16 * 2
    assert calls['application'] == calls['work'] == figures['requests']
    assert adds_up(figures)


def test_several_workers(profiled, profile):
    server = profiled('--workers', '3')
    every = [profile, *(Profile(profile.folder, f'profile.{n}') for n in (2, 3))]
    requests = {}

    def all_have_some():
        pid = ask(server, '/pid').split()[-1]
        requests[pid] = requests.get(pid, 0) + 1
        return len(requests) == 3
    eventually(all_have_some)
    end(server)
    assert {one.figures()['worker']: one.figures()['requests'] for one in every} == \
        {int(pid): count for pid, count in requests.items()}
    for one in every:
        assert one.calls()['application'] == one.figures()['requests']
    assert profile.calls(*every[1:])['application'] == sum(requests.values())


@a_profiler_for_each_thread
def test_threads(profiled, profile):
    server = profiled('--threads', '4')
    with concurrent.futures.ThreadPoolExecutor(8) as clients:
        for answer in [clients.submit(ask, server, '/sleep') for _ in range(24)]:
            assert answer.result().endswith(b'done')
    profile.has(24)
    eventually(lambda: profile.calls()['application'] == 24)
    figures = profile.figures()
    assert len(figures['threads']) == 4 and adds_up(figures)
    assert profile.phase('application') >= 24 * 0.05
    assert figures['phases']['application'] == 0
    end(server)
    assert profile.calls()['application'] == 24


@pytest.mark.skipif(python_version() < 12, reason='this Python has a profiler for each thread')
def test_threads_that_cannot_be_told_apart(profiled, profile):
    server = profiled('--threads', '2')
    server.wait_for('this Python cannot profile threads')
    ask(server, count=5)
    end(server)
    assert profile.figures()['requests'] == 5 and adds_up(profile.figures())
    assert not profile.file.exists()


# -- Its ends ---------------------------------------------------------------------------------

def test_responses_that_are_not_done_in_time(profiled, profile):
    server = profiled('--graceful-timeout', '200ms')
    with server.connect() as client:
        client.sendall(request('GET', '/follow'))
        assert client.recv(1000).startswith(b'HTTP/1.1 200 ')
        end(server)
    assert profile.calls()['application'] == 1 and profile.calls()['follow'] >= 2
    assert profile.figures()['requests'] == 1


@a_profiler_for_each_thread
def test_threads_that_do_not_come_back(profiled, profile):
    server = profiled('--threads', '2', application='''
        import threading

        def application(environ, start_response):
            start_response('200 OK', [])
            if environ['PATH_INFO'] == '/hang':
                threading.Event().wait()
            return [b'done']
        ''')
    with server.connect() as client:
        client.sendall(request('GET', '/hang'))
        ask(server, count=5)
        server.signal(signal.SIGINT)
        assert server.wait() == 0
    server.wait_for('ending without them')
    assert profile.figures()['requests'] == 6 and profile.calls()['application'] == 5


def test_a_worker_that_is_started_again(profiled, profile):
    server = profiled()
    first, = server.workers
    ask(server, count=10)
    profile.has(10)
    os.kill(first, signal.SIGKILL)
    server.wait_for('worker ready', 2)
    ask(server, count=3)
    eventually(lambda: profile.figures()['worker'] != first)
    profile.has(3)
    eventually(lambda: profile.calls()['application'] == 3)


# -- Other profilers --------------------------------------------------------------------------

@a_profiler_for_each_thread
def test_an_application_with_a_profiler_of_its_own(profiled, profile):
    """It has what it did, and we the others."""
    server = profiled(application='''
        import cProfile, pstats

        def inner():
            return b'done'

        def application(environ, start_response):
            start_response('200 OK', [])
            if environ['PATH_INFO'] == '/plain':
                return [inner()]
            own = cProfile.Profile()
            own.enable()
            inner()
            own.disable()
            return [b'%d' % pstats.Stats(own).total_calls]
        ''')
    assert ask(server, '/own').endswith(b'2')  # inner() and disable()
    assert ask(server, '/plain').endswith(b'done')
    assert ask(server, '/own').endswith(b'2')
    end(server)
    calls = profile.calls()
    assert calls['application'] == 3 and calls['inner'] == 1


@a_profiler_for_each_thread
def test_an_application_that_sets_a_profile_function(profiled, profile):
    """Ours is not enabled while there is another, which goes on to be called."""
    server = profiled(application='''
        import sys
        seen = []

        def see(frame, event, argument):
            seen.append(event)

        def application(environ, start_response):
            start_response('200 OK', [])
            path = environ['PATH_INFO']
            if path == '/set':
                sys.setprofile(see)
            elif path == '/unset':
                sys.setprofile(None)
            return [b'%d' % (sys.getprofile() is see and len(seen) > 0)]
        ''')
    answers = [ask(server, path)[-1:] for path in
               ('/', '/set', '/', '/', '/unset', '/', '/', '/')]
    assert answers == [b'0', b'1', b'1', b'1', b'0', b'0', b'0', b'0']
    end(server)
    assert profile.figures()['requests'] == 8
    assert profile.calls()['application'] == 5  # of which the second was cut short


# -- What goes wrong --------------------------------------------------------------------------

@pytest.mark.parametrize('options', [[], ['--check-config']])
@pytest.mark.parametrize('file, words', [
    ('/nowhere/profile', 'cannot write /nowhere/profile: No such file or directory'),
    ('.', 'cannot write .: it is there, and no file'),
    ('/dev/full', 'cannot write /dev/full: it is there, and no file'),
    ('x' * 300, 'File name too long'),
])
def test_a_file_that_cannot_be_written(tmp_path, file, words, options):
    (tmp_path / 'app.py').write_text('application = print\n')
    done = command.finish('--profile', file, '-b', '127.0.0.1:0', *options, 'app', cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count('\n') == 1
    assert '--profile' in done.stderr and words in done.stderr
    assert os.path.exists('/dev/full')


def test_a_check_leaves_nothing(tmp_path):
    (tmp_path / 'app.py').write_text('application = print\n')
    (tmp_path / 'profile').write_text('kept')
    done = command.finish('--check-config', '--profile', 'profile', 'app', cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, '')
    assert sorted(os.listdir(tmp_path)) == ['app.py', 'profile']
    assert (tmp_path / 'profile').read_text() == 'kept'


def test_a_folder_that_goes_away(start, tmp_path):
    folder = tmp_path / 'folder'
    folder.mkdir()
    profile = Profile(folder)
    server = start(APPLICATION, '--profile', profile.file)
    shutil.rmtree(folder)
    ask(server)
    server.wait_for('cannot write the profile .*: No such file or directory')
    folder.mkdir()
    ask(server)
    profile.has(2)
    shutil.rmtree(folder)
    ask(server)
    end(server)
    assert server.log.count('cannot write the profile') == 1


def test_a_full_disk(start, small_disk):
    """What there is of a profile stays, whole, until there is room for another."""
    profile = Profile(small_disk)
    server = start(APPLICATION, '--profile', profile.file)
    ask(server)
    profile.has(1)
    eventually(profile.file.exists)
    with open(small_disk / 'filler', 'wb', buffering=0) as filler:
        with pytest.raises(OSError):
            while True:
                filler.write(bytes(4096))
    ask(server)
    server.wait_for('cannot write the profile .*: No space left on device')
    assert profile.calls()['application'] == profile.figures()['requests'] == 1
    (small_disk / 'filler').unlink()
    ask(server)
    end(server)
    assert profile.calls()['application'] == profile.figures()['requests'] == 3
    assert sorted(small_disk.iterdir()) == [profile.file, profile.json]
