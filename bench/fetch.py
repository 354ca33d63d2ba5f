"""Measure asynwsgi-httpclient bulkfetch beside curl --parallel and h2load, in one run.

The figure is requests per second of the client's CPU time, as wait4(2) has it.  Clients take turns
within each round, pinned to one core with nginx on another, and the best of the rounds counts: noise
only ever adds.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

from bench import NGINX, Server

CONNECTIONS = 16
# name: path, requests
WORK = {"small": ("/", 100_000), "1 MB": ("/large", 1_000)}


def nginx(folder):
    def command(port):
        with open(f"{folder}/large", "wb") as large:
            large.write(bytes(range(256)) * 4096)
        with open(f"{folder}/nginx.conf", "w") as conf:
            conf.write(NGINX.format(folder=folder, port=port))
        return ["nginx", "-p", folder, "-c", f"{folder}/nginx.conf"]
    return command


def clients(program, folder, url, requests):
    """How each client that is here is started: name -> its arguments."""
    with open(f"{folder}/urls", "w") as urls:
        urls.write(f"{url}\n" * requests)
    with open(f"{folder}/curlrc", "w") as config:
        config.write(f'url = "{url}"\noutput = "/dev/null"\n' * requests)
    known = {
        "bulkfetch": [program, "bulkfetch", "-c", str(CONNECTIONS), "-i", f"{folder}/urls"],
        "curl": ["curl", "--silent", "--fail", "--parallel", "--parallel-max", str(CONNECTIONS),
                 "--config", f"{folder}/curlrc"],
        "h2load": ["h2load", "--h1", "-n", str(requests), "-c", str(CONNECTIONS), url],
    }
    return {name: command for name, command in known.items() if shutil.which(command[0])}


def measure(name, command, requests, cpu):
    """CPU seconds of a client that fetched everything; None when it did not."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(["taskset", "-c", str(cpu), *command], stdin=subprocess.DEVNULL,
                                   stdout=output, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode()
    if name == "h2load" and not re.search(rf"status codes: {requests} 2xx", text):
        return None
    return usage.ru_utime + usage.ru_stime if process.returncode == 0 else None


def run(args, folder):
    cpus = sorted(os.sched_getaffinity(0))
    server = Server(nginx(folder), cpus[0])
    samples = {}
    try:
        for work, (path, requests) in WORK.items():
            commands = clients(os.path.abspath(args.program), folder,
                               f"http://127.0.0.1:{server.port}{path}", requests)
            samples[work] = {name: [] for name in commands}
            for turn in range(args.rounds):
                for name, command in commands.items():
                    seconds = measure(name, command, requests, cpus[-1])
                    samples[work][name].append(seconds and requests / seconds)
                print(f"{work}: round {turn + 1} of {args.rounds}", file=sys.stderr)
    finally:
        server.stop()
    return samples


def show(samples):
    print("Requests per second of client CPU time: best (median)")
    names = list(next(iter(samples.values())))
    print("| " + " | ".join(["", *names]) + " |")
    print("|" + " --- |" * (len(names) + 1))
    for work, taken in samples.items():
        cells = [f"{max(good):,.0f} ({statistics.median(good):,.0f})" if all(good) else "errors"
                 for good in taken.values()]
        print("| " + " | ".join([work, *cells]) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="asynwsgi-httpclient")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", metavar="FILE", help="write all samples there too")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        samples = run(args, folder)
    show(samples)
    if args.json:
        with open(args.json, "w") as file:
            json.dump(samples, file, indent=1)


if __name__ == "__main__":
    main()
