"""What PEP 3333 shows by its examples, written anew: one application for each, at a path that is
named after its section."""
import io
import sys
from urllib.parse import quote

from notes import note

PLAIN = [('Content-type', 'text/plain')]
GREETING = b'Good day to you!\n'


# -- The Application/Framework Side ---------------------------------------------------------------

def function(environ, start_response):
    """The simplest one: a function that returns a list."""
    start_response('200 OK', list(PLAIN))
    return [GREETING]


class Class:
    """A class, whose instances are what "calling" it returns; start_response comes later."""

    def __init__(self, environ, start_response):
        self.environ, self.start = environ, start_response

    def __iter__(self):
        self.start('200 OK', list(PLAIN))
        yield GREETING


class Instance:
    """An instance that can be called, and serves any number of requests."""

    def __init__(self, greeting):
        self.greeting = greeting

    def __call__(self, environ, start_response):
        start_response('200 OK', list(PLAIN))
        return iter([self.greeting])


# -- Middleware: Components that Play Both Sides --------------------------------------------------

def louder(data):
    return data.upper()


class LouderIterator:
    """Changes the items where that was decided by the time of the first, and passes close() on."""

    def __init__(self, result, is_changed):
        if hasattr(result, 'close'):
            self.close = result.close
        self.next_item = iter(result).__next__
        self.is_changed = is_changed

    def __iter__(self):
        return self

    def __next__(self):
        item = self.next_item()
        return louder(item) if self.is_changed else item


class Louder:
    """Makes plain text loud, that is written or returned. Its length would not count any more."""

    def __init__(self, application):
        self.application = application

    def __call__(self, environ, start_response):
        is_changed = []

        def start(status, headers, exc_info=None):
            is_changed.clear()
            for name, value in headers:
                if name.lower() == 'content-type' and value == 'text/plain':
                    is_changed.append(True)
                    headers = [field for field in headers if field[0].lower() != 'content-length']
                    break
            write = start_response(status, headers, exc_info)
            return (lambda data: write(louder(data))) if is_changed else write

        return LouderIterator(self.application(environ, start), is_changed)


class Speech:
    """Text or not, as the query string says; one part is written, one comes late."""

    def __init__(self, environ, start_response):
        self.type = environ['QUERY_STRING']
        write = start_response('200 OK', [('Content-Type', self.type), ('Content-Length', '17')])
        write(b'written, ')

    def __iter__(self):
        yield b''
        yield b'returned'

    def close(self):
        note('louder', self.type)


# -- Buffering and Streaming: Middleware Handling of Block Boundaries -----------------------------

def by_lines(application):
    """Gives whole lines, and for each item that ends none, an empty one."""
    def middleware(environ, start_response):
        rest = b''
        for item in application(environ, start_response):
            *lines, rest = (rest + item).split(b'\n')
            yield b''.join(line + b'.\n' for line in lines)
        yield rest
    return middleware


def stammering(environ, start_response):
    start_response('200 OK', list(PLAIN))
    return iter([b'one', b' li', b'ne\nan', b'', b'other', b'\nand', b' a rest'])


# -- The write() Callable -------------------------------------------------------------------------

def imperative(environ, start_response):
    """How frameworks with an output of their own kind do it: all is written, nothing returned."""
    write = start_response('200 OK', list(PLAIN))
    for word in (b'all ', b'of ', b'it'):
        write(word)
    return []


# -- Error Handling -------------------------------------------------------------------------------

def excusing(environ, start_response):
    """Fails before or after its head is out. Either way it tries an error page, which comes only
    in the first case; in the second its exception comes back, and is not to be caught."""
    when = environ['QUERY_STRING']
    try:
        write = start_response('200 Froody', list(PLAIN))
        if when == 'late':
            write(b'so far so good')
        raise ArithmeticError(when)
    except ArithmeticError:
        start_response('500 Oops', list(PLAIN), sys.exc_info())
        return [b'a page that says sorry']


# -- Application Configuration --------------------------------------------------------------------

