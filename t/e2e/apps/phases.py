"""An application that fails, or waits, in the phase of its request that the query string names, as
/KIND?phase=PHASE&error=EXCEPTION or /KIND?phase=PHASE&notes=NAME.

With notes=NAME it notes there that it is in the phase, and goes on when there is NAME.on; and that
its iterable was made, and closed. KIND is how it gives its body, which blocks=N makes longer. With
wait=WAY it waits in that way, which never ends.

/streaming/KIND does the same while it takes its input as that comes, and waits in each way.
"""
import concurrent.futures
import gc
import json
import os
import sys
import urllib.parse

import asynwsgi

from notes import await_note, note

ERRORS = {error.__name__: error for error in (
    ValueError, SystemExit, KeyboardInterrupt, GeneratorExit, StopIteration, MemoryError)}


class Phases:
    def __init__(self, environ):
        query = dict(urllib.parse.parse_qsl(environ['QUERY_STRING']))
        self.phase, self.notes = query.get('phase'), query.get('notes')
        self.blocks = int(query.get('blocks', 0))
        self.error = ERRORS.get(query.get('error'))
        self.environ, self.wait = environ, query.get('wait')
        self.taken = []
        self.is_streaming = environ['PATH_INFO'].startswith('/streaming/')

    def note(self, line):
        if self.notes:
            note(self.notes, line)

    def reach(self, phase):
        """Fails here, or waits."""
        if phase != self.phase:
            return
        if self.error:
            raise self.error(phase)
        self.note('in ' + phase)
        await_note(self.notes + '.on')

    def items(self):
        self.reach('first')
        yield b''
        self.reach('held')
        if self.is_streaming:
            yield from self.take_input()
            yield from self.wait_in_each_way()
        if self.wait:
            yield from self.wait_forever()
        yield b'some '
        self.reach('body')
        yield b'body'
        for _ in range(self.blocks):
            yield bytes(65536)
        self.reach('end')


    def take_input(self):
        for piece in self.environ['wsgi.input']:
            if piece is self.environ['wsgi.input_sentinel']:
                self.reach('input')
                yield piece
            else:
                self.taken.append(piece)
                self.reach('taken')

    def wait_in_each_way(self):
        yield asynwsgi.sleep(0)
        self.reach('slept')
        event = asynwsgi.Event()
        yield event.wait(0)
        self.reach('expired')
        read, write = os.pipe()
        try:
            yield self.environ['x-wsgiorg.fdevent.writable'](write)
            self.reach('writable')
            yield self.environ['x-wsgiorg.fdevent.readable'](read, 0)
        finally:
            os.close(read)
            os.close(write)

    def wait_forever(self):
        read, write = os.pipe()
        event = asynwsgi.Event()
        self.note('waits')
        try:
            yield {'sleep': lambda: asynwsgi.sleep(1e9),
                   'event': event.wait,
                   'readable': lambda: self.environ['x-wsgiorg.fdevent.readable'](read),
                   'timeout': lambda: event.wait(1e9)}[self.wait]()
            self.note('goes on')
        finally:
            os.close(read)
            os.close(write)


class Body:
    """An iterable that is closed."""

    def __init__(self, phases):
        self.phases = phases
        self.items = phases.items()

    def __iter__(self):
        self.phases.reach('iter')
        return self

    def __next__(self):
        return next(self.items)

    def close(self):
        self.items.close()
        self.phases.note('close')
        self.phases.reach('close')


class File:
    """What wsgi.file_wrapper wraps. It says where it stands, and has no descriptor."""

    def __init__(self, phases):
        self.phases = phases
        self.body = Body(phases)
        self.items = filter(None, phases.items())

    def read(self, size):
        return next(self.items, b'')

    def tell(self):
        return 0

    def close(self):
        self.body.close()


def generator(phases):
    """A generator's close() is Python's: finally stands for it."""
    try:
        yield from phases.items()
    finally:
        phases.note('close')
        phases.reach('close')


kept = []


def application(environ, start_response):
    phases = Phases(environ)
    kind = environ['PATH_INFO'].rpartition('/')[2]
    if kind == 'count':
        return count(environ, start_response)
    if kind == 'keep':
        kept[:] = [environ, start_response, start_response('200 OK', []), asynwsgi.Event()]
        return [b'kept']
    if kind == 'use-kept':
        return use_kept(phases, start_response)
    phases.reach('call')
    length = [('Content-Length', '9')] if kind == 'sized' else []
    if not phases.is_streaming:
        environ['wsgi.input'].read(3)
    write = start_response('200 OK', [('X-Phase', 'started'), *length])
    phases.reach('started')
    if kind == 'write':
        write(b'written ')
        phases.reach('written')
    if kind == 'replaced':
        try:
            raise LookupError(kind)
        except LookupError:
            start_response('200 OK', [('X-Phase', 'replaced')], sys.exc_info())
    phases.note('made')
    if kind == 'file':
        return environ['wsgi.file_wrapper'](File(phases), 1000)
    return generator(phases) if kind == 'generator' else Body(phases)


def outcome(call):
    try:
        return call()
    except RuntimeError:
        return 'RuntimeError'


def use_kept(phases, start_response):
    """What an earlier request kept is dead, while this one takes its input."""
    environ, start, write, event = kept
    stream = environ['wsgi.input']
    said = {
        'start_response': lambda: start('500 Kept', []),
        'write': lambda: write(b'kept'),
        'next': lambda: next(stream),
        'read': lambda: stream.read(1),
        'readline': stream.readline,
        'readlines': stream.readlines,
        'trailers': lambda: stream.trailers,
    }
    # Those that are of no request are dead where there is none.
    in_thread = {
        'sleep': lambda: asynwsgi.sleep(0),
        'wait': event.wait,
        'readable': lambda: environ['x-wsgiorg.fdevent.readable'](0),
        'writable': lambda: environ['x-wsgiorg.fdevent.writable'](1),
        'timeout': lambda: bool(environ['x-wsgiorg.fdevent.timeout']),
        'client_gone': environ['asynwsgi.client_gone'],
    }
    start_response('200 OK', [])
    yield from phases.take_input()
    said = {name: outcome(call) for name, call in said.items()}
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        said.update((name, threads.submit(outcome, call).result())
                    for name, call in in_thread.items())
    event.set()
    yield json.dumps([str(piece) for piece in phases.taken]).encode() + b'\n'
    yield json.dumps(said).encode()


def count(environ, start_response):
    """How much there is of Python's: blocks of memory and, where this is counted, references."""
    kept.clear()
    gc.collect()
    counts = {'blocks': sys.getallocatedblocks(), 'objects': len(gc.get_objects())}
    if hasattr(sys, 'gettotalrefcount'):
        counts['references'] = sys.gettotalrefcount()
    body = json.dumps(counts).encode()
    start_response('200 OK', [('Content-Length', str(len(body)))])
    return [body]
