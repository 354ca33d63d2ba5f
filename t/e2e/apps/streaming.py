"""Applications that read their input as it arrives, one at each path. Those that leave notes take
the name of the notes from the query string."""
import hashlib
import io
import json
import urllib.parse
import wsgiref.validate
import zlib

import asynwsgi

from notes import exists, note

applications = {}
PLAIN = [('Content-Type', 'text/plain')]


def plain(environ, start_response):
    """Not marked as one that streams."""
    return applications[environ['PATH_INFO']](environ, start_response)


@asynwsgi.streaming
def application(environ, start_response):
    return plain(environ, start_response)


def attributed(environ, start_response):
    return plain(environ, start_response)


attributed.asynwsgi_streaming = True


class Site:
    """An object whose class has the attribute."""
    asynwsgi_streaming = True

    def __call__(self, environ, start_response):
        return plain(environ, start_response)


site = Site()


def refuses(environ, start_response):
    return plain(environ, start_response)


refuses.asynwsgi_streaming = False


def at(path):
    def keep(function):
        applications[path] = function
        return function
    return keep


class Noting:
    """An iterable that is closed, and notes how often."""

    def __init__(self, name, items):
        self.name, self.items = name, items

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.items)

    def close(self):
        self.items.close()
        note(self.name, 'close')


# -- Iterating ------------------------------------------------------------------------------------

@at('/echo')
def idiom(environ, start_response):
    received = io.BytesIO()
    for v in environ['wsgi.input']:
        if v is environ['wsgi.input_sentinel']:
            yield v
            continue
        if not isinstance(v, bytes):
            chunk_size, v = v
        received.write(v)
    start_response('200 OK', PLAIN)
    yield received.getvalue()


@at('/digest')
def digest(environ, start_response):
    start_response('200 OK', list(PLAIN))
    size, digest = 0, hashlib.sha256()
    for v in environ['wsgi.input']:
        if v is environ['wsgi.input_sentinel']:
            yield v
            continue
        if not isinstance(v, bytes):
            chunk_size, v = v
        size += len(v)
        digest.update(v)
    yield f'{size} {digest.hexdigest()}'.encode()


def as_json(item):
    if isinstance(item, bytes):
        return item.decode('latin-1')
    size, data, *more = item
    return [size, data.decode('latin-1'), *more]


@at('/items')
def items(environ, start_response):
    """Each item as soon as it comes, a line of JSON; in the end what `trailers` were before and are
    after, and that the end stays the end. Options are in the query string."""
    start_response('200 OK', PLAIN)
    source = environ['wsgi.input']
    if 'trailers' in environ['QUERY_STRING']:
        source.yield_trailers = True
    before = source.trailers
    for item in source:
        if item is environ['wsgi.input_sentinel']:
            yield item
        else:
            yield json.dumps(as_json(item)).encode() + b'\n'
    again = [next(source, 'end'), source.read(), source.read(5), source.readline()]
    assert again == ['end', b'', b'', b''], again
    yield json.dumps({'before': before, 'after': source.trailers}).encode() + b'\n'


@at('/noted')
def noted(environ, start_response):
    """How far it gets."""
    def read(name):
        note(name, 'called')
        start_response('200 OK', PLAIN)
        try:
            for item in environ['wsgi.input']:
                if item is environ['wsgi.input_sentinel']:
                    yield item
                elif 'tell' in name:
                    yield b'.'
        except BaseException as error:
            note(name, type(error).__name__)
            raise
        note(name, 'ended')
        yield b'!'
    return Noting(environ['QUERY_STRING'], read(environ['QUERY_STRING']))


@at('/stuck')
def stuck(environ, start_response):
    """Does not read until there is a note "NAME.go"; if the name begins with "some", it has read
    one item before."""
    note(environ['QUERY_STRING'], 'called')
    try:
        while environ['QUERY_STRING'].startswith('some'):
            item = next(environ['wsgi.input'])
            if item is not environ['wsgi.input_sentinel']:
                break
            yield item
        while not exists(environ['QUERY_STRING'] + '.go'):
            yield asynwsgi.sleep(0.02)
        yield from digest(environ, start_response)
    except GeneratorExit:
        note(environ['QUERY_STRING'], 'GeneratorExit')
        raise


