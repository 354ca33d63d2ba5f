"""The clients of bench/streams.py: uploads, readers, listeners, and those whom a slow service serves.

Each kind is a function for a process of its own, which opens all connections, says through a pipe what
it is at, and gives figures in the end, or raises Failure."""

import asyncio
import contextlib
import gc
import hashlib
import random
import re
import selectors
import socket
import struct
import time

from app import BLOCK

CHUNK = 16_000
RESET = struct.pack("ii", 1, 0)
PIECE = 65536  # that a fast client sends at a time


class Failure(Exception):
    """What was measured did not do what it should."""


def run(function, *arguments):
    """A function that is given a pipe: what fails there, fails here."""
    gc.disable()
    pipe = arguments[-1]
    try:
        pipe.send(function(*arguments))
    except Exception as error:
        pipe.send(Failure(f"{function.__name__}: {type(error).__name__}: {error}"))


def open_client(port, receive_buffer=None):
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)  # no port stays in TIME_WAIT
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if receive_buffer:
        # Of an Ethernet: with that of the loopback the kernel would take megabytes.
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1448)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    client.settimeout(60)
    client.connect(("127.0.0.1", port))
    return client


# -- Uploads --------------------------------------------------------------------------------------

def message(size, framing):
    """A request, and the answer to it."""
    body = random.Random(size).randbytes(size)
    head = b"POST /digest HTTP/1.1\r\nHost: localhost\r\n"
    answer = hashlib.sha256(body).hexdigest().encode()
    if framing == "sized":
        return head + b"Content-Length: %d\r\n\r\n" % size + body, answer
    pieces = [body[at:at + CHUNK] for at in range(0, size, CHUNK)] + [b""]
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(
        b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces), answer


class Upload:
    def __init__(self, client, data, answer):
        self.client, self.data, self.answer = client, memoryview(data), answer
        self.sent = self.done = 0
        self.received = b""

    def send(self, most):
        """Some more; False if the kernel takes none."""
        with contextlib.suppress(BlockingIOError):
            self.sent += self.client.send(self.data[self.sent:self.sent + most])
            return True
        return False

    def receive(self):
        """True when the answer is there."""
        with contextlib.suppress(BlockingIOError):
            data = self.client.recv(4096)
            self.received += data
            head, end, body = self.received.partition(b"\r\n\r\n")
            if not data or (end and (not head.startswith(b"HTTP/1.1 200 ") or len(body) > 64)):
                raise Failure(f"an upload was answered {self.received!r}")
            if len(body) == 64:
                if body != self.answer or self.sent != len(self.data):
                    raise Failure("an upload came with another digest than it was sent with")
                self.sent, self.received, self.done = 0, b"", self.done + 1
                return True
        return False


def upload_fast(uploads, stopped):
    """As fast as the worker takes them, again and again, until told to stop."""
    selector = selectors.DefaultSelector()
    both = selectors.EVENT_READ | selectors.EVENT_WRITE
    for upload in uploads:
        selector.register(upload.client, both, upload)
    stopping, left = False, len(uploads)
    while left:
        stopping = stopping or stopped()
        for key, events in selector.select(5):
            upload = key.data
            if events & selectors.EVENT_WRITE:
                upload.send(PIECE)
                if upload.sent == len(upload.data):
                    selector.modify(upload.client, selectors.EVENT_READ, upload)
            if events & selectors.EVENT_READ and upload.receive():
                if stopping:
                    selector.unregister(upload.client)
                    left -= 1
                else:
                    selector.modify(upload.client, both, upload)


