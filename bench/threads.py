"""Measure what a pool of threads makes of requests that wait in the application.

N requests at once that sleep, for a worker with fewer threads: at best they take N / threads times,
rounded up, as long as one.  The median of the rounds is given, and its ratio to that; beside it how many
requests that do nothing are answered in a second, with threads and without (where there is wrk).
"""

import argparse
import json
import math
import os
import re
import selectors
import shutil
import socket
import statistics
import subprocess
import time

from measure.process import Server


def start(asynwsgi, threads):
    return Server(lambda port: [asynwsgi, "--bind", f"127.0.0.1:{port}", "--threads", str(threads),
                                "app:application"], 0)


def ask(port, count, target):
    """Seconds until all of so many requests at once are answered."""
    request = f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
    selector = selectors.DefaultSelector()
    began = time.monotonic()
    for client in clients:
        client.sendall(request)
        selector.register(client, selectors.EVENT_READ)
    while selector.get_map():
        for key, _ in selector.select():
            data = key.fileobj.recv(65536)
            if not data:
                selector.unregister(key.fileobj)
                key.fileobj.close()
            elif not data.startswith(b"HTTP/1.1 200 "):
                raise RuntimeError(data)
    return time.monotonic() - began


def rate(server):
    """Requests a second that only say hello."""
    out = subprocess.run(["wrk", "-t1", "-c32", "-d3s", f"http://127.0.0.1:{server.port}/"],
                         capture_output=True, text=True, check=True).stdout
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("asynwsgi")
    parser.add_argument("-n", "--requests", type=int, default=200)
    parser.add_argument("-t", "--threads", type=int, default=20)
    parser.add_argument("--milliseconds", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json")
    options = parser.parse_args()
    asynwsgi = os.path.abspath(options.asynwsgi)

    ideal = math.ceil(options.requests / options.threads) * options.milliseconds / 1000
    result = {"ideal": ideal}
    server = start(asynwsgi, options.threads)
    try:
        ask(server.port, options.threads, "/")
        taken = [ask(server.port, options.requests, f"/sleep/{options.milliseconds}")
                 for _ in range(options.rounds)]
        result["taken"] = statistics.median(taken)
        result["ratio"] = result["taken"] / ideal
        if shutil.which("wrk"):
            result["hello with threads"] = rate(server)
    finally:
        server.stop()
    if shutil.which("wrk"):
        server = start(asynwsgi, 1)
        try:
            result["hello without"] = rate(server)
        finally:
            server.stop()
    print(f"{options.requests} requests that sleep {options.milliseconds} ms, with "
          f"{options.threads} threads: {result['taken']:.3f} s, {result['ratio']:.3f} x the ideal "
          f"{ideal:.3f} s (all rounds: {', '.join(f'{t:.3f}' for t in taken)})")
    for name in ("hello with threads", "hello without"):
        if name in result:
            print(f"{name}: {result[name]:,.0f} requests/s")
    if options.json:
        with open(options.json, "w") as file:
            json.dump(result, file, indent=1)


if __name__ == "__main__":
    main()
