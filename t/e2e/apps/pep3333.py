"""Applications that go to the corners of PEP 3333, one at each path. Those that leave notes take
the name of the notes from the query string."""
import gzip
import io
import json
import os
import sys
import tempfile
import threading
import time
import traceback
import urllib.parse
import wsgiref.validate

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


class Iterable:
    """Gives its items, and notes when it is closed. An item that is an exception is raised."""

    def __init__(self, name, items):
        self.name = name
        self.items = iter(items)

    def __iter__(self):
        return self

    def __next__(self):
        item = next(self.items)
        if isinstance(item, BaseException):
            raise item
        return item

    def close(self):
        note(self.name, 'close')


# -- environ --------------------------------------------------------------------------------------

@at('/environ')
def environ_as_json(environ, start_response):
    assert type(environ) is dict
    start_response('200 OK', [('Content-Type', 'application/json')])
    return [json.dumps({name: value if isinstance(value, (str, bool, int)) else repr(value)
                        for name, value in environ.items()}).encode()]


for path in ('/', '/a b', '/caf\xc3\xa9', '/%2F', '/a//b/./c/', '*'):
    applications[path] = environ_as_json


@at('/mutable')
def changes_its_environ(environ, start_response):
    """What one request leaves in its environ, the next does not see."""
    seen = environ.get('left.behind', 'nothing')
    environ['left.behind'] = 'something'
    del environ['REQUEST_METHOD']
    environ.clear()
    start_response('200 OK', list(PLAIN))
    return [seen.encode()]


@at('/path')
def imports_from_here(environ, start_response):
    import beside
    start_response('200 OK', list(PLAIN))
    return [beside.MESSAGE]


# -- start_response and write ---------------------------------------------------------------------

@at('/write')
def writes(environ, start_response):
    write = start_response('200 OK', list(PLAIN))
    write(b'written, ')
    write(b'')
    write(b'twice, ')
    return [b'then ', b'returned']


@at('/write-sized')
def writes_sized(environ, start_response):
    write = start_response('200 OK', [('Content-Length', '12')])
    write(b'written, ')
    write(b'all')
    return []


@at('/write-soon')
def writes_before_it_goes_on(environ, start_response):
    write = start_response('200 OK', list(PLAIN))
    write(b'first')
    await_note(environ['QUERY_STRING'])
    write(b'second')
    return []


@at('/write-odd')
def writes_what_it_should_not(environ, start_response):
    write = start_response('200 OK', list(PLAIN))
    for odd in ('text', None, 1, [b'x']):
        try:
            write(odd)
        except Exception as error:
            write(f'{type(error).__name__} '.encode())
        else:
            write(b'taken ')
    return []


@at('/in-generator')
def starts_late(environ, start_response):
    """start_response is called when the first item is taken, which the PEP allows."""
    start_response('202 Later', list(PLAIN))
    yield b'late'


@at('/never-started')
def never_starts(environ, start_response):
    return Iterable(environ['QUERY_STRING'], [b'body without a head'])


@at('/started-twice')
def starts_twice(environ, start_response):
    start_response('200 OK', list(PLAIN))
    start_response('200 OK', list(PLAIN))
    return [b'never']


@at('/replaced')
def replaces_its_head(environ, start_response):
    start_response('200 OK', [('X-First', 'yes')])
    yield b''
    try:
        raise ValueError('on second thought')
    except ValueError:
        start_response('503 Second Thought', [('X-Second', 'yes')], sys.exc_info())
    yield b'replaced'


@at('/held')
def holds_its_head(environ, start_response):
    """Gives what is empty, and thinks again before it gives more."""
    name, how = environ['QUERY_STRING'].split(',')
    start_response('200 OK', [('X-First', 'yes'), ('Content-Length', '5')])
    yield b''
    yield b''
    note(name + '.held', 'held')
    await_note(name)
    try:
        raise ValueError('on second thought')
    except ValueError:
        start_response('503 Second Thought', list(PLAIN), sys.exc_info())
    if how == 'return':
        return
    yield b''
    if how == 'item':
        yield b'longer than the first one was to be'


@at('/write-nothing')
def writes_nothing(environ, start_response):
    write = start_response('200 OK', list(PLAIN))
    write(b'')
    await_note(environ['QUERY_STRING'])
    return [b'late']


@at('/exc-info-first')
def passes_exc_info_first(environ, start_response):
    """That was the first call, so another is the second."""
    try:
        raise ValueError('before the first call')
    except ValueError:
        start_response('500 At First', list(PLAIN), sys.exc_info())
    try:
        start_response('200 OK', list(PLAIN))
    except AssertionError:
        return [b'at first, once']


