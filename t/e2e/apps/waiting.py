"""Applications that wait for more than their client, one at each path. Those that leave notes take
the name of the notes from the query string."""
import contextlib
import io
import os
import socket
import threading
import time
import wsgiref.validate

import asynwsgi

from notes import await_note, note

applications = {}
PLAIN = [('Content-Type', 'text/plain')]


def application(environ, start_response):
    return applications[environ['PATH_INFO']](environ, start_response)


def at(path):
    def keep(function):
        applications[path] = function
        return function
    return keep


class Noting:
    """The iterable of an application that notes how it ends, and how often it is closed."""

    def __init__(self, name, items):
        self.name, self.items = name, items

    def __iter__(self):
        return self

    def __next__(self):
        try:
            return next(self.items)
        except StopIteration:
            note(self.name, 'end')
            raise

    def close(self):
        self.items.close()
        note(self.name, 'close')


def noting(function):
    """The generator of function(environ, start_response, name), which notes with what it ends."""
    def run(environ, start_response):
        name = environ['QUERY_STRING'].split('&')[0]

        def items():
            try:
                yield from function(environ, start_response, name)
            except BaseException as error:
                note(name, type(error).__name__)
                raise
        return Noting(name, items())
    return run


def number(environ):
    """The number in a query string, "name&number"."""
    return float(environ['QUERY_STRING'].split('&')[1])


def timed_out(environ):
    return b'timed out' if environ['x-wsgiorg.fdevent.timeout'] else b'ready'


# -- Time -----------------------------------------------------------------------------------------

@at('/hello')
def hello(environ, start_response):
    start_response('200 OK', [*PLAIN, ('Content-Length', '5')])
    return [b'hello']


@at('/input-after-a-wait')
def input_after_a_wait(environ, start_response):
    """The body, read when others have sent theirs."""
    start_response('200 OK', PLAIN)
    yield asynwsgi.sleep(float(environ['QUERY_STRING']))
    yield environ['wsgi.input'].read()


@at('/sleep')
@noting
def sleeps(environ, start_response, name):
    start_response('200 OK', PLAIN)
    note(name, 'sleeps')
    before = time.monotonic()
    item = asynwsgi.sleep(number(environ))
    assert item == b'' and type(item) is bytes
    yield item
    assert time.monotonic() - before >= number(environ)
    yield timed_out(environ)


@at('/steps')
def many_steps(environ, start_response):
    start_response('200 OK', PLAIN)
    for n in range(20):
        yield asynwsgi.sleep(0.005)
        yield b'%d ' % n


@at('/sleep-before-the-head')
def sleeps_first(environ, start_response):
    yield asynwsgi.sleep(0.01)
    start_response('202 Late', PLAIN)
    yield b'late'


@at('/dropped')
def drops_its_wait(environ, start_response):
    """What is not empty is sent instead of waiting."""
    start_response('200 OK', PLAIN)
    asynwsgi.sleep(3600)
    yield b'not '
    asynwsgi.sleep(3600)
    asynwsgi.sleep(0)
    yield b''
    yield b'waited'


@at('/returned')
def returns_after_asking(environ, start_response):
    start_response('200 OK', PLAIN)
    asynwsgi.sleep(3600)
    return [b'body', b'']


@at('/last')
def waits_at_last(environ, start_response):
    start_response('200 OK', PLAIN)
    yield b'body'
    asynwsgi.sleep(3600)


@at('/validated')
def validated(environ, start_response):
    return wsgiref.validate.validator(waits_twice)(environ, start_response)


def waits_twice(environ, start_response):
    start_response('200 OK', list(PLAIN))
    yield asynwsgi.sleep(0.01)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield environ['x-wsgiorg.fdevent.writable'](ours)
        yield timed_out(environ)


# -- Descriptors ----------------------------------------------------------------------------------

