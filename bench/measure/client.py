"""The clients: one that sees that a server answers right, and asks of it little at a time, and wrk."""

import re
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


SCRIPT = """
wrk.format = function() return "%s" end
wrk.init = function()
    local request = string.rep(wrk.format(), %d)
    wrk.request = function() return request end
end
"""


def load(address, traffic, options, folder):
    """The number of requests that were answered in that time."""
    escaped = "".join(f"\\{byte:03}" for byte in traffic.request)
    with open(f"{folder}/wrk.lua", "w") as script:
        script.write(SCRIPT % (escaped, traffic.pipelined))
    output = subprocess.run(
        ["taskset", "-c", str(options.cpus[-1]), "wrk", "-t1", f"-c{traffic.connections}", f"-d{max(options.seconds, 1):.0f}",
         "-s", script.name, f"http://127.0.0.1:{address}/"],
        capture_output=True, text=True, timeout=60).stdout
    requests = re.search(r"(\d+) requests in", output)
    if not requests or int(requests[1]) < 100 or "Non-2xx" in output or "Socket errors" in output:
        raise Wrong("errors under load: " + output)
    return int(requests[1])