def configured(**settings):
    """A factory: the deployment's settings go into environ."""
    def application(environ, start_response):
        environ.update({f'example.{name}': value for name, value in settings.items()})
        return shows_setting(environ, start_response)
    return application


def shows_setting(environ, start_response):
    start_response('200 OK', list(PLAIN))
    return [environ['example.colour'].encode()]


# -- URL Reconstruction ---------------------------------------------------------------------------

def reconstructs(environ, start_response):
    url = environ['wsgi.url_scheme'] + '://'
    if environ.get('HTTP_HOST'):
        url += environ['HTTP_HOST']
    else:
        url += environ['SERVER_NAME']
        default = {'https': '443', 'http': '80'}[environ['wsgi.url_scheme']]
        if environ['SERVER_PORT'] != default:
            url += ':' + environ['SERVER_PORT']
    url += quote(environ.get('SCRIPT_NAME', ''), encoding='latin-1')
    url += quote(environ.get('PATH_INFO', ''), encoding='latin-1')
    if environ.get('QUERY_STRING'):
        url += '?' + environ['QUERY_STRING']
    start_response('200 OK', list(PLAIN))
    return [url.encode('latin-1')]


# -- Input and Error Streams ----------------------------------------------------------------------

def reads(environ, start_response):
    """Each method of wsgi.input and of wsgi.errors that the PEP lists."""
    stream, errors = environ['wsgi.input'], environ['wsgi.errors']
    said = [stream.read(2), stream.readline(), stream.readline(2), *stream.readlines(1),
            *(line for line in stream), stream.read()]
    errors.write('written\n')
    errors.writelines(['lines\n', 'of it\n'])
    errors.flush()
    start_response('200 OK', list(PLAIN))
    return [b'|'.join(said)]


# -- Unicode Issues -------------------------------------------------------------------------------

def native(environ, start_response):
    """str of Latin-1 characters that stand for bytes, there and back."""
    path = environ['PATH_INFO'].encode('latin-1').decode('utf-8')
    start_response('200 OK', [('X-Path', path.encode('utf-8').decode('latin-1'))])
    return [path.encode('utf-16-be')]


# -- Optional Platform-Specific File Handling -----------------------------------------------------

class Wrapper:
    """What an application falls back on: an iterable of the old kind, with __getitem__ only."""

    def __init__(self, file, size=8192):
        self.file, self.size = file, size
        if hasattr(file, 'close'):
            self.close = file.close

    def __getitem__(self, key):
        data = self.file.read(self.size)
        if data:
            return data
        raise IndexError


class File:
    def __init__(self, content):
        self.read = io.BytesIO(content).read

    def close(self):
        note('file', 'close')


def file(environ, start_response):
    """Three ways to give a file in blocks: the server's, one's own, and iter() of a function."""
    given, way = File(b'in blocks of a few bytes'), environ['QUERY_STRING']
    start_response('200 OK', list(PLAIN))
    if way == 'server' and 'wsgi.file_wrapper' in environ:
        return environ['wsgi.file_wrapper'](given, 5)
    if way == 'iter':
        return iter(lambda: given.read(5), b'')
    return Wrapper(given, 5)


class Finder:
    """Middleware may look whether it was given a file, by the type of what is returned."""

    def __call__(self, environ, start_response):
        result = file(environ, start_response)
        if isinstance(result, environ['wsgi.file_wrapper']):
            return [b'a file: ', *result]
        return result


applications = {
    '/application/function': function,
    '/application/class': Class,
    '/application/instance': Instance(GREETING),
    '/middleware': Louder(Speech),
    '/middleware/of-function': Louder(function),
    '/middleware/error': Louder(excusing),
    '/block-boundaries': by_lines(stammering),
    '/write': imperative,
    '/error': excusing,
    '/configuration/red': configured(colour='red'),
    '/configuration/blue': configured(colour='blue'),
    '/streams': reads,
    '/file': file,
    '/file/found': Finder(),
}


def application(environ, start_response):
    path = environ['PATH_INFO']
    found = applications.get(path)
    if not found:
        found = native if path.startswith('/native/') else reconstructs
    return found(environ, start_response)
