"""One application behind the middlewares of others, each mounted at the path of its name. Their
warnings are errors."""
import sys
import warnings
import wsgiref.validate

import beaker.middleware
import paste.gzipper
import webtest.lint
import werkzeug.middleware.lint

from notes import note

TEXT = b'Text that is worth the trouble of being compressed. ' * 20
PLAIN = [('Content-Type', 'text/plain')]


def site(environ, start_response):
    """Gives the kind of answer that the end of the path names, in the ways of ordinary code."""
    kind = environ['PATH_INFO'].rpartition('/')[2]
    if kind == 'list':
        start_response('200 OK', [*PLAIN, ('Content-Length', str(len(TEXT)))])
        return [TEXT]
    if kind == 'generator':
        start_response('200 OK', list(PLAIN))
        return pieces(environ)
    if kind == 'late':
        return late(environ, start_response)
    if kind == 'closed':
        start_response('200 OK', list(PLAIN))
        return Closed(environ)
    if kind == 'write':
        write = start_response('200 OK', list(PLAIN))
        write(TEXT[:100])
        return [TEXT[100:]]
    if kind == 'echo':
        body = b''
        while piece := environ['wsgi.input'].read(1000):
            body += piece
        start_response('200 OK', [*PLAIN, ('Content-Length', str(len(body)))])
        return [body]
    if kind == 'error':
        start_response('200 OK', list(PLAIN))
        try:
            raise LookupError(kind)
        except LookupError:
            start_response('500 Sorry', list(PLAIN), sys.exc_info())
        return [TEXT]
    if kind == 'count':
        session = environ['beaker.session']
        session['count'] = session.get('count', 0) + 1
        session.save()
        start_response('200 OK', list(PLAIN))
        return (b'%d' % number for number in [session['count']])
    if kind == 'odd':
        start_response('200 OK', [*PLAIN, ('Status', 'of CGI')])
        return [TEXT]
    raise LookupError(kind)


def pieces(environ):
    yield b''
    for at in range(0, len(TEXT), 100):
        yield TEXT[at:at + 100]
        yield b''
    environ['wsgi.errors'].write('generated\n')


def late(environ, start_response):
    """start_response is not called before the first item is asked for."""
    start_response('200 OK', list(PLAIN))
    yield from pieces(environ)


class Closed:
    def __init__(self, environ):
        self.name = environ['QUERY_STRING']
        self.items = iter([TEXT[:10], TEXT[10:]])

    def __iter__(self):
        return self.items

    def close(self):
        note(self.name, 'close')


def session(application):
    return beaker.middleware.SessionMiddleware(application, {'session.type': 'memory'})


validate = wsgiref.validate.validator
gzip = paste.gzipper.middleware
lint = webtest.lint.middleware
werkzeug_lint = werkzeug.middleware.lint.LintMiddleware

mounts = {
    'plain': site,
    'validate': validate(site),
    'lint': lint(site),
    'werkzeug': werkzeug_lint(site),
    'gzip': gzip(site),
    'session': session(site),
    # All of them, and inspectors between any two. That of Werkzeug hides readlines() of wsgi.input
    # from the others.
    'stack': validate(lint(gzip(validate(session(werkzeug_lint(site)))))),
}
warnings.simplefilter('error')


def application(environ, start_response):
    return mounts[environ['PATH_INFO'].split('/')[1]](environ, start_response)