@at('/pipe')
@noting
def reads_a_pipe(environ, start_response, name):
    """Which another request, or a thread, writes to."""
    start_response('200 OK', PLAIN)
    reader, writer = os.pipe()
    try:
        pipes[name] = writer
        note(name, 'waits')
        yield environ['x-wsgiorg.fdevent.readable'](reader)
        yield os.read(reader, 100) + b', ' + timed_out(environ)
    finally:
        del pipes[name]
        os.close(reader)
        os.close(writer)


pipes = {}


@at('/write-pipe')
def writes_to_a_pipe(environ, start_response):
    os.write(pipes[environ['QUERY_STRING']], b'from another')
    start_response('200 OK', PLAIN)
    return [b'written']


@at('/pipe-thread')
def reads_a_pipe_of_a_thread(environ, start_response):
    start_response('200 OK', PLAIN)
    reader, writer = os.pipe()

    def write():
        time.sleep(0.05)
        os.write(writer, b'from a thread')

    with open(reader, 'rb', 0) as file, open(writer, 'wb', 0):
        thread = threading.Thread(target=write)
        thread.start()
        yield environ['x-wsgiorg.fdevent.readable'](file, timeout=60)
        yield file.read(100) + b', ' + timed_out(environ)
        thread.join()


@at('/sockets')
def talks_through_a_socketpair(environ, start_response):
    """Fills it until it has to be waited for, and empties it meanwhile."""
    start_response('200 OK', PLAIN)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        yield environ['x-wsgiorg.fdevent.writable'](ours, 60)
        yield timed_out(environ)
        sent = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                sent += ours.send(bytes(10_000))
        yield environ['x-wsgiorg.fdevent.writable'](ours, 0.05)
        yield b', ' + timed_out(environ)
        while sent:
            yield environ['x-wsgiorg.fdevent.readable'](theirs.fileno(), 60.0)
            sent -= len(theirs.recv(100_000))
        yield environ['x-wsgiorg.fdevent.writable'](ours)
        yield b', ' + timed_out(environ)
        ours.close()
        yield environ['x-wsgiorg.fdevent.readable'](theirs)
        yield b', ' + timed_out(environ) + b', ' + repr(theirs.recv(1)).encode()


@at('/timeouts')
def times_out(environ, start_response):
    """Whether the last wait timed out, for each kind in turn."""
    start_response('200 OK', PLAIN)
    truth = environ['x-wsgiorg.fdevent.timeout']
    set_event, event = asynwsgi.Event(), asynwsgi.Event()
    set_event.set()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        said = [bool(truth)]
        for make in (lambda: environ['x-wsgiorg.fdevent.readable'](ours, 0.01),
                     lambda: environ['x-wsgiorg.fdevent.writable'](ours, 60),
                     lambda: event.wait(0.01), lambda: set_event.wait(0.01),
                     lambda: event.wait(0), lambda: set_event.wait(),
                     lambda: environ['x-wsgiorg.fdevent.readable'](ours, 0)):
            yield make()
            said.append(bool(truth))
        yield repr(said).encode()


@at('/wrong')
def waits_for_what_there_is_not(environ, start_response):
    """Each is an exception when it is asked for, or when it is waited for."""
    start_response('200 OK', PLAIN)
    readable = environ['x-wsgiorg.fdevent.readable']
    said = []
    reader, writer = os.pipe()
    os.close(reader)
    os.close(writer)
    for arguments in ((-1,), ('1',), (1.5,), (None,), (10**30,), (object(),), (), (0, 'soon'),
                      (0, float('nan')), (reader,), (0, 1, 2)):
        try:
            yield readable(*arguments)
            said.append('nothing')
        except Exception as error:
            said.append(type(error).__name__)
    yield ' '.join(said).encode()


shared = os.pipe()


@at('/shared')
@noting
def waits_for_what_others_wait_for(environ, start_response, name):
    start_response('200 OK', PLAIN)
    note(name, 'waits')
    yield environ['x-wsgiorg.fdevent.readable'](shared[0], 60)
    yield timed_out(environ)


@at('/write-shared')
def writes_to_what_is_shared(environ, start_response):
    os.write(shared[1], b'x')
    start_response('200 OK', PLAIN)
    return [b'written']