@at('/exc-info-late')
def passes_exc_info_late(environ, start_response):
    start_response('200 OK', list(PLAIN))(b'written')
    line = None
    try:
        line = sys._getframe().f_lineno + 1
        raise ValueError('after the head')
    except ValueError:
        try:
            start_response('500 Too Late', list(PLAIN), sys.exc_info())
        except ValueError as error:
            lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__)]
            note(environ['QUERY_STRING'],
                 f'ValueError {error}, at its line: {line in lines}')
            raise


@at('/replaced-wrongly')
def replaces_its_head_wrongly(environ, start_response):
    start_response('200 OK', [('X-First', 'yes')])
    try:
        raise ValueError
    except ValueError:
        start_response('500 Wrong', [('X-A', 'a\r\nX-B: b')], sys.exc_info())
    return [b'never']


@at('/too-late')
def replaces_its_head_too_late(environ, start_response):
    start_response('200 OK', list(PLAIN))
    yield b'sent'
    try:
        raise ValueError('after the head')
    except ValueError:
        try:
            start_response('500 Too Late', list(PLAIN), sys.exc_info())
        except ValueError:
            note(environ['QUERY_STRING'], 'raised again')
            raise
    yield b'never'


@at('/exc-info-none')
def passes_none_as_exc_info(environ, start_response):
    start_response('200 OK', list(PLAIN), None)
    return [b'fine']


@at('/keyword')
def passes_exc_info_by_name(environ, start_response):
    start_response('200 OK', list(PLAIN), exc_info=None)
    return [b'by name']


@at('/copied-headers')
def changes_its_headers_later(environ, start_response):
    headers = [('X-When', 'before')]
    start_response('200 OK', headers)
    headers[:] = [('X-When', 'after'), ('X-More', 'yes')]
    return [b'body']


@at('/status')
def answers_with(environ, start_response):
    status, body, length = environ['QUERY_STRING'].split(',')
    headers = [('Content-Length', length)] if length else []
    start_response(urllib.parse.unquote(status), headers)
    return [body.encode()] if body else []


@at('/length')
def sized_in_each_way(environ, start_response):
    kind, length = environ['QUERY_STRING'].split(',')
    write = start_response('200 OK', [('Content-Length', length)])
    if kind == 'list':
        return [b'01234', b'56789']
    if kind == 'generator':
        return (b'%d' % digit for digit in range(10))
    if kind == 'file':
        return environ['wsgi.file_wrapper'](io.BytesIO(b'0123456789'), 4)
    write(b'01234')
    return [b'56789']


@at('/headers')
def odd_head(environ, start_response):
    """Calls start_response with the Python that the query string is."""
    status, headers = eval(urllib.parse.unquote(environ['QUERY_STRING']))
    start_response(status, headers)
    return [b'body']


@at('/date')
def own_date_and_server(environ, start_response):
    start_response('200 OK', [('Date', 'Thu, 01 Jan 1970 00:00:00 GMT'), ('Server', 'mine')])
    return [b'']


kept = {}


@at('/keep')
def keeps_everything(environ, start_response):
    kept['start_response'] = start_response
    kept['write'] = start_response('200 OK', list(PLAIN))
    kept['input'] = environ['wsgi.input']
    return [b'kept']


@at('/use-kept')
def uses_what_was_kept(environ, start_response):
    """Everything of an earlier request is dead, and touches nothing of this one."""
    start_response('200 OK', list(PLAIN))
    said = []
    for what, call in (
            ('start_response', lambda: kept['start_response']('500 Kept', [('X-Kept', 'yes')])),
            ('write', lambda: kept['write'](b'from the grave')),
            ('input', lambda: kept['input'].read())):
        try:
            call()
            said.append(f'{what}: nothing')
        except Exception as error:
            said.append(f'{what}: {type(error).__name__}')
    return ['\n'.join(said).encode()]


# -- the iterable ---------------------------------------------------------------------------------

@at('/closed')
def closed(environ, start_response):
    start_response('200 OK', list(PLAIN))
    return Iterable(environ['QUERY_STRING'], [b'one ', b'', b'two'])


@at('/closed-sized')
def closed_sized(environ, start_response):
    start_response('200 OK', [('Content-Length', '7')])
    return Iterable(environ['QUERY_STRING'], [b'one ', b'', b'two'])


@at('/error-at-once')
def fails_at_once(environ, start_response):
    raise ValueError('error at once')


@at('/error-after-start')
def fails_after_start(environ, start_response):
    start_response('200 OK', [('X-Never', 'sent')])
    raise ValueError('error after start')


@at('/error-first-item')
def fails_at_first_item(environ, start_response):
    start_response('200 OK', [('X-Never', 'sent')])
    return Iterable(environ['QUERY_STRING'], [b'', ValueError('error at first item')])


@at('/error-in-body')
def fails_in_body(environ, start_response):
    start_response('200 OK', list(PLAIN))
    return Iterable(environ['QUERY_STRING'], [b'some', ValueError('error in body')])


