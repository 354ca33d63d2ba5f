"""An application for --threads: some of it holds its thread, some of it waits without one."""
import atexit
import contextvars
import hashlib
import os
import random
import subprocess
import sys
import threading
import time

import asynwsgi

from notes import await_note, note

barrier = threading.Barrier(4, timeout=10)
event = asynwsgi.Event()
local = threading.local()
variable = contextvars.ContextVar('variable')


class Closing:
    def __init__(self, items, name):
        self.items, self.name = items, name

    def __iter__(self):
        return self.items

    def close(self):
        self.items.close()
        note('closed', self.name)


def blocks(seed, count):
    generator = random.Random(seed)
    for _ in range(count):
        yield generator.randbytes(generator.randrange(1, 50000))


def digest(environ):
    """Of what is uploaded, piece by piece."""
    found = hashlib.sha256()
    for v in environ['wsgi.input']:
        if v is environ['wsgi.input_sentinel']:
            yield v
            continue
        found.update(v if isinstance(v, bytes) else v[1])
    yield found.hexdigest().encode()


def suspended(name, wait):
    variable.set(name)
    local.name = name
    yield wait()
    yield variable.get().encode()


def application(environ, start_response):
    path, query = environ['PATH_INFO'], environ['QUERY_STRING']
    if path == '/together':
        barrier.wait()
    elif path == '/hold':
        note('held', query)
        await_note(query)
    elif path == '/hang':
        note('held', 'hang')
        time.sleep(1000)
    elif path == '/loop':
        note('held', 'loop')
        while True:
            pass
    elif path == '/error':
        raise ZeroDivisionError(query)
    elif path == '/set':
        event.set()
    elif path == '/never':
        note('never', 'called')
    elif path == '/atexit':
        atexit.register(note, 'atexit', 'done')
    start_response('200 OK', [('Content-Type', 'text/plain')])
    if path == '/multithread':
        return [str(environ['wsgi.multithread']).encode()]
    if path == '/thread':
        local.count = getattr(local, 'count', 0) + 1
        return [b'%d %d' % (threading.get_ident(), local.count)]
    if path == '/blocks':
        seed, count = query.split(',')
        return Closing(blocks(seed, int(count)), 'blocks')
    if path == '/digest':
        return digest(environ)
    if path == '/read':
        lines = [environ['wsgi.input'].readline(), *environ['wsgi.input'].readlines()]
        return [b'|'.join(lines)]
    if path == '/event':
        return Closing(suspended(query, event.wait), 'event')
    if path == '/sleep':
        return Closing(suspended(query, lambda: asynwsgi.sleep(0.01)), 'sleep')
    if path == '/child':
        return [subprocess.run([sys.executable, '-c', 'print("child")'], stdout=subprocess.PIPE,
                               check=True).stdout]
    if path == '/fork':
        child = os.fork()
        if child == 0:
            return [b'from the child']
        return [b'%d' % os.waitpid(child, 0)[1]]
    return [b'hello']