@at('/list')
def waits_in_a_list(environ, start_response):
    start_response('200 OK', PLAIN)
    item = event('list').wait()
    note('list', 'waits')
    return [item, b'went ', b'on']


@at('/file')
def waits_for_a_file(environ, start_response):
    """Which is always ready, though epoll takes none."""
    start_response('200 OK', PLAIN)
    with open(__file__, 'rb') as file:
        yield environ['x-wsgiorg.fdevent.readable'](file, 60)
        yield timed_out(environ)


# -- Events ---------------------------------------------------------------------------------------

events = {}


def event(name):
    return events.setdefault(name, asynwsgi.Event())


@at('/wait')
@noting
def waits(environ, start_response, name):
    start_response('200 OK', PLAIN)
    item = event(name).wait()
    note(name, 'waits')
    yield item
    yield timed_out(environ)


@at('/wait-timeout')
@noting
def waits_for_so_long(environ, start_response, name):
    start_response('200 OK', PLAIN)
    yield event(name).wait(number(environ))
    yield timed_out(environ)


@at('/set')
def sets(environ, start_response):
    event(environ['QUERY_STRING']).set()
    start_response('200 OK', PLAIN)
    return [str(event(environ['QUERY_STRING']).is_set()).encode()]


@at('/pulse')
def pulses(environ, start_response):
    event(environ['QUERY_STRING']).set()
    event(environ['QUERY_STRING']).clear()
    start_response('200 OK', PLAIN)
    return [str(event(environ['QUERY_STRING']).is_set()).encode()]


@at('/set-by-thread')
def has_a_thread_set_it(environ, start_response):
    """Soon after this has been answered."""
    name = environ['QUERY_STRING']

    def act():
        await_note(name + '.go')
        event(name).set()
        event(name).clear()

    threading.Thread(target=act).start()
    start_response('200 OK', PLAIN)
    return [b'soon']


@at('/set-before-the-yield')
def is_set_before_it_yields(environ, start_response):
    """What happens between wait() and the yield is not missed."""
    start_response('200 OK', PLAIN)
    mine = asynwsgi.Event()
    item = mine.wait()
    mine.set()
    mine.clear()
    yield item
    yield timed_out(environ)


@at('/ping-pong')
def ping_pong(environ, start_response):
    """Two threads, and a request between them."""
    start_response('200 OK', PLAIN)
    ping, pong = asynwsgi.Event(), threading.Event()

    def play():
        for _ in range(200):
            ping.set()
            pong.wait(10)
            pong.clear()

    thread = threading.Thread(target=play)
    thread.start()
    for _ in range(200):
        yield ping.wait(10)
        if environ['x-wsgiorg.fdevent.timeout']:
            break
        ping.clear()
        pong.set()
    yield timed_out(environ)
    thread.join()


# -- Outside of a request -------------------------------------------------------------------------

outside = []


def try_all(environ=None):
    event = asynwsgi.Event()
    event.set(), event.clear(), event.is_set()  # these may be used anywhere
    calls = [lambda: asynwsgi.sleep(1), lambda: event.wait()]
    if environ:
        calls += [lambda: environ['x-wsgiorg.fdevent.readable'](0),
                  lambda: environ['x-wsgiorg.fdevent.writable'](1, 5),
                  lambda: environ['asynwsgi.client_gone'](),
                  lambda: bool(environ['x-wsgiorg.fdevent.timeout'])]
    said = []
    for call in calls:
        try:
            said.append(repr(call()))
        except Exception as error:
            said.append(type(error).__name__)
    return said


while_loading = try_all()


@at('/outside')
def tries_outside(environ, start_response):
    said = while_loading
    in_thread = []
    thread = threading.Thread(target=lambda: in_thread.extend(try_all()))
    thread.start()
    thread.join()
    start_response('200 OK', PLAIN)
    return [' '.join(said + in_thread).encode()]


kept = {}


@at('/keep')
def keeps(environ, start_response):
    kept['environ'] = dict(environ)
    start_response('200 OK', PLAIN)
    yield asynwsgi.sleep(0)
    yield b'kept'


