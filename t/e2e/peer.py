"""A client at the other end of a socket, which sends what bytes it likes and reads responses
strictly: whatever is not what RFC 9112 says a server sends is a ValueError."""

import dataclasses
import re
import socket
import struct

from command import FACTOR


@dataclasses.dataclass
class Response:
    status: int
    reason: str
    fields: list
    body: bytes
    complete: bool  # ended as it was framed to; without that, the connection was closed
    version: str

    def all(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def __getitem__(self, name):
        value, = self.all(name)
        return value

    def __contains__(self, name):
        return bool(self.all(name))


def request(method, target, *fields, body=None, version='1.1'):
    lines = [f'{method} {target} HTTP/{version}', 'Host: localhost', *fields]
    if body is not None:
        lines.append(f'Content-Length: {len(body)}')
    return '\r\n'.join([*lines, '', '']).encode('latin-1') + (body or b'')


def chunked(*pieces):
    return b''.join(b'%x\r\n%b\r\n' % (len(piece), piece) for piece in (*pieces, b''))


def chunked_request(method, target, *pieces):
    return request(method, target, 'Transfer-Encoding: chunked') + chunked(*pieces)


class Peer:
    def __init__(self, address, receive_buffer=None):
        family = socket.AF_UNIX if isinstance(address, (str, bytes)) else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(15 * FACTOR)
        self.socket.connect(address)
        if family == socket.AF_INET:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile('rb')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def reset(self):
        """Leaves without a good-bye: the server sees ECONNRESET."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.close()

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def send(self, data):
        self.socket.sendall(data)

    def at_end(self):
        """Waits for the server to close the connection, after nothing more was sent."""
        try:
            rest = self.file.read()
        except ConnectionResetError:
            rest = b''
        assert rest == b'', rest[:200]
        return True

    def line(self):
        line = self.file.readline(65536)
        if not re.fullmatch(rb'[^\r\n\0]*\r\n', line):
            raise ValueError(f'not a line: {line!r}')
        return line[:-2].decode('latin-1')

    def head(self):
        """(version, status, reason, fields) of a response, 1xx responses among them."""
        line = self.line()
        found = re.fullmatch(r'HTTP/(1\.[01]) (\d{3}) ([^\0]*)', line)
        if not found:
            raise ValueError(f'not a status line: {line!r}')
        fields = []
        while line := self.line():
            field = re.fullmatch(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*", line)
            if not field:
                raise ValueError(f'not a field line: {line!r}')
            fields.append(field.groups())
        return found[1], int(found[2]), found[3], fields

    def response(self, method='GET'):
        """One final response, with its body however that is framed."""
        version, status, reason, fields = self.head()
        if status < 200:
            raise ValueError(f'{status} where a final response was awaited')
        response = Response(status, reason, fields, b'', True, version)
        lengths, codings = response.all('Content-Length'), response.all('Transfer-Encoding')
        if len(lengths) + len(codings) > 1:
            raise ValueError(f'framed twice: {fields}')
        if method == 'HEAD' or status in (204, 304):
            return response
        try:
            if codings:
                assert codings == ['chunked'], codings
                response.complete = False
                for piece in self.chunks():
                    response.body += piece
                response.complete = True
            elif lengths:
                length = int(lengths[0])
                response.body = self.file.read(length)
                response.complete = len(response.body) == length
            else:
                response.body = self.file.read()
        except (EOFError, ConnectionResetError):
            response.complete = False
        return response

    def chunks(self):
        """The chunks of a chunked body as they come. EOFError if the connection ends before."""
        while True:
            line = self.file.readline(100)
            if not line.endswith(b'\n'):
                raise EOFError
            if not re.fullmatch(rb'[0-9A-Fa-f]+\r\n', line):
                raise ValueError(f'not a chunk size: {line!r}')
            size = int(line, 16)
            data = self.file.read(size + 2)
            if len(data) < size + 2:
                raise EOFError
            if data[size:] != b'\r\n':
                raise ValueError(f'a chunk that ends in {data[size:]!r}')
            if not size:
                return
            yield data[:size]