@at('/error-in-sized-body')
def fails_in_sized_body(environ, start_response):
    start_response('200 OK', [('Content-Length', '1000')])
    return Iterable(environ['QUERY_STRING'], [b'some', ValueError('error in sized body')])


@at('/error-in-close')
def fails_in_close(environ, start_response):
    class Failing(Iterable):
        def close(self):
            super().close()
            raise ValueError('error in close')
    start_response('200 OK', [('Content-Length', '4')])
    return Failing(environ['QUERY_STRING'], [b'body'])


@at('/exit')
def exits(environ, start_response):
    sys.exit('an application has no business to do that')


@at('/interrupt')
def interrupts(environ, start_response):
    raise KeyboardInterrupt


@at('/odd-iterable')
def odd_iterable(environ, start_response):
    start_response('200 OK', list(PLAIN))
    return eval(urllib.parse.unquote(environ['QUERY_STRING']))


@at('/any-iterable')
def any_iterable(environ, start_response):
    """The kinds that the PEP allows: none of these is an error."""
    class OldStyle:
        def __getitem__(self, index):
            return [b'bo', b'dy'][index]
    kind = environ['QUERY_STRING']
    start_response('200 OK', list(PLAIN))
    return {'list': [b'bo', b'dy'], 'tuple': (b'bo', b'dy'),
            'generator': (item for item in (b'bo', b'dy')), 'set': {b'body'},
            'file': io.BytesIO(b'body'), 'sequence': OldStyle(), 'map': map(bytes, [b'body']),
            'dict': {b'body': 1}}[kind]


@at('/slow')
def streams(environ, start_response):
    """Its second item does not come before the client has the first."""
    start_response('200 OK', list(PLAIN))
    yield b'first'
    await_note(environ['QUERY_STRING'])
    yield b'second'


@at('/endless')
def endless(environ, start_response):
    start_response('200 OK', list(PLAIN))

    def pieces():
        for count in range(100_000):
            note(environ['QUERY_STRING'] + '.pulled', str(count))
            yield bytes(65536)
    return Iterable(environ['QUERY_STRING'], pieces())


@at('/large')
def large(environ, start_response):
    size = int(environ['QUERY_STRING'])
    start_response('200 OK', [('Content-Length', str(size))])
    return [b'x' * size]


@at('/large-later')
def large_later(environ, start_response):
    start_response('200 OK', list(PLAIN))
    yield b'x'
    time.sleep(0.02)  # beyond its turn
    yield bytes(int(environ['QUERY_STRING']))


@at('/large-pieces')
def large_pieces(environ, start_response):
    pieces, size = map(int, environ['QUERY_STRING'].split(','))
    start_response('200 OK', list(PLAIN))
    return (bytes([65 + count % 26]) * size for count in range(pieces))


# -- wsgi.file_wrapper ----------------------------------------------------------------------------

def temporary(content):
    file = tempfile.TemporaryFile()
    file.write(content)
    file.seek(0)
    return file


class Unnumbered:
    """A file without a descriptor."""

    def __init__(self, name, content):
        self.name = name
        self.file = io.BytesIO(content)

    def read(self, size):
        return self.file.read(size)

    def close(self):
        note(self.name, 'close')


def pipe(content):
    """What can be read from a pipe: it has a descriptor, but no place to stand at."""
    read, write = os.pipe()
    os.write(write, content)
    os.close(write)
    return open(read, 'rb')


def compressed(content):
    return gzip.GzipFile(fileobj=temporary(gzip.compress(content, 1)))


def skipped(file, size):
    assert len(file.read(size)) == size
    return file


CONTENT = b'0123456789' * 50_000
files = {  # and the Content-Length, or where that is None, none
    'whole': lambda: (temporary(CONTENT), 500_000),
    'unsized': lambda: (temporary(CONTENT), None),
    'middle': lambda: (skipped(temporary(CONTENT), 100), 499_900),
    'part': lambda: (skipped(temporary(CONTENT), 5), 20),
    'like': lambda: (Unnumbered('file-like', CONTENT), 500_000),
    # Its descriptor stands further on than it does itself.
    'peeked': lambda: (skipped(temporary(CONTENT), 7), None),
    'bytes': lambda: (skipped(io.BytesIO(CONTENT), 3), None),
    # Its descriptor would give what is compressed.
    'gzip': lambda: (skipped(compressed(CONTENT), 11), None),
    'gzip-part': lambda: (skipped(compressed(CONTENT), 20), 10),
    'pipe': lambda: (pipe(b'through a pipe'), None),
    'at-end': lambda: (skipped(temporary(CONTENT), 500_000), None),
    'empty': lambda: (temporary(b''), None),
    'empty-sized': lambda: (temporary(b''), 0),
    'empty-bytes': lambda: (io.BytesIO(), None),
    'empty-pipe': lambda: (pipe(b''), None),
    'short': lambda: (temporary(CONTENT), 500_001),
}