@at('/use-kept')
def uses_what_was_kept(environ, start_response):
    """Where no request is served."""
    said = []
    thread = threading.Thread(target=lambda: said.extend(try_all(kept['environ'])))
    thread.start()
    thread.join()
    start_response('200 OK', PLAIN)
    yield ' '.join(said).encode()


# -- Clients that leave ---------------------------------------------------------------------------

@at('/readable')
@noting
def readable(environ, start_response, name):
    start_response('200 OK', PLAIN)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        note(name, 'waits')
        yield environ['x-wsgiorg.fdevent.readable'](ours)


@at('/readable-timeout')
@noting
def readable_for_long(environ, start_response, name):
    start_response('200 OK', PLAIN)
    yield b'some'
    ours, theirs = socket.socketpair()
    with ours, theirs:
        note(name, 'waits')
        yield environ['x-wsgiorg.fdevent.readable'](ours, 3600)


@at('/writable')
@noting
def writable(environ, start_response, name):
    start_response('200 OK', PLAIN)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                ours.send(bytes(10_000))
        note(name, 'waits')
        yield environ['x-wsgiorg.fdevent.writable'](ours)


@at('/sleep-long')
@noting
def sleeps_long(environ, start_response, name):
    start_response('200 OK', PLAIN)
    note(name, 'waits')
    yield asynwsgi.sleep(3600)


@at('/wait-event')
@noting
def waits_for_an_event(environ, start_response, name):
    start_response('200 OK', PLAIN)
    note(name, 'waits')
    yield event(name).wait()


@at('/stubborn')
@noting
def does_not_stop(environ, start_response, name):
    """Goes on after a GeneratorExit, which Python does not let it."""
    start_response('200 OK', PLAIN)
    note(name, 'waits')
    try:
        yield asynwsgi.sleep(3600)
    except GeneratorExit:
        yield b'more'


@at('/waits-at-its-end')
@noting
def waits_in_finally(environ, start_response, name):
    """Asks for a wait where there is no client any more."""
    start_response('200 OK', PLAIN)
    note(name, 'waits')
    try:
        yield asynwsgi.sleep(3600)
    finally:
        try:
            note(name, repr(asynwsgi.sleep(0)))
        except Exception as error:
            note(name, type(error).__name__)


@at('/close-in-use')
@noting
def closes_what_it_waits_for(environ, start_response, name):
    """Waits for descriptors one after the other that have the same number."""
    start_response('200 OK', PLAIN)
    numbers = set()
    for _ in range(50):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            numbers.add(ours.fileno())
            yield environ['x-wsgiorg.fdevent.readable'](ours, 0.001)
            assert environ['x-wsgiorg.fdevent.timeout']
            theirs.send(b'x')
            yield environ['x-wsgiorg.fdevent.readable'](ours, 60)
            assert not environ['x-wsgiorg.fdevent.timeout']
    assert len(numbers) < 50
    yield b'fine'


@at('/computes')
def computes(environ, start_response):
    """Until its client has gone; blocks the loop meanwhile."""
    name = environ['QUERY_STRING']
    start_response('200 OK', PLAIN)
    yield b'some'
    gone = environ['asynwsgi.client_gone']
    note(name, str(gone()))
    deadline = time.monotonic() + 15
    while not gone() and time.monotonic() < deadline:
        time.sleep(0.001)
    note(name, str(gone()))


@at('/here')
def is_here(environ, start_response):
    start_response('200 OK', PLAIN)
    return [str(environ['asynwsgi.client_gone']()).encode()]


# -- Two mixed ------------------------------------------------------------------------------------

@at('/upload')
@noting
def waits_between(environ, start_response, name):
    """Takes its input, and waits for other things between its pieces."""
    note(name, 'called')
    received = io.BytesIO()
    for item in environ['wsgi.input']:
        if item is environ['wsgi.input_sentinel']:
            yield item
            assert not environ['x-wsgiorg.fdevent.timeout']
            continue
        received.write(item)
        yield asynwsgi.sleep(0.002)
    start_response('200 OK', PLAIN)
    yield received.getvalue()