@at('/late-items')
def late_items(environ, start_response):
    """How long each is that there is when there is a note "NAME.go"."""
    start_response('200 OK', PLAIN)
    while not exists(environ['QUERY_STRING'] + '.go'):
        yield asynwsgi.sleep(0.02)
    for item in environ['wsgi.input']:
        yield item if item is environ['wsgi.input_sentinel'] else b'%d ' % len(item)


@at('/early')
def early(environ, start_response):
    """Answers without reading."""
    start_response('403 Forbidden', [*PLAIN, ('Content-Length', '2')])
    return [b'no']


@at('/first-item')
def first_item(environ, start_response):
    """Answers after the first that has arrived."""
    for item in environ['wsgi.input']:
        if item is not environ['wsgi.input_sentinel']:
            start_response('403 Forbidden', [*PLAIN, ('Content-Length', '2')])
            yield b'no'
            return
        yield item


@at('/raises')
def raises(environ, start_response):
    for item in environ['wsgi.input']:
        if item is not environ['wsgi.input_sentinel']:
            raise ValueError('in the middle of the input')
        yield item


@at('/never')
def never_reads(environ, start_response):
    start_response('200 OK', [('Content-Length', '0')])
    return []


# -- read() and the like --------------------------------------------------------------------------

def call_again(environ, call, told):
    """The value of a call, which is repeated until it has not to wait."""
    while True:
        try:
            return call()
        except BlockingIOError:
            if not told:
                told = True
                yield b'"blocked"\n'
            else:
                yield environ['wsgi.input_sentinel']


@at('/calls')
def calls(environ, start_response):
    """[[method, argument...], ...] in the query string: a line of JSON for each, and "blocked"
    before it, once, if it had to wait."""
    start_response('200 OK', PLAIN)
    for method, *arguments in json.loads(urllib.parse.unquote(environ['QUERY_STRING'])):
        call = getattr(environ['wsgi.input'], method)
        try:
            value = yield from call_again(environ, lambda: call(*arguments), False)
        except ValueError:
            value = [b'ValueError']
        pieces = value if isinstance(value, list) else [value]
        yield json.dumps([piece.decode('latin-1') for piece in pieces]).encode() + b'\n'


@at('/all-or-items')
def all_or_items(environ, start_response):
    """[size, data] and data, joined, of those that there are when read() has found that the body is
    too long for it."""
    start_response('200 OK', PLAIN)
    try:
        yield from call_again(environ, environ['wsgi.input'].read, True)
    except ValueError:
        for item in environ['wsgi.input']:
            yield item if item is environ['wsgi.input_sentinel'] else \
                json.dumps(as_json(item)).encode() + b'\n'


def by_read(environ, start_response):
    """For middleware that lets read(n) through only."""
    start_response('200 OK', list(PLAIN))
    digest = hashlib.sha256()
    while True:
        try:
            piece = environ['wsgi.input'].read(1000)
        except BlockingIOError:
            yield environ['wsgi.input_sentinel']
            continue
        if not piece:
            break
        digest.update(piece)
    yield digest.hexdigest().encode()


@at('/validated')
def validated(environ, start_response):
    environ['QUERY_STRING'] = ''
    return wsgiref.validate.validator(by_read)(environ, start_response)


def gzipped(application):
    def squeeze(items):
        squeezer = zlib.compressobj(wbits=31)
        try:
            for item in items:
                yield squeezer.compress(item)
            yield squeezer.flush()
        finally:
            items.close()

    def wrapped(environ, start_response):
        return squeeze(application(environ, lambda status, headers: start_response(
            status, [*headers, ('Content-Encoding', 'gzip')])))
    return wrapped


applications['/gzipped'] = gzipped(digest)


@at('/lines')
def lines(environ, start_response):
    """What iteration gives where the whole body is there, and its trailers."""
    start_response('200 OK', PLAIN)
    found = [as_json(item) for item in environ['wsgi.input']]
    return [json.dumps([found, environ['wsgi.input'].trailers]).encode()]
