"""Applications for what the server must keep to whatever they do. The path says which."""
import io
import json
import urllib.parse

from notes import note


def application(environ, start_response):
    name = environ['PATH_INFO'].strip('/').replace('-', '_')
    return applications.get(name, show)(environ, start_response)


def show(environ, start_response):
    """The environ."""
    start_response('200 OK', [('Content-Type', 'application/json')])
    return [json.dumps({name: value for name, value in environ.items()
                        if isinstance(value, str)}).encode()]


def called(environ, start_response):
    """Notes it, and how much of a body it was given."""
    note('called', f'{len(environ["wsgi.input"].read())}')
    start_response('200 OK', [('Content-Length', '0')])
    return []


def partly(environ, start_response):
    """Reads as many bytes of its body as it is told to, and gives them back."""
    part = environ['wsgi.input'].read(int(environ['QUERY_STRING']))
    start_response('200 OK', [('Content-Length', str(len(part)))])
    return [part]


def bodies(environ, start_response):
    """Answers with a status, a Content-Length or none, and a body of some kind."""
    status, length, kind = urllib.parse.unquote(environ['QUERY_STRING']).split(',')
    write = start_response(status, [('Content-Length', length)] if length else [])
    if kind == 'write':
        write(b'body')
        return [b'more']
    return {'none': lambda: [],
            'empty': lambda: [b'', b''],
            'list': lambda: [b'body'],
            'lists': lambda: [b'bo', b'', b'dy'],
            'generator': lambda: iter([b'bo', b'dy']),
            'large': lambda: [b'x' * 1_000_000],
            'file': lambda: environ['wsgi.file_wrapper'](io.BytesIO(b'body'))}[kind]()


applications = {function.__name__: function for function in (called, partly, bodies)}
