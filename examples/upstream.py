"""Passes requests on to a slow HTTP service, hundreds at once: asynwsgi --chdir examples upstream

The service is that of $UPSTREAM, by default 127.0.0.1:9000. For example:

    python3 -m http.server 9000 &
    curl -i http://127.0.0.1:8000/

Nothing here blocks: where a socket has to be waited for, the request is suspended. If the service
cannot be reached the answer is 502, and 504 if it says nothing for 10 seconds ($UPSTREAM_TIMEOUT).
"""
import errno
import http.client
import io
import os
import re
import socket
import urllib.parse
import wsgiref.util

HOST, PORT = (os.environ.get('UPSTREAM') or '127.0.0.1:9000').rsplit(':', 1)
TIMEOUT = float(os.environ.get('UPSTREAM_TIMEOUT', 10))
LONGEST_HEAD = 65536
# Once, as asking a name server blocks.
FAMILY, KIND, _, _, ADDRESS = socket.getaddrinfo(HOST.strip('[]'), PORT,
                                                 type=socket.SOCK_STREAM)[0]


class BadGateway(Exception):
    """The service did what it should not."""


def wait(environ, direction, sock):
    yield environ['x-wsgiorg.fdevent.' + direction](sock, TIMEOUT)
    if environ['x-wsgiorg.fdevent.timeout']:
        raise TimeoutError


def connect(environ, sock):
    error = sock.connect_ex(ADDRESS)
    if error == errno.EINPROGRESS:
        yield from wait(environ, 'writable', sock)
        error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error:
        raise BadGateway(os.strerror(error))


def send(environ, sock, data):
    while data:
        try:
            data = data[sock.send(data):]
        except BlockingIOError:
            yield from wait(environ, 'writable', sock)


def receive(environ, sock):
    """Some bytes, b'' at the end."""
    while True:
        try:
            return sock.recv(65536)
        except BlockingIOError:
            yield from wait(environ, 'readable', sock)


def request(environ):
    """HTTP/1.0, so that the answer is not chunked and its end is that of the connection."""
    target = urllib.parse.quote(environ['PATH_INFO'].encode('latin-1'))
    if environ['QUERY_STRING']:
        target += '?' + environ['QUERY_STRING']
    return (f"{environ['REQUEST_METHOD']} {target} HTTP/1.0\r\n"
            f"Host: {HOST}:{PORT}\r\nConnection: close\r\n\r\n").encode('latin-1')


def receive_head(environ, sock):
    """Status, headers, and what of the body came with them."""
    received = b''
    while b'\r\n\r\n' not in received:
        data = yield from receive(environ, sock)
        received += data
        if not data or len(received) > LONGEST_HEAD:
            raise BadGateway('no head of a response')
    head, body = received.split(b'\r\n\r\n', 1)
    line, _, lines = head.partition(b'\r\n')
    found = re.fullmatch(r'HTTP/1\.\d (\d{3})(?: (.*))?', line.decode('latin-1'))
    if not found:
        raise BadGateway('not a response')
    fields = http.client.parse_headers(io.BytesIO(lines + b'\r\n\r\n'))
    headers = [(name, value) for name, value in fields.items()
               if not wsgiref.util.is_hop_by_hop(name)]
    return f'{found[1]} {found[2] or "-"}', headers, body


def refuse(start_response, status, error=''):
    body = f'{status}: {error}\n'.encode()
    start_response(status, [('Content-Type', 'text/plain'), ('Content-Length', str(len(body)))])
    return body


def application(environ, start_response):
    if environ['REQUEST_METHOD'] not in ('GET', 'HEAD'):
        yield refuse(start_response, '501 Not Implemented', 'GET and HEAD only')
        return
    with socket.socket(FAMILY, KIND) as sock:  # closed, too, if the client leaves
        sock.setblocking(False)
        try:
            yield from connect(environ, sock)
            yield from send(environ, sock, request(environ))
            status, headers, data = yield from receive_head(environ, sock)
        except TimeoutError:
            yield refuse(start_response, '504 Gateway Timeout')
            return
        except (BadGateway, OSError, http.client.HTTPException) as error:
            yield refuse(start_response, '502 Bad Gateway', error)
            return
        # An error from here on closes the client's connection, so that it sees the answer is not
        # whole; one that ends too soon shows by its Content-Length.
        start_response(status, headers)
        yield data
        while data := (yield from receive(environ, sock)):
            yield data
