"""Measure how long the command takes from exec to the end of its first response, beside `python3 -c
'import app'`, in turns; the minimum counts. And its size, and what an idle worker has resident,
beside uWSGI's where that is installed.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

APP = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "13")])
    return [b"Hello, world!"]
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def respond(port):
    """One response, as soon as there is one; the connection it came by."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            client = socket.create_connection(("127.0.0.1", port), 20)
            break
        except ConnectionRefusedError:
            time.sleep(0.0002)
    client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    answer = b""
    while not answer.endswith(b"Hello, world!"):
        more = client.recv(1000)
        if not more:
            raise RuntimeError(f"this is no answer: {answer}")
        answer += more
    return client


@contextlib.contextmanager
def serving(command, folder):
    port = free_port()
    process = subprocess.Popen(command(port), cwd=folder, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        with respond(port):
            yield process.pid
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


def start(command, folder):
    began = time.perf_counter()
    with serving(command, folder):
        return time.perf_counter() - began


def import_only(python, folder):
    began = time.perf_counter()
    subprocess.run([python, "-c", "import app"], cwd=folder, check=True)
    return time.perf_counter() - began


def resident(command, folder):
    """Of the last of its processes, in KiB."""
    with serving(command, folder) as pid:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            worker = file.read().split()[-1]
        with open(f"/proc/{worker}/smaps_rollup") as file:
            return int(re.search(r"^Rss: +(\d+)", file.read(), re.M)[1])


def stripped(program, folder):
    subprocess.run(["strip", "-o", f"{folder}/stripped", program], check=True)
    return os.path.getsize(f"{folder}/stripped")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("asynwsgi")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--json")
    args = parser.parse_args()
    asynwsgi = os.path.abspath(args.asynwsgi)

    def ours(port):
        return [asynwsgi, "--bind", f"127.0.0.1:{port}", "app"]

    def uwsgi(port):
        return ["uwsgi", "--plugin", "python3", "--http-socket", f"127.0.0.1:{port}", "--module", "app",
                "--master"]

    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/app.py", "w") as file:
            file.write(APP)
        rounds = [(start(ours, folder), import_only(args.python, folder)) for _ in range(args.rounds)]
        first, importing = map(min, zip(*rounds))
        figures = {"first response": first, "import": importing, "ratio": first / importing,
                   "stripped": stripped(asynwsgi, folder), "resident": resident(ours, folder)}
        if shutil.which("uwsgi"):
            figures["resident uwsgi"] = resident(uwsgi, folder)
    print(f"first response {first * 1e3:.1f} ms, import {importing * 1e3:.1f} ms, "
          f"ratio {first / importing:.2f}")
    print(f"stripped {figures['stripped'] / 1e6:.2f} MB, resident {figures['resident']} KiB, "
          f"uwsgi {figures.get('resident uwsgi', '-')} KiB")
    if args.json:
        with open(args.json, "w") as file:
            json.dump(figures, file, indent=1)


if __name__ == "__main__":
    main()