def upload_slowly(uploads, stopped, rate):
    """At so many bytes a second each, evenly spread; those that are late do not catch up."""
    size = min(PIECE // 4, max(1, rate // 10))
    pause = size / rate / len(uploads)
    due, stopping, left = time.monotonic(), False, list(uploads)
    while left:
        stopping = stopping or stopped()
        for upload in tuple(left):
            due = max(due + pause, time.monotonic() - 0.1)
            early = due - time.monotonic()
            if early > 0.0005:
                time.sleep(early)
            if upload.sent < len(upload.data):
                upload.send(size)
            elif upload.receive() and stopping:
                left.remove(upload)
                pause = size / rate / max(len(left), 1)


def upload(port, framing, pace, n, size, pipe):
    """The number of uploads, and of bytes of bodies a second."""
    data, digest = message(size, framing)
    uploads = [Upload(open_client(port), data, digest) for _ in range(n)]
    for one in uploads:
        one.client.setblocking(False)
    pipe.send("begun")
    start = time.monotonic()
    if pace:
        upload_slowly(uploads, pipe.poll, pace)
    else:
        upload_fast(uploads, pipe.poll)
    total = sum(one.done for one in uploads)
    return total, total * size / (time.monotonic() - start)


# -- Slow readers ---------------------------------------------------------------------------------

def expected(size):
    digest = hashlib.sha256()
    for at in range(0, size, len(BLOCK)):
        digest.update(at.to_bytes(8, "big") + BLOCK[8:min(len(BLOCK), size - at)])
    return digest.digest()


def read_late(port, n, size, pipe):
    """They take the head, and the rest only when they are told to."""
    request = b"GET /generated?%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % size
    readers = [open_client(port, 4096) for _ in range(n)]
    for reader in readers:
        reader.sendall(request)
    for reader in readers:
        if reader.recv(17) != b"HTTP/1.1 200 OK\r\n":
            raise Failure("a reader was refused")
    pipe.send("stalled")
    pipe.recv()
    digest = expected(size)
    for reader in readers:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        with reader.makefile("rb", 1 << 20) as file:
            while file.readline() != b"\r\n":
                pass
            found, left = hashlib.sha256(), size
            while left and (data := file.read(min(left, 1 << 20))):
                found.update(data)
                left -= len(data)
        if found.digest() != digest:
            raise Failure(f"a reader got something else, {left} bytes short")
        reader.close()
    return n


# -- Events ---------------------------------------------------------------------------------------

TICK = re.compile(rb"id: (\d+)\n")


class Listener:
    def __init__(self, port):
        self.client = open_client(port)
        self.client.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.received, self.last, self.count = b"", None, 0

    def receive(self):
        """The numbers of the ticks that have come."""
        data = self.client.recv(65536)
        if not data:
            raise Failure("a listener was left")
        lines = (self.received + data).rpartition(b"\n")
        self.received = lines[2]
        for number in map(int, TICK.findall(lines[0] + lines[1])):
            if self.last is not None and number != self.last + 1:
                raise Failure(f"tick {number} came after {self.last}")
            self.last = number
            self.count += 1
            yield number


def listen(port, n, ticks, pipe):
    """Takes so many ticks with each; the longest that one tick took from the first to the last of
    those who were there when it began."""
    selector = selectors.DefaultSelector()
    listeners = [Listener(port) for _ in range(n)]
    for listener in listeners:
        if not listener.client.recv(17).startswith(b"HTTP/1.1 200 OK\r\n"):
            raise Failure("a listener was refused")
        selector.register(listener.client, selectors.EVENT_READ, listener)
    pipe.send("listening")
    seen, left, deadline = {}, n, time.monotonic() + 60 + 5 * ticks
    while left:
        if time.monotonic() > deadline:
            raise Failure(f"{left} listeners have not got {ticks} ticks each")
        for key, _ in selector.select(1):
            for number in key.data.receive():
                now = time.monotonic()
                first, _, count = seen.get(number, (now, now, 0))
                seen[number] = (first, now, count + 1)
                left -= key.data.count == ticks
    whole = [last - first for first, last, count in seen.values() if count == n]
    pipe.send("ticked")
    pipe.recv()
    for listener in listeners:
        listener.client.close()
    return {"ticks_to_all": len(whole), "longest_tick": max(whole) if whole else None}


# -- A slow service -------------------------------------------------------------------------------

async def serve_slowly(seconds, most, pipe):
    """Answers after that time; how many it had at once goes through the pipe at the end."""
    now = 0

    async def treat(reader, writer):
        nonlocal now
        now += 1
        most[0] = max(most[0], now)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(seconds)
            target = head.split()[1]
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (
                len(target) * 1000, target * 1000))
            await writer.drain()
        writer.close()
        now -= 1

    service = await asyncio.start_server(treat, "127.0.0.1", 0, backlog=2000)
    pipe.send(service.sockets[0].getsockname()[1])
    await asyncio.get_running_loop().run_in_executor(None, pipe.recv)


def slow_service(seconds, pipe):
    most = [0]
    asyncio.run(serve_slowly(seconds, most, pipe))
    return most[0]


def ask_upstream(port, n, pipe):
    """Seconds that all of them took."""
    asking = [open_client(port) for _ in range(n)]
    pipe.send("connected")
    start = time.monotonic()
    for number, client in enumerate(asking):
        client.sendall(b"GET /%06d HTTP/1.1\r\nHost: localhost\r\n\r\n" % number)
    for number, client in enumerate(asking):
        with client.makefile("rb") as file:
            line = file.readline()
            while (field := file.readline()) not in (b"\r\n", b""):
                pass
            if line != b"HTTP/1.1 200 OK\r\n" or file.read(7000) != b"/%06d" % number * 1000:
                raise Failure(f"request {number} was answered {line!r}, {field!r}")
        client.close()
    return time.monotonic() - start
