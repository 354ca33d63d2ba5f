"""The clients: one that sees that a server answers right, a request at a time, and asynwsgi-load."""

import json
import subprocess

from measure.process import connect


class Wrong(Exception):
    """A server does not do what is asked of it."""


class Client:
    """One connection."""

    def __init__(self, address, timeout=20):
        self.socket = connect(address, timeout)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.file.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def line(self):
        return self.file.readline().rstrip(b"\r\n")

    def body_size(self):
        """Receives a response with status 200."""
        if not (line := self.line()).startswith(b"HTTP/1.1 200"):
            raise Wrong(f"answered {line.decode('latin-1') or 'nothing'}")
        fields = {}
        while line := self.line():
            name, _, value = line.partition(b":")
            fields[name.lower()] = value.strip()
        if b"content-length" in fields:
            return len(self.file.read(int(fields[b"content-length"])))
        if fields.get(b"transfer-encoding") != b"chunked":
            return len(self.file.read())
        total = 0
        while size := int(self.line(), 16):
            total += len(self.file.read(size))
            self.line()
        self.line()
        return total


def check(address, traffic):
    """That two rounds of requests are answered, as many as are sent at once, each with the right size."""
    try:
        with Client(address, 5) as client:
            for _ in range(1 if traffic.close else 2):
                client.send(traffic.request * traffic.pipelined)
                for _ in range(traffic.pipelined):
                    if (size := client.body_size()) != traffic.body:
                        raise Wrong(f"sent {size} bytes in place of {traffic.body}")
    except TimeoutError:
        raise Wrong("did not answer all requests" if traffic.pipelined > 1 else "did not answer") from None
    except OSError as error:
        raise Wrong(error) from None


def load(address, traffic, options, connections):
    """The number of requests that were answered."""
    local = isinstance(address, str)
    command = ["taskset", "-c", str(options.cpus[-1]), options.load, "-c", str(connections),
               "-d", f"{options.seconds * 1000:.0f}ms", "--pipeline", str(traffic.pipelined),
               "-H", "Host: localhost"]
    for field in traffic.fields:
        command += ["-H", field]
    if traffic.post:
        command += ["--body-size", str(traffic.post)]
    if traffic.close:
        command += ["--no-keepalive"]
    if local:
        command += ["--unix-socket", address]
    done = subprocess.run([*command, f"http://127.0.0.1{'' if local else f':{address}'}{traffic.path}"],
                          capture_output=True, text=True, timeout=options.seconds + 60)
    if done.returncode != 0:
        raise Wrong(done.stderr)
    end = json.loads(done.stdout.splitlines()[-1])
    if any(end["errors"].values()) or not end["requests"]:
        raise Wrong(f"under load: {end['requests']} answers, {end['errors']}")
    at_least = end["requests"] * len(traffic.request)
    if not 0 <= end["bytes_out"] - at_least <= at_least / 50 + connections * traffic.pipelined * len(traffic.request):
        raise Wrong(f"{end['requests']} requests had {end['bytes_out']} bytes, not {at_least}")
    return end["requests"]
