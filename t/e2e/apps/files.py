"""Sends the file $FILE, opened in each way that a file can be. The query string has what is done
with it first: seek=N, read=N, length=N."""
import gzip
import io
import os
import subprocess
import tempfile
import urllib.parse

FILE = os.environ['FILE']


def filled(file):
    with open(FILE, 'rb') as source:
        while block := source.read(1 << 20):
            file.write(block)
    file.seek(0)
    return file


def content():
    with open(FILE, 'rb') as source:
        return source.read()


def replaced(buffering):
    """A file of which read() was set to give something else."""
    file = open(FILE, 'rb', buffering)
    file.read = io.BytesIO(b'replaced').read
    return file


def written():
    """A file with something in its buffer that is not in the file yet."""
    file = filled(tempfile.TemporaryFile())
    file.write(b'written')
    file.seek(3)
    return file


KINDS = {
    'plain': lambda: open(FILE, 'rb'),
    'unbuffered': lambda: open(FILE, 'rb', buffering=0),
    'updated': lambda: open(FILE, 'r+b'),
    'named': lambda: filled(tempfile.NamedTemporaryFile()),
    'unnamed': lambda: filled(tempfile.TemporaryFile()),
    'rolled': lambda: filled(tempfile.SpooledTemporaryFile(100)),
    'spooled': lambda: filled(tempfile.SpooledTemporaryFile(1 << 30)),
    'memory': lambda: io.BytesIO(content()),
    'zipped': lambda: gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(content(), 1))),
    'pipe': lambda: subprocess.Popen(['cat', FILE], stdout=subprocess.PIPE).stdout,
    'replaced': lambda: replaced(-1),
    'replaced-unbuffered': lambda: replaced(0),
    'written': written,
}

try:
    import flask
    site = flask.Flask(__name__)
    site.get('/flask')(lambda: flask.send_file(FILE, conditional=True))
except ImportError:
    site = None


def application(environ, start_response):
    kind = environ['PATH_INFO'].strip('/')
    if kind == 'flask':
        return site(environ, start_response)
    wanted = dict(urllib.parse.parse_qsl(environ['QUERY_STRING']))
    file = KINDS[kind]()
    if 'seek' in wanted:
        file.seek(int(wanted['seek']))
    if 'read' in wanted:
        file.read(int(wanted['read']))
    start_response('200 OK', [('Content-Length', wanted['length'])] if 'length' in wanted else [])
    return environ['wsgi.file_wrapper'](file)