@at('/file')
def sends_a_file(environ, start_response):
    kind = environ['QUERY_STRING']
    file, length = files[kind]()
    start_response('200 OK', [] if length is None else [('Content-Length', str(length))])
    wrapper = environ['wsgi.file_wrapper']
    return wrapper(file) if kind == 'whole' else wrapper(file, 1000)


class CountsClose(io.BytesIO):
    closes = 0

    def close(self):
        self.closes += 1


@at('/keep-file')
def keeps_a_file(environ, start_response):
    kept['file'] = CountsClose(b'kept')
    kept['wrapper'] = environ['wsgi.file_wrapper'](kept['file'])
    start_response('200 OK', list(PLAIN))
    return kept['wrapper']


@at('/use-kept-file')
def uses_a_file_that_was_kept(environ, start_response):
    kept['file'].seek(0)
    try:
        said = next(kept['wrapper']).decode()
    except RuntimeError:
        said = 'RuntimeError'
    kept['wrapper'].close()
    times = {1: 'once'}.get(kept['file'].closes)
    start_response('200 OK', list(PLAIN))
    return [f'{said}, closed {times}'.encode()]


@at('/file-closed')
def closes_its_file_too_soon(environ, start_response):
    wrapper = environ['wsgi.file_wrapper'](temporary(CONTENT))
    wrapper.close()
    start_response('200 OK', list(PLAIN))
    return wrapper


@at('/file-iterated')
def iterates_a_file(environ, start_response):
    """What middleware does to it."""
    wrapped = environ['wsgi.file_wrapper'](io.BytesIO(b'abcdefg'), 3)
    start_response('200 OK', list(PLAIN))
    return [b'|'.join(wrapped)]


# -- wsgi.input -----------------------------------------------------------------------------------

@at('/input')
def calls_input(environ, start_response):
    """Makes the calls in the query string, and says what they gave."""
    stream = environ['wsgi.input']
    given = []
    for method, *arguments in json.loads(urllib.parse.unquote(environ['QUERY_STRING'])):
        if method == 'iterate':
            given += stream
        else:
            result = getattr(stream, method)(*arguments)
            given += result if isinstance(result, list) else [result]
    start_response('200 OK', [('Content-Type', 'application/json')])
    return [json.dumps([piece.decode('latin-1') for piece in given]).encode()]


@at('/echo')
def echoes(environ, start_response):
    body = environ['wsgi.input'].read()
    start_response('200 OK', [('Content-Length', str(len(body)))])
    return [body]


@at('/ignore')
def ignores_input(environ, start_response):
    start_response('200 OK', list(PLAIN))
    return [b'ignored']


@at('/part')
def reads_part(environ, start_response):
    part = environ['wsgi.input'].read(3)
    start_response('200 OK', list(PLAIN))
    return [part]


@at('/temporary')
def shows_temporary_files(environ, start_response):
    """The files without a name that the process has open while it has this request."""
    links = []
    for number in os.listdir('/proc/self/fd'):
        try:
            links.append(os.readlink('/proc/self/fd/' + number))
        except FileNotFoundError:
            pass
    size = len(environ['wsgi.input'].read())
    start_response('200 OK', [('Content-Type', 'application/json')])
    return [json.dumps([size, [link for link in links if link.endswith(' (deleted)')
                               and not link.startswith('/tmp/valgrind_')]]).encode()]


# -- the rest -------------------------------------------------------------------------------------

@at('/errors')
def logs(environ, start_response):
    errors = environ['wsgi.errors']
    errors.write('written to the log\n')
    errors.writelines(['a line for the log\n', 'and another\n'])
    print('printed to the log: caf\xe9 \u20ac', file=errors)
    errors.flush()
    start_response('200 OK', list(PLAIN))
    return [b'logged']


@at('/thread')
def leaves_a_thread(environ, start_response):
    """It goes on while the server has nothing to do."""
    def run():
        time.sleep(0.1)
        note(environ['QUERY_STRING'], 'thread')
    threading.Thread(target=run, daemon=True).start()
    start_response('200 OK', list(PLAIN))
    return [b'started']


def conforming(environ, start_response):
    body = environ['wsgi.input'].read(-1)
    answer = b'%d bytes by %s' % (len(body), environ['REQUEST_METHOD'].encode())
    start_response('200 OK', [('Content-Type', 'text/plain'),
                              ('Content-Length', str(len(answer)))])
    return [answer]


applications['/validated'] = wsgiref.validate.validator(conforming)


@at('/called')
def notes_that_it_was_called(environ, start_response):
    note('called', environ['QUERY_STRING'])
    start_response('200 OK', [('Content-Length', '7')])
    return [b'called\n']
