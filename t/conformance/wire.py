"""A client's end of a connection, which notes whatever comes and is surprised by nothing."""

import dataclasses
import re
import select
import socket
import time


class Garbage(Exception):
    """What came is no response of HTTP/1."""


@dataclasses.dataclass
class Response:
    version: str
    status: int
    fields: list
    body: bytes = b''
    interim: int = 0  # how many 1xx came before it

    def all(self, name):
        return [value for key, value in self.fields if key == name]

    @property
    def announces_close(self):
        options = {word.strip().lower() for value in self.all('connection')
                   for word in value.split(',')}
        return 'close' in options or self.version == '1.0' and 'keep-alive' not in options

    def __str__(self):
        return f'{self.status}'


def address_of(text):
    """(family, address) for HOST:PORT, [V6]:PORT, unix:PATH."""
    if text.startswith('unix:'):
        return socket.AF_UNIX, re.sub('^@', '\0', text[len('unix:'):])
    host, _, port = re.sub('^http://|/$', '', text).rpartition(':')
    family, _, _, _, address = socket.getaddrinfo(host.strip('[]'), port,
                                                  type=socket.SOCK_STREAM)[0]
    return family, address


class Line:
    """One connection. Waiting ends when nothing new has come for `patience` seconds."""

    def __init__(self, address, patience):
        family, name = address
        self.address = address
        self.patience = patience
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(10)
        self.socket.connect(name)
        if family != socket.AF_UNIX:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b''
        self.position = 0  # of what is not yet read as a response
        self.ended = False  # the server has closed it

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def another(self):
        return Line(self.address, self.patience)

    # -- bytes ----------------------------------------------------------------------------------

    def listen(self, seconds):
        """Takes what there is or what comes first within that time; was there something?"""
        if self.ended or not select.select([self.socket], [], [], seconds)[0]:
            return False
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            data = b''
        self.ended = not data
        self.received += data
        return True

    def send(self, data, pieces=1, pause=0.004):
        """In that many pieces, with pauses; what can't be sent since the server has gone, isn't."""
        size = -(-len(data) // pieces) or 1
        for at in range(0, len(data), size):
            if at:
                self.listen(pause)
            try:
                self.send_piece(data[at:at + size])
            except ConnectionError:
                return

    def send_piece(self, data):
        """Listens meanwhile, so that neither side waits for the other to read."""
        deadline = time.monotonic() + 10
        while data and not self.ended and time.monotonic() < deadline:
            readable, writable, _ = select.select([self.socket], [self.socket], [], 1)
            if readable:
                self.listen(0)
            elif writable:
                data = data[self.socket.send(data[:65536]):]

    def send_end(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def wait_end(self):
        """Has the server closed it?"""
        while self.listen(self.patience):
            pass
        return self.ended

    # -- responses ------------------------------------------------------------------------------

    def response(self, method='GET', patience=None):
        """The next final response, or None when it does not come."""
        while True:
            found = self.parse(method)
            if found or not self.listen(patience or self.patience):
                return found

    def responses(self, methods):
        """As many as come before the connection ends or nothing more comes."""
        found = []
        while response := self.response(methods[len(found)] if len(found) < len(methods) else
                                        'GET'):
            found.append(response)
        return found

    def parse(self, method):
        at, interim = self.position, 0
        while True:
            head, at = self.parse_head(at)
            if head is None:
                return None
            if head.status >= 200:
                break
            interim += 1
        body = self.parse_body(head, at, method)
        if body is None:
            return None
        head.interim = interim
        head.body, self.position = body
        return head

    def parse_head(self, at):
        rest = self.received[at:]
        if not rest:
            return None, at
        if not rest.startswith(b'HTTP/1.'[:len(rest)]):
            raise Garbage(repr(rest[:40])[1:])
        end = rest.find(b'\r\n\r\n')
        if end < 0:
            return None, at
        line, *lines = rest[:end].decode('latin-1').split('\r\n')
        found = re.fullmatch(r'HTTP/(1\.\d) (\d{3})(?: .*)?', line)
        if not found:
            raise Garbage(repr(line[:40]))
        fields = [(name.lower(), value.strip(' \t')) for name, _, value in
                  (line.partition(':') for line in lines)]
        return Response(found[1], int(found[2]), fields), at + end + 4

    def parse_body(self, head, at, method):
        """(body, where it ends), or None."""
        if method == 'HEAD' or head.status in (204, 304):
            return b'', at
        if 'chunked' in ','.join(head.all('transfer-encoding')).lower():
            return self.parse_chunks(at)
        if lengths := head.all('content-length'):
            end = at + int(lengths[0])
            return (self.received[at:end], end) if len(self.received) >= end else None
        return (self.received[at:], len(self.received)) if self.ended else None

    def parse_chunks(self, at):
        body = b''
        while found := re.compile(rb'([0-9A-Fa-f]+)[^\r\n]*\r\n').match(self.received, at):
            size = int(found[1], 16)
            end = found.end() + size + 2
            if len(self.received) < end:
                return None
            body += self.received[found.end():end - 2]
            at = end
            if not size:
                return body, at
        return None
